from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makerhub.designs.generic_profile import NOZZLES_MM, Answers, AnswersInvalid, Drive, generic_profile
from makerhub.gcode.limits import PrinterLimits

ANSWERS = Answers(
    name="Homemade i3",
    bed_width_mm=200,
    bed_depth_mm=190,
    height_mm=180,
    nozzle_mm=0.4,
    max_nozzle_celsius=250,
    max_bed_celsius=100,
    drive=Drive.BOWDEN,
    materials=("PLA", "PETG"),
    power_watts=250,
)


def test_the_answers_become_a_profile() -> None:
    profile = generic_profile("own-1", ANSWERS)
    assert (profile.key, profile.name, profile.materials) == ("own-1", "Homemade i3", ("PLA", "PETG"))
    assert profile.limits() == PrinterLimits(
        bed_width_mm=200,
        bed_depth_mm=190,
        height_mm=180,
        nozzle_max_celsius=250,
        bed_max_celsius=100,
        feedrate_max_mm_per_minute=150 * 60,
    )
    assert profile.bed.edge_mm == 10
    assert profile.presets.overrides["retract_length"] == "5"
    assert generic_profile("own-1", Answers(**asdict(ANSWERS))) == profile


def test_a_direct_drive_retracts_less() -> None:
    assert generic_profile("x", replace(ANSWERS, drive=Drive.DIRECT)).presets.overrides["retract_length"] == "1"


def test_a_bed_without_heater_is_never_heated() -> None:
    profile = generic_profile("x", replace(ANSWERS, max_bed_celsius=0, materials=("PLA",)))
    overrides = profile.presets.overrides
    assert overrides["bed_temperature"] == overrides["first_layer_bed_temperature"] == "0"
    assert "M140" not in overrides["start_gcode"] + overrides["end_gcode"]
    assert "M190" not in overrides["start_gcode"]
    assert profile.limits().bed_max_celsius == 0


def test_a_cool_bed_is_heated_as_far_as_it_goes() -> None:
    overrides = generic_profile("x", replace(ANSWERS, max_bed_celsius=50, materials=("PLA",))).presets.overrides
    assert overrides["bed_temperature"] == overrides["first_layer_bed_temperature"] == "50"


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"name": " "}, "name", "2 to 60"),
        ({"bed_width_mm": 79}, "bed_width_mm", "between 80 and 500"),
        ({"bed_depth_mm": 501}, "bed_depth_mm", "between 80 and 500"),
        ({"bed_width_mm": float("nan")}, "bed_width_mm", "between"),
        ({"height_mm": 0}, "height_mm", "between 50 and 600"),
        ({"nozzle_mm": 0.35}, "nozzle_mm", "0.4, 0.5 and 0.6"),
        ({"max_nozzle_celsius": 500}, "max_nozzle_celsius", "between 200 and 300"),
        ({"max_bed_celsius": 20, "materials": ("PLA",)}, "max_bed_celsius", "Enter 0"),
        ({"max_bed_celsius": 0}, "materials", "PETG needs a nozzle of 240 °C and a bed of 70 °C"),
        ({"max_nozzle_celsius": 230}, "materials", "PETG needs"),
        ({"max_nozzle_celsius": 205, "materials": ("PLA",)}, "materials", "PLA needs"),
        ({"materials": ()}, "materials", "at least one"),
        ({"materials": ("ABS",)}, "materials", "no settings for ABS"),
        ({"power_watts": 0}, "power_watts", "between 20 and 1500"),
    ],
)
def test_each_wrong_answer_is_told_at_its_field(changes: dict[str, object], field: str, message: str) -> None:
    with pytest.raises(AnswersInvalid) as error:
        generic_profile("x", replace(ANSWERS, **changes))  # type: ignore[arg-type] # the tests change one field each
    assert list(error.value.fields) == [field]
    assert message in error.value.fields[field]


def test_all_wrong_answers_are_told_at_once() -> None:
    with pytest.raises(AnswersInvalid) as error:
        generic_profile("x", replace(ANSWERS, name="", height_mm=1, power_watts=9999))
    assert set(error.value.fields) == {"name", "height_mm", "power_watts"}


@settings(max_examples=200, deadline=None)
@given(
    st.builds(
        Answers,
        name=st.just("Any"),
        bed_width_mm=st.integers(800, 5000).map(lambda tenths: tenths / 10),
        bed_depth_mm=st.integers(800, 5000).map(lambda tenths: tenths / 10),
        height_mm=st.integers(50, 600),
        nozzle_mm=st.sampled_from(NOZZLES_MM),
        max_nozzle_celsius=st.integers(210, 300),
        max_bed_celsius=st.just(0) | st.integers(40, 130),
        drive=st.sampled_from(Drive),
        materials=st.just(("PLA",)),
        power_watts=st.integers(20, 1500),
    )
)
def test_whatever_the_answers_the_code_of_the_profile_passes_the_lint(answers: Answers) -> None:
    assert generic_profile("any", answers).materials == ("PLA",)
