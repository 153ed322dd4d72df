"""What a G-code file does, in a few numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Box:
    """An axis-aligned box in the printer's coordinates, in millimetres."""

    x_min_mm: float
    x_max_mm: float
    y_min_mm: float
    y_max_mm: float
    z_min_mm: float
    z_max_mm: float

    def union(self, other: "Box") -> "Box":
        """Return the smallest box around both."""
        return Box(
            min(self.x_min_mm, other.x_min_mm),
            max(self.x_max_mm, other.x_max_mm),
            min(self.y_min_mm, other.y_min_mm),
            max(self.y_max_mm, other.y_max_mm),
            min(self.z_min_mm, other.z_min_mm),
            max(self.z_max_mm, other.z_max_mm),
        )


class Target(NamedTuple):
    """What a heater was last told, and in which line."""

    celsius: float
    line: int


@dataclass(frozen=True)
class Summary:
    """What a file does. Nothing in it is proof of safety: that is the guard's report.

    `printed` is the box of the extruding moves, `layers` the number of distinct heights at which they end. Where the
    file has the comments by which slicers announce layers, both leave out what comes before the first: the purge.
    `filament_mm` is the length fed at the furthest point, retractions subtracted, purge included. `targets` are the
    last heater targets by heater ("bed", "nozzle 0" …), absent where never set.
    """

    lines: int
    commands: int
    printing_moves: int
    printed: Box | None
    layers: int
    filament_mm: float
    nozzle_peak_celsius: float
    bed_peak_celsius: float
    targets: Mapping[str, Target]
    dwell_seconds: float

    @property
    def height_mm(self) -> float:
        """The greatest height at which plastic is laid, 0 for a file that prints nothing."""
        return self.printed.z_max_mm if self.printed else 0.0
