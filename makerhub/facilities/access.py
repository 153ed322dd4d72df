"""Who may see the evidence for facilities: those who ask for them, and the dispatchers, who check it."""

from sqlalchemy import ColumnElement
from sqlmodel import col

from makerhub.facilities.models import CallBack, Evidence, ProofCode, RegisterEntry
from makerhub.people.access import everything, has_role, nothing, organisation_ids, visibility
from makerhub.people.models import Person, Role


@visibility(Evidence)
def evidence(person: Person) -> ColumnElement[bool]:
    """One's own facilities' evidence; dispatchers and administrators see all of it."""
    if has_role(person, Role.DISPATCHER, Role.ADMIN):
        return everything()
    return col(Evidence.facility_id).in_(organisation_ids(person, Role.REQUESTER))


@visibility(CallBack)
def calls(person: Person) -> ColumnElement[bool]:
    """What was said on the telephone is for those who check."""
    return everything() if has_role(person, Role.DISPATCHER, Role.ADMIN) else nothing()


@visibility(ProofCode)
def codes(person: Person) -> ColumnElement[bool]:
    """That a letter is on its way is for those who check; the code itself is kept as a hash alone."""
    return everything() if has_role(person, Role.DISPATCHER, Role.ADMIN) else nothing()


@visibility(RegisterEntry)
def register_entries(person: Person) -> ColumnElement[bool]:
    """Registers are public; here they serve those who check."""
    return everything() if has_role(person, Role.DISPATCHER, Role.ADMIN) else nothing()
