"""What the straps behind the head share: the bend along the neck, and barbs for a mask's loops."""

import numpy as np
from manifold3d import CrossSection

from makerhub.designs.shapes import Points, spline, stroke

_LONGEST_EDGE_MM = 4.0  # longer edges of an outline would stay straight when it is bent


def barbs(x: float, reach: float = 12.5, width: float = 3.0) -> CrossSection:
    """A pair of barbs that lean towards the middle: a loop slips over from outside and can not slip back."""
    barb = stroke(spline([(x + 7, 1), (x + 4.6, 6), (x + 0.8, 9.2), (x - 2.6, reach - 1.6)], 8), width)
    return barb + barb.mirror((0, 1))


def bent(section: CrossSection, radius: float) -> CrossSection:
    """The section wrapped around a circle whose middle lies below it; the origin stays where it is."""
    contours = section.simplify(0.05).to_polygons()
    return CrossSection([_wrapped(_dense(contour), radius) for contour in contours])


def _wrapped(contour: Points, radius: float) -> Points:
    """The contour with x measured along the circle and y away from it."""
    angle, away = contour[:, 0] / radius, radius + contour[:, 1]
    return np.stack([away * np.sin(angle), away * np.cos(angle) - radius], axis=-1)


def _dense(contour: Points) -> Points:
    """The contour with corners so close together that long edges bend too."""
    steps = np.roll(contour, -1, axis=0) - contour
    counts = 1 + (np.linalg.norm(steps, axis=1) // _LONGEST_EDGE_MM).astype(int)
    return np.concatenate(
        [start + step * np.arange(n)[:, None] / n for start, step, n in zip(contour, steps, counts, strict=True)]
    )
