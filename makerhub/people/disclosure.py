"""How exactly somebody may know where a maker is (pure), from nothing at all to the door.

Everybody: a cell of the map in which at least five makers live. Whoever works for the same hub: the hub to which the
maker brings the pieces. The exact address: the maker, and the courier of a pickup that is under way, within its time.
A maker who hides is nowhere, from that moment on and for everybody else, the courier on the way included.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID


class Precision(IntEnum):
    """How exactly a maker's place is told; the order is from least to most."""

    NOTHING = 0
    CELL = 1
    DROP_OFF = 2
    ADDRESS = 3


@dataclass(frozen=True)
class Home:
    """A maker as far as the rule wants to know."""

    maker_id: UUID
    hubs: frozenset[UUID]
    is_hidden: bool = False


@dataclass(frozen=True)
class Asker:
    """Who wants to know, and the hubs for which he or she works; a visitor is nobody and works for none."""

    person_id: UUID | None = None
    hubs: frozenset[UUID] = frozenset()


@dataclass(frozen=True)
class Errand:
    """A pickup: from whom, by whom, whether the courier has set out and is not back, and when it may be."""

    maker_id: UUID
    courier_id: UUID | None
    is_under_way: bool
    begins: datetime
    ends: datetime


def precision(home: Home, asker: Asker, errand: Errand | None, now: datetime) -> Precision:
    """How exactly `asker` may know where the maker is, at this moment and for this errand."""
    if asker.person_id == home.maker_id:
        return Precision.ADDRESS
    if home.is_hidden:
        return Precision.NOTHING
    if errand is not None and _is_on_the_way(home, asker, errand, now):
        return Precision.ADDRESS
    return Precision.DROP_OFF if home.hubs & asker.hubs else Precision.CELL


def _is_on_the_way(home: Home, asker: Asker, errand: Errand, now: datetime) -> bool:
    return (
        errand.is_under_way
        and errand.maker_id == home.maker_id
        and asker.person_id is not None
        and errand.courier_id == asker.person_id
        and errand.begins <= now < errand.ends
    )
