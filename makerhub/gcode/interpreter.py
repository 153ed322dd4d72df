"""What a G-code file does: where it moves and prints, what it heats, how long it waits, how much it extrudes.

Positions are computed for a whole chunk at once: an axis stands where it was last sent in absolute terms plus the
relative moves since, which is a forward fill and a cumulative sum. Homing sends an axis to 0 (machines park within
some millimetres of it). G90 and G91 set the extruder's mode too, M82 and M83 after them override it, as in Marlin.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from makerhub.gcode.arcs import ArcExtent, arc_extent
from makerhub.gcode.reader import Chunk, Command, read
from makerhub.gcode.summary import Box, Summary, Target

__all__ = ["Box", "Flags", "Floats", "Interpreter", "Motion", "Summary", "dwell_seconds", "summarise", "target_celsius"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MILLIMETRES_PER_INCH: Final = 25.4
_SHORTEST_MM: Final = 1e-6  # slicers write at most five decimals; anything below is rounding


@dataclass(frozen=True)
class Motion:
    """The moves of one chunk, one entry a line, in millimetres and millimetres a minute.

    `moving` marks G0 to G3, `printing` those that lay plastic along a path. `x`, `y`, `z` are positions after the line;
    the `low_` and `high_` ones bound the whole path, its start included. `arcs` are the arcs' own extents, by row.
    `unhomed` marks moves of an axis that was not homed. `feedrate` is NaN where absent, `advance` the filament fed,
    negative where it is drawn back.
    """

    moving: Flags
    printing: Flags
    x: Floats
    y: Floats
    z: Floats
    low_x: Floats
    high_x: Floats
    low_y: Floats
    high_y: Floats
    arcs: ArcExtent
    unhomed: Flags
    feedrate: Floats
    advance: Floats

    def box(self, rows: Flags) -> Box:
        """Return the box around the paths of the chosen lines, of which there must be one."""
        low_x, high_x = self.low_x[rows].min(), self.high_x[rows].max()
        low_y, high_y = self.low_y[rows].min(), self.high_y[rows].max()
        z = self.z[rows]
        return Box(*(float(edge) for edge in (low_x, high_x, low_y, high_y, z.min(), z.max())))


class Interpreter:
    """Follows a file chunk by chunk, carrying the machine's state from one to the next."""

    def __init__(self) -> None:
        self._targets: dict[str, Target] = {}
        self._dwell_seconds = 0.0
        self._position = dict.fromkeys("XYZE", 0.0)
        self._homed = dict.fromkeys("XYZ", False)
        self._relative = self._relative_extrusion = False
        self._scale = 1.0
        self._tool = 0
        self._lines = self._commands = self._printing_moves = 0
        self._printed: Box | None = None
        self._heights: set[int] = set()
        self._layers_marked = False
        self._fed = self._fed_peak = 0.0
        self._nozzle_peak = self._bed_peak = 0.0

    def follow(self, chunk: Chunk) -> Motion:
        """Follow the next chunk of the file and return where its moves go."""
        commands = [(line.row, line.parsed) for line in chunk.others if isinstance(line.parsed, Command)]
        for row, command in commands:
            self._heat_or_wait(command, chunk.first_line + row)
        moving = chunk.code >= 0
        self._lines += chunk.lines
        self._commands += int(moving.sum()) + sum(bool(line.text) for line in chunk.others)
        motion = self._move(chunk, moving, commands)
        self._note_fed(motion)
        self._note_printing(chunk, motion)
        return motion

    def summary(self) -> Summary:
        """Return what the file did so far."""
        return Summary(
            lines=self._lines,
            commands=self._commands,
            printing_moves=self._printing_moves,
            printed=self._printed,
            layers=len(self._heights),
            filament_mm=self._fed_peak,
            nozzle_peak_celsius=self._nozzle_peak,
            bed_peak_celsius=self._bed_peak,
            targets=dict(self._targets),
            dwell_seconds=self._dwell_seconds,
        )

    def _heat_or_wait(self, command: Command, line: int) -> None:
        match command.name:
            case "G4":
                self._dwell_seconds += dwell_seconds(command)
            case "M104" | "M109":
                celsius, tool = target_celsius(command), command.words.get("T")
                self._targets[f"nozzle {self._tool if tool is None else int(tool)}"] = Target(celsius, line)
                self._nozzle_peak = max(self._nozzle_peak, celsius)
            case "M140" | "M190":
                celsius = target_celsius(command)
                self._targets["bed"] = Target(celsius, line)
                self._bed_peak = max(self._bed_peak, celsius)
            case name if name.startswith("T"):
                self._tool = int(name[1:])

    def _move(self, chunk: Chunk, moving: Flags, commands: Sequence[tuple[int, Command]]) -> Motion:
        modes = self._modes(chunk.lines, commands)
        unhomed = np.zeros(chunk.lines, np.bool_)
        paths = {axis: self._axis_path(axis, chunk, modes, commands, unhomed) for axis in "XYZ"}
        advance = self._feed(chunk, modes, commands, moving)
        x, y, z = paths["X"], paths["Y"], paths["Z"]
        offset_x, offset_y = (chunk.words[word] * modes.scale for word in "IJ")
        arcs = arc_extent(chunk.code, x.before, y.before, x.after, y.after, offset_x, offset_y)
        displaced = (x.after != x.before) | (y.after != y.before) | (z.after != z.before) | (chunk.code > 1)
        return Motion(
            moving=moving,
            printing=moving & displaced & (advance > _SHORTEST_MM),
            x=x.after,
            y=y.after,
            z=z.after,
            low_x=_put(np.minimum(x.before, x.after), arcs.rows, arcs.low_x),
            high_x=_put(np.maximum(x.before, x.after), arcs.rows, arcs.high_x),
            low_y=_put(np.minimum(y.before, y.after), arcs.rows, arcs.low_y),
            high_y=_put(np.maximum(y.before, y.after), arcs.rows, arcs.high_y),
            arcs=arcs,
            unhomed=unhomed,
            feedrate=chunk.words["F"] * modes.scale,
            advance=advance,
        )

    def _modes(self, lines: int, commands: Sequence[tuple[int, Command]]) -> "_Modes":
        relative, extrusion, scale = (
            [(row, switch[command.name]) for row, command in commands if command.name in switch] for switch in _SWITCHES
        )
        modes = _Modes(
            relative=_held(self._relative, relative, lines).astype(np.bool_),
            relative_extrusion=_held(self._relative_extrusion, extrusion, lines).astype(np.bool_),
            scale=_held(self._scale, scale, lines),
        )
        self._relative, self._relative_extrusion = bool(modes.relative[-1]), bool(modes.relative_extrusion[-1])
        self._scale = float(modes.scale[-1])
        return modes

    def _axis_path(
        self, axis: str, chunk: Chunk, modes: "_Modes", commands: Sequence[tuple[int, Command]], unhomed: Flags
    ) -> "_Path":
        words = chunk.words[axis] * modes.scale
        homings = [row for row, command in commands if command.name == "G28" and _homes(command, axis)]
        if not self._homed[axis]:
            first = homings[0] if homings else chunk.lines
            unhomed[:first] |= ~np.isnan(words[:first]) | ((chunk.code[:first] > 1) & (axis != "Z"))
            self._homed[axis] = bool(homings)
        words[homings] = 0.0
        absolute = ~modes.relative
        absolute[homings] = True
        path = _path(self._position[axis], words, absolute)
        self._position[axis] = float(path.after[-1])
        return path

    def _feed(self, chunk: Chunk, modes: "_Modes", commands: Sequence[tuple[int, Command]], moving: Flags) -> Floats:
        """Return the filament fed by each line, negative where drawn back; G92 sets the length and feeds nothing."""
        words = chunk.words["E"] * modes.scale
        resets = [row for row, command in commands if command.name == "G92"]
        words[resets] = [_number(command.words.get("E")) for _, command in commands if command.name == "G92"]
        words[resets] *= modes.scale[resets]
        absolute = ~modes.relative_extrusion
        absolute[resets] = True
        path = _path(self._position["E"], words, absolute)
        self._position["E"] = float(path.after[-1])
        return np.where(moving, path.after - path.before, 0.0)

    def _note_fed(self, motion: Motion) -> None:
        fed = self._fed + np.cumsum(motion.advance)
        self._fed, self._fed_peak = float(fed[-1]), max(self._fed_peak, float(fed.max()))

    def _note_printing(self, chunk: Chunk, motion: Motion) -> None:
        printing = motion.printing
        self._printing_moves += int(printing.sum())
        if chunk.layer_mark is not None and not self._layers_marked:
            self._layers_marked, self._printed = True, None
            self._heights.clear()
            printing = printing & (np.arange(chunk.lines) > chunk.layer_mark)
        if printing.any():
            box = motion.box(printing)
            self._printed = self._printed.union(box) if self._printed else box
            self._heights.update(np.unique(np.rint(motion.z[printing] * 1000).astype(np.int64)).tolist())


@dataclass(frozen=True)
class _Modes:
    relative: Flags
    relative_extrusion: Flags
    scale: Floats


@dataclass(frozen=True)
class _Path:
    before: Floats
    after: Floats


_SWITCHES: Final[tuple[Mapping[str, float], ...]] = (
    {"G90": False, "G91": True},
    {"G90": False, "G91": True, "M82": False, "M83": True},
    {"G20": MILLIMETRES_PER_INCH, "G21": 1.0},
)


def summarise(gcode: bytes) -> Summary:
    """Return what a file does; lines that are not well-formed commands count and do nothing."""
    interpreter = Interpreter()
    for chunk in read(gcode):
        interpreter.follow(chunk)
    return interpreter.summary()


def target_celsius(command: Command) -> float:
    """Return the target that a heater command sets, 0 where it names none."""
    words = command.words
    return max(_number(words.get("S")), _number(words.get("R")))


def dwell_seconds(command: Command) -> float:
    """Return how long a G4 waits: P is in milliseconds, S in seconds."""
    return _number(command.words.get("P")) / 1000 + _number(command.words.get("S"))


def _number(value: float | None) -> float:
    return 0.0 if value is None else value


def _homes(command: Command, axis: str) -> bool:
    return axis in command.words or not command.words.keys() & set("XYZ")


def _put(column: Floats, rows: NDArray[np.intp], values: Floats) -> Floats:
    column[rows] = values
    return column


def _held(initial: float, changes: Sequence[tuple[int, float]], lines: int) -> Floats:
    """Return the value in force at each line, given the lines at which it changes."""
    rows = [0, *(row for row, _ in changes), lines]
    return np.repeat(np.array([initial, *(value for _, value in changes)], np.float64), np.diff(rows))


def _path(start: float, words: Floats, absolute: Flags) -> _Path:
    """Follow one axis from `start`: `words` are targets where `absolute`, steps elsewhere, NaN where there is none."""
    given = ~np.isnan(words)
    steps = np.cumsum(np.where(given & ~absolute, words, 0.0))
    last = np.maximum.accumulate(np.where(given & absolute, np.arange(len(words)), -1))
    after = np.where(last >= 0, words[last] - steps[last], start) + steps
    return _Path(before=np.concatenate(([start], after[:-1])), after=after)
