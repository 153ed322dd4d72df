"""The guard in plain Python, for agents: the same rules as `guard`, line by line, without numpy's 57 MB.

It reads some hundred thousand lines a second where `guard` reads a million; a file is read once before it is printed
for hours. A contract test holds both to the same findings, on files of a real slicer and on every class of banned line.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from makerhub.gcode.allowed import is_listed, judge
from makerhub.gcode.commands import (
    BLIND_RAISE_MM,
    MELTING_CELSIUS,
    MILLIMETRES_PER_INCH,
    NUMBER,
    ROUNDING_MM,
    Command,
    command_name,
    concerns,
    dwell_seconds,
    homes,
    number,
    parse_command,
    target_celsius,
)
from makerhub.gcode.findings import (
    MAX_BYTES,
    MAX_FEED_MM,
    MAX_FINDINGS,
    MAX_LINE_BYTES,
    NOT_PLAIN,
    PLAIN,
    TOLERANCE_MM,
    Finding,
    excerpt,
)
from makerhub.gcode.limits import PrinterLimits
from makerhub.gcode.print_file import PrintFile, opened, size_of
from makerhub.gcode.reasons import Reason

ALLOWED_MISMATCH_MM: Final = 0.5
SAME_POINT_RADIANS: Final = 1e-9
_MOVE: Final = re.compile(rb"[ \t]*+G([0-3])((?:[ \t]++[XYZEFIJ]" + NUMBER + rb")++)[ \t]*+\r?+\n")
_BLANK: Final = re.compile(rb"[ \t]*+\r?+\n")
_WORD: Final = re.compile(rb"([XYZEFIJ])([^ \t\r\n]++)")
_AXES: Final = (b"X", b"Y", b"Z")
_LETTERS: Final = {b"X": "X", b"Y": "Y", b"Z": "Z"}
_SWITCHES: Final = frozenset({"G90", "G91", "M82", "M83", "G20", "G21"})


def check(gcode: PrintFile, limits: PrinterLimits) -> tuple[Finding, ...]:
    """Hold a whole file against the allow-list and the printer's limits; nothing found means that it is safe."""
    if size_of(gcode) > MAX_BYTES:
        return (Finding(0, "", Reason.TOO_LARGE),)
    guard = _Guard(limits)
    findings: list[Finding] = []
    with opened(gcode) as lines:
        for line, reason, text in guard.read(lines):
            findings.append(Finding(line, excerpt(text), reason))
            if len(findings) == MAX_FINDINGS:
                return tuple(findings)
    return tuple([*findings, *guard.conclude()][:MAX_FINDINGS])


@dataclass(slots=True)
class _Machine:
    """What the rules need to remember: `at` holds X, Y, Z and E in millimetres."""

    at: dict[bytes, float] = field(default_factory=lambda: {b"X": 0.0, b"Y": 0.0, b"Z": 0.0, b"E": 0.0})
    homed: dict[bytes, bool] = field(default_factory=lambda: {b"X": False, b"Y": False, b"Z": False})
    relative: bool = False
    relative_extrusion: bool = False
    scale: float = 1.0
    raised_blindly: float = 0.0
    tool: int = 0
    molten: set[int] = field(default_factory=set)
    targets: dict[str, tuple[float, int]] = field(default_factory=dict)
    dwelt_seconds: float = 0.0
    commands: int = 0
    printed: bool = False


class _Guard:
    def __init__(self, limits: PrinterLimits) -> None:
        self._limits = limits
        margin = limits.purge_margin
        self._reach_x = (-margin.left_mm - TOLERANCE_MM, limits.bed_width_mm + margin.right_mm + TOLERANCE_MM)
        self._reach_y = (-margin.front_mm - TOLERANCE_MM, limits.bed_depth_mm + margin.back_mm + TOLERANCE_MM)
        self._width, self._depth = limits.bed_width_mm + TOLERANCE_MM, limits.bed_depth_mm + TOLERANCE_MM
        self._machine = _Machine()

    def read(self, lines: BinaryIO) -> Iterator[tuple[int, Reason, bytes]]:
        """Give each refused line: its number from 1, why, and its text."""
        inspect = self._inspect
        for row, raw in enumerate(lines, 1):
            line = raw if raw[-1] == 10 else raw + b"\n"
            reason = inspect(line, row)
            if line.translate(None, PLAIN) or (b"\r" in line and NOT_PLAIN.search(line)):
                reason = Reason.UNPRINTABLE
            elif len(line) > MAX_LINE_BYTES + 1 and not line.lstrip(b" \t").startswith(b";"):
                reason = Reason.LINE_TOO_LONG
            if reason is not None:
                yield row, reason, line[:-1]

    def conclude(self) -> list[Finding]:
        """Give what only the end of the file can tell."""
        if not self._machine.commands:
            return [Finding(0, "", Reason.EMPTY)]
        left_on = self._machine.targets.items()
        return [
            Finding(row, f"{heater}: {celsius:g}", Reason.HEATER_LEFT_ON)
            for heater, (celsius, row) in left_on
            if celsius
        ]

    def _inspect(self, line: bytes, row: int) -> Reason | None:
        if b";" in line:
            line = line[: line.index(b";")] + b"\n"
        move = _MOVE.fullmatch(line)
        if move is not None:
            self._machine.commands += 1
            return self._move(int(move[1]), move[2])
        return None if _BLANK.fullmatch(line) else self._command(line.strip(b" \t\r\n"), row)

    def _command(self, text: bytes, row: int) -> Reason | None:
        self._machine.commands += bool(text)
        command = parse_command(text)
        if not isinstance(command, Command):
            name = command_name(text)
            return command if name is None or is_listed(name) else Reason.UNKNOWN_COMMAND
        refused = judge(command) or self._beyond_limits(command)
        self._obey(command, row)
        if refused is None and self._machine.printed and homes(command, "Z"):
            return Reason.HOMES_INTO_PRINT
        return refused

    def _beyond_limits(self, command: Command) -> Reason | None:
        limits = self._limits
        match command.name:
            case "M104" | "M109" if target_celsius(command) > limits.nozzle_max_celsius:
                return Reason.NOZZLE_TOO_HOT
            case "M140" | "M190" if target_celsius(command) > limits.bed_max_celsius:
                return Reason.BED_TOO_HOT
            case "M907" if (command.words["E"] or 0) > limits.extruder_current_max_milliamperes:
                return Reason.MOTOR_CURRENT
            case "G4" if self._dwells_too_long(dwell_seconds(command)):
                return Reason.DWELL_TOO_LONG
        return None

    def _dwells_too_long(self, seconds: float) -> bool:
        self._machine.dwelt_seconds += seconds
        longest, most = self._limits.dwell_max_seconds, self._limits.dwell_total_max_seconds
        return seconds > longest or self._machine.dwelt_seconds > most

    def _obey(self, command: Command, row: int) -> None:
        machine = self._machine
        match command.name:
            case name if name in _SWITCHES:
                self._switch(name)
            case "G28" | "M84":
                self._home(command)
            case "G92":
                machine.at[b"E"] = number(command.words.get("E")) * machine.scale
            case "M104" | "M109":
                self._heat_nozzle(command, row)
            case "M140" | "M190":
                machine.targets["bed"] = target_celsius(command), row
            case name if name.startswith("T"):
                machine.tool = int(name[1:])

    def _switch(self, name: str) -> None:
        machine = self._machine
        if name in ("G20", "G21"):
            machine.scale = MILLIMETRES_PER_INCH if name == "G20" else 1.0
        else:
            machine.relative_extrusion = name in ("G91", "M83")
            if name in ("G90", "G91"):
                machine.relative = name == "G91"

    def _home(self, command: Command) -> None:
        machine = self._machine
        for axis, letter in _LETTERS.items():
            if concerns(command, letter):
                machine.homed[axis] = command.name == "G28"
                if machine.homed[axis]:
                    machine.at[axis] = 0.0

    def _heat_nozzle(self, command: Command, row: int) -> None:
        machine, celsius, given = self._machine, target_celsius(command), command.words.get("T")
        tool = machine.tool if given is None else int(given)
        machine.targets[f"nozzle {tool}"] = celsius, row
        if celsius < MELTING_CELSIUS:
            machine.molten.discard(tool)
        elif command.name == "M109":
            machine.molten.add(tool)

    def _move(self, code: int, tail: bytes) -> Reason | None:
        """Follow one of G0 to G3, and say why it is refused if it is."""
        machine, at = self._machine, self._machine.at
        words = _WORD.findall(tail)
        given = {letter: float(value) * machine.scale for letter, value in words}
        unhomed = not all(machine.homed.values()) and self._is_unhomed(code, given)
        start, start_z = (at[b"X"], at[b"Y"]), at[b"Z"]
        advance = self._advance(given)
        end = at[b"X"], at[b"Y"]
        if len(words) != len(given):
            refused: Reason | None = Reason.REPEATED_WORD
        elif code < 2 and (b"I" in given or b"J" in given):
            refused = Reason.UNKNOWN_WORD
        else:
            refused = None
        if code > 1:
            centre = start[0] + given.get(b"I", 0.0), start[1] + given.get(b"J", 0.0)
            box, misfit = _arc(code == 2, start, end, centre)
            refused = refused or (Reason.BAD_ARC if misfit else None)
            swept = not self._reaches(box)
        else:
            box = min(start[0], end[0]), max(start[0], end[0]), min(start[1], end[1]), max(start[1], end[1])
            swept = False
        lays = advance > ROUNDING_MM and (code > 1 or end != start or at[b"Z"] != start_z)
        off_bed = lays and self._leaves_bed(box)
        machine.printed = machine.printed or (lays and not off_bed)
        if refused is None and unhomed:
            refused = Reason.NOT_HOMED
        return refused or self._beyond_reach(given, swept) or self._beyond_feed(advance, off_bed)

    def _beyond_reach(self, given: dict[bytes, float], swept: bool) -> Reason | None:
        at = self._machine.at
        if b"F" in given and not 0 < given[b"F"] <= self._limits.feedrate_max_mm_per_minute:
            return Reason.FEEDRATE
        if swept or (b"X" in given and not self._reach_x[0] <= at[b"X"] <= self._reach_x[1]):
            return Reason.OUT_OF_REACH
        if b"Y" in given and not self._reach_y[0] <= at[b"Y"] <= self._reach_y[1]:
            return Reason.OUT_OF_REACH
        if b"Z" in given and not -TOLERANCE_MM <= at[b"Z"] <= self._limits.height_mm + TOLERANCE_MM:
            return Reason.OUTSIDE_HEIGHT
        return None

    def _beyond_feed(self, advance: float, off_bed: bool) -> Reason | None:
        if off_bed and self._machine.printed:
            return Reason.OUTSIDE_BED
        if advance > ROUNDING_MM and self._machine.tool not in self._machine.molten:
            return Reason.COLD_EXTRUSION
        return Reason.TOO_MUCH_FILAMENT if abs(advance) > MAX_FEED_MM + ROUNDING_MM else None

    def _reaches(self, box: "Edges") -> bool:
        (left, right), (front, back) = self._reach_x, self._reach_y
        return left <= box[0] and box[1] <= right and front <= box[2] and box[3] <= back

    def _leaves_bed(self, box: "Edges") -> bool:
        return box[0] < -TOLERANCE_MM or box[1] > self._width or box[2] < -TOLERANCE_MM or box[3] > self._depth

    def _advance(self, given: dict[bytes, float]) -> float:
        """Go where the words say; returns the filament fed, negative where it is drawn back."""
        machine, at = self._machine, self._machine.at
        relative = machine.relative
        for axis in _AXES:
            if axis in given:
                at[axis] = at[axis] + given[axis] if relative else given[axis]
        if b"E" not in given:
            return 0.0
        before = at[b"E"]
        at[b"E"] = before + given[b"E"] if machine.relative_extrusion else given[b"E"]
        return at[b"E"] - before

    def _is_unhomed(self, code: int, given: dict[bytes, float]) -> bool:
        """Whether it moves an axis that is not homed, but for a small relative raise of Z."""
        machine = self._machine
        unhomed = False
        for axis in _AXES:
            if machine.homed[axis] or not (axis in given or (code > 1 and axis != b"Z")):
                continue
            if axis == b"Z" and machine.relative and given[axis] > 0:
                machine.raised_blindly += given[axis]
                unhomed = unhomed or machine.raised_blindly > BLIND_RAISE_MM + ROUNDING_MM
            else:
                unhomed = True
        return unhomed


Point = tuple[float, float]
Edges = tuple[float, float, float, float]


def _arc(clockwise: bool, start: Point, end: Point, centre: Point) -> tuple[Edges, bool]:
    """Give the box around an arc (low x, high x, low y, high y), and whether its centre does not fit its ends."""
    (from_x, from_y), (to_x, to_y), (centre_x, centre_y) = start, end, centre
    begins, ends = math.atan2(from_y - centre_y, from_x - centre_x), math.atan2(to_y - centre_y, to_x - centre_x)
    first, last = (ends, begins) if clockwise else (begins, ends)
    turn = 2 * math.pi
    sweep = (last - first) % turn
    sweep = turn if sweep < SAME_POINT_RADIANS else sweep
    east, north, west, south = ((quarter * math.pi / 2 - first) % turn <= sweep for quarter in range(4))
    radius = math.hypot(from_x - centre_x, from_y - centre_y)
    mismatch = abs(math.hypot(to_x - centre_x, to_y - centre_y) - radius)
    reach = radius + mismatch
    box = (
        centre_x - reach if west else min(from_x, to_x),
        centre_x + reach if east else max(from_x, to_x),
        centre_y - reach if south else min(from_y, to_y),
        centre_y + reach if north else max(from_y, to_y),
    )
    return box, radius == 0 or mismatch > ALLOWED_MISMATCH_MM
