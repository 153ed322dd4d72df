"""Elbow pusher for pump bottles: a saddle for the forearm, whose springy legs clip over the head of a pump.

It is one outline, grown along the spout: on the printer it lies on its back, so that the legs bend in the plane of the
layers and nothing overhangs. A tongue, printed first, stops the head at the back.
"""

from dataclasses import dataclass

import numpy as np
from manifold3d import CrossSection, Manifold

from makerhub.designs.shapes import (
    Points,
    filleted,
    part_mark,
    polygon,
    soft_slab,
    spline,
    stroke,
    with_mirror_image,
)

WIDTH_MM = 38.0  # along the spout
BACK_MM = 3.0
STOP_MM, STOP_GAP_MM = 11.0, 2.2
LEGS_BELOW_MM = 1.6

# The saddle, from its lowest point to its right end, and its full thickness there: as round as a forearm below the
# elbow, which is 80 to 110 mm thick, and low in the middle, so that the push meets the pump's stem.
SADDLE = [(0.0, 0.0), (14.0, 1.6), (27.0, 7.0), (37.0, 16.0), (42.5, 26.0)]
SADDLE_WIDTHS_MM = (7.5, 7.2, 6.4, 5.4, 6.4)

# A leg bends as a beam that is held at one end: F = E · b · t³ · s / (4 · L³), strained by 3 · t · s / (2 · L²). With
# t = 2.0 mm, L = 14 mm, b = 38 mm and E = 2,000 N/mm² (PETG) a head that is 2.5 mm wider than the legs stand apart
# (s = 1.25 mm) is held by 69 N a leg, at a strain of 1.9 %, of the 4 % at which it yields.
LEG_MM = 2.0
PLAY_MM = 2.5
CEILING_MM = -19.0  # the top of the pump's head, below the lowest point of the saddle's line
WAIST_MM, FOOT_MM = CEILING_MM - 14.0, CEILING_MM - 18.5


@dataclass(frozen=True)
class Size:
    """One size: how far its legs stand apart at their waist, which is the narrowest head that it holds."""

    code: str
    head_mm: float


SIZES = {"pusher-narrow.stl": Size("EP-N", 18.0), "pusher-wide.stl": Size("EP-W", 30.0)}


def build(version: str) -> dict[str, Manifold]:
    """A pusher of each size."""
    return {export: pusher(size, version) for export, size in SIZES.items()}


def pusher(size: Size, version: str) -> Manifold:
    """One pusher, lying on its back."""
    body = soft_slab(filleted(saddle() + block(size), inner=8.0, outer=2.6), WIDTH_MM, top=1.8, bottom=0.8, steps=3)
    legs = soft_slab(lower_half(size), WIDTH_MM - LEGS_BELOW_MM, top=0.5, bottom=0.4, steps=2)
    behind = soft_slab(stop(size), BACK_MM, top=0.8, bottom=0.5, steps=2)
    mark = part_mark(size.code, version, letter_mm=3.9, lot_mm=12.0, two_lines=True)
    return body + legs + behind - mark.translate((0, CEILING_MM / 2 + 1.2, WIDTH_MM))


def lower_half(size: Size) -> CrossSection:
    """Both legs, with the lower part of the block in which they are rooted, seen along the spout."""
    root = block(size) ^ CrossSection.square((120, 40)).translate((-60, CEILING_MM + 4 - 40))
    return filleted(root + with_mirror_image(leg(size)), inner=1.5, outer=0.9)


def saddle() -> CrossSection:
    """The trough for the forearm."""
    line: Points = spline([(-x, y) for x, y in SADDLE[:0:-1]] + SADDLE, 41)
    return stroke(line, np.interp(np.abs(line[:, 0]), [x for x, _ in SADDLE], SADDLE_WIDTHS_MM))


def block(size: Size) -> CrossSection:
    """What carries the push from the saddle down to the pump's head, and bears the mark."""
    foot = inner_edge(size) + LEG_MM + 0.8
    right = [(27.0, 6.0), (max(19.0, foot + 2.5), -3.0), (max(15.5, foot + 0.6), -10.0), (foot, CEILING_MM)]
    return polygon(np.array(right + [(-x, y) for x, y in reversed(right)]))


def leg(size: Size) -> CrossSection:
    """The right leg: a spring that is narrowest at its waist and opens below, for the head to find its way."""
    root, middle = inner_edge(size) + LEG_MM / 2, (size.head_mm + LEG_MM) / 2
    knots = [(root, CEILING_MM + 2), (root, CEILING_MM - 3), (middle, WAIST_MM), (middle + 2.2, FOOT_MM)]
    return stroke(spline(knots, 24), LEG_MM)


def inner_edge(size: Size) -> float:
    """How far from the middle the legs begin, below the block: the widest head fits between them."""
    return (size.head_mm + PLAY_MM) / 2


def stop(size: Size) -> CrossSection:
    """A tongue behind the pump's head, that the head stops at; it leaves the legs free to spring."""
    half = inner_edge(size) - STOP_GAP_MM
    tongue = CrossSection.square((2 * half, STOP_MM + 6)).translate((-half, CEILING_MM - STOP_MM))
    return filleted(tongue, inner=0.0, outer=4.0)
