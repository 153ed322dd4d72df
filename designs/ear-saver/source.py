"""Ear saver in three sizes: a strap behind the head that holds a mask's loops, which then do not cut into the ears."""

from dataclasses import dataclass

import numpy as np
from manifold3d import CrossSection, Manifold

from makerhub.designs.shapes import disc, filleted, part_mark, polygon, soft_slab, spline, union, with_mirror_image
from makerhub.designs.straps import barbs, bent

THICKNESS_MM = 2.0  # bends around a head and springs back
SPINE_HALF_WIDTH_MM = 3.8
MIDDLE_HALF_WIDTH_MM = 11.0  # spreads the pull over the neck, and bears the mark
END_RADIUS_MM = 5.6
LETTER_MM = 4.2
LOT_MM = 18.0


@dataclass(frozen=True)
class Size:
    """One size: where its pairs of hooks are, from the middle on, and the radius that it is bent to along the neck."""

    code: str
    length_mm: float
    hooks_at_mm: tuple[float, ...]
    bend_radius_mm: float


# From one pair to the next the loops are pulled by 22 to 26 mm more, as by a notch of a cap. The sizes overlap, so
# nobody is between two of them; the longest fits a bed of 180 mm once it is bent.
SIZES = {
    "strap-small.stl": Size("ES-S", 140.0, (32.0, 43.0, 54.0), 165.0),
    "strap-medium.stl": Size("ES-M", 160.0, (37.0, 50.0, 63.0), 190.0),
    "strap-large.stl": Size("ES-L", 172.0, (33.0, 45.0, 57.0, 69.0), 205.0),
}


def build(version: str) -> dict[str, Manifold]:
    """A strap of each size, marked with its size, version and lot."""
    return {export: strap(size, version) for export, size in SIZES.items()}


def strap(size: Size, version: str) -> Manifold:
    """One strap, flat on the bed."""
    body = soft_slab(
        bent(filleted(outline(size), inner=1.8, outer=1.4), size.bend_radius_mm), THICKNESS_MM, 0.8, 0.4, 2
    )
    mark = part_mark(size.code, version, letter_mm=LETTER_MM, lot_mm=LOT_MM, two_lines=True)
    return body - mark.translate((0, 0, THICKNESS_MM))


def outline(size: Size) -> CrossSection:
    """The straight strap: a spine that swells in the middle, hooks in pairs, and a hole at each end."""
    half = spine(size.length_mm / 2 - END_RADIUS_MM) + union(barbs(x) for x in size.hooks_at_mm)
    return with_mirror_image(half) - with_mirror_image(disc(size.length_mm / 2 - END_RADIUS_MM, 0, 2.0))


def spine(end: float) -> CrossSection:
    """The right half of the strap without its hooks."""
    middle, width = MIDDLE_HALF_WIDTH_MM, SPINE_HALF_WIDTH_MM
    swell = [(-2, middle), (8, middle - 0.4), (17, middle - 2.2), (24, width + 1.6), (30, width + 0.2), (34, width)]
    edge = np.concatenate([spline(swell, 40), [(end, width)]])
    return polygon(np.concatenate([edge, edge[::-1] * [1, -1]])) + disc(end, 0, END_RADIUS_MM)
