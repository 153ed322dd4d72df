"""The use cases of test prints: ask for one, begin it at most once, and record what became of it."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlmodel import Session, col, select, update

from makerhub.db import Database, IntegrityError
from makerhub.errors import IllegalMove, Invalid, MovedMeanwhile, translatable
from makerhub.fleet import trial as file
from makerhub.fleet.gateway import Connection
from makerhub.fleet.verdict import Attempt as Sending
from makerhub.fleet.verdict import Outcome, Reason, Verdict
from makerhub.lifecycle import begin, move
from makerhub.printers.models import Link, Printer, PrinterState
from makerhub.production import service
from makerhub.production.models import ON_THE_PRINTER
from makerhub.production.silence import MAY_BEGIN
from makerhub.production.trial_models import LIVE, SENT, TrialPrint, TrialState

BEGINS_WITHIN: Final = timedelta(minutes=5)
"""A test print is made while its maker looks on; later it would surprise somebody."""

LOST_AFTER: Final = MAY_BEGIN + timedelta(minutes=1)
"""So long after its sending a print of ten seconds is over, and may begin no more: neither here nor at an agent."""

ENDS: Final = {
    Outcome.NOT_STARTED: TrialState.NOT_STARTED,
    Outcome.DONE: TrialState.FINISHED,
    Outcome.FAILED: TrialState.FAILED,
    Outcome.ASK_HUMAN: TrialState.FAILED,  # nothing lies on the plate, so there is nothing to ask: it is made anew
}


def ask(session: Session, printer: Printer, *, by: UUID, now: datetime) -> TrialPrint:
    """The maker agrees to a test print. Raises `Invalid` where none can be made now."""
    if printer.link is Link.BY_HAND or printer.state not in (PrinterState.ACTIVE, PrinterState.PAUSED):
        raise Invalid(translatable("This printer is not connected yet, so it can make no test print."))
    service.require_free(session, printer.id)
    trial_id = uuid4()
    trial = TrialPrint(id=trial_id, printer_id=printer.id, file_name=file.file_name(trial_id), asked_at=now)
    try:
        begin(session, trial, now=now, by=by)
    except IntegrityError as error:  # somebody pressed twice in the same instant
        raise MovedMeanwhile from error
    return trial


def claim(session: Session, trial: TrialPrint, *, agent_id: UUID | None = None, now: datetime) -> bool:
    """Commit to the first sending; False where it may not begin any more. The printer's row is held until the end."""
    session.get_one(Printer, trial.printer_id, with_for_update=True)
    attempt = service.live_attempt(session, trial.printer_id)
    if (attempt is not None and attempt.state in ON_THE_PRINTER) or now - trial.asked_at > BEGINS_WITHIN:
        return False
    move(session, trial, TrialState.SENDING, now=now, sent_at=now, sends=1, agent_id=agent_id)
    return True


def started(session: Session, trial: TrialPrint, *, now: datetime) -> None:
    """The printer prints it."""
    if trial.state is TrialState.SENDING:
        move(session, trial, TrialState.PRINTING, now=now, started_at=now)


def end(
    session: Session, trial: TrialPrint, state: TrialState, reason: str, *, trouble: str = "", now: datetime
) -> None:
    """Record how it ended; what comes too late changes nothing."""
    if state in trial.MOVES.get(trial.state, ()):
        move(session, trial, state, now=now, why=reason, reason=reason, trouble=trouble, ended_at=now)


def end_lost(session: Session, *, now: datetime) -> None:
    """End those that were never begun, or of which nobody has heard for so long that nobody will."""
    for trial in session.exec(select(TrialPrint).where(col(TrialPrint.state).in_(LIVE))).all():
        link = session.get_one(Printer, trial.printer_id).link
        reason = Reason.AGENT_SILENT if link is Link.AGENT else Reason.PRINTER_TROUBLE
        if trial.state is TrialState.WAITING and now - trial.asked_at > BEGINS_WITHIN:
            end(session, trial, TrialState.NOT_STARTED, reason, now=now)
        elif trial.sent_at is not None and now - trial.sent_at > LOST_AFTER:
            end(session, trial, TrialState.FAILED, reason, now=now)


def sending(trial: TrialPrint, connection: Connection) -> Sending:
    """What the start protocol wants to know of it."""
    return Sending(
        id=trial.id,
        connection=connection,
        file_name=trial.file_name,
        size=len(file.GCODE),
        sha1=file.SHA1,
        sent_at=trial.sent_at,
        sends=trial.sends,
        file_seen=trial.file_seen,
        quiet_since=trial.quiet_since,
    )


class TrialJournal:
    """A `StartJournal` of test prints in the hub's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sending(self, attempt: Sending, now: datetime) -> bool:
        """Claim the next sending; False when somebody else has, or when it may not be started any more."""
        try:
            with self._database.changing() as session:
                trial = _held(session, attempt.id)
                if trial.sends != attempt.sends:
                    return False
                if trial.state is TrialState.WAITING:
                    return claim(session, trial, now=now)
                if trial.state is not TrialState.SENDING:
                    return False
                trial.sends += 1
                return True
        except (IllegalMove, MovedMeanwhile):
            return False

    def file_seen(self, attempt_id: UUID) -> None:
        """Remember for ever that the file was seen."""
        self._remember(attempt_id, file_seen=True)

    def quiet(self, attempt_id: UUID, since: datetime | None) -> None:
        """Remember since when nothing has been heard of the print."""
        self._remember(attempt_id, quiet_since=since)

    def conclude(self, attempt_id: UUID, verdict: Verdict, now: datetime) -> None:
        """Record what became of it; a verdict that comes too late changes nothing."""
        with self._database.changing() as session:
            trial = _held(session, attempt_id)
            if verdict.outcome is Outcome.STARTED:
                started(session, trial, now=now)
            elif trial.state in SENT:
                end(session, trial, ENDS[verdict.outcome], verdict.reason, now=now)

    def not_sent(self, attempt_id: UUID, verdict: Verdict, now: datetime) -> None:
        """The printer can not begin now: say why instead of beginning when nobody looks on any more."""
        with self._database.changing() as session:
            trial = _held(session, attempt_id)
            if trial.state is TrialState.WAITING:
                trouble = verdict.trouble or ""
                end(session, trial, TrialState.NOT_STARTED, verdict.reason, trouble=trouble, now=now)

    def tidied(self, attempt_id: UUID) -> None:
        """Remember that nothing of it is left to remove."""
        self._remember(attempt_id, tidied=True)

    def _remember(self, trial_id: UUID, **values: object) -> None:
        with self._database.changing() as session:
            session.execute(update(TrialPrint).where(col(TrialPrint.id) == trial_id).values(**values))


def _held(session: Session, trial_id: UUID) -> TrialPrint:
    return session.exec(select(TrialPrint).where(TrialPrint.id == trial_id).with_for_update()).one()
