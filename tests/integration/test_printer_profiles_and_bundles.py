"""Every shipped printer profile agrees with the vendor bundle that its presets are taken from."""

from pathlib import Path

import pytest

from makerhub.designs.bundle import flatten
from makerhub.designs.profiles import PrinterProfile, read_profiles
from makerhub.designs.prusa_slicer import BUNDLES, EXECUTABLE

pytestmark = pytest.mark.skipif(not EXECUTABLE.exists(), reason="prusa-slicer is not installed")

PROFILES = read_profiles(Path(__file__).parents[2] / "printers")
PAIRS = [(profile, material) for profile in PROFILES.values() for material in profile.materials]


def settings(profile: PrinterProfile, material: str) -> dict[str, str]:
    """What the slicer is given, with its own defaults where the bundle relies on them."""
    return {"nozzle_diameter": "0.4", "filament_type": "PLA", **flatten(BUNDLES, profile, material)}


def numbers(text: str) -> list[float]:
    return [float(word) for word in text.replace("x", ",").split(",")]


def test_there_are_many_common_printers() -> None:
    assert len(PROFILES) >= 18
    assert {profile.vendor for profile in PROFILES.values()} >= {"Prusa Research", "Creality", "Anycubic", "Artillery"}
    assert all({"PLA", "PETG"} <= set(profile.materials) for profile in PROFILES.values())


@pytest.mark.parametrize("key", PROFILES)
def test_the_profile_promises_no_more_than_the_bundle(key: str) -> None:
    profile = PROFILES[key]
    of_vendor = settings(profile, profile.materials[0])
    corners = numbers(of_vendor["bed_shape"])
    assert max(corners[::2]) >= profile.bed_width_mm - profile.edge_mm
    assert max(corners[1::2]) >= profile.bed_depth_mm - profile.edge_mm
    assert min(corners) <= profile.edge_mm
    assert profile.height_mm <= float(of_vendor["max_print_height"])
    assert profile.nozzle_mm == numbers(of_vendor["nozzle_diameter"])[0]
    assert of_vendor["gcode_flavor"] in ("marlin", "marlin2")


@pytest.mark.parametrize(("profile", "material"), PAIRS, ids=lambda value: getattr(value, "key", value))
def test_what_the_presets_heat_is_within_the_limits(profile: PrinterProfile, material: str) -> None:
    of_vendor = settings(profile, material)
    nozzle = max(numbers(of_vendor[name])[0] for name in ("temperature", "first_layer_temperature"))
    bed = max(numbers(of_vendor[name])[0] for name in ("bed_temperature", "first_layer_bed_temperature"))
    assert 180 <= nozzle <= profile.max_nozzle_celsius
    assert 30 <= bed <= profile.max_bed_celsius
    assert material in of_vendor["filament_type"]
