"""Who may see jobs and attempts and act on them: the hub's dispatchers, and of attempts also the printer's owner."""

from sqlalchemy import ColumnElement, or_
from sqlmodel import col, select

from makerhub.people.access import action, everything, has_role, organisation_ids, visibility
from makerhub.people.models import Person, Role
from makerhub.printers.access import its_dispatchers as dispatchers_of_printer
from makerhub.printers.access import its_owner as owner_of_printer
from makerhub.printers.models import Printer
from makerhub.production.models import Attempt, PrintJob
from makerhub.production.trial_models import TrialPrint


@visibility(PrintJob)
def print_jobs(person: Person) -> ColumnElement[bool]:
    """One's hubs' jobs as a dispatcher."""
    return everything() if has_role(person, Role.ADMIN) else its_dispatchers(person)


@visibility(Attempt)
def attempts(person: Person) -> ColumnElement[bool]:
    """What runs on one's own printers, and on one's hubs' as a dispatcher."""
    if has_role(person, Role.ADMIN):
        return everything()
    mine = or_(col(Printer.owner_id) == person.id, dispatchers_of_printer(person))
    return col(Attempt.printer_id).in_(select(Printer.id).where(mine))


@visibility(TrialPrint)
def trial_prints(person: Person) -> ColumnElement[bool]:
    """Those of one's own printers."""
    mine = select(Printer.id).where(Printer.owner_id == person.id)
    return everything() if has_role(person, Role.ADMIN) else col(TrialPrint.printer_id).in_(mine)


def its_dispatchers(person: Person) -> ColumnElement[bool]:
    """Dispatchers of the hub that has it printed."""
    return col(PrintJob.hub_id).in_(organisation_ids(person, Role.DISPATCHER))


def its_maker(person: Person) -> ColumnElement[bool]:
    """The maker on whose printer it is."""
    return col(Attempt.printer_id).in_(select(Printer.id).where(owner_of_printer(person)))


DISPATCH = action(PrintJob, "work on", its_dispatchers)
RELEASE = action(PrintJob, "release", its_dispatchers)
ANSWER = action(Attempt, "answer the offer of, say what became of", its_maker)
COUNT = action(Attempt, "count the pieces of", its_maker)
