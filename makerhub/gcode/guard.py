"""The guard: an allow-list linter with the printer's own limits, the same at the hub and at the maker's home.

A file is safe when every line is a well-formed command of the allow-list (or a comment), every move stays within the
printer, plastic is laid on the bed alone (but for a purge line at the start) and fed by a hot nozzle alone, Z is not
homed again above a print, temperatures, speeds and waits keep their bounds, and every heater it sets ends at 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from makerhub.errors import Invalid, translatable
from makerhub.gcode.allowed import is_listed, judge
from makerhub.gcode.columns import Flags, Floats
from makerhub.gcode.commands import dwell_seconds, target_celsius
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
from makerhub.gcode.interpreter import ROUNDING_MM, Interpreter, Motion, homes
from makerhub.gcode.limits import PrinterLimits
from makerhub.gcode.reader import Chunk, Command, Line, command_name, read
from makerhub.gcode.reasons import Reason
from makerhub.gcode.summary import Summary

__all__ = ["MAX_BYTES", "MAX_FINDINGS", "Finding", "Reason", "Report", "UnsafeGcode", "check", "require_safe"]


@dataclass(frozen=True)
class Report:
    """What the guard found, in the file's order, and what the file does.

    Reading stops at `MAX_FINDINGS` findings; the summary then covers what was read.
    """

    findings: tuple[Finding, ...]
    summary: Summary

    @property
    def safe(self) -> bool:
        """Whether nothing at all was found."""
        return not self.findings


class UnsafeGcode(Invalid):
    """The file breaks a rule of the guard; `report` says which and where."""

    template = translatable("This file is not safe to print. The first problem is in line %(line)d.")

    def __init__(self, report: Report) -> None:
        super().__init__(line=report.findings[0].line)
        self.report = report


def check(gcode: bytes, limits: PrinterLimits) -> Report:
    """Hold a whole file against the allow-list and the printer's limits; no content makes it raise."""
    guard = _Guard(limits)
    if len(gcode) > MAX_BYTES:
        return guard.report([Finding(0, "", Reason.TOO_LARGE)])
    findings: list[Finding] = []
    for chunk in read(gcode):
        findings += guard.inspect(chunk)
        if len(findings) >= MAX_FINDINGS:
            return guard.report(findings)
    return guard.report(findings + guard.conclude())


def require_safe(gcode: bytes, limits: PrinterLimits) -> Report:
    """Return the report of a safe file; raises `UnsafeGcode` with the report for any other."""
    report = check(gcode, limits)
    if not report.safe:
        raise UnsafeGcode(report)
    return report


class _Guard:
    """Inspects a file chunk by chunk, carrying what the rules need to remember."""

    def __init__(self, limits: PrinterLimits) -> None:
        self._limits = limits
        self._interpreter = Interpreter()
        self._dwelt_seconds = 0.0
        self._printed = False

    def report(self, findings: list[Finding]) -> Report:
        return Report(tuple(findings[:MAX_FINDINGS]), self._interpreter.summary())

    def inspect(self, chunk: Chunk) -> list[Finding]:
        """Return the findings in the next chunk, one a line, in order."""
        motion = self._interpreter.follow(chunk)
        reasons: dict[int, Reason] = {}
        for row, reason in (*self._refused_lines(chunk), *self._refused_moves(chunk, motion)):
            reasons.setdefault(row, reason)
        return [Finding(chunk.first_line + row, excerpt(chunk.raw_line(row)), reasons[row]) for row in sorted(reasons)]

    def conclude(self) -> list[Finding]:
        """Return what only the end of the file can tell."""
        summary = self._interpreter.summary()
        left_on = [
            Finding(target.line, f"{heater}: {target.celsius:g}", Reason.HEATER_LEFT_ON)
            for heater, target in summary.targets.items()
            if target.celsius
        ]
        return left_on if summary.commands else [Finding(0, "", Reason.EMPTY)]

    def _refused_lines(self, chunk: Chunk) -> Iterator[tuple[int, Reason]]:
        for row in _unprintable_rows(chunk):
            yield row, Reason.UNPRINTABLE
        for row in _long_rows(chunk):
            yield row, Reason.LINE_TOO_LONG
        for line in chunk.others:
            reason = self._refusal(line)
            if reason is not None:
                yield line.row, reason

    def _refusal(self, line: Line) -> Reason | None:
        if isinstance(line.parsed, Command):
            return judge(line.parsed) or self._beyond_limits(line.parsed)
        name = command_name(line.text)
        return line.parsed if name is None or is_listed(name) else Reason.UNKNOWN_COMMAND

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
        self._dwelt_seconds += seconds
        return seconds > self._limits.dwell_max_seconds or self._dwelt_seconds > self._limits.dwell_total_max_seconds

    def _refused_moves(self, chunk: Chunk, motion: Motion) -> Iterator[tuple[int, Reason]]:
        centred = _given(chunk, "I") | _given(chunk, "J")
        off_bed = self._off_bed(motion)
        printed = self._printed | np.logical_or.accumulate(motion.printing & ~off_bed)
        self._printed = bool(printed[-1])
        refused = (
            (chunk.repeated, Reason.REPEATED_WORD),
            (centred & (chunk.code < 2), Reason.UNKNOWN_WORD),
            (_arc_rows(chunk, motion, motion.arcs.misfit), Reason.BAD_ARC),
            (motion.unhomed, Reason.NOT_HOMED),
            (_z_homings(chunk) & printed, Reason.HOMES_INTO_PRINT),
            (~np.isnan(motion.feedrate) & ~self._is_allowed_feedrate(motion.feedrate), Reason.FEEDRATE),
            (self._out_of_reach(chunk, motion), Reason.OUT_OF_REACH),
            (_given(chunk, "Z") & _outside(motion.z, 0, self._limits.height_mm), Reason.OUTSIDE_HEIGHT),
            (off_bed & printed, Reason.OUTSIDE_BED),
            (~motion.molten & (motion.advance > ROUNDING_MM), Reason.COLD_EXTRUSION),
            (np.abs(motion.advance) > MAX_FEED_MM + ROUNDING_MM, Reason.TOO_MUCH_FILAMENT),
        )
        for rows, reason in refused:
            for row in np.flatnonzero(rows)[:MAX_FINDINGS]:
                yield int(row), reason

    def _is_allowed_feedrate(self, feedrate: Floats) -> Flags:
        return (feedrate > 0) & (feedrate <= self._limits.feedrate_max_mm_per_minute)

    def _out_of_reach(self, chunk: Chunk, motion: Motion) -> Flags:
        limits, margin, arcs = self._limits, self._limits.purge_margin, motion.arcs
        x_range = -margin.left_mm, limits.bed_width_mm + margin.right_mm
        y_range = -margin.front_mm, limits.bed_depth_mm + margin.back_mm
        sent_x = _given(chunk, "X") & _outside(motion.x, *x_range)
        sent_y = _given(chunk, "Y") & _outside(motion.y, *y_range)
        swept_x = _outside(arcs.low_x, *x_range) | _outside(arcs.high_x, *x_range)
        swept_y = _outside(arcs.low_y, *y_range) | _outside(arcs.high_y, *y_range)
        return sent_x | sent_y | _arc_rows(chunk, motion, swept_x | swept_y)

    def _off_bed(self, motion: Motion) -> Flags:
        """Mark what is printed beside the bed, which is for the purge alone: the first printing on the bed ends it."""
        width, depth = self._limits.bed_width_mm, self._limits.bed_depth_mm
        off_x = _outside(motion.low_x, 0, width) | _outside(motion.high_x, 0, width)
        off_y = _outside(motion.low_y, 0, depth) | _outside(motion.high_y, 0, depth)
        return motion.printing & (off_x | off_y)


def _given(chunk: Chunk, word: str) -> Flags:
    return ~np.isnan(chunk.words[word])


def _outside(values: Floats, low: float, high: float) -> Flags:
    return (values < low - TOLERANCE_MM) | (values > high + TOLERANCE_MM)


def _z_homings(chunk: Chunk) -> Flags:
    rows = np.zeros(chunk.lines, np.bool_)
    rows[[line.row for line in chunk.others if isinstance(line.parsed, Command) and homes(line.parsed, "Z")]] = True
    return rows


def _arc_rows(chunk: Chunk, motion: Motion, chosen: Flags) -> Flags:
    rows = np.zeros(chunk.lines, np.bool_)
    rows[motion.arcs.rows] = chosen
    return rows


def _unprintable_rows(chunk: Chunk) -> Iterator[int]:
    if chunk.raw.translate(None, PLAIN) or chunk.raw.count(b"\r") != chunk.raw.count(b"\r\n"):
        for match in islice(NOT_PLAIN.finditer(chunk.raw), MAX_FINDINGS):
            yield chunk.row_at(match.start())


def _long_rows(chunk: Chunk) -> list[int]:
    """Return the rows of long lines; a long comment alone is fine, as slicers write their settings that way."""
    long: list[int] = np.flatnonzero(np.diff(chunk.ends, prepend=-1) - 1 > MAX_LINE_BYTES).tolist()
    return [row for row in long if not chunk.raw_line(row).lstrip(b" \t").startswith(b";")]
