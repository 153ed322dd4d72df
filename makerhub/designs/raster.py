"""Drawing triangles into pixels with a depth buffer, in numpy alone (pure): no window, no graphics library.

Triangles are cut into the rows of pixels that they cover and rows into pixels, many triangles at a time, so that long
thin faces cost no more than the pixels that they fill.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from makerhub.errors import Invalid, translatable

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_MAX_COVERINGS = 30
_PIECE = 1_000_000


class TooCostlyToDraw(Invalid):
    """The faces would fill the picture dozens of times over."""

    template = translatable("The mesh is too complex to be drawn.")


@dataclass(frozen=True, slots=True)
class Covered:
    """For each pixel that something covers: its number (row · width + column), the nearest face there, and where.

    `weights` are the shares of the face's three corners, shape (pixels, 3); `depth` grows towards the eye.
    """

    pixel: Integers
    face: Integers
    weights: Floats
    depth: Floats


@dataclass(frozen=True, slots=True)
class _Spans:
    """Runs of `count` pixels in a row from pixel `first` on, each covered by `face`."""

    face: Integers
    first: Integers
    count: Integers


def draw(corners: Floats, width: int, height: int) -> Covered:
    """What is seen of faces with `corners` of shape (faces, 3, 3) in pixels: x to the right, y down, depth to the eye.

    Raises `TooCostlyToDraw` for a mesh that no honest design is.
    """
    nearest = np.full(width * height, -np.inf)
    winner = np.full(width * height, -1, dtype=np.int64)
    drawn = 0
    for spans in _spans(corners, width, height):
        face, pixel, depth = _pixels(corners, spans, width)
        drawn += len(pixel)
        if drawn > _MAX_COVERINGS * width * height:
            raise TooCostlyToDraw
        np.maximum.at(nearest, pixel, depth)
        wins = depth == nearest[pixel]
        winner[pixel[wins]] = face[wins]
    pixel = np.flatnonzero(winner >= 0)
    face = winner[pixel]
    return Covered(pixel, face, _weights(corners[face], pixel, width), nearest[pixel])


def _spans(corners: Floats, width: int, height: int) -> Iterator[_Spans]:
    """The pixels that each face covers in each row, whose middles it contains, a bounded number of them at a time."""
    top = np.clip(np.ceil(corners[:, :, 1].min(axis=1) - 0.5), 0, height).astype(np.int64)
    end = np.clip(np.floor(corners[:, :, 1].max(axis=1) - 0.5) + 1, 0, height).astype(np.int64)
    heights = np.maximum(end - top, 0)
    for faces in _pieces(heights):
        owner, step = _expand(heights[faces])
        face, row = faces[owner], top[faces][owner] + step
        left, right = _crossings(corners[face], row.astype(np.float64) + 0.5)
        start = np.clip(np.ceil(left - 0.5), 0, width).astype(np.int64)
        counts = np.maximum(np.clip(np.ceil(right - 0.5), 0, width).astype(np.int64) - start, 0)
        for piece in _pieces(counts):
            yield _Spans(face[piece], row[piece] * width + start[piece], counts[piece])


def _pieces(counts: Integers) -> Iterator[Integers]:
    """The numbers of the entries, in pieces whose counts sum up to about `_PIECE`; a mesh can't fill the memory."""
    piece = np.cumsum(counts) // _PIECE
    yield from np.split(np.arange(len(counts)), np.flatnonzero(np.diff(piece)) + 1)


def _pixels(corners: Floats, spans: _Spans, width: int) -> tuple[Integers, Integers, Floats]:
    """Each pixel of the spans with its face and the depth of the face there."""
    owner, step = _expand(spans.count)
    face, pixel = spans.face[owner], spans.first[owner] + step
    depth: Floats = (_weights(corners[face], pixel, width) * corners[face, :, 2]).sum(axis=1)
    return face, pixel, depth


def _crossings(corners: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Where the edges of each face cross the line at its `y`: the leftmost and the rightmost x."""
    lefts, rights = np.full(len(y), np.inf), np.full(len(y), -np.inf)
    for one, other in ((0, 1), (1, 2), (2, 0)):
        (x0, y0), (x1, y1) = corners[:, one, :2].T, corners[:, other, :2].T
        crosses = (np.minimum(y0, y1) <= y) & (y <= np.maximum(y0, y1)) & (y0 != y1)
        x = x0 + (y - y0) / np.where(y0 == y1, 1, y1 - y0) * (x1 - x0)
        lefts = np.where(crosses, np.minimum(lefts, x), lefts)
        rights = np.where(crosses, np.maximum(rights, x), rights)
    found = lefts <= rights
    return np.where(found, lefts, 0), np.where(found, rights, 0)


def _weights(corners: Floats, pixel: Integers, width: int) -> Floats:
    """The share of each corner at the middle of a pixel; slivers, seen from the edge, give all to their first."""
    point = np.stack([pixel % width + 0.5, pixel // width + 0.5], axis=-1)
    origin = corners[:, 0, :2]
    along, across, offset = corners[:, 1, :2] - origin, corners[:, 2, :2] - origin, point - origin
    area = along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]
    safe = np.where(np.abs(area) < 1e-9, 1.0, area)
    second = (offset[:, 0] * across[:, 1] - offset[:, 1] * across[:, 0]) / safe
    third = (along[:, 0] * offset[:, 1] - along[:, 1] * offset[:, 0]) / safe
    second, third = (np.where(np.abs(area) < 1e-9, 0.0, np.clip(share, 0, 1)) for share in (second, third))
    return np.stack([1 - second - third, second, third], axis=-1)


def _expand(counts: Integers) -> tuple[Integers, Integers]:
    """For counts (2, 0, 3): the owners (0, 0, 2, 2, 2) and the steps (0, 1, 0, 1, 2)."""
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
