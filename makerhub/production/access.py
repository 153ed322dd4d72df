"""Who may see jobs and attempts: the dispatchers of the hub, and of attempts also the printer's owner."""

from sqlalchemy import ColumnElement, or_
from sqlmodel import col, select

from makerhub.people.access import everything, has_role, organisation_ids, visibility
from makerhub.people.models import Person, Role
from makerhub.printers.models import Printer
from makerhub.production.models import Attempt, PrintJob


@visibility(PrintJob)
def print_jobs(person: Person) -> ColumnElement[bool]:
    """One's hubs' jobs as a dispatcher."""
    if has_role(person, Role.ADMIN):
        return everything()
    return col(PrintJob.hub_id).in_(organisation_ids(person, Role.DISPATCHER))


@visibility(Attempt)
def attempts(person: Person) -> ColumnElement[bool]:
    """What runs on one's own printers, and on one's hubs' as a dispatcher."""
    if has_role(person, Role.ADMIN):
        return everything()
    hubs = organisation_ids(person, Role.DISPATCHER)
    mine = select(Printer.id).where(or_(col(Printer.owner_id) == person.id, col(Printer.hub_id).in_(hubs)))
    return col(Attempt.printer_id).in_(mine)
