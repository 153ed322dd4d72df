"""What is still to be printed (pure): what lines want, less what exists or is already planned.

Pieces have a grade, the standing of their design in their material: a line takes pieces of its own grade or better,
and the least that will do, so that the better ones are left to those who need them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

Supply = Mapping[tuple[UUID, int], int]
"""Pieces by part and grade."""


@dataclass(frozen=True)
class Wanted:
    """`quantity` pieces of a part, of `grade` or better, that a line wants and has not been promised.

    Tier 0 is the most urgent.
    """

    line_id: UUID
    part_id: UUID
    quantity: int
    needed_by: datetime
    tier: int
    grade: int = 0


@dataclass(frozen=True)
class Shortfall:
    """`quantity` pieces of a part that must be printed for a line."""

    line_id: UUID
    part_id: UUID
    quantity: int


@dataclass(frozen=True)
class Plate:
    """A queued job: `copies` of a part, with the deadline, the tier and the grade that it carries now."""

    job_id: UUID
    part_id: UUID
    copies: int
    needed_by: datetime
    tier: int
    grade: int = 0


class Served(Protocol):
    """Whatever has a place in the order of service."""

    @property
    def line_id(self) -> UUID:
        """The request line."""

    @property
    def needed_by(self) -> datetime:
        """Its deadline."""

    @property
    def tier(self) -> int:
        """Its urgency: 0 is the most urgent."""


In = TypeVar("In", bound=Served)


def in_order(wanted: Sequence[In]) -> list[In]:
    """The order of service: the more urgent tier first, then the earlier deadline; ties are broken by id."""
    return sorted(wanted, key=lambda want: (want.tier, want.needed_by, str(want.line_id)))


def shortfalls(wanted: Sequence[Wanted], supply: Supply) -> list[Shortfall]:
    """What must be printed, when the `supply` exists or is queued and the first in order take it."""
    missing, _ = _share_out(wanted, supply)
    return [Shortfall(want.line_id, want.part_id, quantity) for want, quantity in missing]


def surplus(wanted: Sequence[Wanted], supply: Supply) -> dict[tuple[UUID, int], int]:
    """How many pieces of each part and grade exist or are queued that no line takes."""
    _, left = _share_out(wanted, supply)
    return {piece: count for piece, count in left.items() if count > 0}


def served_by(plates: Sequence[Plate], wanted: Sequence[Wanted], made: Supply) -> dict[UUID, Wanted]:
    """Which line each plate's first piece goes to, by job; a plate that nobody needs is left out.

    The lines take what is `made` (or being printed) in the order of service, then the plates in their own order: so a
    routine plate whose pieces a critical line will get is printed when the critical line needs it.
    """
    waiting, _ = _share_out(wanted, made)
    served: dict[UUID, Wanted] = {}
    for plate in sorted(plates, key=lambda plate: (plate.tier, plate.needed_by, str(plate.job_id))):
        copies = plate.copies
        for number, (want, missing) in enumerate(waiting):
            taken = min(copies, missing) if want.part_id == plate.part_id and want.grade <= plate.grade else 0
            if taken > 0:
                served.setdefault(plate.job_id, want)
                waiting[number] = (want, missing - taken)
                copies -= taken
    return served


def _share_out(
    wanted: Sequence[Wanted], supply: Supply
) -> tuple[list[tuple[Wanted, int]], dict[tuple[UUID, int], int]]:
    """What each line in the order of service still lacks, and what is left of the supply."""
    left = dict(supply)
    missing = []
    for want in in_order(wanted):
        lacking = want.quantity
        for part_id, grade in sorted(left, key=lambda piece: piece[1]):
            if part_id == want.part_id and grade >= want.grade:
                taken = min(lacking, left[part_id, grade])
                left[part_id, grade] -= taken
                lacking -= taken
        if lacking > 0:
            missing.append((want, lacking))
    return missing, left


def split(quantity: int, capacity: int) -> list[int]:
    """Split `quantity` copies over the fewest build plates of at most `capacity`, as evenly as can be."""
    count = -(-quantity // capacity)
    return [quantity // count + (number < quantity % count) for number in range(count)]
