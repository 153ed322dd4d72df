"""One banned line anywhere in a file of a real slicer is found by both guards, at its line, whatever the ban's class.

The lists name every class; hypothesis draws the line of a class, its place, and how the file is cut into chunks.
"""

import shutil
import subprocess
from functools import cache
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from makerhub.designs.bundle import as_ini, flatten
from makerhub.designs.profiles import read_profile
from makerhub.gcode import plain_guard
from makerhub.gcode.allowed import is_listed
from makerhub.gcode.guard import Reason, check

SLICER = shutil.which("prusa-slicer")
BUNDLES = Path("/usr/share/PrusaSlicer/profiles")
MK3S = read_profile(Path(__file__).parents[3] / "printers/prusa-mk3s.toml")
LIMITS = MK3S.limits()

pytestmark = pytest.mark.skipif(SLICER is None or not BUNDLES.is_dir(), reason="prusa-slicer is not installed")
often = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def real_file() -> tuple[bytes, ...]:
    """The lines of a small plate with its skirt, walls and infill, sliced for the MK3S."""
    assert SLICER
    with TemporaryDirectory() as name:
        folder = Path(name)
        trimesh.creation.cylinder(radius=5, height=1).export(folder / "plate.stl")
        (folder / "settings.ini").write_text(as_ini(flatten(BUNDLES, MK3S, "PLA")), encoding="utf-8")
        load = ["--load", "settings.ini", "--export-gcode", "--center", "125,105", "-o", "plate.gcode", "plate.stl"]
        subprocess.run([SLICER, "--loglevel", "1", *load], check=True, capture_output=True, cwd=folder, timeout=120)
        return tuple((folder / "plate.gcode").read_bytes().splitlines())


def findings(lines: tuple[bytes, ...], chunk_bytes: int = 1 << 18) -> dict[int, Reason]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("makerhub.gcode.reader.CHUNK_BYTES", chunk_bytes)
        report = check(b"\n".join(lines) + b"\n", LIMITS)
    assert plain_guard.check(b"\n".join(lines) + b"\n", LIMITS) == report.findings
    return {finding.line: finding.reason for finding in report.findings}


def row_of(start: bytes, *, last: bool = False) -> int:
    rows = [row for row, line in enumerate(real_file()) if line.startswith(start)]
    return rows[-1 if last else 0]


def numbered(letter: str, low: float, high: float) -> st.SearchStrategy[str]:
    """A word with a number of two decimals."""
    return st.integers(round(low * 100), round(high * 100)).map(lambda value: f"{letter}{value / 100:.2f}")


def codes(letter: str, highest: int) -> st.SearchStrategy[str]:
    return st.integers(0, highest).map(lambda code: f"{letter}{code}").filter(lambda name: not is_listed(name))


def one_of(table: str) -> st.SearchStrategy[str]:
    return st.sampled_from([line.strip() for line in table.split("|")])


TAILS: Final = st.sampled_from(["", " S0", " S1", " X10", " P1", " file.gco", " E5 F300", " ;harmless"])
WORDS: Final = st.lists(st.sampled_from(["X1", "Y2", "S3", "Z1", "E0", "P0"]), min_size=1, max_size=3, unique=True)

ANYWHERE: Final[dict[str, st.SearchStrategy[str]]] = {
    "any other G": st.tuples(codes("G", 9999), TAILS).map("".join),
    "any other M": st.tuples(codes("M", 9999), TAILS).map("".join),
    "subcodes": one_of("G29.1 | G92.1 | G28.2 | M104.1 S200 | M862.2 P1 | M862.4 P1 | M862.5 P1"),
    "kills and restarts": one_of("M112 | M108 | M410 | M999 | M997 | M997 S1 | M81 | M80 | M18"),
    "memory": one_of("M500 | M501 | M502 | M503 | M504"),
    "the card": one_of("M20 | M23 a.gco | M24 | M25 | M26 S0 | M28 a.gco | M29 | M30 a.gco | M32 a.gco | M928 a.gco"),
    "protections": one_of("M302 | M302 S0 | M302 P1 | M211 S0 | M85 S0 | M86 S0 | M303 E0 S250 C8 | M301 P1 | M304 P1"),
    "geometry": one_of(
        "M92 E200 | M206 X5 | M428 | M851 Z-3 | M665 L1 | M666 X1 | M420 S1 | M421 I0 J0 Z-5 | M290 Z-1"
    ),
    "currents and pins": one_of("M906 X900 | M907 X900 | M907 S1 | M908 P1 S9 | M42 P1 S255 | M280 P0 S90 | M226 P2"),
    "people": one_of("M0 | M1 | M600 | M601 | M117 hello | M118 A1 action:cancel | M300 S440 P9000 | @pause | @cancel"),
    "plugins and macros": one_of("START_PRINT | PRINT_END | SET_PIN PIN=a VALUE=1 | {a} | [b] | !reboot | $X | ~ | ?"),
    "numbered": one_of("N3 G1 X1*33 | N1 M112 | /G1 X1 | %"),
    "lower case": one_of("g1 x1 | m112 | m104 s300 | t0"),
    "two commands": one_of("G1 X10 M112 | M107 M104 S290 | G28 G1 | T0 M30 | M84 M81"),
    "glued": one_of("M104S200 | G1X10 | G28XY | G28 XY | M109R190 | G1 X10Y10 | M140S60"),
    "no numbers": one_of("G1 Xnan | G1 Xinf | G1 X1e3 | G1 X0x1F | G1 X1,5 | G1 X | G1 | M104 Snan | G1 F-"),
    "origin": WORDS.map(lambda words: " ".join(["G92", *words])).filter(lambda line: line != "G92 E0"),
    "origin of all": one_of("G92 | G92 E | G92 X0 Y0 Z0 | G92 Z0"),
    "nozzle too hot": st.tuples(st.sampled_from(["M104 ", "M109 "]), numbered("S", 290.01, 999)).map("".join),
    "nozzle too hot by R": numbered("R", 290.01, 999).map("M109 {}".format),
    "bed too hot": st.tuples(st.sampled_from(["M140 ", "M190 "]), numbered("S", 120.01, 999)).map("".join),
    "below absolute sense": one_of("M104 S-1 | M109 S-40 | M140 S-1 | M106 S-1 | M106 S256"),
    "motor current": numbered("E", 538.01, 2000).map("M907 {}".format),
    "too far right": numbered("X", 250.02, 99_999).map("G1 {}".format),
    "too far left": numbered("X", -99_999, -0.02).map("G0 {} F3000".format),
    "too far back": numbered("Y", 210.02, 99_999).map("G1 {}".format),
    "too far in front": numbered("Y", -99_999, -4.02).map("G1 {} E.1".format),
    "too high": numbered("Z", 210.02, 99_999).map("G1 {}".format),
    "into the bed": numbered("Z", -99_999, -0.02).map("G1 {}".format),
    "too fast": numbered("F", 30_000.01, 999_999).map("G1 {}".format),
    "no speed": numbered("F", -1000, 0).map("G1 {}".format),
    "faster by per cent": numbered("S", 200.01, 9999).map("M220 {}".format),
    "more flow": numbered("S", 200.01, 9999).map("M221 {}".format),
    "a long wait": numbered("S", 120.01, 99_999).map("G4 {}".format),
    "a long wait in ms": numbered("P", 120_001, 999_999).map("G4 {}".format),
    "motors off later": numbered("S", 0, 3600).map("M84 {}".format),
    "much filament": numbered("E", 200.01, 99_999).map("G1 {}".format),
    "much filament out": numbered("E", -99_999, -200.01).map("G1 {} F2000".format),
    "a wild arc": one_of("G2 X240 Y10 I500 J0 | G3 X10 Y10 I0 J0 | G2 X10 Y200 I1 J1 | G2 X1 R5"),
    "hidden bytes": one_of("G1 X1\0Y1 | ; a\x07b | G1 X1\x0bY1 | ; é | M107\x1a ;"),
    "another kind of line end": one_of("; note\rM112 | G1 X1\rM104 S290"),
    "a long line": st.integers(257, 3000).map(lambda length: "G1 X1 ;".ljust(length, "x")),
    "repeated words": one_of("G1 X1 X2 | M104 S200 S0 | M109 S200 R200 | G28 X X | G1 E1 E2"),
    "more tools": one_of("T10 | T-1 | Tx | T? | T | T0 S1 | M104 S0 T10"),
}
CLASSES: Final = sorted(ANYWHERE)


def test_the_file_itself_is_safe() -> None:
    assert len(real_file()) > 500
    assert findings(real_file()) == {}


@pytest.mark.parametrize("kind", CLASSES)
@often
@given(st.data())
def test_a_banned_line_is_found_wherever_it_stands(kind: str, data: st.DataObject) -> None:
    lines = real_file()
    line = data.draw(st.tuples(st.sampled_from(["", " ", "\t"]), ANYWHERE[kind]).map("".join))
    at = data.draw(st.integers(0, len(lines)))
    chunk_bytes = data.draw(st.sampled_from([1000, 50_000, 1 << 18]))
    found = findings((*lines[:at], line.encode(), *lines[at:]), chunk_bytes)
    assert at + 1 in found, line


@often
@given(st.data())
def test_a_heater_that_is_switched_on_after_it_was_switched_off_is_found(data: st.DataObject) -> None:
    lines = real_file()
    heater, off = data.draw(st.sampled_from([("M104", b"M104 S0"), ("M109", b"M104 S0"), ("M140", b"M140 S0")]))
    at = data.draw(st.integers(row_of(off, last=True) + 1, len(lines)))
    line = f"{heater} S{data.draw(st.integers(1, 120))}".encode()
    assert findings((*lines[:at], line, *lines[at:])) == {at + 1: Reason.HEATER_LEFT_ON}


@often
@given(st.integers(1, 9), st.data())
def test_a_heater_of_another_tool_left_on_is_found_wherever_it_was_set(tool: int, data: st.DataObject) -> None:
    lines = real_file()
    at = data.draw(st.integers(0, len(lines)))
    found = findings((*lines[:at], f"M104 S200 T{tool}".encode(), *lines[at:]))
    assert found == {at + 1: Reason.HEATER_LEFT_ON}


@often
@given(st.data())
def test_cooling_the_nozzle_in_a_print_is_found_at_the_next_feed(data: st.DataObject) -> None:
    lines = real_file()
    feeds = [row for row, line in enumerate(lines) if line.startswith(b"G1 ") and b" E" in line and b"E-" not in line]
    at = data.draw(st.integers(row_of(b"M109 S") + 1, feeds[-1]))
    line = data.draw(one_of("M104 S0 | M104 S169 | M109 S160 | M109 R40 | T1 | T9"))
    found = findings((*lines[:at], line.encode(), *lines[at:]))
    next_feed = next(row for row in feeds if row >= at)
    assert found[next_feed + 2] is Reason.COLD_EXTRUSION


@often
@given(st.data())
def test_letting_go_of_the_motors_in_a_print_is_found_at_the_next_move(data: st.DataObject) -> None:
    lines = real_file()
    moves = [row for row, line in enumerate(lines) if line.startswith((b"G1 X", b"G1 Y"))]
    at = data.draw(st.integers(row_of(b"G28") + 1, moves[-1]))
    found = findings((*lines[:at], b"M84", *lines[at:]))
    assert min(found) <= next(row for row in moves if row >= at) + 2
    assert Reason.NOT_HOMED in found.values()


@often
@given(st.data())
def test_homing_z_in_a_print_is_found(data: st.DataObject) -> None:
    lines = real_file()
    printing = row_of(b";LAYER_CHANGE")
    second_layer = next(row for row in range(printing + 1, len(lines)) if lines[row] == b";LAYER_CHANGE")
    at = data.draw(st.integers(second_layer, len(lines)))
    line = data.draw(one_of("G28 | G28 W | G28 Z | G28 X Y Z")).encode()
    assert findings((*lines[:at], line, *lines[at:]))[at + 1] is Reason.HOMES_INTO_PRINT


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        (b"M104 S0", Reason.HEATER_LEFT_ON),
        (b"M140 S0", Reason.HEATER_LEFT_ON),
        (b"G28", Reason.NOT_HOMED),
        (b"M109", Reason.COLD_EXTRUSION),
    ],
)
def test_a_safe_file_is_not_safe_without_this_line(missing: bytes, reason: Reason) -> None:
    lines = real_file()
    at = row_of(missing, last=missing.endswith(b"S0"))
    assert set(findings((*lines[:at], *lines[at + 1 :])).values()) == {reason}


@often
@given(st.lists(st.sampled_from(["60", "90", "119.9", "120"]), min_size=31, max_size=60), st.data())
def test_many_waits_that_are_each_allowed_are_found_together(waits: list[str], data: st.DataObject) -> None:
    lines = real_file()
    at = data.draw(st.integers(0, len(lines)))
    total = list(accumulate(float(wait) for wait in waits))
    found = findings((*lines[:at], *(f"G4 S{wait}".encode() for wait in waits), *lines[at:]))
    too_long = [at + 1 + number for number, seconds in enumerate(total) if seconds > LIMITS.dwell_total_max_seconds]
    assert set(too_long) <= set(found)
    assert set(found.values()) <= {Reason.DWELL_TOO_LONG}
