"""Smooth normals for faces that are meant to be round, sharp ones at edges (pure)."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MAX_SMOOTHED_FACES = 200_000
"""Beyond this, faces are smaller than a pixel, and the pairs of neighbours would fill gigabytes."""

_CREASE_COSINE = np.cos(np.radians(38.0))
_SAME_POINT_MM = 0.001


def face_normals(triangles: Floats) -> Floats:
    """Across each face, with twice its area as length: shape (faces, 3) of faces of shape (faces, 3, 3)."""
    across: Floats = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    return across


def corner_normals(triangles: Floats) -> Floats:
    """The unit normal at each corner, shape (faces, 3, 3): the mean over the faces there that it blends into.

    Two faces blend where they meet at less than 38°; each counts by its area.
    """
    across = face_normals(triangles)
    normals = unit(across)
    if len(triangles) > MAX_SMOOTHED_FACES:
        return np.repeat(normals[:, None], 3, axis=1)
    corner, neighbour = _sharing(triangles)
    blends = (normals[corner // 3] * normals[neighbour // 3]).sum(axis=1) > _CREASE_COSINE
    corner, face = corner[blends], neighbour[blends] // 3
    sums = [np.bincount(corner, across[face, axis], len(triangles) * 3) for axis in range(3)]
    return unit(np.stack(sums, axis=-1)).reshape(-1, 3, 3)


def unit(vectors: Floats) -> Floats:
    """The vectors with length 1; those without a length stay 0."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Floats = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return scaled


def _sharing(triangles: Floats) -> tuple[Integers, Integers]:
    """Every pair of corners (numbered face · 3 + corner) that lie at the same point."""
    cells = np.rint(triangles.reshape(-1, 3) / _SAME_POINT_MM).astype(np.int64)
    _, point = np.unique(cells, axis=0, return_inverse=True)
    point = point.ravel()
    order = np.argsort(point, kind="stable")
    counts = np.bincount(point)
    starts = np.cumsum(counts) - counts
    degree = counts[point]
    corner = np.repeat(np.arange(len(point)), degree)
    step = np.arange(len(corner)) - np.repeat(np.cumsum(degree) - degree, degree)
    return corner, order[starts[point[corner]] + step]
