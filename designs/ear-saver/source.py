"""Ear saver: a strap behind the head that holds a mask's loops, so that they do not cut into the ears."""

import numpy as np
from manifold3d import CrossSection, Manifold
from numpy.typing import NDArray

from makerhub.designs.shapes import (
    disc,
    filleted,
    lettering,
    polygon,
    prism,
    soft_slab,
    spline,
    stroke,
    union,
    with_mirror_image,
)

LENGTH_MM = 160.0
THICKNESS_MM = 2.0
BEND_RADIUS_MM = 190.0
SPINE_HALF_WIDTH_MM = 3.8
MIDDLE_HALF_WIDTH_MM = 11.0
END_RADIUS_MM = 5.6
HOOKS_AT_MM = (37.0, 50.0, 63.0)
HOOK_REACH_MM = 12.5
MARK_DEPTH_MM = 0.4


def build(version: str) -> dict[str, Manifold]:
    """The strap, bent to follow the neck and marked with its version."""
    outline = bent(filleted(strap(), inner=1.8, outer=1.4))
    mark = lettering(f"ES {version}", height=5.0)
    body = soft_slab(outline, THICKNESS_MM, top=0.8, bottom=0.4, steps=2)
    return {"ear-saver.stl": body - prism(mark, 1.0, THICKNESS_MM - MARK_DEPTH_MM)}


def strap() -> CrossSection:
    """The straight strap: a spine that swells in the middle, hooks in pairs, and windows that make it light."""
    half = spine() + union(hook(x) for x in HOOKS_AT_MM)
    return with_mirror_image(half) - with_mirror_image(window() + disc(LENGTH_MM / 2 - END_RADIUS_MM, 0, 2.0))


def spine() -> CrossSection:
    """The right half of the strap without its hooks."""
    middle, width, end = MIDDLE_HALF_WIDTH_MM, SPINE_HALF_WIDTH_MM, LENGTH_MM / 2 - END_RADIUS_MM
    edge = spline(
        [(-2, middle), (8, middle - 0.5), (22, middle - 3.4), (33, width + 0.4), (44, width), (end, width)], 60
    )
    return polygon(np.concatenate([edge, edge[::-1] * [1, -1]])) + disc(end, 0, END_RADIUS_MM)


def hook(x: float) -> CrossSection:
    """A pair of barbs that lean towards the middle: a loop slips over from outside and can not slip back."""
    barb = stroke(spline([(x + 7, 1), (x + 4.6, 6), (x + 0.8, 9.2), (x - 2.6, HOOK_REACH_MM - 1.6)], 8), 3.0)
    return barb + barb.mirror((0, 1))


def window() -> CrossSection:
    """A drop-shaped window beside the mark."""
    return CrossSection.batch_hull([disc(19.5, 0, 3.4), disc(27.5, 0, 1.5)])


def bent(section: CrossSection) -> CrossSection:
    """The section wrapped around a circle whose middle lies below it; the origin stays where it is."""
    return CrossSection([wrapped(dense(contour)) for contour in section.simplify(0.05).to_polygons()])


def wrapped(contour: NDArray[np.float64]) -> NDArray[np.float64]:
    """The contour with x measured along the circle and y away from it."""
    angle, radius = contour[:, 0] / BEND_RADIUS_MM, BEND_RADIUS_MM + contour[:, 1]
    return np.stack([radius * np.sin(angle), radius * np.cos(angle) - BEND_RADIUS_MM], axis=-1)


def dense(contour: NDArray[np.float64]) -> NDArray[np.float64]:
    """The contour with a corner every 4 mm at least, so that long edges bend too."""
    steps = np.roll(contour, -1, axis=0) - contour
    counts = 1 + (np.linalg.norm(steps, axis=1) // 4).astype(int)
    return np.concatenate(
        [start + step * np.arange(n)[:, None] / n for start, step, n in zip(contour, steps, counts, strict=True)]
    )
