"""What a simulated printer takes from G-code: the print time and the heaters' targets."""

import pytest

from makerhub.simulation.dwells import as_dwells
from makerhub.simulation.reading import Heating, read

SLICED = b"""M140 S60 ; bed
M104 S215
M190 S60
G28
G1 X10 Y0 F6000
G1 X20 Y0 E1 F600
; estimated printing time (normal mode) = %s
; estimated first layer printing time (normal mode) = 5m 1s
M104 S0
M140 S0
"""


@pytest.mark.parametrize(
    ("text", "seconds"), [(b"1h 12m 52s", 4372), (b"2d 3h 0m 1s", 183601), (b"59s", 59), (b"9m 3s", 543)]
)
def test_the_slicers_own_time_counts(text: bytes, seconds: int) -> None:
    assert read(SLICED % text).seconds == seconds


def test_curas_time_counts() -> None:
    assert read(b";FLAVOR:Marlin\n;TIME:4312\nG1 X1000 F60\n").seconds == 4312


def test_heaters_reach_the_highest_target_and_end_at_the_last() -> None:
    reading = read(SLICED % b"1m 0s")
    assert (reading.tool, reading.bed) == (Heating(215, 0), Heating(60, 0))
    assert read(b"M104 S300\n").tool == Heating(300, 300)


def test_without_a_stated_time_moves_and_dwells_add_up() -> None:
    assert read(b"G4 P1500\nG4 S2\n").seconds == pytest.approx(3.5)
    assert read(b"G1 X30 Y40 F3000\n").seconds == pytest.approx(1)
    assert read(b"G91\nG1 X10 F600\nG1 X10\n").seconds == pytest.approx(2)
    assert read(b"G1 X10 F600\nG1 X10\n").seconds == pytest.approx(1), "absolute: the second goes nowhere"
    assert read(b"M83\nG1 E-5 F300\nG1 E-5\n").seconds == pytest.approx(2), "retractions take time too"
    assert read(b"G92 X10\nG1 X10 F600\n").seconds == 0


def test_what_is_no_g_code_prints_in_no_time() -> None:
    assert read(b"\x00\xffnonsense\n;\n\nG1 Xabc\n").seconds == 0


def test_dwells_print_in_the_time_asked_for_and_end_cold() -> None:
    shortened = as_dwells(SLICED % b"1h 0m 0s", 7)
    lines = shortened.decode().splitlines()
    assert read(shortened).seconds == 7
    assert lines[-2:] == ["M104 S0", "M140 S0"]
    assert {line.split()[0] for line in lines[1:]} == {"G4", "M104", "M140"}
    assert lines[0].startswith("; dwells for 7 s in place of the moves")


def test_dwells_of_different_files_differ() -> None:
    assert as_dwells(b"G1 X1\n", 3) != as_dwells(b"G1 X2\n", 3)
