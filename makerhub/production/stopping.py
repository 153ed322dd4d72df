"""A maker stops a print from the hub's page: written down here, done by whoever speaks with the printer.

What comes of it is found out as after any other end: by looking at the printer.
"""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from makerhub.audit.service import note
from makerhub.errors import MovedMeanwhile, translatable
from makerhub.printers import service as printers
from makerhub.printers.models import Link, Printer, PrinterState
from makerhub.production.models import ON_THE_PRINTER, Attempt


def can_be_stopped(attempt: Attempt, printer: Printer) -> bool:
    """Whether the printer may have been told to print it, and is one that we speak with."""
    return attempt.state in ON_THE_PRINTER and printer.link is not Link.BY_HAND


def ask_to_stop(session: Session, attempt: Attempt, *, by: UUID, now: datetime) -> None:
    """Have this print cancelled as soon as its printer can be reached, and no new one begin; asking twice is once.

    Raises `MovedMeanwhile` when nothing of it is on a printer that we speak with.
    """
    printer = session.get_one(Printer, attempt.printer_id)
    if not can_be_stopped(attempt, printer):
        raise MovedMeanwhile(translatable("This print is over by now, or was never sent."))
    if printer.state is PrinterState.ACTIVE:
        printers.pause(session, printer, by=by, now=now)
    if attempt.stop_asked_at is None:
        attempt.stop_asked_at = now
        session.add(attempt)
        note(session, "asked to stop a print", attempt, now=now, by=by)
