"""Door opener: a hook clamped to a lever handle, so that a forearm opens the door and no hand touches it.

Both parts are outlines grown upwards: on the printer they lie on their side, so that the layers run along the arm,
where it bends, and nothing overhangs but the roofs of the screw holes, which are pointed.
"""

import numpy as np
from manifold3d import CrossSection, Manifold

from makerhub.designs.shapes import (
    at_length,
    disc,
    filleted,
    lettering,
    prism,
    soft_slab,
    spline,
    stroke,
    union,
)

WIDTH_MM = 28.0
HANDLE_RADIUS_MM = 10.5
WALL_MM = 5.5
GAP_MM = 2.0
FLANGES_MM = 56.0
FLANGE_THICKNESS_MM = 7.0
SCREW_AT_MM = 21.0
SCREW_RADIUS_MM = 2.25
NUT_RADIUS_MM = 4.2
NUT_DEPTH_MM = 3.4
MARK_DEPTH_MM = 0.5

# The middle of the arm, seen along the handle, and half its thickness from the clamp to the tip.
ARM = [(-5.5, 11.5), (-2, 22), (12, 31), (34, 35), (58, 35), (79, 40), (93, 52), (98, 68)]
ARM_RADII_MM = (9.0, 8.6, 7.2, 6.0, 5.2, 4.6, 4.2, 4.6)
ARM_LINE = spline(ARM, 36)
# Windows in the arm, as lengths along it: where they begin and end.
WINDOWS_MM = ((11.0, 22.0), (31.0, 44.0))


def build(version: str) -> dict[str, Manifold]:
    """The arm with its half of the clamp, and the other half."""
    return {"arm.stl": arm(version), "clamp.stl": clamp()}


def arm(version: str) -> Manifold:
    """The hook for the forearm with the upper half of the clamp; the nuts lie in its flanges."""
    outline = filleted(half_clamp() + tapered_arm(), inner=6.0, outer=1.7) - handle() - windows()
    body = soft_slab(outline, WIDTH_MM, top=1.5, bottom=0.5, steps=2)
    return body - screw_holes() - nut_pockets() - mark(f"DO {version}")


def clamp() -> Manifold:
    """The lower half of the clamp, through which the screws come."""
    body = soft_slab(filleted(half_clamp(), inner=6.0, outer=1.7) - handle(), WIDTH_MM, top=1.5, bottom=0.5, steps=2)
    return body - screw_holes()


def half_clamp() -> CrossSection:
    """Half a ring with a flange on each side, above the gap between the halves."""
    ring = disc(0, 0, HANDLE_RADIUS_MM + WALL_MM)
    flanges = CrossSection.square((FLANGES_MM, 2 * FLANGE_THICKNESS_MM + GAP_MM), center=True)
    above = CrossSection.square((200, 100)).translate((-100, GAP_MM / 2))
    return (ring + flanges) ^ above


def handle() -> CrossSection:
    """The handle, round and with its rubber."""
    return CrossSection.circle(HANDLE_RADIUS_MM, 48)


def tapered_arm() -> CrossSection:
    """The arm, thick at the clamp, where it bears most."""
    shares = np.linspace(0, 1, len(ARM_LINE))
    return stroke(ARM_LINE, 2 * np.interp(shares, np.linspace(0, 1, len(ARM_RADII_MM)), ARM_RADII_MM))


def windows() -> CrossSection:
    """Slots along the thick end of the arm, which narrow as it does."""
    slots = []
    for start, end in WINDOWS_MM:
        lengths = np.linspace(start, end, 6)
        slots.append(stroke([tuple(at_length(ARM_LINE, length)[0]) for length in lengths], 7.2 - 0.09 * lengths))
    return union(slots)


def screw_holes() -> Manifold:
    """The holes of both screws, across the flanges; their roofs rise at 45°, since they lie on their side."""
    drop = CrossSection.batch_hull([disc(0, 0, SCREW_RADIUS_MM), disc(0, SCREW_RADIUS_MM * 1.3, 0.1)])
    return across(drop, depth=26.0, y=-12.0)


def nut_pockets() -> Manifold:
    """The hexagons of both nuts in the upper side of the flanges."""
    hexagon = CrossSection.circle(NUT_RADIUS_MM, 6).rotate(90)
    return across(hexagon, depth=8.0, y=GAP_MM / 2 + FLANGE_THICKNESS_MM - NUT_DEPTH_MM)


def across(section: CrossSection, depth: float, y: float) -> Manifold:
    """The section, drawn with z as its second axis, cut through both flanges at half their width from `y` on."""
    cut = prism(section, depth).rotate((90, 0, 0)).translate((0, y + depth, WIDTH_MM / 2))
    return cut.translate((SCREW_AT_MM, 0, 0)) + cut.translate((-SCREW_AT_MM, 0, 0))


def mark(text: str) -> Manifold:
    """The version, to be cut into the side of the arm."""
    letters = lettering(text, height=5.4).rotate(1.5).translate((47, 35.3))
    return prism(letters, 2.0, WIDTH_MM - MARK_DEPTH_MM)
