"""The real slicer on printers that nobody shipped a profile for, and with settings and code of a maker's own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from makerhub.designs.bundle import flatten
from makerhub.designs.generic_profile import NEEDS, NOZZLES_MM, Answers, Drive, generic_profile
from makerhub.designs.geometry import write_stl
from makerhub.designs.manifest import PrintSettings
from makerhub.designs.own_code import read_own, with_own
from makerhub.designs.profiles import PrinterProfile, read_profile
from makerhub.designs.prusa_slicer import BUNDLES, EXECUTABLE, PrusaSlicer
from makerhub.designs.slicer import PlateOrder, SlicingFailed

pytestmark = pytest.mark.skipif(not EXECUTABLE.exists(), reason="prusa-slicer is not installed")

MK3S = read_profile(Path(__file__).parents[2] / "printers/prusa-mk3s.toml")
BLOCK = write_stl(np.asarray(trimesh.creation.box(extents=(30, 20, 3)).triangles, dtype=np.float64))
ANSWERS = Answers(
    name="Homemade i3",
    bed_width_mm=200,
    bed_depth_mm=190,
    height_mm=180,
    nozzle_mm=0.4,
    max_nozzle_celsius=245,
    max_bed_celsius=80,
    drive=Drive.BOWDEN,
    materials=("PLA", "PETG"),
    power_watts=250,
)
PRINTERS = [
    ANSWERS,
    *(replace(ANSWERS, nozzle_mm=nozzle, drive=Drive.DIRECT) for nozzle in NOZZLES_MM),
    replace(ANSWERS, max_bed_celsius=0, materials=("PLA",)),
    replace(ANSWERS, max_bed_celsius=45, materials=("PLA",)),
    replace(ANSWERS, bed_width_mm=80, bed_depth_mm=80, height_mm=50),
]


@pytest.fixture(scope="module")
def slicer() -> PrusaSlicer:
    return PrusaSlicer()


def order(profile: PrinterProfile, material: str = "PLA") -> PlateOrder:
    return PlateOrder(BLOCK, 1, profile, material, PrintSettings())


@pytest.mark.parametrize("answers", PRINTERS)
def test_a_printer_of_unknown_make_gets_safe_gcode(slicer: PrusaSlicer, answers: Answers) -> None:
    profile = generic_profile("own", answers)
    for material in profile.materials:
        plate = slicer.slice(order(profile, material))
        assert (b"M190" in plate.gcode) == (answers.max_bed_celsius > 0)
        assert b"M201" not in plate.gcode


@pytest.mark.parametrize("material", NEEDS)
def test_what_a_material_needs_is_what_its_preset_heats(material: str) -> None:
    settings = flatten(BUNDLES, generic_profile("own", ANSWERS), material)
    nozzle, bed = NEEDS[material]
    assert max(int(settings["temperature"]), int(settings["first_layer_temperature"])) == nozzle
    assert max(int(settings["bed_temperature"]), int(settings["first_layer_bed_temperature"])) == max(bed, 60)


def test_own_code_and_settings_are_in_the_print(slicer: PrusaSlicer) -> None:
    heat = "M190 S[first_layer_bed_temperature]\nM109 S{first_layer_temperature[0]-5}"
    start = f"G28\n{heat} ; mine \\ [max_print_height]"
    own = read_own(MK3S, ini="travel_speed = 123", start_gcode=start, end_gcode="M104 S0\nM140 S0\nM84 ; bye")
    plate = slicer.slice(order(with_own(MK3S, own.settings)))
    assert b"M109 S210 ; mine \\ 210\n" in plate.gcode
    assert b"M84 ; bye\n" in plate.gcode
    assert b"F7380" in plate.gcode
    assert b"G80" not in plate.gcode
    assert plate.input_hash != slicer.slice(order(MK3S)).input_hash


def test_every_placeholder_that_the_lint_takes_is_one_of_the_slicer(slicer: PrusaSlicer) -> None:
    names = ("first_layer_temperature", "temperature", "first_layer_bed_temperature", "bed_temperature")
    of_extruders = " ".join(f"[{name}] {{{name}[0]}} {{{name}[0] + 1}}" for name in names)
    start = f"G28\n; {of_extruders}\n; [max_print_height] {{max_print_height}} {{max_print_height-7}}"
    end = "M104 S0\nM140 S0\n; [max_layer_z] {max_layer_z} {max_layer_z + 1} {min(max_layer_z+2, max_print_height)}\n"
    end += "; {z_offset+min(max_layer_z+300, max_print_height-10)}"
    own = read_own(MK3S, start_gcode=start, end_gcode=end)
    gcode = slicer.slice(order(with_own(MK3S, own.settings))).gcode
    assert b"\n; 215 215 216 210 210 211 60 60 61 60 60 61\n; 210 210 203\n" in gcode
    assert b"\n; 3 3 4 5\n; 200\n" in gcode


def test_code_that_was_never_linted_does_not_get_past_the_guard(slicer: PrusaSlicer) -> None:
    with pytest.raises(SlicingFailed, match="unknown-command: M112"):
        slicer.slice(order(with_own(MK3S, {"end_gcode": "M104 S0\\nM140 S0\\nM112"})))
