"""The maintenance log of printers: what was done, and how long the printer had printed for us by then."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.errors import Invalid, translatable
from makerhub.printers.models import Upkeep, UpkeepKind

DUE_AFTER_SECONDS = 200 * 3600
"""Nozzles wear, belts slacken and rods dry out within some hundreds of hours; each maker's manual knows better."""

LONGEST_NOTE = 200


def record(
    session: Session, printer_id: UUID, kind: UpkeepKind | None, note: str, *, print_seconds: int, now: datetime
) -> Upkeep:
    """Write down what was done. Raises `Invalid` with `fields` for no choice or a long note."""
    if kind is None:
        raise Invalid(fields={"kind": translatable("Choose what you did.")})
    if len(note.strip()) > LONGEST_NOTE:
        raise Invalid(fields={"note": translatable("Keep the note under 200 letters.")})
    done = Upkeep(printer_id=printer_id, kind=kind, note=note.strip(), print_seconds=print_seconds, at=now)
    session.add(done)
    session.flush()
    return done


def log_of(session: Session, printer_id: UUID) -> Sequence[Upkeep]:
    """What was done to a printer, the latest first."""
    mine = select(Upkeep).where(Upkeep.printer_id == printer_id)
    return session.exec(mine.order_by(col(Upkeep.at).desc())).all()


def is_due(log: Sequence[Upkeep], print_seconds: int) -> bool:
    """Whether a printer has printed so long since somebody last looked after it that a reminder is fair."""
    return print_seconds - (log[0].print_seconds if log else 0) >= DUE_AFTER_SECONDS
