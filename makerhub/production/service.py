"""The use cases of production: plan a job, offer it to a printer, and record what became of each attempt.

An attempt and its job move together here; nobody else changes either.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlmodel import Session, col, func, select, update

from makerhub.db import IntegrityError
from makerhub.demand.approved import materials_for
from makerhub.demand.models import RequestLine
from makerhub.designs.approvals import ApprovalPolicy
from makerhub.designs.models import DesignVersion, Part
from makerhub.errors import IllegalMove, Invalid, MovedMeanwhile, NotFound, translatable
from makerhub.lifecycle import begin, move
from makerhub.people.blocks import suspension_of
from makerhub.people.homes import left_alone
from makerhub.people.models import Person
from makerhub.printers import spools
from makerhub.printers.models import BuildPlate, Consent, Link, PlateState, Printer, PrinterState
from makerhub.production import material
from makerhub.production.models import LIVE, ON_THE_PRINTER, Attempt, AttemptState, JobState, PrintJob
from makerhub.production.trial_models import live_trial

TRIES_BEFORE_HOLD = 3
TRIES_BEFORE_PAUSE = 3


@dataclass(frozen=True)
class Outcome:
    """How an attempt left the printer: its new state, a sentence for the log, and the reason for a question."""

    state: AttemptState
    why: str = ""
    doubt: str = ""


def plan_job(
    session: Session, line: RequestLine, *, hub_id: UUID, part_id: UUID, copies: int, now: datetime
) -> PrintJob:
    """Queue a build plate of `copies` for a request line."""
    job = PrintJob(
        hub_id=hub_id,
        line_id=line.id,
        part_id=part_id,
        copies=copies,
        needed_by=line.needed_by,
        urgency=line.urgency,
        created_at=now,
    )
    begin(session, job, now=now)
    return job


def assign(session: Session, job: PrintJob, printer: Printer, *, now: datetime) -> Attempt:
    """Give a queued job to a printer: offered to its maker, or prepared at once where the maker agreed to that.

    Raises `MovedMeanwhile` when job or printer were taken in the meantime.
    """
    move(session, job, JobState.ASSIGNED, now=now, why=f"to printer {printer.id}")
    if live_attempt(session, printer.id) is not None:
        raise MovedMeanwhile
    number = tries(session, job.id) + 1
    attempt_id = uuid4()
    attempt = Attempt(
        id=attempt_id,
        job_id=job.id,
        printer_id=printer.id,
        number=number,
        file_name=f"{job.id.hex}-{number}.gcode",
        maker_reference=_maker_reference(session, printer),
        state=AttemptState.PREPARING if printer.consent is Consent.AUTOMATIC else AttemptState.OFFERED,
        created_at=now,
    )
    try:
        begin(session, attempt, now=now)
    except IntegrityError as error:  # another transaction gave the printer its attempt since we looked
        raise MovedMeanwhile from error
    return attempt


def accept(session: Session, attempt: Attempt, *, by: UUID, now: datetime) -> None:
    """The maker takes the offered job."""
    move(session, attempt, AttemptState.PREPARING, now=now, by=by)


def decline(session: Session, attempt: Attempt, *, by: UUID, now: datetime) -> None:
    """The maker does not take the offered job; it is not offered to this printer again."""
    move(session, attempt, AttemptState.WITHDRAWN, now=now, by=by, why="declined", ended_at=now, declined=True)
    _requeue(session, attempt, "declined", now)


def withdraw(session: Session, attempt: Attempt, *, why: str, now: datetime) -> None:
    """Take an attempt back before anything was sent; its job goes back to the queue."""
    move(session, attempt, AttemptState.WITHDRAWN, now=now, why=why, ended_at=now)
    _requeue(session, attempt, why, now)


def prepared(session: Session, attempt: Attempt, plate_slice_id: UUID, *, now: datetime) -> None:
    """The attempt's G-code is there and has passed the guard."""
    move(session, attempt, AttemptState.READY, now=now, plate_slice_id=plate_slice_id)


def not_prepared(session: Session, attempt: Attempt, *, why: str, now: datetime) -> None:
    """The attempt's G-code can not be had."""
    _end(session, attempt, Outcome(AttemptState.FAILED, why), None, now)


def claim_start(session: Session, attempt: Attempt, *, now: datetime) -> None:
    """Commit to the first sending: the build plate stops being clear and the file name is spent, at once.

    Raises `IllegalMove` when the plate is not clear or the attempt not ready, `MovedMeanwhile` when another sweep was
    first, and `SpoolShort` when its maker has to decide about the spool.
    """
    if material.is_held(session, attempt):
        raise material.SpoolShort
    spool = spools.loaded(session, attempt.printer_id)
    move(session, plate_of(session, attempt.printer_id), PlateState.OCCUPIED, now=now, why=attempt.file_name)
    spool_id = spool.id if spool else None
    move(session, attempt, AttemptState.SENDING, now=now, sent_at=now, sends=1, spool_id=spool_id)


def started(session: Session, attempt: Attempt, *, now: datetime) -> None:
    """The printer prints it, or does so after all when its maker was already asked."""
    if attempt.state in {AttemptState.SENDING, AttemptState.IN_DOUBT}:
        began = attempt.started_at or now
        move(session, attempt, AttemptState.PRINTING, now=now, started_at=began, doubt="")


def begin_by_hand(session: Session, attempt: Attempt, policy: ApprovalPolicy, *, by: UUID, now: datetime) -> None:
    """The maker of a printer that is worked by hand has started the print.

    Raises as `claim_start` does, `IllegalMove` for a printer that others start, and `Invalid` where it must not be
    printed any more.
    """
    if session.get_one(Printer, attempt.printer_id).link is not Link.BY_HAND:
        raise IllegalMove(before=str(attempt.state), after=str(AttemptState.PRINTING))
    if not may_start(session, policy, attempt, now=now):
        raise Invalid(translatable("This must not be printed any more. If it prints already, please stop it."))
    claim_start(session, attempt, now=now)
    move(session, attempt, AttemptState.PRINTING, now=now, by=by, started_at=now)


def end_by_hand(session: Session, attempt: Attempt, outcome: Outcome, *, by: UUID, now: datetime) -> None:
    """The maker of a printer that is worked by hand says how its print ended."""
    is_by_hand = session.get_one(Printer, attempt.printer_id).link is Link.BY_HAND
    if not is_by_hand or attempt.state is not AttemptState.PRINTING:
        raise IllegalMove(before=str(attempt.state), after=str(outcome.state))
    end(session, attempt, outcome, by=by, now=now)


def end(session: Session, attempt: Attempt, outcome: Outcome, *, by: UUID | None = None, now: datetime) -> None:
    """Record how the attempt left the printer.

    `FINISHED` waits for the maker's count. `FAILED` and `NOT_STARTED` put the job back into the queue, but a failure
    after which there are `TRIES_BEFORE_HOLD` of them holds it. `IN_DOUBT` is a question to the maker. What was never
    started leaves the build plate as clear as it was. What comes too late (the attempt has ended, or is known to have
    started) changes nothing.
    """
    if attempt.state not in ON_THE_PRINTER or outcome.state not in attempt.MOVES[attempt.state]:
        return
    if outcome.state is AttemptState.NOT_STARTED:
        move(session, plate_of(session, attempt.printer_id), PlateState.CLEAR, now=now, why="nothing was printed")
    _end(session, attempt, outcome, by, now)
    if outcome.state is AttemptState.NOT_STARTED:
        _pause_if_it_never_starts(session, attempt.printer_id, now)


def count(session: Session, attempt: Attempt, *, good: int, by: UUID, now: datetime) -> PrintJob:
    """The maker counts a finished print: `good` pieces, the others of its plate are bad. Its job is done.

    Raises `Invalid` when more are good than were printed; called by `stock`, which makes the lot.
    """
    job = job_of(session, attempt)
    if not 0 <= good <= job.copies:
        problem = translatable("Enter how many are good: from 0 to the number that was printed.")
        raise Invalid(fields={"good": problem})
    move(session, attempt, AttemptState.COUNTED, now=now, by=by, good=good, bad=job.copies - good)
    move(session, job, JobState.DONE, now=now, by=by)
    return job


def plate_cleared(session: Session, printer_id: UUID, *, by: UUID, now: datetime) -> None:
    """A human has cleared the build plate. Refused while something prints or may print there."""
    attempt = live_attempt(session, printer_id)
    if attempt is not None and attempt.state not in {AttemptState.OFFERED, AttemptState.PREPARING, AttemptState.READY}:
        raise Invalid(translatable("Something of ours is still on this printer. Answer for it first."))
    move(session, plate_of(session, printer_id), PlateState.CLEAR, now=now, by=by)


def require_free(session: Session, printer_id: UUID) -> None:
    """Raise `Invalid` while the printer belongs to an attempt: its G-code was made for what the printer is now."""
    if live_attempt(session, printer_id) is not None or live_trial(session, printer_id) is not None:
        raise Invalid(
            translatable("A print of ours waits for this printer or is on it. Wait for its end, then try again.")
        )


def release(session: Session, job: PrintJob, *, by: UUID, now: datetime) -> None:
    """A dispatcher puts a held job back into the queue."""
    move(session, job, JobState.QUEUED, now=now, by=by)


def serve(session: Session, job_id: UUID, line: RequestLine) -> None:
    """Let a queued job be for this line, with its deadline and urgency; a job that was assigned meanwhile stays."""
    session.execute(
        update(PrintJob)
        .where(col(PrintJob.id) == job_id, col(PrintJob.state) == JobState.QUEUED)
        .values(line_id=line.id, needed_by=line.needed_by, urgency=line.urgency)
    )


def is_approved(session: Session, policy: ApprovalPolicy, job: PrintJob, printer: Printer, *, now: datetime) -> bool:
    """Whether the job may be printed in the printer's material for the facility that it is for."""
    line, part = session.get_one(RequestLine, job.line_id), session.get_one(Part, job.part_id)
    return printer.material in materials_for(session, policy, line, part, now)


def may_start(session: Session, policy: ApprovalPolicy, attempt: Attempt, *, now: datetime) -> bool:
    """The printer still takes jobs, and the design is still approved for it; both stay so until the claim is made.

    In the quiet hours of its maker no print begins by itself; none while a test print is made there, and none for a hub
    that keeps the maker out.
    """
    job = job_of(session, attempt)
    version_id = session.get_one(Part, job.part_id).version_id
    session.get_one(DesignVersion, version_id, with_for_update={"read": True})
    printer = session.get_one(Printer, attempt.printer_id, with_for_update={"read": True})
    begins_by_itself = printer.consent is Consent.AUTOMATIC and printer.link is not Link.BY_HAND
    if begins_by_itself and left_alone(session, [printer.owner_id], now):
        return False
    is_blocked = suspension_of(session, printer.owner_id, printer.hub_id) is not None
    if is_blocked or live_trial(session, printer.id) is not None:
        return False
    return printer.state is PrinterState.ACTIVE and is_approved(session, policy, job, printer, now=now)


def cancel_job(session: Session, job: PrintJob, *, why: str, now: datetime) -> None:
    """Nobody needs the job any more."""
    move(session, job, JobState.CANCELLED, now=now, why=why)


def live_attempt(session: Session, printer_id: UUID) -> Attempt | None:
    """The attempt to which the printer belongs now, if any."""
    mine = select(Attempt).where(Attempt.printer_id == printer_id, col(Attempt.state).in_(LIVE))
    return session.exec(mine).first()


def in_states(session: Session, *states: AttemptState) -> Sequence[Attempt]:
    """Every attempt in one of the states, the oldest first."""
    wanted = select(Attempt).where(col(Attempt.state).in_(states))
    return session.exec(wanted.order_by(col(Attempt.created_at))).all()


def job_of(session: Session, attempt: Attempt) -> PrintJob:
    """The job that the attempt is for."""
    return session.get_one(PrintJob, attempt.job_id)


def plate_of(session: Session, printer_id: UUID) -> BuildPlate:
    """The printer's build plate."""
    plate = session.exec(select(BuildPlate).where(BuildPlate.printer_id == printer_id)).first()
    if plate is None:
        raise NotFound
    return plate


def tries(session: Session, job_id: UUID) -> int:
    """How many attempts the job has had."""
    return session.exec(select(func.count()).select_from(Attempt).where(Attempt.job_id == job_id)).one()


def _maker_reference(session: Session, printer: Printer) -> UUID:
    return session.get_one(Person, printer.owner_id).maker_reference


def _end(session: Session, attempt: Attempt, outcome: Outcome, by: UUID | None, now: datetime) -> None:
    ended_at = None if outcome.state is AttemptState.IN_DOUBT else now
    move(session, attempt, outcome.state, now=now, by=by, why=outcome.why, doubt=outcome.doubt, ended_at=ended_at)
    material.book_used(session, attempt, now=now)
    if outcome.state in {AttemptState.FAILED, AttemptState.NOT_STARTED}:
        _requeue(session, attempt, outcome.why, now)


def _pause_if_it_never_starts(session: Session, printer_id: UUID, now: datetime) -> None:
    """A printer that takes files and begins none, say for a full disk, would be sent one file after the other."""
    printer = session.get_one(Printer, printer_id)
    latest = select(Attempt.state).where(Attempt.printer_id == printer_id, col(Attempt.ended_at).is_not(None))
    ends = session.exec(latest.order_by(col(Attempt.ended_at).desc()).limit(TRIES_BEFORE_PAUSE)).all()
    gives_up = len(ends) == TRIES_BEFORE_PAUSE and set(ends) == {AttemptState.NOT_STARTED}
    if gives_up and printer.state is PrinterState.ACTIVE:
        move(session, printer, PrinterState.PAUSED, now=now, why="it took three files and began none of them")


def _requeue(session: Session, attempt: Attempt, why: str, now: datetime) -> None:
    job = job_of(session, attempt)
    has_failed = attempt.state is AttemptState.FAILED and _failures(session, job) >= TRIES_BEFORE_HOLD
    move(session, job, JobState.HELD if has_failed else JobState.QUEUED, now=now, why=why)


def _failures(session: Session, job: PrintJob) -> int:
    failed = select(func.count()).select_from(Attempt).where(Attempt.job_id == job.id)
    return session.exec(failed.where(Attempt.state == AttemptState.FAILED)).one()
