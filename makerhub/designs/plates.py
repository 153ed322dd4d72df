"""Where the copies of a part go on a printer's bed (pure): bounding boxes, packed and checked.

Boxes lose against outlines (7 ear savers instead of 8 on 250 × 210 mm), but packing by concave outlines was seen to
return overlapping plates, and boxes take milliseconds.
"""

import math
from dataclasses import dataclass
from itertools import combinations

import rectpack  # type: ignore[import-untyped] # it publishes no types

from makerhub.errors import Invalid, translatable

MAX_COPIES = 100
_UM_PER_MM = 1000
_ROUNDING_MM = 0.01
_PACKERS = (rectpack.MaxRectsBssf, rectpack.MaxRectsBl, rectpack.MaxRectsBaf, rectpack.SkylineMwf)


class PlateFull(Invalid):
    """So many copies do not fit on one bed."""

    template = translatable("%(copies)s copies of %(width)s × %(depth)s mm do not fit on this bed.")


@dataclass(frozen=True, slots=True)
class Bed:
    """The rectangle from (0, 0) to (`width_mm`, `depth_mm`), of which a border of `edge_mm` stays free."""

    width_mm: float
    depth_mm: float
    edge_mm: float


@dataclass(frozen=True, slots=True)
class Placement:
    """One copy: the middle of its bounding box on the bed in mm, and whether it is turned by a quarter."""

    x_mm: float
    y_mm: float
    turned: bool


@dataclass(frozen=True, slots=True)
class _Box:
    """A copy with the spacing on its far sides, in whole µm."""

    x: int
    y: int
    width: int
    depth: int


_Sides = tuple[float, float, float, float]


def layout(width_mm: float, depth_mm: float, bed: Bed, spacing_mm: float, copies: int) -> tuple[Placement, ...]:
    """Places for `copies` boxes of `width_mm` × `depth_mm`, `spacing_mm` apart, as a group in the middle of the bed.

    Raises `PlateFull` when they do not fit. No two overlap and none leaves the bed: that is checked on what comes out.
    """
    if not 1 <= copies <= MAX_COPIES:
        raise PlateFull(copies=copies, width=round(width_mm), depth=round(depth_mm))
    packings = [boxes for boxes in _packings(width_mm, depth_mm, bed, spacing_mm, copies) if len(boxes) == copies]
    if not packings:
        raise PlateFull(copies=copies, width=round(width_mm), depth=round(depth_mm))
    boxes = min(packings, key=_extent)
    placements = _in_the_middle(boxes, bed, spacing_mm, upright=_cell(width_mm, spacing_mm))
    _verify(placements, width_mm, depth_mm, bed)
    return placements


def capacity(width_mm: float, depth_mm: float, bed: Bed, spacing_mm: float) -> int:
    """How many boxes `layout` can place on one bed, at most `MAX_COPIES`; 0 when even one does not fit."""
    room = _room(bed.width_mm, bed, spacing_mm) * _room(bed.depth_mm, bed, spacing_mm)
    most = min(MAX_COPIES, room // (_cell(width_mm, spacing_mm) * _cell(depth_mm, spacing_mm)))
    return max(len(boxes) for boxes in _packings(width_mm, depth_mm, bed, spacing_mm, most)) if most > 0 else 0


def _packings(width_mm: float, depth_mm: float, bed: Bed, spacing_mm: float, copies: int) -> list[list[_Box]]:
    """What each of the packers makes of the task; a packer may place fewer than asked for."""
    room = _room(bed.width_mm, bed, spacing_mm), _room(bed.depth_mm, bed, spacing_mm)
    cell = _cell(width_mm, spacing_mm), _cell(depth_mm, spacing_mm)
    return [_pack(algorithm, room, cell, copies) for algorithm in _PACKERS] if min(room) > 0 else [[]]


def _pack(algorithm: type, room: tuple[int, int], cell: tuple[int, int], copies: int) -> list[_Box]:
    packer = rectpack.newPacker(pack_algo=algorithm, rotation=True)
    for _ in range(copies):
        packer.add_rect(*cell)
    packer.add_bin(*room)
    packer.pack()
    return sorted((_Box(x, y, width, depth) for _, x, y, width, depth, _ in packer.rect_list()), key=_reading_order)


def _reading_order(box: _Box) -> tuple[int, int]:
    return box.y, box.x


def _room(length_mm: float, bed: Bed, spacing_mm: float) -> int:
    """The bed's usable length in µm, with a spacing added, since every box brings one on its far side."""
    return math.floor((length_mm - 2 * bed.edge_mm + spacing_mm) * _UM_PER_MM)


def _cell(length_mm: float, spacing_mm: float) -> int:
    return math.ceil((length_mm + spacing_mm) * _UM_PER_MM)


def _extent(boxes: list[_Box]) -> int:
    """The area of the rectangle around all boxes: the nozzle travels less on a compact plate."""
    return max(box.x + box.width for box in boxes) * max(box.y + box.depth for box in boxes)


def _in_the_middle(boxes: list[_Box], bed: Bed, spacing_mm: float, *, upright: int) -> tuple[Placement, ...]:
    far_x = max(box.x + box.width for box in boxes) / _UM_PER_MM - spacing_mm
    far_y = max(box.y + box.depth for box in boxes) / _UM_PER_MM - spacing_mm
    left, front = (bed.width_mm - far_x) / 2, (bed.depth_mm - far_y) / 2
    return tuple(
        Placement(
            x_mm=round(left + (box.x + box.width / 2) / _UM_PER_MM - spacing_mm / 2, 3),
            y_mm=round(front + (box.y + box.depth / 2) / _UM_PER_MM - spacing_mm / 2, 3),
            turned=box.width != upright,
        )
        for box in boxes
    )


def _verify(placements: tuple[Placement, ...], width_mm: float, depth_mm: float, bed: Bed) -> None:
    """Raise when a box leaves the bed or two overlap; packers are not taken at their word."""
    sides = [_sides(placement, width_mm, depth_mm) for placement in placements]
    if not all(_inside(box, bed) for box in sides):
        raise RuntimeError("a copy was placed outside of the bed")
    if any(_overlap(one, other) > _ROUNDING_MM for one, other in combinations(sides, 2)):
        raise RuntimeError("two copies were placed over each other")


def _inside(box: _Sides, bed: Bed) -> bool:
    left, front, right, back = box
    low, width, depth = bed.edge_mm - _ROUNDING_MM, bed.width_mm - bed.edge_mm, bed.depth_mm - bed.edge_mm
    return min(left, front) > low and right < width + _ROUNDING_MM and back < depth + _ROUNDING_MM


def _overlap(one: _Sides, other: _Sides) -> float:
    """How far two boxes reach into each other, in the direction in which they do so least; negative for a gap."""
    return min(one[2] - other[0], other[2] - one[0], one[3] - other[1], other[3] - one[1])


def _sides(placement: Placement, width_mm: float, depth_mm: float) -> _Sides:
    """Left, front, right and back of a placed copy."""
    width, depth = (depth_mm, width_mm) if placement.turned else (width_mm, depth_mm)
    x, y = placement.x_mm, placement.y_mm
    return x - width / 2, y - depth / 2, x + width / 2, y + depth / 2
