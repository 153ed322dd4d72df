"""Mending a mesh (pure): doubled faces go, faces are turned to point outwards, holes are filled; and each is told.

A mended mesh is offered, never taken silently: a hole may be meant, and then the design is wrong, not the file. What is
not one closed solid afterwards is not given out at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import manifold3d
import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from makerhub.designs.geometry import MeshProblem, Triangles, check_triangles, weld
from makerhub.errors import translatable

LARGEST_HOLE = 0.5
"""A hole wider than this share of the whole mesh is filled only if it is flat: else that would be inventing a shape."""

FLAT_MM = 0.01

DOUBLED = translatable("Leave out faces that come twice: %(count)s.")
TURNED = translatable("Turn faces over, so that all point outwards: %(count)s.")
FILLED = translatable("Fill holes: %(count)s, the largest %(width)s mm wide.")
MENDABLE = frozenset({MeshProblem.OPEN, MeshProblem.TWISTED, MeshProblem.INVERTED})

Points = NDArray[np.float64]
Faces = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Change(msgspec.Struct, frozen=True):
    """One thing that was changed: a sentence to be translated, and the values in it."""

    sentence: str
    values: dict[str, int | float]


@dataclass(frozen=True)
class Mended:
    """A sound mesh, and all that was done to make it one, in the order of doing."""

    triangles: Triangles
    changes: tuple[Change, ...]


class _CanNotBeMended(Exception):
    """There is a hole that nobody can fill without knowing what was meant."""


def mend(triangles: Triangles, bodies: int = 1) -> Mended | None:
    """A mesh without problems made of one whose problems can be mended; None where there are none, or it can not be."""
    if not set(check_triangles(triangles, bodies).problems) & MENDABLE:
        return None
    welded = weld(triangles)
    faces = _once(welded.faces)
    if not len(faces):
        return None
    turned = _turned_alike(faces)
    try:
        fillings = list(_fillings(welded.points, _turn(faces, turned)))
    except _CanNotBeMended:
        return None
    whole = np.concatenate([_turn(faces, turned), *(filling.faces for filling in fillings)])
    inside_out = _inside_out(welded.points, whole)
    result = welded.points[_turn(whole, inside_out)]
    if check_triangles(result, bodies).problems:
        return None
    changes = _told(len(welded.faces) - len(faces), int((turned ^ inside_out[: len(faces)]).sum()), fillings)
    return Mended(result, changes)


@dataclass(frozen=True)
class _Filling:
    faces: Faces
    width_mm: float


def _told(doubled: int, turned: int, fillings: list[_Filling]) -> tuple[Change, ...]:
    width = round(max((filling.width_mm for filling in fillings), default=0.0), 1)
    every = (
        (doubled, Change(DOUBLED, {"count": doubled})),
        (turned, Change(TURNED, {"count": turned})),
        (len(fillings), Change(FILLED, {"count": len(fillings), "width": width})),
    )
    return tuple(change for count, change in every if count)


def _once(faces: Faces) -> Faces:
    """Of faces with the same three corners the first."""
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    return faces[np.sort(first)]


def _turn(faces: Faces, chosen: Flags) -> Faces:
    return np.where(chosen[:, None], faces[:, ::-1], faces)


def _turned_alike(faces: Faces) -> Flags:
    """Which faces to turn, so that neighbours run along the edge between them in opposite directions."""
    one, two, alike = _neighbours(faces)
    weights = np.where(alike, 2, 1)  # 2: one of the two has to be turned
    graph = csr_array(coo_array((weights, (one, two)), shape=(len(faces), len(faces))))
    graph = graph + graph.T
    turned = np.zeros(len(faces), np.bool_)
    count, groups = connected_components(graph, directed=False)
    for first in np.unique(groups, return_index=True)[1][:count]:
        order, before = breadth_first_order(graph, first, directed=False)
        followers = order[1:]
        steps = np.asarray(graph[followers, before[followers]]).reshape(-1) == 2
        for face, parent, step in zip(followers.tolist(), before[followers].tolist(), steps.tolist(), strict=True):
            turned[face] = turned[parent] ^ step
    return turned


def _neighbours(faces: Faces) -> tuple[Faces, Faces, Flags]:
    """Pairs of faces that share an edge with no third, and whether both run along it in the same direction."""
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    _, numbers, counts = np.unique(np.sort(sides, axis=1), axis=0, return_inverse=True, return_counts=True)
    numbers = numbers.reshape(-1)
    shared = np.flatnonzero(counts[numbers] == 2)
    pairs = shared[np.argsort(numbers[shared], kind="stable")].reshape(-1, 2)
    one, two = pairs[:, 0], pairs[:, 1]
    return one % len(faces), two % len(faces), sides[one, 0] == sides[two, 0]


def _fillings(points: Points, faces: Faces) -> Iterator[_Filling]:
    """Faces for every hole."""
    limit = LARGEST_HOLE * float(np.linalg.norm(np.ptp(points, axis=0)))
    for loop in _loops(faces):
        corners = points[loop]
        width = float(np.ptp(corners, axis=0).max())
        plane = _plane_of(corners)
        if width > limit and np.abs((corners - corners.mean(axis=0)) @ plane[2]).max() > FLAT_MM:
            raise _CanNotBeMended
        yield _Filling(loop[_triangulated(corners, plane)], width)


def _loops(faces: Faces) -> Iterator[Faces]:
    """The borders of the holes, each as the corners in the order in which a face that fills it runs."""
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    known = set(map(tuple, sides.tolist()))
    ahead: dict[int, list[int]] = {}
    for start, end in known:
        if (end, start) not in known:
            ahead.setdefault(end, []).append(start)
    while ahead:
        start = min(ahead)
        loop = [start]
        while (following := _taken(ahead, loop[-1])) != start:
            loop.append(following)
        yield np.array(loop)


def _taken(ahead: dict[int, list[int]], corner: int) -> int:
    if corner not in ahead:
        raise _CanNotBeMended
    following = ahead[corner].pop()
    if not ahead[corner]:
        del ahead[corner]
    return following


def _plane_of(corners: Points) -> Points:
    """Two unit vectors in the plane that fits a border best, and its normal, around which the border runs."""
    centred = corners - corners.mean(axis=0)
    normal = np.cross(centred, np.roll(centred, -1, axis=0)).sum(axis=0)
    if not np.linalg.norm(normal):
        raise _CanNotBeMended
    normal /= np.linalg.norm(normal)
    across = np.cross(normal, np.eye(3)[np.abs(normal).argmin()])
    across /= np.linalg.norm(across)
    return np.stack([across, np.cross(normal, across), normal])


def _triangulated(corners: Points, plane: Points) -> Faces:
    """Triangles over a border in space, as numbers of its corners, seen in its plane."""
    seen = (corners - corners.mean(axis=0)) @ plane[:2].T
    triangles: Faces = np.asarray(manifold3d.triangulate([seen]), np.int64)
    return triangles


def _inside_out(points: Points, faces: Faces) -> Flags:
    """The faces of bodies whose volume is negative."""
    one, two, _ = _neighbours(faces)
    graph = coo_array((np.ones(len(one), np.bool_), (one, two)), shape=(len(faces), len(faces)))
    count, groups = connected_components(graph, directed=False)
    first, second, third = (points[faces[:, corner]] - points.mean(axis=0) for corner in range(3))
    volumes = np.bincount(groups, np.einsum("ij,ij->i", first, np.cross(second, third)), count)
    negative: Flags = volumes[groups] < 0
    return negative
