"""A map of hubs as numbers to be drawn: no tiles, no third party, and nothing finer than a kilometre."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from makerhub.hubs.service import Listed, place_of
from makerhub.places.cells import outline
from makerhub.places.distance import Point

SIZE = 340.0
MARGIN = 30.0
MOST_SHOWN = 12
SMALLEST_DEGREES = 0.1
AROUND_KILOMETRES = 40
TOO_CLOSE = 18
"""A dot is 24 wide: of two whose middles are closer than this one could not read both numbers."""
KILOMETRES_A_DEGREE = 111.2
LENGTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True)
class Dot:
    """A hub on the map; `number` is its place in the list. Those whose dots would lie under it are `under` it."""

    number: int
    name: str
    x: float
    y: float
    under: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cell:
    """A cell with its makers, never fewer than five; `points` as SVG writes them, `x` and `y` of its middle."""

    points: str
    makers: int
    x: float
    y: float


@dataclass(frozen=True)
class Map:
    """What is drawn, in units of a square of `SIZE`; `bar` is the length of `kilometres`."""

    dots: Sequence[Dot]
    cells: Sequence[Cell]
    here: tuple[float, float] | None
    bar: float
    kilometres: int
    size: float = SIZE


def draw(listed: Sequence[Listed], makers: Mapping[str, int], here: Point | None) -> Map | None:
    """The nearest hubs on a map that fits them; None where nobody knows where any of them is."""
    numbered = [(number, one) for number, one in enumerate(listed, start=1) if _is_around(one, listed)]
    placed = [(number, one, at) for number, one in numbered if (at := place_of(one.hub))][:MOST_SHOWN]
    if not placed:
        return None
    points = [at for _, _, at in placed] + ([here] if here else [])
    south, north = min(p.latitude for p in points), max(p.latitude for p in points)
    west, east = min(p.longitude for p in points), max(p.longitude for p in points)
    squeeze = max(0.05, math.cos(math.radians((south + north) / 2)))
    span = max(north - south, (east - west) * squeeze, SMALLEST_DEGREES)
    scale = (SIZE - 2 * MARGIN) / span

    def to_map(point: Point) -> tuple[float, float]:
        x = SIZE / 2 + (point.longitude - (west + east) / 2) * squeeze * scale
        return round(x, 1), round(SIZE / 2 - (point.latitude - (south + north) / 2) * scale, 1)

    kilometre = scale / KILOMETRES_A_DEGREE
    length = max((one for one in LENGTHS if one * kilometre <= SIZE / 3), default=LENGTHS[0])
    return Map(
        dots=_apart([Dot(number, one.hub.name, *to_map(at)) for number, one, at in placed]),
        cells=[cell for name, count in makers.items() if _is_inside(cell := _cell(name, count, to_map))],
        here=to_map(here) if here else None,
        bar=round(length * kilometre, 1),
        kilometres=length,
    )


def _is_around(one: Listed, listed: Sequence[Listed]) -> bool:
    """Whether the map should reach as far as this hub: the nearest always, others where they do not make it tiny."""
    if one.kilometres is None or listed[0].kilometres is None:
        return True
    return one.kilometres <= max(AROUND_KILOMETRES, 3 * listed[0].kilometres)


def _apart(dots: Sequence[Dot]) -> list[Dot]:
    """The dots that can be told apart, the first of the list on top."""
    shown: list[Dot] = []
    for dot in dots:
        near = next((n for n, one in enumerate(shown) if math.hypot(one.x - dot.x, one.y - dot.y) < TOO_CLOSE), None)
        if near is None:
            shown.append(dot)
        else:
            above = shown[near]
            shown[near] = replace(above, under=(*above.under, f"{dot.number}. {dot.name}"))
    return shown


def _is_inside(cell: Cell) -> bool:
    return -MARGIN <= cell.x <= SIZE + MARGIN and -MARGIN <= cell.y <= SIZE + MARGIN


def _cell(cell: str, makers: int, to_map: Callable[[Point], tuple[float, float]]) -> Cell:
    corners = [to_map(corner) for corner in outline(cell)]
    x, y = (round(sum(axis) / len(corners), 1) for axis in zip(*corners, strict=True))
    return Cell(" ".join(f"{left},{top}" for left, top in corners), makers, x, y)
