from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makerhub.designs.bundle import as_ini
from makerhub.designs.manifest import PrintSettings
from makerhub.designs.own_code import OwnCodeRefused, OwnSettings, as_setting, read_own, with_own
from makerhub.designs.own_ini import ALLOWED, DANGEROUS, read_ini
from makerhub.designs.profiles import read_profiles
from makerhub.designs.slicer import PlateOrder, input_hash

PROFILES = read_profiles(Path(__file__).parents[3] / "printers")
MK3S = PROFILES["prusa-mk3s"]

START = """\
; as my firmware likes it
M140 S[first_layer_bed_temperature]
M104 S{first_layer_temperature[0]-40}
G91
G1 Z5 F300
G90
G28 X Y
G28 Z
M190 S{first_layer_bed_temperature[0]}
M109 S[first_layer_temperature]
G1 X5 Y1 Z0.3 F3000
G1 X80 E8 F1000 ; a line along the edge
G92 E0
"""
END = """\
G1 E-2 F1800
G1 Z{min(max_layer_z+10, max_print_height)} F600
G1 X0 Y200 F3000
M104 S0
M140 S0
M107
M84
"""


def refusal(**brought: str) -> OwnCodeRefused:
    with pytest.raises(OwnCodeRefused) as error:
        read_own(MK3S, **brought)
    return error.value


def test_nothing_changes_nothing() -> None:
    assert read_own(MK3S) == OwnSettings({})
    assert with_own(MK3S, {}) == MK3S


def test_good_code_becomes_settings_of_this_printer_alone() -> None:
    own = read_own(MK3S, start_gcode=START, end_gcode=END)
    assert own.settings["start_gcode"].startswith("; as my firmware likes it\\nM140")
    assert "\n" not in own.settings["start_gcode"] + own.settings["end_gcode"]
    mine = with_own(MK3S, own.settings)
    assert mine.presets.overrides == own.settings
    assert (mine.key, mine.limits()) == (MK3S.key, MK3S.limits())
    assert not MK3S.presets.overrides


def test_plates_of_own_code_have_a_hash_of_their_own() -> None:
    own = with_own(MK3S, read_own(MK3S, end_gcode=END).settings)
    faster = with_own(MK3S, read_own(MK3S, ini="perimeter_speed = 60").settings)
    orders = [PlateOrder(b"mesh", 1, profile, "PLA", PrintSettings()) for profile in (MK3S, own, faster)]
    assert len({input_hash(order, "1") for order in orders}) == 3


@pytest.mark.parametrize(
    ("code", "line", "reason"),
    [
        ("G28\nM112", 2, "not on the list"),
        ("\n\nG28\nM500\n", 4, "not on the list"),
        ("G28\nM109 S400", 2, "hotter than this printer allows"),
        ("G28\nM109 S[first_layer_temperature]0", 2, "outside the range"),
        ("G28\nM190 S{bed_temperature[0]+90}", 2, "bed hotter"),
        ("M109 S200\nG1 X5 Y5\nG28", 2, "not homed"),
        ("G1 Z5 F300\nG28", 1, "not homed"),
        ("G28\nG1 X260", 2, "beyond the reach"),
        ("G28\nG1 X60 E9", 2, "waited for a hot nozzle"),
        ("M109 S200\nM83", 2, "can not begin: It moves an axis that is not homed"),
        ("G28\nM84", 2, "can not begin"),
        ("G28\nM109 S200\nG92 X0 Y0", 3, "may not carry"),
        ("G28\n; café", 2, "not plain text"),
        ("G28\nG1 X1\x0bY2", 2, "not plain text"),
        ("G28\n; \udc80", 2, "not plain text"),
        ("G28\nM862.3 P \"[printer_model]\"", 2, "“[printer_model]” is not one of the placeholders"),
        ("G28\n{if layer_z > 2}M84{endif}", 2, "There are no conditions"),
        ("G28\nM109 S{temperature}", 2, "“{temperature}” is not one"),
        ("G28\nG1 Z{max_print_height[0]}", 2, "“{max_print_height[0]}” is not one"),
        ("G28\nG1 Z{max_layer_z + 9} F600", 2, "known to the end code alone"),
        ("G28\nG1 X[max_layer_z", 2, "open or closed without the other"),
        ("G28\n;LAYER_CHANGE", 2, "the slicer's own"),
        ("G4 S1\n" * 201, 1, "longer than 200 lines"),
    ],
)  # fmt: skip
def test_bad_start_code_is_refused_with_line_and_reason(code: str, line: int, reason: str) -> None:
    error = refusal(start_gcode=code)
    assert (error.source, error.problems[0].line) == ("start_gcode", line)
    assert reason in error.problems[0].sentence
    assert f"start gcode, line {line}" in str(error)
    assert error.fields == {"start_gcode": error.problems[0].sentence}


@pytest.mark.parametrize(
    ("code", "line", "reason"),
    [
        ("M104 S0\nM84", 2, "must switch off all heaters"),
        ("M84", 1, "must switch off all heaters"),
        ("M104 S0\nM140 S0\nG28", 3, "above what it has printed"),
        ("M104 S0\nM140 S0\nG1 Z{max_layer_z+10}", 3, "above the height"),
        ("M104 S0\nM140 S0\nG1 E2", 3, "hot nozzle"),
        ("M104 S0\nM140 S0\nM84\nG1 X0", 4, "not homed"),
        ("M104 S0\nM140 S0\nG91\nG1 Z[max_layer_z]", 4, "above the height"),
    ],
)
def test_bad_end_code_is_refused_with_line_and_reason(code: str, line: int, reason: str) -> None:
    error = refusal(end_gcode=code)
    assert (error.source, error.problems[0].line) == ("end_gcode", line)
    assert reason in error.problems[0].sentence


def test_an_ini_gives_what_is_on_the_list_and_names_the_rest() -> None:
    own = read_own(MK3S, ini="# generated\n\nperimeter_speed = 40\nlayer_height = 0.3\nfill_density = 20%\nnotes =\n")
    assert own == OwnSettings({"perimeter_speed": "40"}, ("fill_density", "layer_height"))


def test_the_code_in_an_ini_is_linted_and_what_is_given_apart_wins() -> None:
    ini = f"start_gcode = {as_setting(START)}\nend_gcode = {as_setting(END)}\n"
    own = read_own(MK3S, ini=ini)
    assert own.settings == read_own(MK3S, start_gcode=START, end_gcode=END).settings
    assert read_own(MK3S, ini=ini, start_gcode="G28").settings == {**own.settings, "start_gcode": "G28"}
    assert refusal(ini="start_gcode = G28\\nM112\n").problems[0].line == 2


@pytest.mark.parametrize("key", DANGEROUS)
def test_dangerous_settings_are_refused_and_empty_ones_are_not(key: str) -> None:
    error = refusal(ini=f"perimeter_speed = 40\n{key} = something\n")
    assert (error.source, error.problems[0].line) == ("ini", 2)
    assert key in str(error)
    assert read_own(MK3S, ini=f"{key} =\nseam_position = rear\n").settings == {"seam_position": "rear"}


@pytest.mark.parametrize(
    ("ini", "line", "reason"),
    [
        ("retract_length = 50", 1, "may be 0 … 12, and not “50”"),
        ("retract_length = nan", 1, "may be"),
        ("retract_length = 1e1", 1, "may be"),
        ("retract_length = 1,2", 1, "may be"),
        ("perimeter_speed = 300%", 1, "may be"),
        ("perimeter_speed = 40 ; G1", 1, "may be"),
        ("wipe = yes", 1, "may be 0, 1"),
        ("wipe = 1\nwipe = 0", 2, "set twice"),
        ("[print:Mine]\nwipe = 1", 1, "bundle of many presets"),
        ("wipe = 1\nhello", 2, "no setting"),
        ("wipe = 1\n../x = 1", 2, "no setting"),
        ("a" * 100_001, 1, "longer than"),
    ],
)
def test_a_bad_ini_is_refused_with_line_and_reason(ini: str, line: int, reason: str) -> None:
    error = refusal(ini=ini)
    assert (error.source, error.problems[0].line) == ("ini", line)
    assert reason in error.problems[0].sentence


def test_all_problems_of_an_ini_are_told_at_once() -> None:
    error = refusal(ini="wipe = 2\npost_process = rm\nnotes = x\n")
    assert [problem.line for problem in error.problems] == [1, 2, 3]


@settings(deadline=None)
@given(st.text(max_size=400) | st.lists(st.sampled_from([*ALLOWED, *DANGEROUS, "x", "[a]"])).map(" = 1\n".join))
def test_nothing_but_the_list_gets_through_an_ini(text: str) -> None:
    file = read_ini(text)
    assert file.settings.keys() <= ALLOWED.keys()
    if not file.problems:
        assert as_ini(file.settings).count("\n") == len(file.settings)


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from([*START.splitlines(), *END.splitlines(), "M112", "{", "[temperature]"])).map("\n".join),
    st.sampled_from(["start_gcode", "end_gcode"]),
)
def test_any_code_is_taken_or_refused(code: str, source: str) -> None:
    try:
        own = read_own(MK3S, **{source: code})
    except OwnCodeRefused as error:
        assert error.problems[0].line >= 1  # noqa: PT017 # either way is fine, but nothing else may happen
    else:
        assert "M112" not in own.settings.get(source, "")


@pytest.mark.parametrize("key", PROFILES)
def test_code_that_suits_one_suits_every_shipped_printer(key: str) -> None:
    profile = replace(PROFILES[key], presets=replace(PROFILES[key].presets, overrides={}))
    end = END.replace("Y200", f"Y{profile.bed_depth_mm - 10:g}")
    assert set(read_own(profile, start_gcode=START, end_gcode=end).settings) == {"start_gcode", "end_gcode"}


@pytest.mark.parametrize("key", [key for key, profile in PROFILES.items() if profile.presets.overrides])
def test_the_code_that_we_ship_passes_the_lint_too(key: str) -> None:
    shipped = {
        name: PROFILES[key].presets.overrides[name].replace("\\n", "\n") for name in ("start_gcode", "end_gcode")
    }
    assert set(read_own(PROFILES[key], **shipped).settings) == set(shipped)
