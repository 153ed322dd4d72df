"""What a G-code file does: where it moves and prints, what it heats, how long it waits, how much it extrudes.

Positions are computed for a whole chunk at once: an axis stands where it was last sent in absolute terms plus the
relative moves since, which is a forward fill and a cumulative sum. Homing sends an axis to 0 (machines park within
some millimetres of it); motors that are switched off lose their axes until they are homed again. G90 and G91 set the
extruder's mode too, M82 and M83 after them override it, as in Marlin.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from makerhub.gcode.arcs import ArcExtent, arc_extent
from makerhub.gcode.columns import Flags, Floats, Path, held, held_values, path
from makerhub.gcode.commands import (
    BLIND_RAISE_MM,
    MILLIMETRES_PER_INCH,
    ROUNDING_MM,
    Command,
    concerns,
    homes,
    number,
)
from makerhub.gcode.heating import Heating
from makerhub.gcode.reader import Chunk, read
from makerhub.gcode.summary import Box, Summary

__all__ = ["ROUNDING_MM", "Box", "Flags", "Floats", "Interpreter", "Motion", "Summary", "homes", "summarise"]


@dataclass(frozen=True)
class Motion:
    """The moves of one chunk, one entry a line, in millimetres and millimetres a minute.

    `moving` marks G0 to G3, `printing` those that lay plastic along a path. `x`, `y`, `z` are positions after the line;
    the `low_` and `high_` ones bound the whole path, its start included. `arcs` are the arcs' own extents, by row.
    `unhomed` marks moves of an axis that was not homed, but for the first small raises of Z. `feedrate` is NaN where
    absent, `advance` the filament fed, negative where it is drawn back, `molten` whether the nozzle is hot enough to.
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
    molten: Flags

    def box(self, rows: Flags) -> Box:
        """Return the box around the paths of the chosen lines, of which there must be one."""
        low_x, high_x = self.low_x[rows].min(), self.high_x[rows].max()
        low_y, high_y = self.low_y[rows].min(), self.high_y[rows].max()
        z = self.z[rows]
        return Box(*(float(edge) for edge in (low_x, high_x, low_y, high_y, z.min(), z.max())))


class Interpreter:
    """Follows a file chunk by chunk, carrying the machine's state from one to the next."""

    def __init__(self) -> None:
        self._heating = Heating()
        self._position = dict.fromkeys("XYZE", 0.0)
        self._homed = dict.fromkeys("XYZ", False)
        self._relative = self._relative_extrusion = False
        self._scale = 1.0
        self._raised_blindly = 0.0
        self._lines = self._commands = self._printing_moves = 0
        self._printed: Box | None = None
        self._heights: set[int] = set()
        self._layers_marked = False
        self._fed = self._fed_peak = 0.0

    def follow(self, chunk: Chunk) -> Motion:
        """Follow the next chunk of the file and return where its moves go."""
        commands = [(line.row, line.parsed) for line in chunk.others if isinstance(line.parsed, Command)]
        molten = self._heating.follow(commands, chunk.first_line, chunk.lines)
        moving = chunk.code >= 0
        self._lines += chunk.lines
        self._commands += int(moving.sum()) + sum(bool(line.text) for line in chunk.others)
        motion = self._move(chunk, moving, commands, molten)
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
            nozzle_peak_celsius=self._heating.nozzle_peak,
            bed_peak_celsius=self._heating.bed_peak,
            targets=dict(self._heating.targets),
            dwell_seconds=self._heating.dwell_seconds,
        )

    def _move(self, chunk: Chunk, moving: Flags, commands: Sequence[tuple[int, Command]], molten: Flags) -> Motion:
        modes = self._modes(chunk.lines, commands)
        unhomed = np.zeros(chunk.lines, np.bool_)
        motors = [(row, command) for row, command in commands if command.name in ("G28", "M84")]
        paths = {axis: self._axis_path(axis, chunk, modes, motors, unhomed) for axis in "XYZ"}
        advance = self._feed(chunk, modes, commands, moving)
        x, y, z = paths["X"], paths["Y"], paths["Z"]
        offset_x, offset_y = (chunk.words[word] * modes.scale for word in "IJ")
        arcs = arc_extent(chunk.code, x.before, y.before, x.after, y.after, offset_x, offset_y)
        displaced = (x.after != x.before) | (y.after != y.before) | (z.after != z.before) | (chunk.code > 1)
        return Motion(
            moving=moving,
            printing=moving & displaced & (advance > ROUNDING_MM),
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
            molten=molten,
        )

    def _modes(self, lines: int, commands: Sequence[tuple[int, Command]]) -> "_Modes":
        relative, extrusion, scale = (
            [(row, switch[command.name]) for row, command in commands if command.name in switch] for switch in _SWITCHES
        )
        modes = _Modes(
            relative=held_values(self._relative, relative, lines).astype(np.bool_),
            relative_extrusion=held_values(self._relative_extrusion, extrusion, lines).astype(np.bool_),
            scale=held_values(self._scale, scale, lines),
        )
        self._relative, self._relative_extrusion = bool(modes.relative[-1]), bool(modes.relative_extrusion[-1])
        self._scale = float(modes.scale[-1])
        return modes

    def _axis_path(
        self, axis: str, chunk: Chunk, modes: "_Modes", motors: Sequence[tuple[int, Command]], unhomed: Flags
    ) -> Path:
        words = chunk.words[axis] * modes.scale
        mine = [(row, homes(command, axis)) for row, command in motors if concerns(command, axis)]
        homed = held(self._homed[axis], mine, chunk.lines)
        self._homed[axis] = bool(homed[-1])
        if not homed.all():
            unhomed |= self._moved_unhomed(axis, chunk, words, modes, homed)
        homings = [row for row, is_homing in mine if is_homing]
        words[homings] = 0.0
        absolute = ~modes.relative
        absolute[homings] = True
        way = path(self._position[axis], words, absolute)
        self._position[axis] = float(way.after[-1])
        return way

    def _moved_unhomed(self, axis: str, chunk: Chunk, words: Floats, modes: "_Modes", homed: Flags) -> Flags:
        moved = ~homed & (~np.isnan(words) | ((chunk.code > 1) & (axis != "Z")))
        return moved & ~self._raised(words, modes, moved) if axis == "Z" else moved

    def _raised(self, words: Floats, modes: "_Modes", moved: Flags) -> Flags:
        """Return which of these moves of an unhomed Z only raise it, all together by no more than is safe."""
        up = moved & modes.relative & (words > 0)
        raised = self._raised_blindly + np.cumsum(np.where(up, words, 0.0))
        self._raised_blindly = float(raised[-1])
        return up & (raised <= BLIND_RAISE_MM + ROUNDING_MM)

    def _feed(self, chunk: Chunk, modes: "_Modes", commands: Sequence[tuple[int, Command]], moving: Flags) -> Floats:
        """Return the filament fed by each line, negative where drawn back; G92 sets the length and feeds nothing."""
        words = chunk.words["E"] * modes.scale
        resets = [row for row, command in commands if command.name == "G92"]
        words[resets] = [number(command.words.get("E")) for _, command in commands if command.name == "G92"]
        words[resets] *= modes.scale[resets]
        absolute = ~modes.relative_extrusion
        absolute[resets] = True
        way = path(self._position["E"], words, absolute)
        self._position["E"] = float(way.after[-1])
        return np.where(moving, way.after - way.before, 0.0)

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


def _put(column: Floats, rows: NDArray[np.intp], values: Floats) -> Floats:
    column[rows] = values
    return column
