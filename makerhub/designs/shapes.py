"""The vocabulary of the shipped designs: curves, strokes, fillets, slabs with soft edges, engraved marks.

Everything is in mm and prints without support: parts grow upwards from outlines, with a small chamfer at the bottom,
where a round would overhang, and a round at the top, where hands touch.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from manifold3d import CrossSection, Manifold, Mesh, triangulate
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from makerhub.designs.geometry import Triangles
from makerhub.designs.glyphs import GLYPHS

Points = NDArray[np.float64]
"""A polyline: shape (points, 2)."""

_CIRCLE_SEGMENTS = 20
_TOLERANCE_MM = 0.07
_KNOT_MM2 = 1e-6
_GROOVE_MM = 0.6  # a nozzle of 0.4 mm still leaves it open


def spline(points: Sequence[tuple[float, float]], count: int = 160) -> Points:
    """A smooth curve through `points` in `count` steps of equal length."""
    knots = np.array(points, dtype=np.float64)
    chords = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))])
    fine = make_interp_spline(chords, knots, k=min(3, len(knots) - 1))(np.linspace(0, chords[-1], count * 8))
    lengths = _lengths(fine)
    even = np.linspace(0, lengths[-1], count)
    return np.stack([np.interp(even, lengths, fine[:, axis]) for axis in (0, 1)], axis=-1)


def arc(
    centre: tuple[float, float], radius: float, start_degrees: float, end_degrees: float, count: int = 24
) -> Points:
    """An arc around `centre`, counter-clockwise where the end is larger than the start."""
    angles = np.radians(np.linspace(start_degrees, end_degrees, count))
    return np.array(centre) + radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def offset_curve(curve: Points, distance: float | Points) -> Points:
    """The curve moved to its left by a distance, or by one distance for each point."""
    along = np.gradient(curve, axis=0)
    left = np.stack([-along[:, 1], along[:, 0]], axis=-1) / np.linalg.norm(along, axis=1, keepdims=True)
    moved: Points = curve + left * np.broadcast_to(distance, len(curve))[:, None]
    return moved


def at_length(curve: Points, length: float) -> tuple[Points, Points]:
    """The point `length` along a curve and the direction there (unit length)."""
    lengths = _lengths(curve)
    point, before, after = (
        np.array([np.interp(where, lengths, curve[:, axis]) for axis in (0, 1)])
        for where in (length, length - 0.5, length + 0.5)
    )
    direction = after - before
    return point, direction / np.linalg.norm(direction)


def stroke(curve: Points | Sequence[tuple[float, float]], width: float | Points) -> CrossSection:
    """A line with round ends, of the given width or of one width for each point."""
    points = np.asarray(curve, dtype=np.float64)
    widths = np.broadcast_to(width, len(points))
    dots = [disc(float(x), float(y), float(w) / 2) for (x, y), w in zip(points, widths, strict=True)]
    return union(CrossSection.batch_hull(list(pair)) for pair in pairwise(dots))


def polygon(points: Points) -> CrossSection:
    """The inside of a closed line, whichever way round it runs."""
    return CrossSection([points if _area(points) > 0 else points[::-1]])


def disc(x: float, y: float, radius: float) -> CrossSection:
    """A full circle."""
    return CrossSection.circle(radius, _CIRCLE_SEGMENTS).translate((x, y))


def union(sections: Iterable[CrossSection]) -> CrossSection:
    """All sections as one."""
    total = CrossSection()
    for section in sections:
        total += section
    return total


def filleted(section: CrossSection, inner: float, outer: float) -> CrossSection:
    """The section with inner corners filled to a radius of `inner` and outer ones rounded to `outer`."""
    segments = _CIRCLE_SEGMENTS
    filled = section.offset(inner, circular_segments=segments).offset(-inner, circular_segments=segments)
    return filled.offset(-outer, circular_segments=segments).offset(outer, circular_segments=segments)


def with_mirror_image(section: CrossSection) -> CrossSection:
    """The section and its image on the other side of the y axis."""
    return section + section.mirror((1, 0))


def soft_slab(section: CrossSection, height: float, top: float = 0.8, bottom: float = 0.4, steps: int = 4) -> Manifold:
    """The section as a solid from z = 0 to `height`, rounded by `top` above and chamfered by `bottom` below.

    The outer radii of the section must be larger than both, so that the outline can shrink without tying knots.
    """
    angles = np.linspace(0, np.pi / 2, steps + 1)
    rounds = list(zip(top * (1 - np.cos(angles)), height - top + top * np.sin(angles), strict=True))
    return lofted(section, [(bottom, 0.0), (0.0, bottom), *(rounds if top else [(0.0, height)])])


def lofted(section: CrossSection, rings: Sequence[tuple[float, float]]) -> Manifold:
    """A solid through copies of the section, each an inset (negative: wider) and its height, from below upwards.

    Raises `ValueError` where an inset is more than the section's radii bear: the solid would cut itself.
    """
    contours = [contour for contour in section.simplify(_TOLERANCE_MM).to_polygons() if len(contour) > 2]
    levels = [[_inset(contour, inset) for contour in contours] for inset, _ in rings]
    _require_no_knots(levels)
    corners = np.concatenate(
        [_at_height(np.concatenate(level), z) for level, (_, z) in zip(levels, rings, strict=True)]
    )
    faces = np.concatenate([_caps(levels), _walls(contours, len(rings))])
    mesh = Mesh(corners.astype(np.float32), np.ascontiguousarray(faces.astype(np.uint32)))
    return Manifold(mesh)


def prism(section: CrossSection, height: float, z: float = 0.0) -> Manifold:
    """The section as a plain solid from `z` upwards: for what is taken away."""
    return section.extrude(height).translate((0, 0, z))


def lettering(text: str, height: float, stroke_width: float = _GROOVE_MM) -> CrossSection:
    """Letters of the given height as strokes, in the middle of the origin; knows those of `glyphs` alone."""
    unit = height / 6
    lines, x = [], 0.0
    for letter in text:
        advance, strokes = GLYPHS[letter]
        lines += [[(x + column * unit, row * unit) for column, row in line] for line in strokes]
        x += (advance + 2) * unit
    middle = (x - 2 * unit) / 2, height / 2
    dot = CrossSection.circle(stroke_width / 2, 6)
    placed = [[dot.translate((px - middle[0], py - middle[1])) for px, py in line] for line in lines]
    return union(CrossSection.batch_hull(list(pair)) for line in placed for pair in pairwise([*line, line[-1]]))


def part_mark(
    code: str,
    version: str,
    *,
    letter_mm: float = 4.5,
    lot_mm: float = 22.0,
    two_lines: bool = False,
    framed: bool = False,
    depth_mm: float = 0.4,
) -> Manifold:
    """What marks a part, to be cut out of a flat face: its code and revision, and a field for its lot.

    The mark lies around the origin and reaches from z = -`depth_mm` to above 0: move it to the face and subtract it.
    The field is a hollow `lot_mm` wide, in which a pen's writing is not rubbed off, or it is `framed` by a groove,
    where something is printed on top of it. 0.4 mm is two layers: read by eye and by a fingernail, yet no notch.
    `two_lines` puts the lot below the revision.
    """
    outline = mark_outline(code, version, letter_mm=letter_mm, lot_mm=lot_mm, two_lines=two_lines, framed=framed)
    return prism(outline, depth_mm + 1.0, -depth_mm)


def front_mark(outline: CrossSection, face: Points, z: float, depth_mm: float = 0.5) -> Manifold:
    """A mark to be cut into an upright face that bulges forwards (+y), with its middle at x = 0 and the height `z`.

    `face` runs along that face from left to right, seen from above; the mark is read from the front.
    """
    reach = float(np.ptp(face[:, 1])) + 6.0
    letters = prism(outline, reach).rotate((90, 0, 180)).translate((0, float(face[:, 1].max()) + 3.0 - reach, z))
    skin = stroke(offset_curve(face, 1.5 - depth_mm), 3.0)
    return letters ^ prism(skin, 100.0, z - 50.0)


def mark_outline(
    code: str,
    version: str,
    *,
    letter_mm: float = 4.5,
    lot_mm: float = 22.0,
    two_lines: bool = False,
    framed: bool = False,
) -> CrossSection:
    """The outline of `part_mark`, with its middle in the origin: for faces that are not flat."""
    revision, lot = lettering(f"{code} {version}", letter_mm), lot_field(letter_mm, lot_mm, framed=framed)
    lines = _below(revision, lot, letter_mm * 0.55) if two_lines else _beside(revision, lot, letter_mm * 1.4)
    return _centred(lines)


def round_mark(code: str, version: str, *, letter_mm: float = 4.0, lot_mm: float = 10.0) -> CrossSection:
    """A mark for a round face, with its middle in the origin: code, lot and version in three lines."""
    gap, lot = letter_mm * 0.55, _centred(lot_field(letter_mm, lot_mm))
    above, below = (_centred(lettering(text, letter_mm)) for text in (code, version))
    away = lot.bounds()[3] + gap + letter_mm / 2
    return lot + above.translate((0, away)) + below.translate((0, -away))


def lot_field(letter_mm: float, width_mm: float, *, framed: bool = False) -> CrossSection:
    """The word LOT and a field of the given width for a pen, somewhat higher than the letters."""
    core = CrossSection.square((width_mm - 2.0, letter_mm * 1.35 - 2.0), center=True)
    field = core.offset(1.0, circular_segments=_CIRCLE_SEGMENTS)
    if framed:
        field -= field.offset(-_GROOVE_MM, circular_segments=_CIRCLE_SEGMENTS)
    return _beside(lettering("LOT", letter_mm), field, letter_mm * 0.4)


def triangles_of(solid: Manifold) -> Triangles:
    """The faces of a solid, standing on z = 0 in the middle of the origin, as they survive 32-bit coordinates."""
    mesh = solid.simplify(0.01).to_mesh()
    faces: Triangles = np.asarray(mesh.vert_properties, dtype=np.float64)[:, :3][np.asarray(mesh.tri_verts)]
    low, high = faces.min(axis=(0, 1)), faces.max(axis=(0, 1))
    standing: Triangles = faces - np.array([*((low + high) / 2)[:2], low[2]])
    return standing


def _beside(left: CrossSection, right: CrossSection, gap: float) -> CrossSection:
    return left + right.translate((left.bounds()[2] + gap - right.bounds()[0], 0))


def _below(upper: CrossSection, lower: CrossSection, gap: float) -> CrossSection:
    under = _centred(lower)
    return _centred(upper) + under.translate((0, _centred(upper).bounds()[1] - gap - under.bounds()[3]))


def _centred(section: CrossSection) -> CrossSection:
    left, bottom, right, top = section.bounds()
    return section.translate((-(left + right) / 2, -(bottom + top) / 2))


def _lengths(curve: Points) -> NDArray[np.float64]:
    steps = np.linalg.norm(np.diff(curve, axis=0), axis=1)
    lengths: NDArray[np.float64] = np.concatenate([[0.0], np.cumsum(steps)])
    return lengths


def _inset(contour: Points, distance: float) -> Points:
    """Each corner moved inwards so that all edges move by `distance`: as many corners as before."""
    edges = np.roll(contour, -1, axis=0) - contour
    inward = np.stack([-edges[:, 1], edges[:, 0]], axis=-1) / np.linalg.norm(edges, axis=1, keepdims=True)
    before = np.roll(inward, 1, axis=0)
    bisector = (inward + before) / (1 + (inward * before).sum(axis=1, keepdims=True))
    moved: Points = contour + distance * bisector
    return moved


def _require_no_knots(levels: Sequence[Sequence[Points]]) -> None:
    for level in levels:
        signed, covered = sum(_area(contour) for contour in level), CrossSection(list(level)).area()
        if abs(signed - covered) > _KNOT_MM2:
            raise ValueError(
                f"the outline ties knots of {abs(signed - covered):.1g} mm²: round it more, or inset it less"
            )


def _area(contour: Points) -> float:
    """The area in a contour, negative where it runs clockwise."""
    x, y = contour.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2


def _at_height(level: Points, z: float) -> NDArray[np.float64]:
    return np.column_stack([level, np.full(len(level), z)])


def _walls(contours: Sequence[Points], ring_count: int) -> NDArray[np.int64]:
    """Two faces for every edge of the outline and every step upwards."""
    size = sum(len(contour) for contour in contours)
    faces, first = [], 0
    for contour in contours:
        here = first + np.arange(len(contour))
        there = first + (np.arange(len(contour)) + 1) % len(contour)
        for ring in range(ring_count - 1):
            low, high = ring * size, (ring + 1) * size
            faces += [np.stack([here + low, there + low, there + high], axis=-1)]
            faces += [np.stack([here + low, there + high, here + high], axis=-1)]
        first += len(contour)
    return np.concatenate(faces)


def _caps(levels: Sequence[Sequence[Points]]) -> NDArray[np.int64]:
    """The faces of the bottom, looking down, and of the top."""
    size = sum(len(contour) for contour in levels[0])
    bottom = np.asarray(triangulate(list(levels[0])), dtype=np.int64)[:, ::-1]
    top = np.asarray(triangulate(list(levels[-1])), dtype=np.int64) + size * (len(levels) - 1)
    return np.concatenate([bottom, top])
