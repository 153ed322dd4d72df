"""What a simulated printer makes of a G-code file: how long it prints, what its heaters are told, what it orders.

An order is a line that OctoPrint or the firmware takes for a wish to pause, cancel or end the print.

The time is the slicer's own estimate where the file carries one, else a plain sum over moves and dwells at
their feed rates, without acceleration: too short for real prints, exact for files of dwells.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

_SLICER_TIME = re.compile(rb"^; estimated printing time \(normal mode\) = ([0-9dhms ]+)", re.MULTILINE)
_CURA_TIME = re.compile(rb"^;TIME:(\d+)", re.MULTILINE)
_UNITS = {b"d": 86400, b"h": 3600, b"m": 60, b"s": 1}
_WORD = re.compile(r"([A-Z])\s*([-+]?[0-9]*\.?[0-9]+)")
_TOOL, _BED = ("M104", "M109"), ("M140", "M190")


class Order(StrEnum):
    """What a line of a file makes of the print, measured on OctoPrint 1.11.8."""

    CANCEL = "cancel"  # OctoPrint's own: the progress stays where it was
    HOST_CANCEL = "host_cancel"  # by the firmware: the progress is forgotten
    PAUSE = "pause"
    DISCONNECT = "disconnect"
    EMERGENCY = "emergency"


_ORDERS = {
    "@cancel": Order.CANCEL,
    "@abort": Order.CANCEL,
    "@pause": Order.PAUSE,
    "M0": Order.PAUSE,
    "M1": Order.PAUSE,
    "M25": Order.PAUSE,
    "M600": Order.PAUSE,
    "M112": Order.EMERGENCY,
}
_HOST_ORDERS = {"pause": Order.PAUSE, "cancel": Order.HOST_CANCEL, "disconnect": Order.DISCONNECT}
_HOST_ACTION = re.compile(r"(?:A1\s+|//)action:(\w+)", re.IGNORECASE)


@dataclass(frozen=True)
class Heating:
    """What a heater is told in degrees Celsius: the highest target of the file, and its last one."""

    highest: float = 0.0
    last: float = 0.0


@dataclass(frozen=True)
class Reading:
    """What a printer takes from a G-code file; `orders` come at seconds of its print, where no slicer stated a time."""

    seconds: float
    tool: Heating = Heating()
    bed: Heating = Heating()
    orders: tuple[tuple[float, Order], ...] = ()


def read(gcode: bytes) -> Reading:
    """Read sliced G-code; what can not be understood is skipped, as printers do."""
    targets: dict[tuple[str, str], list[float]] = {_TOOL: [], _BED: []}
    stated = _stated_seconds(gcode)
    estimate = _Estimate()
    orders: list[tuple[float, Order]] = []
    for code, arguments in _commands(gcode, moves=stated is None):
        words = {letter: float(number) for letter, number in _WORD.findall(arguments.upper())}
        if (order := _order(code, arguments)) is not None:
            orders.append((estimate.seconds, order))
        for codes, values in targets.items():
            if code in codes and "S" in words:
                values.append(words["S"])
        if stated is None:
            estimate.add(code, words)
    seconds = estimate.seconds if stated is None else stated
    return Reading(seconds, _heating(targets[_TOOL]), _heating(targets[_BED]), tuple(orders))


def _order(code: str, arguments: str) -> Order | None:
    action = _HOST_ACTION.search(arguments) if code == "M118" else None
    return _HOST_ORDERS.get(action[1].lower()) if action else _ORDERS.get(code)


def _heating(targets: list[float]) -> Heating:
    return Heating(max(targets), targets[-1]) if targets else Heating()


def _stated_seconds(gcode: bytes) -> float | None:
    if match := _SLICER_TIME.search(gcode):
        return sum(int(count) * _UNITS[unit] for count, unit in re.findall(rb"(\d+)([dhms])", match[1]))
    if match := _CURA_TIME.search(gcode):
        return int(match[1])
    return None


def _commands(gcode: bytes, *, moves: bool) -> Iterator[tuple[str, str]]:
    """Each command with its arguments; without `moves` only the heaters', so that large files read fast."""
    pattern = rb"^[ \t]*([GM]\d+|@\w+)([^;\r\n]*)" if moves else rb"^[ \t]*(M1[049][049])([^;\r\n]*)"
    for match in re.finditer(pattern, gcode, re.MULTILINE):
        yield match[1].decode(), match[2].decode("ascii", "replace")


@dataclass
class _Estimate:
    """Adds up the time of moves and dwells."""

    seconds: float = 0.0
    _position: dict[str, float] = field(default_factory=lambda: dict.fromkeys("XYZE", 0.0))
    _relative: bool = False
    _relative_extruder: bool = False
    _millimetres_per_second: float = 25.0

    def add(self, code: str, words: dict[str, float]) -> None:
        if code in ("G0", "G1"):
            self._move(words)
        elif code == "G4":
            self.seconds += words.get("S", 0.0) + words.get("P", 0.0) / 1000
        elif code == "G92":
            self._position.update({axis: words[axis] for axis in "XYZE" if axis in words})
        elif code in ("G90", "G91"):
            self._relative = self._relative_extruder = code == "G91"
        elif code in ("M82", "M83"):
            self._relative_extruder = code == "M83"

    def _move(self, words: dict[str, float]) -> None:
        if words.get("F", 0.0) > 0:
            self._millimetres_per_second = words["F"] / 60
        way = {axis: self._go(axis, words[axis]) for axis in "XYZE" if axis in words}
        travel = math.hypot(*(way[axis] for axis in "XYZ" if axis in way))
        self.seconds += (travel or abs(way.get("E", 0.0))) / self._millimetres_per_second

    def _go(self, axis: str, value: float) -> float:
        relative = self._relative_extruder if axis == "E" else self._relative
        before = self._position[axis]
        self._position[axis] = before + value if relative else value
        return self._position[axis] - before
