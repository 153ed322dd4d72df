"""What is still to be printed (pure): what lines want, less what exists or is already planned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
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


def in_order(wanted: Sequence[Wanted]) -> list[Wanted]:
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
