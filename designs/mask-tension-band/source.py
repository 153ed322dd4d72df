"""Mask tension band: a cradle at the back of the head, with a printed spring on each side that pulls a mask's loops.

The springs are meanders that lie in the plane of the print, so that every layer bends and none is pulled off another.
"""

import numpy as np
from manifold3d import CrossSection, Manifold

from makerhub.designs.shapes import (
    Points,
    arc,
    disc,
    filleted,
    part_mark,
    polygon,
    soft_slab,
    spline,
    stroke,
    union,
    with_mirror_image,
)
from makerhub.designs.straps import barbs, bent

CODE = "MB"
LENGTH_MM = 172.0  # fits a bed of 180 mm once it is bent
BEND_RADIUS_MM = 200.0
THICKNESS_MM = 2.6
CRADLE_HALF_LENGTH_MM, CRADLE_HALF_WIDTH_MM = 28.0, 14.0  # lies on the bone and does not turn there
PADDLE_HALF_WIDTH_MM = 3.6
HOOKS_AT_MM = (57.0, 69.0)
END_RADIUS_MM, EYE_RADIUS_MM = 5.6, 2.2
WINDOW_AT_MM, WINDOW_WIDTH_MM = 10.3, 2.2  # air for the skin, between the mark and the edge

# Each leg of a meander bends as a beam that is guided at both ends, and gives F · L³ / (12 · E · I). With L = 17.5 mm,
# I = 2.6 · 1.6³ / 12 mm⁴ and E = 2,000 N/mm² (PETG) that is 0.25 mm a newton, and with six legs a side 3 mm a newton
# for the band: the 3 N of a mask make it 9 mm longer, and strain the plastic by 1.2 %, of the 4 % at which it yields.
SPRING_WIDTH_MM = 1.6
SPRING_HALF_HEIGHT_MM = 10.4
SPRING_PITCH_MM = 3.4
LEGS = 6


def build(version: str) -> dict[str, Manifold]:
    """The band, flat on the bed."""
    outline = with_mirror_image(filleted(cradle() + paddle(), inner=1.8, outer=1.4) + spring()) - holes()
    body = soft_slab(bent(filleted(outline, inner=0.6, outer=0.75), BEND_RADIUS_MM), THICKNESS_MM, 0.4, 0.3, 2)
    mark = part_mark(CODE, version, letter_mm=4.2, two_lines=True)
    return {"mask-tension-band.stl": body - mark.translate((0, 0, THICKNESS_MM))}


def cradle() -> CrossSection:
    """The right half of the middle: a lens with room for the mark."""
    length, width = CRADLE_HALF_LENGTH_MM, CRADLE_HALF_WIDTH_MM
    edge = spline([(-2, width), (8, width - 0.2), (18, width - 2.8), (25, width - 7.5), (length, 2.4)], 40)
    return polygon(np.concatenate([edge, edge[::-1] * [1, -1]]))


def spring() -> CrossSection:
    """The right meander, from the cradle to the paddle: it begins and ends with half a leg."""
    pitch = SPRING_PITCH_MM
    turn = SPRING_HALF_HEIGHT_MM - SPRING_WIDTH_MM / 2 - pitch / 2
    line: list[Points] = [np.array([(CRADLE_HALF_LENGTH_MM - 3, 0.0), (spring_start(), 0.0)])]
    for leg in range(LEGS):
        side = 1 if leg % 2 == 0 else -1
        line.append(arc((spring_start() + (leg + 0.5) * pitch, side * turn), pitch / 2, side * 180, 0, 12))
    line.append(np.array([(spring_end(), 0.0), (spring_end() + 4, 0.0)]))
    return stroke(np.concatenate(line), SPRING_WIDTH_MM)


def spring_start() -> float:
    """Where the first half leg stands, beside the cradle."""
    return CRADLE_HALF_LENGTH_MM + SPRING_PITCH_MM / 2


def spring_end() -> float:
    """Where the last half leg stands, beside the paddle."""
    return spring_start() + LEGS * SPRING_PITCH_MM


def paddle() -> CrossSection:
    """The right end: two pairs of hooks on a spine, and a round end for the fingers."""
    start, end = spring_end() + 2, LENGTH_MM / 2 - END_RADIUS_MM
    widths = np.array([SPRING_WIDTH_MM * 1.8, 2 * PADDLE_HALF_WIDTH_MM, 2 * PADDLE_HALF_WIDTH_MM])
    spine = stroke([(start, 0), (HOOKS_AT_MM[0] + 6, 0), (end, 0)], widths)
    return spine + disc(end, 0, END_RADIUS_MM) + union(barbs(x) for x in HOOKS_AT_MM)


def holes() -> CrossSection:
    """Curved windows that follow the cradle's edges, and an eye in each end for a thread or a wider loop."""
    places = np.linspace(-CRADLE_HALF_LENGTH_MM / 2, CRADLE_HALF_LENGTH_MM / 2, 9)
    window = stroke(np.stack([places, WINDOW_AT_MM - places**2 / 200], axis=-1), WINDOW_WIDTH_MM)
    return window + window.mirror((0, 1)) + with_mirror_image(disc(LENGTH_MM / 2 - END_RADIUS_MM, 0, EYE_RADIUS_MM))
