"""Who may see lots and inspect them: the dispatchers of the hub; the maker who printed them sees them."""

from sqlalchemy import ColumnElement, or_
from sqlmodel import col

from makerhub.people.access import action, everything, has_role, organisation_ids, visibility
from makerhub.people.models import Person, Role
from makerhub.stock.models import Lot


@visibility(Lot)
def lots(person: Person) -> ColumnElement[bool]:
    """One's own lots as a maker, and one's hubs' as a dispatcher."""
    if has_role(person, Role.ADMIN):
        return everything()
    return or_(its_maker(person), its_dispatchers(person))


def its_maker(person: Person) -> ColumnElement[bool]:
    """The maker who printed it."""
    return col(Lot.maker_reference) == person.maker_reference


def its_dispatchers(person: Person) -> ColumnElement[bool]:
    """Dispatchers of the hub that gets it."""
    return col(Lot.hub_id).in_(organisation_ids(person, Role.DISPATCHER))


BRING = action(Lot, "bring to the hub", its_maker)
DISPATCH = action(Lot, "work on", its_dispatchers)
INSPECT = action(Lot, "inspect", its_dispatchers)
