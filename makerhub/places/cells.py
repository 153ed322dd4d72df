"""Cells of a map (H3): where makers are, told so coarsely that no home can be found by it (pure)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import h3

from makerhub.places.distance import Point

RESOLUTION = 5
"""A cell is about 20 km across: 253 km² on average."""
FEWEST_SHOWN = 5
"""A cell with fewer makers than this is not shown at all."""


def cell_at(point: Point) -> str:
    """The cell in which a point lies."""
    return str(h3.latlng_to_cell(point.latitude, point.longitude, RESOLUTION))


def shown(cells: Iterable[str]) -> Mapping[str, int]:
    """How many of `cells` (one for each maker, of any finer resolution) lie in each cell that may be shown."""
    counts = Counter(str(h3.cell_to_parent(cell, RESOLUTION)) for cell in cells)
    return {cell: count for cell, count in sorted(counts.items()) if count >= FEWEST_SHOWN}


def outline(cell: str) -> Sequence[Point]:
    """The corners of a cell, in order."""
    return [Point(latitude, longitude) for latitude, longitude in h3.cell_to_boundary(cell)]


def is_cell(text: str) -> bool:
    """Whether this is the name of a cell."""
    return bool(h3.is_valid_cell(text))
