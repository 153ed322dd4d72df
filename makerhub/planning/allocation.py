"""Which lot goes to which request line (pure): urgency, then deadline; whole kits only; the oldest lot first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makerhub.planning.needs import in_order


@dataclass(frozen=True)
class WantedKits:
    """A line that wants so many kits in all; `pieces` of each part make one, so many are `promised` already.

    Tier 0 is the most urgent; pieces must be of `grade` or better.
    """

    line_id: UUID
    kits: int
    pieces: Mapping[UUID, int]
    promised: Mapping[UUID, int]
    needed_by: datetime
    tier: int
    grade: int = 0

    def missing(self, kits: int) -> dict[UUID, int]:
        """Pieces of each part that are to be promised for so many complete kits."""
        return {part: max(0, kits * count - self.promised.get(part, 0)) for part, count in self.pieces.items()}

    def complete(self, there: Mapping[UUID, int]) -> int:
        """How many kits are complete with what is `there` besides what is promised; no more than are wanted."""
        parts = self.pieces.items()
        whole = ((self.promised.get(part, 0) + there.get(part, 0)) // count for part, count in parts)
        return min([self.kits, *whole])


@dataclass(frozen=True)
class Available:
    """`quantity` pieces of a part, of a grade, in a lot that are promised to nobody."""

    lot_id: UUID
    part_id: UUID
    quantity: int
    made_at: datetime
    grade: int = 0


@dataclass(frozen=True)
class Allotment:
    """`quantity` pieces of a lot for a line; `place` is the line's place in the order of service, from 1."""

    line_id: UUID
    lot_id: UUID
    quantity: int
    place: int


def allot(wanted: Sequence[WantedKits], available: Sequence[Available]) -> list[Allotment]:
    """Share out what is there in complete kits; never more than a lot has or a line wants.

    So no two lines each hold half of a kit. A line gets the least grade that will do, then the oldest lots.
    """
    every = sorted(available, key=lambda lot: (lot.grade, lot.made_at, str(lot.lot_id)))
    left = {lot.lot_id: lot.quantity for lot in every}
    allotments = []
    for place, want in enumerate(in_order(wanted), start=1):
        lots = [lot for lot in every if lot.grade >= want.grade]
        there: dict[UUID, int] = {}
        for lot in lots:
            there[lot.part_id] = there.get(lot.part_id, 0) + left[lot.lot_id]
        for part_id, missing in want.missing(want.complete(there)).items():
            for lot in lots:
                share = min(missing, left[lot.lot_id]) if lot.part_id == part_id else 0
                if share > 0:
                    left[lot.lot_id] -= share
                    missing -= share
                    allotments.append(Allotment(want.line_id, lot.lot_id, share, place))
    return allotments
