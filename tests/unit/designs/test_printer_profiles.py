from pathlib import Path

import pytest

from makerhub.designs.bundle import as_ini, flatten
from makerhub.designs.profiles import PrinterProfile, ProfileInvalid, read_profile, read_profiles
from makerhub.errors import NotFound

PROFILES = Path(__file__).parents[3] / "printers"

BUNDLE = """
# a comment
[vendor]
name = Maker

[printer:*common*]
gcode_flavor = marlin
retract_lift = 0.4
start_gcode = G28 ; home = all\\nG92 E0

[printer:*bowden*]
retract_lift = 0

[printer:One]
inherits = *common*; *bowden*
printer_model = ONE
renamed_from = "Zero"

[print:Fine]
layer_height = 0.2
fill_density = 15%
compatible_printers_condition = printer_model=="ONE"

[filament:Stuff]
inherits = Other
temperature = 210

[filament:Other]
temperature = 200
bed_temperature = 60

[filament:Loop]
inherits = Loop
"""


def profile(folder: Path, **changes: str) -> PrinterProfile:
    text = (PROFILES / "prusa-mk3s.toml").read_text()
    names = {"PrusaResearch": "Maker", "Original Prusa i3 MK3S & MK3S+": "One", "0.20mm QUALITY @MK3": "Fine"}
    for before, after in (names | {"Generic PLA": "Stuff"} | changes).items():
        text = text.replace(f'"{before}"', f'"{after}"')
    file = folder / "one.toml"
    file.write_text(text)
    return read_profile(file)


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    (tmp_path / "Maker.ini").write_text(BUNDLE)
    return tmp_path


def test_the_shipped_profiles_are_complete() -> None:
    profiles = read_profiles(PROFILES)
    assert {"prusa-mk3s", "creality-ender-3"} <= set(profiles)
    for key, shipped in profiles.items():
        assert shipped.key == key
        assert {"PLA", "PETG"} <= set(shipped.materials)
        assert shipped.limits().height_mm == shipped.height_mm
        assert shipped.bed.width_mm - 2 * shipped.bed.edge_mm > 150


def test_the_purge_line_of_the_mk3s_is_within_its_limits() -> None:
    limits = read_profile(PROFILES / "prusa-mk3s.toml").limits()
    assert limits.purge_margin.front_mm >= 3
    assert limits.extruder_current_max_milliamperes == 538


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("height-mm = 210", "", "height-mm is missing"),
        ("height-mm = 210", "height-mm = -1", "height-mm must be more than 0"),
        ("height-mm = 210", "height-mm = nan", "height-mm must be more than 0"),
        ("height-mm = 210", 'height-mm = "tall"', "could not convert"),
        ("front-mm = 4", "middle-mm = 4", "middle_mm"),
    ],
)
def test_a_wrong_profile_names_its_file_and_problem(tmp_path: Path, before: str, after: str, problem: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text((PROFILES / "prusa-mk3s.toml").read_text().replace(before, after, 1))
    with pytest.raises(ProfileInvalid, match=r"mine\.toml") as refusal:
        read_profile(file)
    assert problem in str(refusal.value)


def test_a_profile_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_profile(tmp_path / "none.toml")


def test_later_parents_win_and_the_presets_own_keys_win_over_both(bundles: Path) -> None:
    settings = flatten(bundles, profile(bundles), "PLA")
    assert settings == {
        "gcode_flavor": "marlin",
        "retract_lift": "0",
        "start_gcode": "G28 ; home = all\\nG92 E0",
        "printer_model": "ONE",
        "layer_height": "0.2",
        "fill_density": "15%",
        "temperature": "210",
        "bed_temperature": "60",
    }
    assert "fill_density = 15%\n" in as_ini(settings)


@pytest.mark.parametrize(
    ("before", "after"), [("Stuff", "Absent"), ("Stuff", "Loop"), ("One", "Two"), ("Maker", "Nobody")]
)
def test_a_preset_that_is_missing_or_its_own_parent_is_an_error(bundles: Path, before: str, after: str) -> None:
    with pytest.raises(ProfileInvalid, match="“one”"):
        flatten(bundles, profile(bundles, **{before: after}), "PLA")
