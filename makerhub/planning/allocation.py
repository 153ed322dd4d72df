"""Which lot goes to which request line (pure): urgency, then deadline; the oldest lot first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makerhub.planning.needs import Wanted, in_order


@dataclass(frozen=True)
class Available:
    """`quantity` pieces of a part in a lot that are promised to nobody."""

    lot_id: UUID
    part_id: UUID
    quantity: int
    made_at: datetime


@dataclass(frozen=True)
class Allotment:
    """`quantity` pieces of a lot for a line; `place` is the line's place in the order of service, from 1."""

    line_id: UUID
    lot_id: UUID
    quantity: int
    place: int


def allot(wanted: Sequence[Wanted], available: Sequence[Available]) -> list[Allotment]:
    """Share out what is there; never more than a lot has or a line wants."""
    lots = sorted(available, key=lambda lot: (lot.made_at, str(lot.lot_id)))
    left = {lot.lot_id: lot.quantity for lot in lots}
    allotments = []
    for place, want in enumerate(in_order(wanted), start=1):
        missing = want.quantity
        for lot in lots:
            share = min(missing, left[lot.lot_id]) if lot.part_id == want.part_id else 0
            if share > 0:
                left[lot.lot_id] -= share
                missing -= share
                allotments.append(Allotment(want.line_id, lot.lot_id, share, place))
    return allotments
