"""What a simulated printer makes of a G-code file: how long it prints, and what its heaters are told.

The time is the slicer's own estimate where the file carries one, else a plain sum over moves and dwells at
their feed rates, without acceleration: too short for real prints, exact for files of dwells.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_SLICER_TIME = re.compile(rb"^; estimated printing time \(normal mode\) = ([0-9dhms ]+)", re.MULTILINE)
_CURA_TIME = re.compile(rb"^;TIME:(\d+)", re.MULTILINE)
_UNITS = {b"d": 86400, b"h": 3600, b"m": 60, b"s": 1}
_WORD = re.compile(r"([A-Z])\s*([-+]?[0-9]*\.?[0-9]+)")
_TOOL, _BED = ("M104", "M109"), ("M140", "M190")


@dataclass(frozen=True)
class Heating:
    """What a heater is told in degrees Celsius: the highest target of the file, and its last one."""

    highest: float = 0.0
    last: float = 0.0


@dataclass(frozen=True)
class Reading:
    """What a printer takes from a G-code file."""

    seconds: float
    tool: Heating = Heating()
    bed: Heating = Heating()


def read(gcode: bytes) -> Reading:
    """Read sliced G-code; what can not be understood is skipped, as printers do."""
    targets: dict[tuple[str, str], list[float]] = {_TOOL: [], _BED: []}
    stated = _stated_seconds(gcode)
    estimate = _Estimate()
    for code, words in _commands(gcode, moves=stated is None):
        for codes, values in targets.items():
            if code in codes and "S" in words:
                values.append(words["S"])
        if stated is None:
            estimate.add(code, words)
    seconds = estimate.seconds if stated is None else stated
    return Reading(seconds, _heating(targets[_TOOL]), _heating(targets[_BED]))


def _heating(targets: list[float]) -> Heating:
    return Heating(max(targets), targets[-1]) if targets else Heating()


def _stated_seconds(gcode: bytes) -> float | None:
    if match := _SLICER_TIME.search(gcode):
        return sum(int(count) * _UNITS[unit] for count, unit in re.findall(rb"(\d+)([dhms])", match[1]))
    if match := _CURA_TIME.search(gcode):
        return int(match[1])
    return None


def _commands(gcode: bytes, *, moves: bool) -> Iterator[tuple[str, dict[str, float]]]:
    """Each command with its words; without `moves` only the M codes, which are few, so that large files read fast."""
    pattern = rb"^[ \t]*([GM]\d+)([^;\r\n]*)" if moves else rb"^[ \t]*(M1[049][049])([^;\r\n]*)"
    for match in re.finditer(pattern, gcode, re.MULTILINE):
        arguments = match[2].decode("ascii", "replace").upper()
        yield match[1].decode(), {letter: float(number) for letter, number in _WORD.findall(arguments)}


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
