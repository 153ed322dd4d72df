"""Who may see printers and look after them: their owner, and to see the dispatchers of the hub they print for."""

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select

from makerhub.people.access import action, everything, has_role, organisation_ids, visibility
from makerhub.people.models import Person, Role
from makerhub.printers.agent_models import Agent
from makerhub.printers.fit import PrinterFit
from makerhub.printers.models import Printer, PrinterState, Spool


@visibility(Printer)
def printers(person: Person) -> ColumnElement[bool]:
    """One's own printers, and one's hubs' as a dispatcher."""
    if has_role(person, Role.ADMIN):
        return everything()
    return or_(col(Printer.owner_id) == person.id, its_dispatchers(person))


def its_owner(person: Person) -> ColumnElement[bool]:
    """The maker whose printer it is, as long as it is in use here."""
    return and_(col(Printer.owner_id) == person.id, col(Printer.state) != PrinterState.RETIRED)


def its_dispatchers(person: Person) -> ColumnElement[bool]:
    """Dispatchers of the hub that it prints for."""
    return col(Printer.hub_id).in_(organisation_ids(person, Role.DISPATCHER))


@visibility(Spool)
def spools(person: Person) -> ColumnElement[bool]:
    """One's own spools."""
    return col(Spool.owner_id) == person.id


@visibility(Agent)
def agents(person: Person) -> ColumnElement[bool]:
    """One's own; who else sees the printer sees only that one looks after it."""
    return everything() if has_role(person, Role.ADMIN) else col(Agent.owner_id) == person.id


@visibility(PrinterFit)
def fits(person: Person) -> ColumnElement[bool]:
    """Those of one's own printers."""
    mine = select(Printer.id).where(Printer.owner_id == person.id)
    return everything() if has_role(person, Role.ADMIN) else col(PrinterFit.printer_id).in_(mine)


LOOK_AFTER = action(Printer, "look after, change and retire", its_owner)
WATCH = action(Printer, "watch", its_dispatchers)
