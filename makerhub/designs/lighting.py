"""How much light reaches points of a scene that stands on the ground: of the sky, and of a wide, soft lamp (pure).

The light comes from some dozens of directions. For each, the surface is seen from there as a cloud of points in a grid
that keeps the nearest; what lies behind is in the shade. A cloud takes the same time for a hundred faces and a million.
Every number is a fixed one: the same scene gives the same light, bit by bit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from makerhub.designs.normals import face_normals, unit

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

_CLOUD = 600_000
_GRID = 400
_SKY_DIRECTIONS = 48
_LAMP_DIRECTIONS = 16
_LAMP_RADIANS = 0.13
_GOLDEN = (np.sqrt(5) - 1) / 2
_R2 = np.array([0.7548776662466927, 0.5698402909980532])  # the steps that spread points evenly over a square


@dataclass(frozen=True, slots=True)
class Light:
    """What reaches each point: `sky` from 0 in a deep hollow to 1 under the open sky, `lamp` from 0 to 1 facing it."""

    sky: Floats
    lamp: Floats


class Scene:
    """A scene of faces with shape (faces, 3, 3), in mm, on the ground at z = 0, lit by a lamp from a direction."""

    def __init__(self, triangles: Floats, to_lamp: Floats) -> None:
        low, high = triangles.min(axis=(0, 1)), triangles.max(axis=(0, 1))
        self._box = np.stack(np.meshgrid(*zip(low, high, strict=True))).reshape(3, 8)
        self._cell = float(np.linalg.norm(high - low)) / _GRID
        self._cloud = _cloud(triangles)
        self._lamp = _around(unit(to_lamp))

    def light(self, points: Floats, normals: Floats) -> Light:
        """The light on points with these unit normals, both of shape (points, 3)."""
        lifted = np.ascontiguousarray((points + normals * 1.2 * self._cell).T, dtype=np.float32)
        facing = np.ascontiguousarray(normals.T, dtype=np.float32)
        return Light(self._from(_sky(), lifted, facing) * 2, self._from(self._lamp, lifted, facing))

    def _from(self, directions: Floats, points: Singles, normals: Singles) -> Floats:
        """The mean over the directions of what a face gets from there, by its slant, if nothing lies between."""
        total = np.zeros(points.shape[1], dtype=np.float32)
        for direction in directions:
            slant = _along(direction, normals)
            total += np.maximum(slant, 0) * self._free(direction, points)
        mean: Floats = total.astype(np.float64) / len(directions)
        return mean

    def _free(self, direction: Floats, points: Singles) -> Singles:
        """1 where nothing lies between a point and the far end of this direction, 0 in the shade, between at edges."""
        right, up = _across(direction)
        grid = _Grid.around(np.stack([right @ self._box, up @ self._box]), self._cell)
        nearest = np.full(grid.width * grid.height, -np.inf, dtype=np.float32)
        np.maximum.at(
            nearest, grid.cells(_along(right, self._cloud), _along(up, self._cloud)), _along(direction, self._cloud)
        )
        there = nearest[grid.cells(_along(right, points), _along(up, points))]
        between = (there - _along(direction, points)) / np.float32(self._cell)
        free: Singles = 1 - np.clip(between - np.float32(0.5), 0, 1)
        return free


@dataclass(frozen=True, slots=True)
class _Grid:
    """Cells of `cell` mm across a direction, with a border of cells into which everything beyond falls."""

    start: Floats
    cell: float
    width: int
    height: int

    @classmethod
    def around(cls, flat: Floats, cell: float) -> "_Grid":
        """The grid over points of shape (2, points)."""
        start = flat.min(axis=1) - cell
        width, height = (np.ceil((flat.max(axis=1) - start) / cell) + 1).astype(int)
        return cls(start, cell, int(width), int(height))

    def cells(self, right: Singles, up: Singles) -> NDArray[np.int32]:
        """The number of the cell of each point."""
        column, row = (
            np.clip((place - np.float32(start)) * np.float32(1 / self.cell), 0, most - 1).astype(np.int32)
            for place, start, most in ((right, self.start[0], self.width), (up, self.start[1], self.height))
        )
        numbers: NDArray[np.int32] = row * np.int32(self.width) + column
        return numbers


def _along(direction: Floats, vectors: Singles) -> Singles:
    """How far each vector of shape (3, vectors) goes in a direction."""
    x, y, z = direction.astype(np.float32)
    length: Singles = vectors[0] * x + vectors[1] * y + vectors[2] * z
    return length


def _cloud(triangles: Floats) -> Singles:
    """Points spread evenly over the surface, shape (3, points): each face gets its share by its area."""
    reach = np.cumsum(np.linalg.norm(face_normals(triangles), axis=1))
    steps = np.arange(_CLOUD)
    face = np.searchsorted(reach, (steps + 0.5) / _CLOUD * reach[-1])
    corners = triangles[np.minimum(face, len(triangles) - 1)]
    share = (0.5 + steps[:, None] * _R2) % 1
    beyond = share.sum(axis=1) > 1
    share[beyond] = 1 - share[beyond]
    along, across = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    points = corners[:, 0] + along * share[:, :1] + across * share[:, 1:]
    return np.ascontiguousarray(points.T, dtype=np.float32)


def _sky() -> Floats:
    """Directions spread evenly over the upper half of a ball."""
    step = np.arange(_SKY_DIRECTIONS)
    height, turn = (step + 0.5) / _SKY_DIRECTIONS, 2 * np.pi * _GOLDEN * step
    flat = np.sqrt(1 - height**2)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), height], axis=-1)


def _around(direction: Floats) -> Floats:
    """Directions spread evenly over the disc of the lamp."""
    step = np.arange(_LAMP_DIRECTIONS)
    radius, turn = _LAMP_RADIANS * np.sqrt((step + 0.5) / _LAMP_DIRECTIONS), 2 * np.pi * _GOLDEN * step
    right, up = _across(direction)
    return unit(direction + radius[:, None] * (np.cos(turn)[:, None] * right + np.sin(turn)[:, None] * up))


def _across(direction: Floats) -> tuple[Floats, Floats]:
    """Two directions across this one and each other."""
    helper = np.array([1.0, 0, 0]) if abs(direction[0]) < 0.7 else np.array([0.0, 1, 0])
    right = unit(np.cross(helper, direction))
    return right, np.cross(direction, right)
