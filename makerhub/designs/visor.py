"""What the shipped parts around a visor share: the sheet and its holes, the pegs, the pockets, the clip below.

A visor is an A4 sheet of clear film that hangs from its long edge. It is punched with what stands in every office: two
holes 80 mm apart (ISO 838), or these and two more at the same distance, for which the punch is moved on.
"""

from collections.abc import Sequence

import numpy as np
from manifold3d import CrossSection, Manifold

from makerhub.designs.shapes import (
    Points,
    arc,
    at_length,
    filleted,
    front_mark,
    lofted,
    mark_outline,
    offset_curve,
    polygon,
    prism,
    soft_slab,
    spline,
    stroke,
    union,
    with_mirror_image,
)

HOLE_DISTANCE_MM = 80.0  # ISO 838
INNER_PEG_MM, OUTER_PEG_MM = HOLE_DISTANCE_MM / 2, HOLE_DISTANCE_MM * 3 / 2
SHEET_WIDTH_MM = 297.0  # the long edge of A4
PEG_HEIGHT_MM = 4.4

# A stem of 3.4 × 4.4 mm is 5.6 mm across and turns in a hole of 6 mm; a cap of 5.2 × 4.4 mm is 6.8 mm across, so the
# hole slips over it with a push, but not by itself.
_STEM_MM = 3.4
_CAP_MM = 5.2
_CAP_THICKNESS_MM = 2.2

_POCKET_GAP_MM = 1.2  # twice the thickest sheet, and what a nozzle of 0.4 mm still leaves open
_POCKET_PLAY_MM = 0.5  # sheets are cut to half a mm
_FINGER_MM = 2.2
_FINGER_REACH_MM, _FINGER_ROOT_MM = 20.0, 12.0

# The clip holds the middle of the sheet's lower edge in the bend that a headband gives to the upper one.
_CLIP_RADIUS_MM = 95.0
_CLIP_LENGTH_MM = 150.0
_CLIP_WIDTH_MM, _CLIP_END_WIDTH_MM = 5.8, 8.6
_CLIP_HEIGHT_MM, _CLIP_END_HEIGHT_MM = 11.5, 8.0
_FLOOR_MM = 1.8
# The slot is a wave that leaves no straight way through: film from 0.15 to 0.5 mm is bent a little, and held.
_SLOT_MM = 1.0
_WAVE_MM = 0.5
_WAVE_LENGTH_MM = 16.0
_DRAIN_MM = 1.6


def symmetric(right: list[tuple[float, float]]) -> Points:
    """A smooth curve through the points of the right half, from the middle on, and their mirror images."""
    return spline([(-x, y) for x, y in right[:0:-1]] + right, 51)


def right_half(right: list[tuple[float, float]]) -> Points:
    """The half of `symmetric` from its middle to its right end."""
    return symmetric(right)[25:]


def pegs(visor: Points, lengths: Sequence[float]) -> Manifold:
    """Pegs at these lengths along the right half of the visor, and on its left."""
    outline = with_mirror_image(union(peg(visor, length) for length in lengths))
    return soft_slab(outline, PEG_HEIGHT_MM, top=0.6, bottom=0.3, steps=1)


def peg(visor: Points, length: float) -> CrossSection:
    """A mushroom at a distance along the visor: the sheet's hole slips over its head and rests on its stem."""
    root, along = at_length(visor, length)
    outwards = np.array([-along[1], along[0]])
    stem = stroke([tuple(root - outwards), tuple(root + outwards * 1.9)], _STEM_MM)
    side = (_CAP_MM - _CAP_THICKNESS_MM) / 2
    ends = [tuple(root + outwards * 3.2 + along * place) for place in (-side, side)]
    return filleted(stem + stroke(ends, _CAP_THICKNESS_MM), inner=0.3, outer=0.8)


def pocket(visor: Points) -> CrossSection:
    """A finger along the right half of the visor: the end of the sheet is tucked behind it, and stops there."""
    stop = SHEET_WIDTH_MM / 2 + _POCKET_PLAY_MM
    knots = stop - _FINGER_REACH_MM, stop - 0.6 * _FINGER_REACH_MM, stop + 1.0, stop + _FINGER_ROOT_MM
    gaps = _POCKET_GAP_MM + 0.9, _POCKET_GAP_MM, _POCKET_GAP_MM, -_FINGER_MM  # its mouth is wider
    places = np.sort([*np.linspace(knots[0], knots[-1], 24), stop])
    line = np.array([at_length(visor, place)[0] for place in places])
    finger = offset_curve(line, np.interp(places, knots, gaps) + _FINGER_MM / 2)
    root = np.concatenate([offset_curve(line, -1.0), finger[::-1]])[np.concatenate([places, places[::-1]]) >= stop]
    return filleted(stroke(finger, _FINGER_MM) + polygon(root), inner=0.2, outer=1.0)


def bottom_clip(code: str, version: str) -> Manifold:
    """A bent bar with a wavy slot for the sheet's lower edge; it drains through its floor."""
    line = _clip_line(_CLIP_LENGTH_MM)
    outline = stroke(line, _clip_widths(len(line)))
    bar = soft_slab(filleted(outline, inner=6.0, outer=2.0), _CLIP_HEIGHT_MM, top=1.2, bottom=0.5, steps=3)
    clip = (bar - _slot()).warp_batch(_lowered_to_its_ends) - _drains()
    mark = mark_outline(code, version, letter_mm=4.5)
    return (clip - front_mark(mark, offset_curve(line, _CLIP_WIDTH_MM / 2), _CLIP_HEIGHT_MM / 2)).rotate((0, 0, 180))


def _clip_line(length: float, count: int = 61) -> Points:
    """The middle of the clip from left to right, its front in the origin."""
    half = np.degrees(length / 2 / _CLIP_RADIUS_MM)
    return arc((0, -_CLIP_RADIUS_MM), _CLIP_RADIUS_MM, 90 + half, 90 - half, count)


def _clip_widths(count: int) -> Points:
    """The bar's width along it: its ends swell, for fingers and thumbs to pull it off."""
    from_end = np.minimum(np.arange(count), np.arange(count)[::-1]) * _CLIP_LENGTH_MM / (count - 1)
    widths: Points = np.interp(from_end, [0, 5, 16], [_CLIP_END_WIDTH_MM, _CLIP_END_WIDTH_MM - 0.4, _CLIP_WIDTH_MM])
    return widths


def _slot() -> Manifold:
    """What is left free for the sheet, from the floor up and out of both ends, with a mouth that guides it in."""
    length = _CLIP_LENGTH_MM + 3 * _CLIP_END_WIDTH_MM
    line = _clip_line(length, 121)
    places = np.linspace(-length / 2, length / 2, len(line))
    inside = np.clip((_CLIP_LENGTH_MM / 2 - np.abs(places)) / 10, 0, 1)
    wave = offset_curve(line, _WAVE_MM * inside * np.cos(2 * np.pi * places / _WAVE_LENGTH_MM))
    outline = stroke(wave, _SLOT_MM + 1.6 * (1 - inside) ** 2)
    high = _CLIP_HEIGHT_MM
    return lofted(outline, [(0, _FLOOR_MM), (0, high - 1.2), (-1.1, high + 0.1)])


def _drains() -> Manifold:
    """Slits through the floor, where the slot swings through its middle."""
    line = _clip_line(_CLIP_LENGTH_MM)
    middles = _CLIP_LENGTH_MM / 2 + np.arange(-2.5, 3) * _WAVE_LENGTH_MM
    slits = [stroke([tuple(at_length(line, middle + x)[0]) for x in (-3, 3)], _DRAIN_MM) for middle in middles]
    return prism(union(slits), _FLOOR_MM + 2.0, -1.0)


def _lowered_to_its_ends(points: Points) -> Points:
    """The bar, high in its middle and lower at its ends."""
    share = np.clip(np.abs(points[:, 0]) / (_CLIP_LENGTH_MM * 0.47), 0, 1) ** 2
    scale = 1 - share * (1 - _CLIP_END_HEIGHT_MM / _CLIP_HEIGHT_MM)
    above = np.clip(points[:, 2] - _FLOOR_MM, 0, None)
    lowered: Points = np.column_stack([points[:, :2], np.minimum(points[:, 2], _FLOOR_MM) + above * scale])
    return lowered
