"""The filament of attempts: is there enough on the spool before it starts, and what did it take when it ended."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.designs.models import PlateSlice
from makerhub.errors import IllegalMove, MakerhubError, translatable
from makerhub.fleet.gateway import FOLDER
from makerhub.printers import spools
from makerhub.printers.models import Observation
from makerhub.production.models import Attempt, AttemptState

ENDED = frozenset({AttemptState.FINISHED, AttemptState.FAILED})
WAITING_FOR_SPOOL = frozenset({AttemptState.PREPARING, AttemptState.READY})


class SpoolShort(MakerhubError):
    """By our count the spool does not hold what the print needs, and its maker has not said to print all the same."""

    template = translatable("There is not enough on the spool for this print.")


def missing_milligrams(session: Session, attempt: Attempt) -> int:
    """How much more the print needs than is left on the spool; 0 when it is enough or nobody knows."""
    spool = spools.loaded(session, attempt.printer_id)
    plate = _plate(session, attempt)
    return max(0, plate.milligrams - spools.left(session, spool)) if spool and plate else 0


def is_held(session: Session, attempt: Attempt) -> bool:
    """Whether an attempt waits for its maker's word about the spool."""
    return not attempt.spool_confirmed and missing_milligrams(session, attempt) > 0


def print_anyway(session: Session, attempt: Attempt) -> None:
    """The maker knows that the spool is enough, or stands by to change it."""
    if attempt.state not in WAITING_FOR_SPOOL:
        raise IllegalMove(before=str(attempt.state), after=str(attempt.state))
    attempt.spool_confirmed = True
    session.add(attempt)


def book_used(session: Session, attempt: Attempt, *, now: datetime) -> None:
    """Take what an ended print used from its spool: all of its plate, or the share that was seen of a failed one."""
    plate = _plate(session, attempt)
    if attempt.state in ENDED and attempt.spool_id and plate and attempt.sent_at:
        used = round(plate.milligrams * _share(session, attempt))
        spools.book(session, attempt.spool_id, attempt.id, used, now=now)


def print_seconds(session: Session, printer_id: UUID) -> int:
    """How long a printer has printed for us, in all."""
    ours = select(Attempt.started_at, Attempt.ended_at).where(Attempt.printer_id == printer_id)
    over = ours.where(col(Attempt.started_at).is_not(None), col(Attempt.ended_at).is_not(None))
    return sum(round((end - begin).total_seconds()) for begin, end in session.exec(over) if begin and end)


def _share(session: Session, attempt: Attempt) -> float:
    """Of a failed print as much as was last seen of it; where nothing was seen it counts as whole."""
    seen = session.get(Observation, attempt.printer_id)
    is_known = seen and seen.completion is not None and seen.file_path == f"{FOLDER}/{attempt.file_name}"
    if attempt.state is AttemptState.FINISHED or not is_known or seen is None or seen.completion is None:
        return 1.0
    return min(1.0, max(0.0, seen.completion / 100))


def _plate(session: Session, attempt: Attempt) -> PlateSlice | None:
    return session.get(PlateSlice, attempt.plate_slice_id) if attempt.plate_slice_id else None
