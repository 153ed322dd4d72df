"""Where the copies of a part go on a printer's bed (pure)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Placement:
    """One copy: the middle of its bounding box on the bed in mm, and whether it is turned by a quarter."""

    x_mm: float
    y_mm: float
    turned: bool
