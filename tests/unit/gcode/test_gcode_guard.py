from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makerhub.gcode import guard, plain_guard
from makerhub.gcode.allowed import ALLOWED
from makerhub.gcode.guard import MAX_FINDINGS, Finding, Reason, Report, UnsafeGcode, require_safe
from makerhub.gcode.limits import Margin, PrinterLimits

LIMITS = PrinterLimits(
    bed_width_mm=250,
    bed_depth_mm=210,
    height_mm=200,
    nozzle_max_celsius=280,
    bed_max_celsius=110,
    purge_margin=Margin(front_mm=4),
    dwell_max_seconds=60,
    dwell_total_max_seconds=100,
    feedrate_max_mm_per_minute=12_000,
    extruder_current_max_milliamperes=538,
)
START = "G28\nG90\nM83\nM109 S210\nM140 S60\nG1 X10 Y10 Z0.2 F3000\nG1 X20 E1\n"
END = "M104 S0\nM140 S0\nM84\n"


def check(gcode: bytes, limits: PrinterLimits) -> Report:
    """The verdict of the hub's guard, which is the agent's to the letter."""
    report = guard.check(gcode, limits)
    assert plain_guard.check(gcode, limits) == report.findings
    return report


def reasons(gcode: str | bytes, limits: PrinterLimits = LIMITS) -> list[tuple[int, str]]:
    report = check(gcode if isinstance(gcode, bytes) else gcode.encode(), limits)
    return [(finding.line, finding.reason.value) for finding in report.findings]


def listed(table: str) -> list[str]:
    return [line.strip() for line in table.strip().replace("\n", "|").split("|")]


ADMITTED = listed(r"""
    G4 | G4 P1000 | G4 S60 | G20 | G21 | G28 X | G28 X0 Y0 | G29 | G80 | G90 | G92 E0 | G92 E0.0
    M73 P10 R33 | M73 Q0 S180 | M82 | M83 | M84 | M84 X Y E | M104 S0 | M104 S280 T0 | M105 | M106
    M106 S127.5 | M106 S255 P1 | M107 | M107 P1 | M109 S215 | M109 R170 | M115 | M115 U3.11.0 | M140 S110
    M190 S60 | M190 R40 | M201 X1000 Y1000 Z200 E5000 | M202 X1000 | M203 X200 Y200 Z12 E120 | M204 S800
    M204 P1250 R1250 T1250 | M205 X8.00 Y8.00 Z0.40 E4.50 | M205 S0 T0 | M205 J0.02 | M220 S100 | M221 S95
    M400 | M862.1 P0.4 | M862.3 P "MK3S" | M900 K0.05 | M900 K30 | M907 E538 | T0 | G0 X0
    G1 X250 Y210 Z200 F12000 | G1 X100 Y100 E.05 | G1 E-.8 F2100 | G1 Y-3 F1000 | G2 X20 Y10 I5 J0
    G3 X10 Y10 I-5 E.1 | G1 E200 | G1 E-200 | G1 X10 ; a note | G1 F8640;_WIPE | ; only a note
""")


@pytest.mark.parametrize("line", ADMITTED)
def test_what_slicers_need_is_admitted(line: str) -> None:
    assert reasons(f"{START}{line}\n{END}") == []


def test_every_listed_command_is_tried_and_says_why() -> None:
    tried = {line.split()[0] for line in ADMITTED}
    assert ALLOWED.keys() - tried == {"G91"}  # it changes what the lines after it mean; see the relative moves below
    assert all(rule.why for rule in ALLOWED.values())


REFUSED = {
    Reason.UNKNOWN_COMMAND: r"""
        M0 | M1 | M18 | M25 | M28 x.gco | M29 | M30 x.gco | M42 P1 S255 | M80 | M81 | M92 X100 | M112
        M117 hello | M118 A1 action:start | M141 S60 | M206 X5 | M211 S0 | M301 P1 | M302 S0 | M303 E0 S200
        M420 S1 | M500 | M501 | M502 | M503 | M504 | M600 | M601 | M702 C | M851 Z-3 | M906 X900 | M997 | M999
        G5 X1 | G10 | G53 | G54 | G60 | G01 X1 | @pause | @cancel | N3 G28*12 | (note) | % | g1 X1 | START_PRINT
        X10 Y10 | /G1 X1 | * | " | \
    """,
    Reason.MALFORMED: r"""
        G | G1 | G1 X | G1 X1 Y | G1 Xnan | G1 Xinf | G1 X-inf | G1 X1e9 | G1 X1E2F | G1 X0x10 | G1 X1_0
        G1 X1,5 | G1 X1.2.3 | G1 X--1 | G1 X. | G1 X1234567 | G1X10 | G1 X 10 | G1 x10 | G1 X10*33 | T | T10
        T-1 | Tx | Tc | T? | M104S200 | G28 XY | M115 U3 | M862.3 P MK3S | M862.3 P "a" M112 | M73 P1 (x)
        M104 S200 \
    """,
    Reason.TWO_COMMANDS: "G1 X10 G28 | G28 G1 | M107 M104 S200 | G1 X1 M112 | M104 S200 M109 S200 | T0 G28",
    Reason.REPEATED_WORD: "G1 X1 X2 | G1 E1 X2 E1 | M104 S0 S200 | G28 X X | G2 X1 I1 I2 J1",
    Reason.UNKNOWN_WORD: r"""
        G1 X1 S255 | G1 X1 I2 | G1 X1 R2 | G2 X20 R5 | G28 R5 | G29 P1 | G80 N7 | G92 X0 | G92 Z0 | G92 E0 X1
        M84 P1 | M84 S60 | M104 S10 B20 | M900 W1 | M907 X5 | T0 T1 | M190 T1 S1
    """,
    Reason.MISSING_WORD: r"""
        M104 | M104 S | M104 T0 | M109 | M109 S200 R200 | M140 | M190 | M220 | M221 | G92 | G92 E | M900 | M907
        M106 S | G4 P
    """,
    Reason.OUT_OF_RANGE: r"""
        M104 S-1 | M104 S2000 | M106 S256 | M106 S-1 | M73 P101 | M201 X0 | M203 Z0.1 | M204 P200000
        M205 X500 | M220 S1 | M220 S500 | M221 S201 | M900 K201 | G28 X5 | M862.1 P9 | G4 P-1 | M104 S0 T10
    """,
    Reason.NOZZLE_TOO_HOT: "M104 S281 | M109 S300 | M109 R281",
    Reason.BED_TOO_HOT: "M140 S111 | M190 S130 | M190 R111",
    Reason.MOTOR_CURRENT: "M907 E539",
    Reason.DWELL_TOO_LONG: "G4 S61 | G4 P60001 | G4 S31 P30000",
    Reason.FEEDRATE: "G1 F0 | G1 F-100 | G1 X10 F0 | G1 F12001 | G0 Y10 F999999",
    Reason.OUT_OF_REACH: "G1 X251 | G1 X-1 | G1 Y-5 | G1 Y211 | G0 X9999 | G3 X30 Y10 I5 J-15 | G3 X240 Y10 I110 J0",
    Reason.OUTSIDE_HEIGHT: "G1 Z-0.1 | G1 Z201 | G0 X1 Z-5",
    Reason.OUTSIDE_BED: "G1 Y-3 E1 | G1 X100 Y-1 E.5 | G3 X44 Y10 I12 J0 E1",
    Reason.HOMES_INTO_PRINT: "G28 | G28 W | G28 Z | G28 X Y Z",
    Reason.TOO_MUCH_FILAMENT: "G1 E200.1 | G1 E-201 | G1 X30 E999",
    Reason.BAD_ARC: "G2 X30 Y10 | G2 X30 Y10 I0 J0 | G2 X30 Y10 I50 J50 | G3 X20 Y10 E1",
}
"""Each is inserted with the nozzle at X20 Y10 Z0.2 on a bed of 250 × 210 mm with 4 mm in front."""

BANNED = [(reason, line) for reason, table in REFUSED.items() for line in listed(table)]


@pytest.mark.parametrize(("reason", "line"), BANNED)
def test_what_is_refused_and_why(reason: Reason, line: str) -> None:
    assert reasons(f"{START}{line}\n{END}") == [(8, reason.value)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"G1 X1\x00", Reason.UNPRINTABLE),
        (b"; caf\xc3\xa9", Reason.UNPRINTABLE),
        (b"G1 X1\x0bY2", Reason.UNPRINTABLE),
        (b"G28\rM112", Reason.UNPRINTABLE),
        (b"; note\rM112", Reason.UNPRINTABLE),
        (b"G1 X1" + b" " * 252, Reason.LINE_TOO_LONG),
        (b"G1 X1 ;" + b"x" * 250, Reason.LINE_TOO_LONG),
    ],
)
def test_bytes_that_are_refused(line: bytes, reason: Reason) -> None:
    assert reasons(START.encode() + line + b"\n" + END.encode()) == [(8, reason.value)]


def test_long_comments_and_windows_line_ends_are_fine() -> None:
    settings = "; start_gcode = " + "G28\\n" * 500
    assert reasons(f"{START}{settings}\n{END}".replace("\n", "\r\n")) == []


LASTING = ("M84", "G2 ", "G3 ", "G1 Y-3", "G20", "G4", "G90", "M82", "M104", "M109", "M140", "M190", "T")
"""Lines that are safe alone, but change what the lines after them mean or how much is left of a bound."""


@settings(max_examples=500, deadline=None)
@given(
    program=st.lists(
        st.sampled_from(ADMITTED) | st.builds("G1 X{} Y{} E.1".format, st.integers(0, 250), st.integers(0, 210))
    ),
    banned=st.sampled_from([line for _, line in BANNED if not line.startswith(("G2", "G3"))]),
    place=st.integers(0),
    indent=st.sampled_from(["", " ", "\t"]),
    end=st.sampled_from(["\n", "\r\n", " ; fine\n"]),
    chunk_bytes=st.sampled_from([1, 50, 1 << 18]),
)
def test_one_banned_line_anywhere_is_always_found(
    program: list[str], banned: str, place: int, indent: str, end: str, chunk_bytes: int
) -> None:
    quiet = [line for line in program if not line.startswith(LASTING)]
    lines = [line + "\n" for line in (START + "\n".join(quiet)).splitlines()] + END.splitlines(keepends=True)
    at = len(START.splitlines()) + place % (len(quiet) + 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("makerhub.gcode.reader.CHUNK_BYTES", chunk_bytes)
        assert reasons("".join(lines)) == []
        found = reasons("".join([*lines[:at], indent + banned + end, *lines[at:]]))
    assert at + 1 in [line for line, _ in found]


@pytest.mark.parametrize("banned", ["@pause", "M112", "M500", "M104 S999", "G1 X9999", "G28 M112", "G1 Xnan"])
@pytest.mark.parametrize("at", range(len((START + END).splitlines()) + 1))
def test_a_banned_line_is_found_at_the_very_start_and_end_too(banned: str, at: int) -> None:
    lines = (START + END).splitlines()
    assert at + 1 in [line for line, _ in reasons("\n".join([*lines[:at], banned, *lines[at:]]))]


@settings(deadline=None)
@given(st.binary(max_size=300) | st.text(alphabet="GMTXYZEFS0123456789.- ;\n\r", max_size=300).map(str.encode))
def test_no_content_makes_it_raise(gcode: bytes) -> None:
    report = check(gcode, LIMITS)
    assert all(finding.excerpt.isprintable() and len(finding.excerpt) <= 60 for finding in report.findings)


@pytest.mark.usefixtures("chunk_bytes")
def test_heaters_must_end_at_zero() -> None:
    assert reasons("M104 S0\nM104 S200\n") == [(2, "heater-left-on")]
    assert reasons("M140 S60\nM104 S200\nM104 S0\n") == [(1, "heater-left-on")]
    assert reasons("M104 S200 T1\nM104 S0\n") == [(1, "heater-left-on")]
    assert reasons("M190 R40\n") == [(1, "heater-left-on")]
    assert reasons("M109 S200\nM190 S60\nM140 S0\nM104 S0\n") == []


@pytest.mark.usefixtures("chunk_bytes")
def test_waits_are_bounded_together() -> None:
    assert reasons("G4 S50\nG4 S50\n") == []
    assert reasons("G4 S50\nG4 S50\nG4 P1\n") == [(3, "dwell-too-long")]


@pytest.fixture(params=[1, 1 << 18])
def chunk_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("makerhub.gcode.reader.CHUNK_BYTES", request.param)


@pytest.mark.usefixtures("chunk_bytes")
def test_axes_must_be_homed_before_they_move() -> None:
    assert reasons("G1 X5\nG28 X\nG1 X5\nG1 Y5\nG28\nG1 Y5 Z1\n") == [(1, "not-homed"), (4, "not-homed")]
    assert reasons("G1 F300\n") == []
    assert reasons("G2 I5 J0\n") == [(1, "not-homed")]


@pytest.mark.usefixtures("chunk_bytes")
def test_z_may_be_raised_a_little_before_it_is_homed() -> None:
    assert reasons("G91\nG1 Z3 F300\nG0 Z7\nG90\nG28\nG1 X5 Y5 Z5\n") == []
    assert reasons("G20\nG91\nG1 Z.3\nG90\nG21\nG28\n") == []


@pytest.mark.usefixtures("chunk_bytes")
@pytest.mark.parametrize(
    ("lines", "at"),
    [
        ("G90\nG1 Z3\n", 2),
        ("G1 Z3\n", 1),
        ("G91\nG1 Z-1\n", 2),
        ("G91\nG1 Z0\n", 2),
        ("G91\nG1 Z10.1\n", 2),
        ("G91\nG1 Z6\nG1 Z5\n", 3),
        ("G91\nG1 Z5 X1\n", 2),
        ("G91\nG1 Z5\nG1 X1\n", 3),
        ("G91\nG1 Z5\nG90\nG1 Z20\n", 4),
        ("G20\nG91\nG1 Z1\n", 3),
        ("G28 X Y\nG91\nG1 Z9\nG1 Z2\n", 4),
    ],
)
def test_no_other_blind_move_of_z(lines: str, at: int) -> None:
    """Absolute moves go down where the nozzle stands high, and what adds up to more may end at the frame."""
    assert reasons(f"{lines}G90\nG28\n") == [(at, "not-homed")]


@pytest.mark.usefixtures("chunk_bytes")
def test_motors_that_were_off_must_be_homed_again() -> None:
    assert reasons("G28\nM84 X E\nG1 Y5\nG1 X5\n") == [(4, "not-homed")]
    assert reasons("G28\nM84\nG1 Y5\nG28\nG1 Y5\n") == [(3, "not-homed")]
    assert reasons("G28\nM84\nG91\nG1 Z2\n") == []


@pytest.mark.usefixtures("chunk_bytes")
def test_filament_is_fed_by_a_nozzle_that_was_waited_for() -> None:
    assert reasons("M83\nM109 S200\nG1 E1\nM104 S190\nG1 E1\nM104 S0\nG1 E-1\n") == []
    for cold in ("", "M104 S200\n", "M109 S169\n", "M109 S200\nM104 S0\n", "M109 S200\nM104 S0\nM104 S200\n"):
        line = cold.count("\n") + 2
        assert (line, "cold-extrusion") in reasons(f"M83\n{cold}G1 E1\nM104 S0\n")
    assert reasons("M83\nM109 S200 T1\nG1 E1\nT1\nG1 E1\nM104 S0\n") == [(3, "cold-extrusion")]
    assert reasons("M109 S200\nG92 E0\nG1 E1\nG1 E1\nM104 S0\nG1 E1.1\n") == [(6, "cold-extrusion")]


@pytest.mark.usefixtures("chunk_bytes")
def test_z_is_not_homed_above_a_print() -> None:
    purge = "M109 S200\nM83\nG28\nG1 Y-3 Z.2\nG1 X60 E9\n"
    end = "M104 S0\n"
    assert reasons(f"{purge}G28\n{end}") == []
    assert reasons(f"{purge}G1 Y5\nG1 X5 E1\nG28 X\n{end}") == []
    assert reasons(f"{purge}G1 Y5\nG1 X5 E1\nG28\n{end}") == [(8, "homes-into-print")]


@pytest.mark.usefixtures("chunk_bytes")
def test_relative_moves_and_inches_add_up() -> None:
    assert reasons("G28\nG91\nG1 X100\nG1 X100\nG1 X50\nG1 X1\nG1 X-1\n") == [(6, "out-of-reach")]
    assert reasons("G28\nG20\nG1 X9.8\nG1 X9.9\n") == [(4, "out-of-reach")]


@pytest.mark.usefixtures("chunk_bytes")
def test_the_margin_is_for_the_purge_at_the_start_alone() -> None:
    purge = "G28\nM83\nM109 S200\nG1 Y-3 Z.2\nG1 X60 E9\nG1 X100 E12.5\n"
    end = "M104 S0\n"
    assert reasons(purge + "G1 Y20\nG1 X50 E1\nG1 Y-3\nG1 Y20\n" + end) == []
    assert reasons(purge + "G1 Y20\nG1 X50 E1\nG1 Y-3\nG1 X60 E1\n" + end) == [(10, "outside-bed")]
    assert reasons(purge + "G1 Y20\nG1 X50 E1\nG1 X60 Y-3 E1\n" + end) == [(9, "outside-bed")]
    assert reasons(purge + end, replace(LIMITS, purge_margin=Margin())) == [(4, "out-of-reach")]


@pytest.mark.usefixtures("chunk_bytes")
@pytest.mark.parametrize(
    "lines",
    [
        "M83\nG1 E1\n" + "G1 E.1\n" * 4 + "G1 E-200\nG1 E-200",
        "M83\nG1 E.3\nG1 E-.1\nG1 E-.2\nM104 S0\nM82\nG1 E0",
        "G91\nM84\n" + "G1 Z.4\n" * 25 + "G90\nG28",
    ],
)
def test_what_only_rounding_puts_beyond_a_bound_is_within_it(lines: str) -> None:
    """Decimals have no exact binary sum: 200 mm drawn back, as a difference of positions, is at times a hair more."""
    assert reasons(f"M109 S200\nM82\nG92 E0\n{lines}\nM104 S0\n") == []


def test_motor_current_is_refused_unless_the_printer_allows_it() -> None:
    assert reasons("M907 E430\n", replace(LIMITS, extruder_current_max_milliamperes=0)) == [(1, "motor-current")]


def test_a_file_of_waits_is_safe_and_an_empty_one_is_not() -> None:
    assert check(b"G4 P1000\nG4 P1000", LIMITS).safe
    for gcode in ("", "\n\n", "; nothing\n"):
        assert reasons(gcode) == [(0, "empty")]


def test_findings_and_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(check(b"M112\n" * 1000, LIMITS).findings) == MAX_FINDINGS
    assert len(check(b"G28\n" + b"G1 X999\n" * 1000, LIMITS).findings) == MAX_FINDINGS
    for module in (guard, plain_guard):
        monkeypatch.setattr(module, "MAX_BYTES", 10)
    assert reasons("M107\nM107\n") == []
    assert reasons("M107\nM107\n\n") == [(0, "too-large")]


def test_findings_are_harmless_to_show() -> None:
    (finding,) = check(b"@\x1b[2J" + b"x" * 100, LIMITS).findings
    assert finding == Finding(1, "@?[2J" + "x" * 55, Reason.UNPRINTABLE)
    assert finding.reason.template == "It holds a byte that is not plain text."


def test_an_unsafe_file_is_refused_with_its_report() -> None:
    assert require_safe(b"G4 P1000\n", LIMITS).safe
    with pytest.raises(UnsafeGcode) as refused:
        require_safe(b"G28\nM112\n", LIMITS)
    assert refused.value.report.findings[0] == Finding(2, "M112", Reason.UNKNOWN_COMMAND)
    assert refused.value.values == {"line": 2}
