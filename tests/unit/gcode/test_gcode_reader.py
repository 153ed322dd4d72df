import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makerhub.gcode.reader import Chunk, Command, parse_command, read
from makerhub.gcode.reasons import Reason


def one_chunk(gcode: bytes) -> Chunk:
    (chunk,) = read(gcode)
    return chunk


def test_moves_become_columns_and_other_lines_are_parsed() -> None:
    chunk = one_chunk(b"G1 X1.5 Y-.5 E+2 ; outline\n\nM104 S200 ; heat\n\tG0 F1200\r\n; note\nG3 X1 I2 J-3")
    assert chunk.code.tolist() == [1, -1, -1, 0, -1, 3]
    assert chunk.words["X"][[0, 5]].tolist() == [1.5, 1]
    assert chunk.words["Y"][0] == -0.5
    assert chunk.words["E"][0] == 2
    assert chunk.words["F"][3] == 1200
    assert (chunk.words["I"][5], chunk.words["J"][5]) == (2, -3)
    assert np.isnan(chunk.words["X"][[1, 2, 3, 4]]).all()
    assert [(line.row, line.text, line.parsed) for line in chunk.others] == [
        (2, b"M104 S200", Command("M104", {"S": 200.0}))
    ]


def test_lines_are_numbered_through_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("makerhub.gcode.reader.CHUNK_BYTES", 8)
    chunks = list(read(b"G1 X1\nG1 X2\nG1 X3\nM107\nG1 X4"))
    assert len(chunks) > 2
    assert [chunk.first_line for chunk in chunks] == [1, *np.cumsum([chunk.lines for chunk in chunks])[:-1] + 1]
    assert [chunk.raw_line(row) for chunk in chunks for row in range(chunk.lines)] == [
        b"G1 X1",
        b"G1 X2",
        b"G1 X3",
        b"M107",
        b"G1 X4",
    ]


def test_the_first_layer_comment_is_marked() -> None:
    assert one_chunk(b"G28\n;LAYER_CHANGE\nG1 X1\n;LAYER_CHANGE\n").layer_mark == 1
    assert one_chunk(b"G28\n;LAYER:0\n").layer_mark == 1
    assert one_chunk(b"G28 ;LAYER_CHANGE\n").layer_mark is None


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        (b"G28 W", Command("G28", {"W": None})),
        (b"M84 X Y E", Command("M84", {"X": None, "Y": None, "E": None})),
        (b"M862.1 P0.4", Command("M862.1", {"P": 0.4})),
        (b'M862.3 P "MK3S"', Command("M862.3", {})),
        (b"M115 U3.11.0", Command("M115", {})),
        (b"T0", Command("T0", {})),
        (b"M104\tS200  T1", Command("M104", {"S": 200.0, "T": 1.0})),
        (b'M862.3 P "MK3S" S1', Reason.MALFORMED),
        (b'M862.3 P "MK;3S"', Reason.MALFORMED),
        (b"M115 U3.11.0 S1", Reason.MALFORMED),
        (b"M104 S200 S0", Reason.REPEATED_WORD),
        (b"M107 M106", Reason.TWO_COMMANDS),
        (b"M104 s200", Reason.MALFORMED),
        (b"M104 S1_0", Reason.MALFORMED),
        (b"M104 S1234567", Reason.MALFORMED),
        (b"M104S200", Reason.MALFORMED),
        (b"@pause", Reason.UNKNOWN_COMMAND),
        (b"m104 S200", Reason.UNKNOWN_COMMAND),
    ],
)
def test_single_lines(text: bytes, parsed: Command | Reason) -> None:
    assert parse_command(text) == parsed


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40) | st.from_regex(rb"[GMT]\d* ?[XYSE]?-?\d*\.?\d*", fullmatch=True)))
def test_any_bytes_are_read_line_by_line(lines: list[bytes]) -> None:
    gcode = b"\n".join(lines)
    read_back = b"\n".join(chunk.raw_line(row) for chunk in read(gcode) for row in range(chunk.lines))
    assert read_back == gcode.removesuffix(b"\n")
