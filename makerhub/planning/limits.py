"""How much of what a facility asks for may be promised to it (pure): as much as its standing allows, in all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from makerhub.planning.allocation import WantedKits
from makerhub.planning.needs import in_order


@dataclass(frozen=True)
class Allowance:
    """A facility may be promised `most` kits in all, of which `elsewhere` are promised to other lines of it."""

    most: int
    elsewhere: int = 0


def kits_promised(pieces: Mapping[UUID, int], promised: Mapping[UUID, int]) -> int:
    """How many kits have been begun with what is promised, where one is made of these pieces."""
    return max((-(-promised.get(part, 0) // count) for part, count in pieces.items()), default=0)


def within(
    wanted: Sequence[WantedKits], facility_of: Mapping[UUID, UUID], allowances: Mapping[UUID, Allowance]
) -> list[WantedKits]:
    """The lines with no more kits than their facilities may have; those first in order get them.

    `facility_of` is by line. A facility without an allowance may have all. A line keeps what it was promised; one that
    may have nothing is left out.
    """
    held = {line.line_id: kits_promised(line.pieces, line.promised) for line in wanted}
    left = {facility: allowance.most - allowance.elsewhere for facility, allowance in allowances.items()}
    for line in wanted:
        if facility_of[line.line_id] in left:
            left[facility_of[line.line_id]] -= held[line.line_id]
    granted = []
    for line in in_order(wanted):
        facility = facility_of[line.line_id]
        if facility in left:
            more = max(0, min(line.kits - held[line.line_id], left[facility]))
            left[facility] -= more
            line = replace(line, kits=min(line.kits, held[line.line_id] + more))
        if line.kits > 0:
            granted.append(line)
    return granted
