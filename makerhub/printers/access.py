"""Who may see printers: their owner, and the dispatchers of the hub they print for."""

from sqlalchemy import ColumnElement, or_
from sqlmodel import col

from makerhub.people.access import everything, has_role, organisation_ids, visibility
from makerhub.people.models import Person, Role
from makerhub.printers.models import Printer, Spool


@visibility(Printer)
def printers(person: Person) -> ColumnElement[bool]:
    """One's own printers, and one's hubs' as a dispatcher."""
    if has_role(person, Role.ADMIN):
        return everything()
    hubs = organisation_ids(person, Role.DISPATCHER)
    return or_(col(Printer.owner_id) == person.id, col(Printer.hub_id).in_(hubs))


@visibility(Spool)
def spools(person: Person) -> ColumnElement[bool]:
    """One's own spools."""
    return col(Spool.owner_id) == person.id
