"""Who may see lots: the dispatchers of the hub, and the maker who printed them."""

from sqlalchemy import ColumnElement, or_
from sqlmodel import col

from makerhub.people.access import everything, has_role, organisation_ids, visibility
from makerhub.people.models import Person, Role
from makerhub.stock.models import Lot


@visibility(Lot)
def lots(person: Person) -> ColumnElement[bool]:
    """One's own lots as a maker, and one's hubs' as a dispatcher."""
    if has_role(person, Role.ADMIN):
        return everything()
    hubs = organisation_ids(person, Role.DISPATCHER)
    return or_(col(Lot.maker_reference) == person.maker_reference, col(Lot.hub_id).in_(hubs))
