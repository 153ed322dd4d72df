"""What a sound mesh is like to print (pure): thin walls, overhangs, how it should lie, its footprint, its amounts.

A report says whether a mesh can be printed at all (`geometry.py`); this says how well. Lengths are in mm, areas in mm²,
volumes in mm³; “up” is +z, as the design lies in its file.
"""

from typing import Any

import msgspec
import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from makerhub.designs.geometry import Triangles, weld
from makerhub.designs.silhouette import Loops, silhouette

STEEP_COSINE = float(np.cos(np.radians(45)))
"""Faces that look down more than 45° from the vertical are overhangs: slicers support them from there on."""

FIRST_LAYER_MM = 0.4
"""Faces that look down and lie below this rest on the bed."""

RAYS = 20_000
_SEED = 2020
_INTO_THE_WALL_MM = 1e-3
_CANDIDATES = 24

Floats = NDArray[np.float64]


class Orientation(msgspec.Struct, frozen=True):
    """A way to lie: what is `up` then, as a unit vector of the file's own axes, and what that brings."""

    up: tuple[float, float, float]
    overhang_mm2: float
    height_mm: float


class Analysis(msgspec.Struct, frozen=True):
    """What was measured of a mesh.

    Of 20,000 places spread over the surface one in a hundred is in a wall thinner than `wall_p1_mm`, one in twenty
    in one thinner than `wall_p5_mm`; the very thinnest place is nearly always at a sharp edge and says nothing.
    `side_mm2` is the area of steep faces, `flat_mm2` that of the others; `outline_mm` is the convex footprint,
    and `silhouette_mm` what is really covered, as it is drawn on a plate.
    """

    faces: int
    volume_mm3: float
    area_mm2: float
    side_mm2: float
    flat_mm2: float
    wall_p1_mm: float
    wall_p5_mm: float
    overhang_mm2: float
    contact_mm2: float
    footprint_mm2: float
    outline_mm: tuple[tuple[float, float], ...]
    silhouette_mm: Loops
    height_mm: float
    best: Orientation

    @property
    def lies_well(self) -> bool:
        """Whether no other way to lie would spare more than a tenth of the overhangs, or a square centimetre."""
        return self.overhang_mm2 <= max(self.best.overhang_mm2 * 1.1, self.best.overhang_mm2 + 100)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


def analyse(triangles: Triangles) -> Analysis:
    """What a closed mesh is like to print; takes seconds for a million faces."""
    welded = weld(triangles)
    solid = trimesh.Trimesh(welded.points, welded.faces, process=False)
    normals, areas = np.asarray(solid.face_normals), np.asarray(solid.area_faces)
    hull = _hull(welded.points)
    upright = _lying(solid, hull, np.array([0.0, 0.0, 1.0]))
    steep = np.abs(normals[:, 2]) < STEEP_COSINE
    walls = wall_thicknesses(solid)
    outline = _outline(hull)
    return Analysis(
        faces=len(triangles),
        volume_mm3=float(solid.volume),
        area_mm2=float(areas.sum()),
        side_mm2=float(areas[steep].sum()),
        flat_mm2=float(areas[~steep].sum()),
        wall_p1_mm=_percentile(walls, 1),
        wall_p5_mm=_percentile(walls, 5),
        overhang_mm2=upright.overhang_mm2,
        contact_mm2=float(areas[_resting(solid, np.array([0.0, 0.0, 1.0]))].sum()),
        footprint_mm2=_polygon_area(outline),
        outline_mm=tuple((round(float(x), 2), round(float(y), 2)) for x, y in outline),
        silhouette_mm=silhouette(welded),
        height_mm=upright.height_mm,
        best=min([upright, *_others(solid, hull)], key=lambda way: (round(way.overhang_mm2), way.height_mm)),
    )


def wall_thicknesses(solid: trimesh.Trimesh, rays: int = RAYS) -> Floats:
    """How far it is through the material, straight in from each of `rays` places spread evenly over the surface, in mm.

    The places are the same for the same mesh. Shorter than the number of rays where one finds no other side.
    """
    places, faces = trimesh.sample.sample_surface(solid, rays, seed=_SEED)
    inwards = -np.asarray(solid.face_normals)[faces]
    starts = np.asarray(places) + inwards * _INTO_THE_WALL_MM
    hits, numbers, _ = solid.ray.intersects_location(starts, inwards, multiple_hits=False)
    lengths: Floats = np.linalg.norm(hits - starts[numbers], axis=1)
    return lengths + _INTO_THE_WALL_MM


def _percentile(walls: Floats, share: float) -> float:
    return float(np.percentile(walls, share)) if len(walls) else 0.0


def _hull(points: Floats) -> Floats:
    """The corners of the convex hull, few of many; a flat mesh keeps all of its points."""
    try:
        corners: Floats = points[ConvexHull(points).vertices]
    except QhullError:
        return points
    return corners


def _lying(solid: trimesh.Trimesh, hull: Floats, up: Floats) -> Orientation:
    heights = hull @ up
    areas = np.asarray(solid.area_faces)
    overhang = areas[(np.asarray(solid.face_normals) @ up < -STEEP_COSINE) & ~_resting(solid, up)].sum()
    x, y, z = (round(float(part), 4) for part in up)
    return Orientation((x, y, z), float(overhang), float(np.ptp(heights)))


def _resting(solid: trimesh.Trimesh, up: Floats) -> NDArray[np.bool_]:
    """The faces that look down and lie on the bed."""
    heights = np.asarray(solid.triangles_center) @ up
    low = (np.asarray(solid.vertices) @ up).min()
    resting: NDArray[np.bool_] = (np.asarray(solid.face_normals) @ up < -STEEP_COSINE) & (
        heights < low + FIRST_LAYER_MM
    )
    return resting


def _others(solid: trimesh.Trimesh, hull: Floats) -> list[Orientation]:
    """The ways to lie on the largest flat sides of the convex hull."""
    try:
        sides = ConvexHull(hull)
    except QhullError:
        return []
    corners = hull[sides.simplices]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    downs, numbers = np.unique(np.round(sides.equations[:, :3], 2), axis=0, return_inverse=True)
    weights = np.bincount(numbers.reshape(-1), areas)
    largest = downs[np.argsort(-weights, kind="stable")[:_CANDIDATES]]
    return [_lying(solid, hull, -down / np.linalg.norm(down)) for down in largest]


def _outline(hull: Floats) -> Floats:
    """The convex outline seen from above, counter-clockwise."""
    flat = hull[:, :2]
    try:
        corners: Floats = flat[ConvexHull(flat).vertices]
    except QhullError:
        return flat[:0]
    return corners


def _polygon_area(corners: Floats) -> float:
    x, y = corners[:, 0], corners[:, 1]
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)
