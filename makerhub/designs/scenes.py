"""Laying the parts of a design out on the ground, for a picture of all of them (pure): close, none over another.

Outlines are compared on a grid, so that a clip may lie inside the arc of a headband.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation
from scipy.signal import fftconvolve

from makerhub.designs.raster import draw

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

MOST_OF_ONE = 4
MOST_PIECES = 12
_CELLS = 96
_GAP = 4
_AWAY = np.array([0.85, 0.53])  # from the eye of the pictures, in y and x
_BEHIND = 0.25  # what lies behind a larger piece may be hidden by it


@dataclass(frozen=True, slots=True)
class Place:
    """One piece of a part: turned by a quarter or not, then moved by (`x_mm`, `y_mm`)."""

    part: int
    x_mm: float
    y_mm: float
    turned: bool

    def of(self, triangles: Floats) -> Floats:
        """The faces of the part, shape (faces, 3, 3), at this place."""
        moved: Floats = _turned(triangles, self.turned) + np.array([self.x_mm, self.y_mm, 0.0])
        return moved


@dataclass(frozen=True, slots=True)
class _Outline:
    """What a part covers of a grid whose first cell's corner lies at `start` (mm)."""

    mask: Mask
    start: Floats


def standing(triangles: Floats) -> Floats:
    """The part moved to the middle of the ground, on which it stands."""
    low, high = triangles.min(axis=(0, 1)), triangles.max(axis=(0, 1))
    middle = (low + high) / 2
    standing: Floats = triangles - np.array([middle[0], middle[1], low[2]])
    return standing


def arrange(parts: Sequence[Floats], quantities: Sequence[int]) -> list[Place]:
    """Where the pieces of each part lie, parts being faces of shape (faces, 3, 3) that stand on the ground.

    Of many pieces of a part only some are shown, and never more than a dozen in all; of each part at least one. The
    largest comes first, and each next one where the whole stays closest to a square.
    """
    cell = max(float(np.ptp(part[..., :2], axis=(0, 1)).max()) for part in parts) / _CELLS
    outlines = [[_outline(_turned(part, turned), cell) for turned in (False, True)] for part in parts]
    pieces = _pieces(parts, quantities)
    ground = _Ground(cell, len(pieces))
    for number in pieces:
        ground.put(number, outlines[number])
    return ground.places


def _pieces(parts: Sequence[Floats], quantities: Sequence[int]) -> list[int]:
    """The number of the part of each piece that is shown, the largest footprint first."""
    shown = [min(quantity, MOST_OF_ONE) for quantity in quantities]
    while sum(shown) > MOST_PIECES and max(shown) > 1:
        shown[shown.index(max(shown))] -= 1
    size = [float(np.prod(np.ptp(part[..., :2], axis=(0, 1)))) for part in parts]
    order = sorted(range(len(parts)), key=lambda number: -size[number])
    return [number for number in order for _ in range(shown[number])]


class _Ground:
    """What lies on the ground so far, in the middle of a grid; y grows with the rows, x with the columns."""

    def __init__(self, cell: float, pieces: int) -> None:
        side = 2 * (math.isqrt(pieces) + 4) * (_CELLS + 2 * _GAP)
        self.places: list[Place] = []
        self._cell, self._middle = cell, side // 2
        self._taken = np.zeros((side, side), dtype=bool)
        self._low = self._high = np.full(2, self._middle)

    def put(self, part: int, outlines: Sequence[_Outline]) -> None:
        """Lay a piece down as it is or turned, where the whole stays smallest and closest to a square."""
        found = [self._best(outline) for outline in outlines]
        turned = len(self.places) > 0 and found[1][0] < found[0][0]
        corner, outline = found[turned][1], outlines[turned]
        self._take(corner, outline.mask)
        x, y = (corner[::-1] - self._middle) * self._cell - outline.start
        self.places.append(Place(part, float(x), float(y), turned))

    def _best(self, outline: _Outline) -> tuple[float, Integers]:
        """The least cost of putting the outline somewhere, and at which cell (row, column) its corner is then."""
        size = np.array(outline.mask.shape)
        first, last = self._low - size - _GAP, self._high + _GAP
        window = self._taken[first[0] : last[0] + size[0], first[1] : last[1] + size[1]]
        overlap = fftconvolve(window.astype(float), outline.mask[::-1, ::-1].astype(float), mode="valid")
        corners = np.argwhere(overlap < 0.5) + first
        low, high = np.minimum(self._low, corners), np.maximum(self._high, corners + size)
        sides, off = high - low, corners + size / 2 - (self._low + self._high) / 2
        cost = sides.max(axis=1) + 0.3 * sides.min(axis=1) + 0.05 * np.abs(off).sum(axis=1) + _BEHIND * (off @ _AWAY)
        return float(cost.min()), corners[cost.argmin()]

    def _take(self, corner: Integers, mask: Mask) -> None:
        size = np.array(mask.shape)
        self._low = np.minimum(self._low, corner) if self.places else corner
        self._high = np.maximum(self._high, corner + size) if self.places else corner + size
        grown = binary_dilation(np.pad(mask, _GAP), iterations=_GAP)
        (row, column), (rows, columns) = corner - _GAP, size + 2 * _GAP
        self._taken[row : row + rows, column : column + columns] |= grown


def _outline(triangles: Floats, cell: float) -> _Outline:
    start = triangles[..., :2].min(axis=(0, 1))
    corners = (triangles - [*start, 0]) / cell
    columns, rows = np.ceil(corners[..., :2].max(axis=(0, 1))).astype(int) + 1
    mask = np.zeros(rows * columns, dtype=bool)
    mask[draw(corners, columns, rows).pixel] = True
    return _Outline(mask.reshape(rows, columns), start)


def _turned(triangles: Floats, turned: bool) -> Floats:
    return np.stack([-triangles[..., 1], triangles[..., 0], triangles[..., 2]], axis=-1) if turned else triangles
