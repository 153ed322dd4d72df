"""Goggle vent cap: a hood over a round vent of safety goggles. Air turns twice on its way in, splashes do not.

It is printed on its face, the mouth up. An outer skirt shields an inner ring, which stands on an arcade: air comes up
between the two from the side of the goggles, goes in through the arches and, through a disc of fleece, into the vent.
An O-ring in the inner ring grips the vent.
"""

from dataclasses import dataclass

import numpy as np
from manifold3d import CrossSection, Manifold, OpType

from makerhub.designs.shapes import filleted, prism, round_mark, stroke, union
from makerhub.designs.turned import turned

FLOOR_MM = 1.6
CORD_MM = 2.5
# The O-ring lies in its groove to a little less than half, so vents may be 0.5 to 1.5 mm wider than the ring is inside:
# that squeezes its cord by 10 to 30 %, which holds, and is what makers of O-rings allow.
LIP_MM = 1.2  # from the O-ring's inside back to the bore, which clears the vent
SQUEEZE_MM = 0.1
RING_WALL_MM, SKIRT_WALL_MM = 1.7, 1.5
PASSAGE_MM = 2.2
LEDGE_MM = 1.5  # what the fleece lies on

ARCHES, ARCH_HALF_MM, ARCH_FOOT_MM = 6, 2.2, 0.8  # their tops rise at 45°
LEDGE_AT_MM, GROOVE_AT_MM, RING_TOP_MM = 5.0, 5.6, 10.2
SKIRT_TOP_MM = 8.4  # lower than the ring: where that touches the goggles, air still gets in
FLUTES, FLUTE_MM = 16, 0.6
VANE_MM, SPOKE_MM = 1.6, 1.3
MARK_DEPTH_MM = 0.4


@dataclass(frozen=True)
class Size:
    """One size: its O-ring's inner diameter."""

    code: str
    o_ring_mm: float

    @property
    def bore_mm(self) -> float:
        """The radius that the vent goes through."""
        return self.o_ring_mm / 2 + LIP_MM

    @property
    def groove_mm(self) -> float:
        """The radius on which the O-ring lies."""
        return self.o_ring_mm / 2 + CORD_MM - SQUEEZE_MM

    @property
    def ring_mm(self) -> float:
        """The outer radius of the inner ring."""
        return self.groove_mm + RING_WALL_MM

    @property
    def passage_mm(self) -> float:
        """The inner radius of the skirt."""
        return self.ring_mm + PASSAGE_MM

    @property
    def radius_mm(self) -> float:
        """The outer radius of the cap."""
        return self.passage_mm + SKIRT_WALL_MM + FLUTE_MM


SIZES = {
    "cap-small.stl": Size("GV-S", 15.0),
    "cap-medium.stl": Size("GV-M", 17.0),
    "cap-large.stl": Size("GV-L", 19.0),
}


def build(version: str) -> dict[str, Manifold]:
    """A cap of each size, marked on its face."""
    return {export: cap(size, version) for export, size in SIZES.items()}


def cap(size: Size, version: str) -> Manifold:
    """One cap, lying on its face."""
    letters = round_mark(size.code, version, letter_mm=4.4, lot_mm=9.0)
    # On a first layer nothing narrower than a line stays between two strokes, as in an M, so it is left out.
    mark = prism(filleted(letters, inner=0.46, outer=0.0), MARK_DEPTH_MM + 1.0, -MARK_DEPTH_MM).rotate((180, 0, 0))
    return Manifold.batch_boolean([hood(size), ring(size), vanes(size), spokes(size)], OpType.Add) - mark


def hood(size: Size) -> Manifold:
    """Face and skirt, fluted for the fingers."""
    radius, top = size.radius_mm, SKIRT_TOP_MM
    side = [(-2.2, 0.0), (-1.0, 1.1), (-0.3, 2.3), (0.0, 3.8), (0.0, top - 0.8), (-0.3, top - 0.2), (-0.8, top)]
    inside = size.passage_mm
    room = [(inside - 1.2, FLOOR_MM), (inside, FLOOR_MM + 1.2), (inside, top - 0.4), (inside + 0.5, top + 0.1)]
    depths = FLUTE_MM * np.array([0.0, 0.4, 0.8, 1.0, 1.0, 0.6, 0.3])
    outside = turned([(radius + inset, z) for inset, z in side], lobes=FLUTES, depth_mm=depths, segments=FLUTES * 8)
    return outside - turned(room)


def ring(size: Size) -> Manifold:
    """The inner ring on its arcade, with a ledge for the fleece and a groove for the O-ring."""
    outer, bore, groove = size.ring_mm, size.bore_mm, size.groove_mm
    shell = turned([(outer, FLOOR_MM - 0.4), (outer, RING_TOP_MM - 0.6), (outer - 0.6, RING_TOP_MM)])
    roof = GROOVE_AT_MM + CORD_MM + 0.1  # from here the groove closes at 45°
    hole = [(bore - LEDGE_MM, FLOOR_MM - 0.5), (bore - LEDGE_MM, LEDGE_AT_MM), (bore, LEDGE_AT_MM)]
    hole += [(bore, GROOVE_AT_MM), (groove, GROOVE_AT_MM), (groove, roof), (bore, roof + groove - bore)]
    hole += [(bore, RING_TOP_MM - 0.6), (bore + 0.8, RING_TOP_MM + 0.1)]
    return shell - turned(hole) - arches(size)


def arches(size: Size) -> Manifold:
    """The arches through the ring's foot: pointed, so that nothing hangs."""
    width, foot = ARCH_HALF_MM, FLOOR_MM + ARCH_FOOT_MM
    outline = CrossSection([[(-width, FLOOR_MM), (width, FLOOR_MM), (width, foot), (0, foot + width), (-width, foot)]])
    arch = prism(outline, size.ring_mm + 1.0).rotate((90, 0, 0))
    return around(arch)


def vanes(size: Size) -> Manifold:
    """Ribs across the passage, at the pillars of the arcade, which stiffen the skirt."""
    inner, outer = size.ring_mm - 0.8, size.passage_mm + 0.1
    vane = prism(stroke([(0, -inner), (0, -outer)], VANE_MM), LEDGE_AT_MM - FLOOR_MM, FLOOR_MM)
    return around(vane, offset_degrees=180 / ARCHES)


def spokes(size: Size) -> Manifold:
    """A star on the floor that holds up the middle of the fleece."""
    lines = [stroke([(0, 0), (0, -(size.bore_mm - LEDGE_MM + 0.6))], SPOKE_MM).rotate(60 + 120 * n) for n in range(3)]
    return prism(union(lines), LEDGE_AT_MM - FLOOR_MM + 0.2, FLOOR_MM - 0.2)


def around(solid: Manifold, offset_degrees: float = 0.0) -> Manifold:
    """The solid, which points to the front, as often as there are arches."""
    turns = [solid.rotate((0, 0, offset_degrees + 360 / ARCHES * number)) for number in range(ARCHES)]
    return Manifold.batch_boolean(turns, OpType.Add)
