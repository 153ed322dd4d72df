"""Finding a facility that is known already, by what somebody types or says: so that it is not made a second time."""

from uuid import UUID

from sqlalchemy import and_, or_
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from makerhub.facilities.models import RegisterEntry
from makerhub.facilities.similar import ALIKE, likeness
from makerhub.people.models import Organisation, OrganisationKind
from makerhub.places.names import key_of, postcode_key

FACILITIES = (OrganisationKind.HOSPITAL, OrganisationKind.CARE_HOME)
MOST_FOUND = 8
NEARLY_THE_SAME = 0.85
"""How alike names have to be where a postcode is missing: there are many of a name like “Rosewood” in a country."""
SHORTEST_TYPED = 2


def search(session: Session, typed: str) -> list[Organisation]:
    """Facilities by a part of the name or the beginning of the postcode, the likeliest first; at most eight.

    Where none has all that was typed in its name, those whose names are alike.
    """
    code = postcode_key(typed)
    if len(code) < SHORTEST_TYPED:
        return []
    bare_postcode = func.lower(func.replace(col(Organisation.postcode), " ", ""))
    in_name = [func.lower(col(Organisation.name)).contains(word, autoescape=True) for word in typed.lower().split()]
    found = list(session.exec(_known().where(or_(bare_postcode.startswith(code), and_(*in_name))).limit(200)))
    if not found:
        found = [one for one in session.exec(_known()) if likeness(typed, one.name) >= ALIKE]
    return sorted(found, key=lambda one: (-likeness(typed, one.name), one.name, str(one.id)))[:MOST_FOUND]


def search_registers(session: Session, typed: str) -> list[RegisterEntry]:
    """Entries of the imported registers by the same: what can be made known without typing it all."""
    name, code = key_of(typed), postcode_key(typed)
    if len(code) <= SHORTEST_TYPED:
        return []
    meant = or_(col(RegisterEntry.postcode_key).startswith(code), col(RegisterEntry.name_key).contains(name))
    found = session.exec(select(RegisterEntry).where(meant).limit(200)).all()
    return sorted(found, key=lambda one: (-likeness(typed, one.name), one.name, one.code))[:MOST_FOUND]


def duplicates(session: Session, facility: Organisation) -> list[Organisation]:
    """Other facilities at the same postcode whose names are alike, or of its very name: perhaps the same twice."""
    return like(session, facility.name, facility.postcode, without=facility.id)


def like(session: Session, name: str, postcode: str, without: UUID | None = None) -> list[Organisation]:
    """Facilities that may be meant by a name and a postcode, the likeliest first."""
    others = _known().where(Organisation.id != without)
    code = postcode_key(postcode)
    found = [
        (likeness(name, other.name), other)
        for other in session.exec(others)
        if (code and postcode_key(other.postcode) == code and likeness(name, other.name) >= ALIKE)
        or (likeness(name, other.name) >= NEARLY_THE_SAME and (not code or not other.postcode))
    ]
    return [other for _, other in sorted(found, key=lambda one: (-one[0], one[1].name, str(one[1].id)))][:MOST_FOUND]


def _known() -> SelectOfScalar[Organisation]:
    return select(Organisation).where(col(Organisation.kind).in_(FACILITIES), col(Organisation.merged_into).is_(None))
