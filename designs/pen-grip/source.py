"""Pen grip in three sizes: a soft-edged bulb with three hollows for the fingers, in which thin and thick pens stay.

It stands on its nose while it is printed. Inside, three tongues spring in the plane of the layers, so that every layer
bends and none is pulled off another: one bore holds pens of 7 to 10 mm.
"""

from dataclasses import dataclass

import numpy as np
from manifold3d import CrossSection, Manifold

from makerhub.designs.shapes import Points, filleted, mark_outline, prism, spline, stroke, union
from makerhub.designs.turned import engraved, turned

HEIGHT_MM, SHOULDER_MM = 46.0, 41.5
BORE_RADIUS_MM = 6.6
WALL_MM = 1.7
MARK_DEPTH_MM = 0.45
MARK_TOWARDS_DEGREES = -32.0  # where the catalogue's pictures look from
LETTER_MM = 3.6
LOT_MM = 17.0

# A tongue bends as a beam that is held at one end: F = E · b · t³ · s / (4 · L³), strained by 3 · t · s / (2 · L²).
# With t = 0.95 mm, L = 10 mm, b = 44 mm and E = 2,000 N/mm² (PETG) a pencil of 7.5 mm, for which s is 0.45 mm, is held
# by 8 N a tongue, and a marker of 10 mm (1.7 mm) by 30 N at a strain of 2.4 %, of the 4 % at which it yields.
TONGUES = 3
TONGUE_MM = 0.95
FREE_RADIUS_MM = 3.3
TONGUE_DEGREES = 112.0
# The tongues end at a funnel, into which the pen's tip finds its way.
FUNNEL_MM = 3.0

# How deep the hollows are along the grip, as a share of the deepest, which lies under the fingers' tips.
HOLLOW = spline([(0, 0.05), (6, 0.45), (13, 0.95), (19, 1.0), (30, 0.78), (HEIGHT_MM, 0.5)], 40)


@dataclass(frozen=True)
class Size:
    """One size: the radius over its lobes where it is thickest, and how deep the fingers lie between them."""

    code: str
    radius_mm: float
    hollow_mm: float


SIZES = {
    "grip-small.stl": Size("PG-S", 12.0, 2.3),
    "grip-medium.stl": Size("PG-M", 15.0, 3.8),
    "grip-large.stl": Size("PG-L", 18.0, 5.2),
}


def build(version: str) -> dict[str, Manifold]:
    """A grip of each size, marked with its size, version and lot."""
    return {export: grip(size, version) for export, size in SIZES.items()}


def grip(size: Size, version: str) -> Manifold:
    """One grip, standing on its nose, the end towards the pen's tip."""
    mark = mark_outline(size.code, version, letter_mm=LETTER_MM, lot_mm=LOT_MM, two_lines=True).rotate(90)
    marked = engraved(bulb(size), bulb(size, MARK_DEPTH_MM), mark, HEIGHT_MM / 2 + 2.0)
    pierced = marked - prism(around_tongues(), HEIGHT_MM + 2, -1) - (funnel() ^ prism(bore(), 2 * HEIGHT_MM))
    return pierced.rotate((0, 0, MARK_TOWARDS_DEGREES))


def bulb(size: Size, skin: float = 0.0) -> Manifold:
    """The outside: slim at the nose, thick where the fingers lie, with a waist for the hand; less a skin."""
    nose = BORE_RADIUS_MM + WALL_MM + 0.12 * (size.radius_mm - BORE_RADIUS_MM)
    waist = size.radius_mm * 0.9
    knots = [
        (nose, 1.2),
        (nose + 0.42 * (size.radius_mm - nose), 6),
        (size.radius_mm, 17),
        (waist, 32),
        (waist, SHOULDER_MM),
    ]
    side = [(float(radius), float(height)) for height, radius in spline([(z, r) for r, z in knots], 20)]
    soft = min(3.6, waist - size.hollow_mm / 2 - BORE_RADIUS_MM - WALL_MM)
    angles = np.radians(np.linspace(0, 90, 6))[1:]
    top = [
        (waist - soft * (1 - np.cos(angle)), SHOULDER_MM + (HEIGHT_MM - SHOULDER_MM) * np.sin(angle))
        for angle in angles
    ]
    profile = np.array([(nose - 1.0, 0.0), *side, *top])
    depths = size.hollow_mm * np.interp(profile[:, 1], *HOLLOW.T)
    return turned([(r - skin, z) for r, z in profile.tolist()], lobes=3, depth_mm=depths)


def bore() -> CrossSection:
    """The hole through the grip."""
    return CrossSection.circle(BORE_RADIUS_MM, 64)


def around_tongues() -> CrossSection:
    """What is free inside the bore."""
    return filleted(bore() - tongues(), inner=0.3, outer=0.3).simplify(0.02)


def tongues() -> CrossSection:
    """The springs in the bore: each leaves its wall and winds inwards to the pen."""
    return union(CrossSection.rotate(tongue(), 360 / TONGUES * number) for number in range(TONGUES)) ^ bore()


def tongue() -> CrossSection:
    """One spring, thick at its root."""
    shares = np.linspace(0, 1, 22)
    angles = np.radians(shares * TONGUE_DEGREES)
    radii = np.interp(shares, [0, 0.12, 1], [BORE_RADIUS_MM, BORE_RADIUS_MM - 0.2, FREE_RADIUS_MM + TONGUE_MM / 2])
    line: Points = radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return stroke(line, TONGUE_MM + 0.5 * (1 - shares) ** 3)


def funnel() -> Manifold:
    """What is cut off the tongues' upper ends."""
    return turned([(FREE_RADIUS_MM - 0.5, HEIGHT_MM - FUNNEL_MM), (BORE_RADIUS_MM + 2.0, HEIGHT_MM + FUNNEL_MM)])
