"""The form that makes a hospital or care home known, after those that may be meant were shown: none is here twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlmodel import Session
from werkzeug.datastructures import MultiDict

from makerhub.errors import Invalid, translatable
from makerhub.facilities import service as facilities
from makerhub.facilities.finding import FACILITIES, like
from makerhub.people.models import Organisation, OrganisationKind, Person
from makerhub.web.hub import hub
from makerhub.web.viewer import viewer_zone

Typed = MultiDict[str, str]

NEW = "new"
"""What the field `facility` holds where somebody looked at those alike and it is none of them."""
PERHAPS_KNOWN = translatable("It may be here already. Choose it, or say that it is another one.")
OF_DRAFT = {"name": "new_name"}
"""Fields that the page calls otherwise: on the telephone `name` alone would not say whose."""


@dataclass(frozen=True)
class Meant:
    """A facility that was made known, or none and what is wrong by field; `similar` may be the same."""

    facility: Organisation | None
    similar: Sequence[Organisation] = ()
    problems: Mapping[str, str] = field(default_factory=dict)


def draft_as_typed(session: Session, typed: Typed, by: Person | None = None) -> Meant:
    """Make known what was typed, unless it may be here already and nobody said otherwise; `by` asks for it then."""
    name, postcode = typed.get("new_name", ""), typed.get("postcode", "")
    similar = like(session, name, postcode)
    if similar and typed.get("facility") != NEW:
        return Meant(None, similar, {"facility": PERHAPS_KNOWN})
    kind = next((one for one in FACILITIES if one.value == typed.get("kind")), OrganisationKind.HUB)  # refused below
    try:
        made = facilities.draft(
            session,
            kind=kind,
            name=name,
            place=typed.get("place", ""),
            postcode=postcode,
            entrance=typed.get("entrance", ""),
            opening_hours=typed.get("opening_hours", ""),
            time_zone=str(viewer_zone()),
            by=by,
            now=hub().clock(),
        )
    except Invalid as error:
        if not error.fields:
            raise
        return Meant(None, similar, {OF_DRAFT.get(name, name): problem for name, problem in error.fields.items()})
    return Meant(made, similar)


def kinds() -> list[tuple[str, str]]:
    """What it may be, as it is sent and as a word of `words.py`."""
    return [(one.value, one) for one in FACILITIES]
