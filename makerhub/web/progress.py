"""How far the items of request lines have come, from the first print to the door of the facility."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, func, select

from makerhub.delivery.models import Allocation, AllocationState
from makerhub.demand.models import RequestLine
from makerhub.designs.models import KitPart
from makerhub.production.models import ON_THE_PRINTER, Attempt, AttemptState, PrintJob
from makerhub.stock.models import Inspection, Lot, LotState


class Stage(Enum):
    """How far a piece has come; the farthest stage first."""

    DELIVERED = auto()
    ON_THE_WAY = auto()
    RESERVED = auto()
    PRINTED = auto()
    PRINTING = auto()


ALLOCATED = {
    AllocationState.DELIVERED: Stage.DELIVERED,
    AllocationState.SHIPPED: Stage.ON_THE_WAY,
    AllocationState.RESERVED: Stage.RESERVED,
}


@dataclass(frozen=True)
class Progress:
    """Of the `quantity` items of a line, how many are in each stage; the six numbers add up to it.

    An item is as far as the last of its parts. What was printed for a line may still go to a more urgent one, until
    it is reserved.
    """

    quantity: int
    delivered: int = 0
    on_the_way: int = 0
    reserved: int = 0
    printed: int = 0
    printing: int = 0

    @property
    def waiting(self) -> int:
        """Items of which nothing, or not every part, is made yet."""
        return self.quantity - self.delivered - self.on_the_way - self.reserved - self.being_made

    @property
    def being_made(self) -> int:
        """Items that are printed or being printed, and reserved for nobody yet."""
        return self.printed + self.printing

    def __add__(self, other: "Progress") -> "Progress":
        names = ("quantity", "delivered", "on_the_way", "reserved", "printed", "printing")
        return Progress(*(getattr(self, name) + getattr(other, name) for name in names))


Pieces = dict[tuple[UUID, UUID], dict[Stage, int]]
"""Pieces in each stage, by line and part."""


def progress_of(session: Session, lines: Sequence[RequestLine]) -> dict[UUID, Progress]:
    """The progress of each line, by its id; six queries, however many lines."""
    kits: dict[UUID, dict[UUID, int]] = {}
    for part in session.exec(select(KitPart).where(col(KitPart.kit_id).in_({line.kit_id for line in lines}))):
        kits.setdefault(part.kit_id, {})[part.part_id] = part.quantity
    pieces = _pieces(session, [line.id for line in lines])
    return {line.id: _progress(line, kits.get(line.kit_id, {}), pieces) for line in lines}


def total(progress: Iterable[Progress]) -> Progress:
    """The progress of several lines together."""
    return sum(progress, Progress(0))


def _progress(line: RequestLine, kit: Mapping[UUID, int], pieces: Pieces) -> Progress:
    """Complete kits by each stage or farther, less those that are farther; `kit` is pieces of each part in one."""
    reached = dict.fromkeys(kit, 0)
    counts, before = [], 0
    for stage in Stage:
        for part_id in kit:
            reached[part_id] += pieces.get((line.id, part_id), {}).get(stage, 0)
        complete = min((reached[part_id] // quantity for part_id, quantity in kit.items()), default=0)
        complete = min(complete, line.quantity)
        counts.append(complete - before)
        before = complete
    return Progress(line.quantity, *counts)


def _pieces(session: Session, lines: Sequence[UUID]) -> Pieces:
    pieces: Pieces = {}

    def add(stage: Stage, rows: Iterable[Any], sign: int = 1) -> None:
        for line_id, part_id, quantity in rows:
            stages = pieces.setdefault((line_id, part_id), {})
            stages[stage] = stages.get(stage, 0) + sign * int(quantity)

    for state, *row in _allocated(session, lines):
        add(ALLOCATED[state], [row])
    add(Stage.PRINTED, _lots_at_makers(session, lines))
    add(Stage.PRINTED, _passed(session, lines))
    add(Stage.PRINTED, _passed_and_promised(session, lines), sign=-1)
    add(Stage.PRINTING, _printing(session, lines))
    return pieces


def _allocated(session: Session, lines: Sequence[UUID]) -> Iterable[Any]:
    pieces = select(Allocation.state, Allocation.line_id, Lot.part_id, func.sum(Allocation.quantity)).join(Lot)
    mine = pieces.where(col(Allocation.line_id).in_(lines), col(Allocation.state).in_(ALLOCATED))
    return session.exec(mine.group_by(col(Allocation.state), col(Allocation.line_id), col(Lot.part_id)))


def _lots_at_makers(session: Session, lines: Sequence[UUID]) -> Iterable[Any]:
    pieces = select(PrintJob.line_id, Lot.part_id, func.sum(Lot.quantity)).select_from(Lot)
    return _made_for(session, lines, pieces, Lot.state == LotState.AT_MAKER)


def _passed(session: Session, lines: Sequence[UUID]) -> Iterable[Any]:
    pieces = select(PrintJob.line_id, Lot.part_id, func.sum(Inspection.passed)).select_from(Inspection).join(Lot)
    return _made_for(session, lines, pieces)


def _passed_and_promised(session: Session, lines: Sequence[UUID]) -> Iterable[Any]:
    pieces = select(PrintJob.line_id, Lot.part_id, func.sum(Allocation.quantity)).select_from(Allocation).join(Lot)
    return _made_for(session, lines, pieces, Allocation.state != AllocationState.RELEASED)


def _made_for(session: Session, lines: Sequence[UUID], pieces: Any, *where: Any) -> Iterable[Any]:
    """The sums over the lots that were printed for these lines."""
    made = pieces.join(Attempt, col(Attempt.id) == Lot.attempt_id).join(PrintJob, col(PrintJob.id) == Attempt.job_id)
    mine = made.where(col(PrintJob.line_id).in_(lines), *where)
    rows: Iterable[Any] = session.exec(mine.group_by(col(PrintJob.line_id), col(Lot.part_id)))
    return rows


def _printing(session: Session, lines: Sequence[UUID]) -> Iterable[Any]:
    pieces = select(PrintJob.line_id, PrintJob.part_id, func.sum(PrintJob.copies)).join(Attempt)
    mine = pieces.where(
        col(PrintJob.line_id).in_(lines), col(Attempt.state).in_(ON_THE_PRINTER | {AttemptState.FINISHED})
    )
    return session.exec(mine.group_by(col(PrintJob.line_id), col(PrintJob.part_id)))
