"""What one printer can do without harm: the bounds that the guard holds every file against."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Margin:
    """How far the nozzle may leave the bed on each side, in millimetres (all ≥ 0).

    Travel may use it at any time; plastic may be laid there only by the purge at the start, before the first
    extruding move on the bed. The MK3S draws its purge line at Y = −3, so its front margin is at least 3.
    """

    left_mm: float = 0.0
    right_mm: float = 0.0
    front_mm: float = 0.0
    back_mm: float = 0.0


@dataclass(frozen=True)
class PrinterLimits:
    """The bounds of one printer model: millimetres, degrees Celsius, seconds; the bed's front left corner is (0, 0).

    `feedrate_max_mm_per_minute` has the unit of the F word. `extruder_current_max_milliamperes` is the largest value
    that `M907 E` may set; 0 refuses the command, since its unit differs between boards. The MK3 family is the one
    whose vendor profiles need it: 538 there.
    """

    bed_width_mm: float
    bed_depth_mm: float
    height_mm: float
    nozzle_max_celsius: float
    bed_max_celsius: float
    purge_margin: Margin = Margin()
    dwell_max_seconds: float = 120.0
    dwell_total_max_seconds: float = 3600.0
    feedrate_max_mm_per_minute: float = 30_000.0
    extruder_current_max_milliamperes: float = 0.0
