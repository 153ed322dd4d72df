"""The interpreter works on whole columns; here it is held against a machine that obeys one line after the other."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makerhub.gcode.interpreter import Interpreter, summarise
from makerhub.gcode.reader import read
from makerhub.gcode.summary import Box, Target


@dataclass
class Machine:
    """A plain line-by-line machine for the commands that move, as slow and as simple as can be."""

    position: dict[str, float] = field(default_factory=lambda: dict.fromkeys("XYZE", 0.0))
    relative: bool = False
    relative_extrusion: bool = False
    scale: float = 1.0
    fed: float = 0.0
    fed_peak: float = 0.0
    printed: list[tuple[float, float, float]] = field(default_factory=list)
    heights: set[float] = field(default_factory=set)

    def obey(self, line: str) -> tuple[float, float, float, float]:
        """Obey one line; return the position after it and the filament that it fed."""
        name, *tokens = line.split()
        words = {token[0]: float(token[1:] or 0) for token in tokens}
        fed = self.fed
        match name:
            case "G90" | "G91":
                self.relative = self.relative_extrusion = name == "G91"
            case "M82" | "M83":
                self.relative_extrusion = name == "M83"
            case "G20" | "G21":
                self.scale = 25.4 if name == "G20" else 1.0
            case "G92":
                self.position["E"] = words["E"] * self.scale
            case "G28":
                self.position.update(dict.fromkeys(words or "XYZ", 0.0))
            case _:
                self.move(words)
        return *self.at(), self.fed - fed

    def move(self, words: dict[str, float]) -> None:
        before = dict(self.position)
        for axis, value in words.items():
            relative = self.relative_extrusion if axis == "E" else self.relative
            self.position[axis] = value * self.scale + (self.position[axis] if relative else 0)
        advance = self.position["E"] - before["E"]
        self.fed += advance
        self.fed_peak = max(self.fed_peak, self.fed)
        if advance > 1e-6 and any(before[axis] != self.position[axis] for axis in "XYZ"):
            self.printed += [(before["X"], before["Y"], self.position["Z"]), self.at()]
            self.heights.add(round(self.position["Z"], 3))

    def at(self) -> tuple[float, float, float]:
        return self.position["X"], self.position["Y"], self.position["Z"]

    def box(self) -> Box | None:
        if not self.printed:
            return None
        xs, ys, zs = zip(*self.printed, strict=True)
        return Box(min(xs), max(xs), min(ys), max(ys), min(zs), max(zs))


NUMBERS = st.integers(-8, 8).map(lambda eighths: f"{eighths / 8:g}")
MOVES = st.builds(
    lambda name, words: " ".join([name, *(axis + number for axis, number in words.items())]),
    st.sampled_from(["G0", "G1"]),
    st.dictionaries(st.sampled_from("XYZE"), NUMBERS, min_size=1),
)
OTHERS = st.sampled_from(["G90", "G91", "M82", "M83", "G20", "G21", "G92 E0", "G92 E1.5", "G28", "G28 X", "G28 Y Z"])
PROGRAMS = st.lists(MOVES | MOVES | OTHERS, max_size=40)


def followed(program: list[str]) -> Iterator[tuple[float, float, float, float]]:
    """Yield where the interpreter stands after each line, and what the line has fed."""
    interpreter = Interpreter()
    for chunk in read("\n".join(program).encode()):
        motion = interpreter.follow(chunk)
        yield from zip(motion.x, motion.y, motion.z, motion.advance, strict=True)


@settings(max_examples=300, deadline=None)
@given(PROGRAMS, st.sampled_from([1, 20, 100, 1 << 18]))
def test_columns_agree_with_a_machine_that_obeys_line_by_line(program: list[str], chunk_bytes: int) -> None:
    machine = Machine()
    expected = [machine.obey(line) for line in program]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("makerhub.gcode.reader.CHUNK_BYTES", chunk_bytes)
        for state, machine_state in zip(followed(program), expected, strict=True):
            assert state == pytest.approx(machine_state, abs=1e-9)
        summary = summarise("\n".join(program).encode())
    assert summary.commands == len(program)
    assert summary.filament_mm == pytest.approx(machine.fed_peak, abs=1e-9)
    assert summary.layers == len(machine.heights)
    box = machine.box()
    assert (summary.printed is None) == (box is None)
    if box and summary.printed:
        assert vars(summary.printed) == pytest.approx(vars(box), abs=1e-9)


def test_what_a_small_print_does() -> None:
    summary = summarise(
        b"M140 S60\nM104 S215\nM190 S55\nM109 S210\nG28\nG4 S2\nG4 P500\n"
        b"M83\nG1 X5 Y5 Z0.2 F3000\nG1 X100 E10\nG1 E-1\n"
        b";LAYER_CHANGE\nG1 Z0.3\nG1 X10 Y10\nG1 E1\nG1 X20 Y30 E2\n;LAYER_CHANGE\nG1 Z0.5\nG1 X10 E2\nM104 S0\n"
    )
    assert summary.printed == Box(10, 20, 10, 30, 0.3, 0.5)
    assert summary.height_mm == 0.5
    assert summary.layers == 2
    assert summary.printing_moves == 3
    assert summary.filament_mm == 14
    assert (summary.nozzle_peak_celsius, summary.bed_peak_celsius) == (215, 60)
    assert summary.targets == {"bed": Target(55, 3), "nozzle 0": Target(0, 20)}
    assert summary.dwell_seconds == 2.5
    assert (summary.lines, summary.commands) == (20, 18)


def test_a_target_belongs_to_the_tool_it_names_or_the_one_chosen() -> None:
    summary = summarise(b"M104 S1\nM104 T2 S3\nT1\nM109 R2\n")
    assert {heater: target.celsius for heater, target in summary.targets.items()} == {
        "nozzle 0": 1,
        "nozzle 2": 3,
        "nozzle 1": 2,
    }


def test_a_file_that_prints_nothing_has_no_box() -> None:
    summary = summarise(b"G28\nG1 X10 Y10\nG1 E5\n")
    assert (summary.printed, summary.layers, summary.height_mm, summary.filament_mm) == (None, 0, 0, 5)


def test_a_reset_of_the_length_is_in_the_units_of_the_file() -> None:
    assert summarise(b"G20\nM82\nG92 E1\nG1 E2\n").filament_mm == pytest.approx(25.4)
