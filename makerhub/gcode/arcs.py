"""How far an arc reaches beyond its end points."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_QUARTERS: Final = np.arange(4) * (np.pi / 2)
_ALLOWED_MISMATCH_MM: Final = 0.5  # arc-fitting slicers stay below a tenth of it
_SAME_POINT_RADIANS: Final = 1e-9


@dataclass(frozen=True)
class ArcExtent:
    """The box around each arc: `rows` are its lines; `misfit` marks arcs whose centre does not fit their end points."""

    rows: NDArray[np.intp]
    low_x: Floats
    high_x: Floats
    low_y: Floats
    high_y: Floats
    misfit: NDArray[np.bool_]


def arc_extent(
    code: NDArray[np.int8],
    from_x: Floats,
    from_y: Floats,
    to_x: Floats,
    to_y: Floats,
    offset_x: Floats,
    offset_y: Floats,
) -> ArcExtent:
    """Return the extents of the G2 and G3 lines among all, whose centre is the start plus the offset (I, J; NaN is 0).

    An arc that ends where it starts is a full circle, as in Marlin. The radius form (R) is not supported.
    """
    rows = np.flatnonzero(code > 1)
    from_x, from_y, to_x, to_y = from_x[rows], from_y[rows], to_x[rows], to_y[rows]
    centre_x, centre_y = from_x + np.nan_to_num(offset_x[rows]), from_y + np.nan_to_num(offset_y[rows])
    start = np.arctan2(from_y - centre_y, from_x - centre_x)
    end = np.arctan2(to_y - centre_y, to_x - centre_x)
    clockwise = code[rows] == 2
    crossed = _crosses(np.where(clockwise, end, start), np.where(clockwise, start, end))
    radius = np.hypot(from_x - centre_x, from_y - centre_y)
    mismatch = np.abs(np.hypot(to_x - centre_x, to_y - centre_y) - radius)
    misfit = (radius == 0) | (mismatch > _ALLOWED_MISMATCH_MM)
    reach = radius + mismatch
    return ArcExtent(
        rows,
        low_x=np.where(crossed[2], centre_x - reach, np.minimum(from_x, to_x)),
        high_x=np.where(crossed[0], centre_x + reach, np.maximum(from_x, to_x)),
        low_y=np.where(crossed[3], centre_y - reach, np.minimum(from_y, to_y)),
        high_y=np.where(crossed[1], centre_y + reach, np.maximum(from_y, to_y)),
        misfit=misfit,
    )


def _crosses(start: Floats, end: Floats) -> NDArray[np.bool_]:
    """Tell for each of the four axis directions which counter-clockwise sweeps pass it: shape (4, arcs)."""
    turn = 2 * np.pi
    sweep = (end - start) % turn
    sweep = np.where(sweep < _SAME_POINT_RADIANS, turn, sweep)
    passed: NDArray[np.bool_] = (_QUARTERS[:, np.newaxis] - start) % turn <= sweep
    return passed
