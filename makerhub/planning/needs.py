"""What is still to be printed (pure): what lines want, less what exists or is already planned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID


@dataclass(frozen=True)
class Wanted:
    """`quantity` pieces of a part that a line wants and has not been promised; tier 0 is the most urgent."""

    line_id: UUID
    part_id: UUID
    quantity: int
    needed_by: datetime
    tier: int


@dataclass(frozen=True)
class Shortfall:
    """`quantity` pieces of a part that must be printed for a line."""

    line_id: UUID
    part_id: UUID
    quantity: int


@dataclass(frozen=True)
class Plate:
    """A queued job: `copies` of a part, with the deadline and the tier that it carries now."""

    job_id: UUID
    part_id: UUID
    copies: int
    needed_by: datetime
    tier: int


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


def shortfalls(wanted: Sequence[Wanted], supply: Mapping[UUID, int]) -> list[Shortfall]:
    """What must be printed, when `supply` pieces of each part exist or are queued and the first in order take them."""
    left = dict(supply)
    missing = []
    for want in in_order(wanted):
        taken = min(want.quantity, left.get(want.part_id, 0))
        left[want.part_id] = left.get(want.part_id, 0) - taken
        if want.quantity > taken:
            missing.append(Shortfall(want.line_id, want.part_id, want.quantity - taken))
    return missing


def served_by(plates: Sequence[Plate], wanted: Sequence[Wanted], made: Mapping[UUID, int]) -> dict[UUID, Wanted]:
    """Which line each plate's first piece goes to, by job; a plate that nobody needs is left out.

    The lines take what is `made` (or being printed) in the order of service, then the plates in their own order: so a
    routine plate whose pieces a critical line will get is printed when the critical line needs it.
    """
    left = dict(made)
    waiting: dict[UUID, list[tuple[Wanted, int]]] = {}
    for want in in_order(wanted):
        taken = min(want.quantity, left.get(want.part_id, 0))
        left[want.part_id] = left.get(want.part_id, 0) - taken
        if want.quantity > taken:
            waiting.setdefault(want.part_id, []).append((want, want.quantity - taken))
    served = {}
    for plate in sorted(plates, key=lambda plate: (plate.tier, plate.needed_by, str(plate.job_id))):
        queue, copies = waiting.get(plate.part_id, []), plate.copies
        if queue:
            served[plate.job_id] = queue[0][0]
        while queue and copies > 0:
            want, missing = queue.pop(0)
            if missing > copies:
                queue.insert(0, (want, missing - copies))
            copies -= missing
    return served


def surplus(wanted: Sequence[Wanted], supply: Mapping[UUID, int]) -> dict[UUID, int]:
    """How many pieces of each part exist or are queued beyond what all lines want."""
    total: dict[UUID, int] = {}
    for want in wanted:
        total[want.part_id] = total.get(want.part_id, 0) + want.quantity
    return {part: count - total.get(part, 0) for part, count in supply.items() if count > total.get(part, 0)}


def split(quantity: int, capacity: int) -> list[int]:
    """Split `quantity` copies over the fewest build plates of at most `capacity`, as evenly as can be."""
    count = -(-quantity // capacity)
    return [quantity // count + (number < quantity % count) for number in range(count)]
