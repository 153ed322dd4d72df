"""What a real slicer writes with real vendor profiles raises no false alarm."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import trimesh

from makerhub.designs.bundle import as_ini, flatten
from makerhub.designs.profiles import PrinterProfile, read_profiles
from makerhub.gcode import plain_guard
from makerhub.gcode.guard import check
from makerhub.gcode.interpreter import summarise

SLICER = shutil.which("prusa-slicer")
BUNDLES = Path("/usr/share/PrusaSlicer/profiles")
PROFILES = read_profiles(Path(__file__).parents[3] / "printers")
SIZE_MM = (40.0, 30.0, 4.0)
SKIRT_MM = 2.5  # its distance and its width; parts themselves keep the profile's edge

pytestmark = pytest.mark.skipif(SLICER is None or not BUNDLES.is_dir(), reason="prusa-slicer is not installed")


def rounded_plate(path: Path) -> Path:
    """Write a plate with round ends and a hole: straight and curved walls, a top, a bottom and an infill."""
    width, depth, height = SIZE_MM
    slab = trimesh.creation.box((width - depth, depth, height))
    ends = [trimesh.creation.cylinder(radius=depth / 2, height=height) for _ in range(2)]
    ends[0].apply_translation((-(width - depth) / 2, 0, 0))
    ends[1].apply_translation(((width - depth) / 2, 0, 0))
    hole = trimesh.creation.cylinder(radius=5, height=2 * height)
    trimesh.boolean.difference([trimesh.boolean.union([slab, *ends]), hole]).export(path)
    return path


def sliced(profile: PrinterProfile, material: str, folder: Path) -> bytes:
    assert SLICER
    settings, output = folder / "settings.ini", folder / "plate.gcode"
    settings.write_text(as_ini(flatten(BUNDLES, profile, material)), encoding="utf-8")
    centre = f"{profile.bed_width_mm / 2},{profile.bed_depth_mm / 2}"
    load: list[str | Path] = ["--load", settings, "--export-gcode", "--center", centre, "-o", output]
    subprocess.run(
        [SLICER, "--loglevel", "1", *load, rounded_plate(folder / "plate.stl")],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return output.read_bytes()


@pytest.mark.parametrize(
    ("key", "material"), [(key, material) for key, profile in PROFILES.items() for material in profile.materials]
)
def test_real_slicer_output_is_safe_and_understood(key: str, material: str, tmp_path: Path) -> None:
    profile = PROFILES[key]
    gcode = sliced(profile, material, tmp_path)
    report = check(gcode, profile.limits())
    assert report.findings == ()
    assert plain_guard.check(gcode, profile.limits()) == ()
    summary, printed = report.summary, report.summary.printed
    assert printed
    width, depth, height = SIZE_MM
    assert printed.x_max_mm - printed.x_min_mm >= width - 1
    assert printed.y_max_mm - printed.y_min_mm >= depth - 1
    assert printed.z_max_mm == pytest.approx(height, abs=0.11)
    assert summary.layers == gcode.count(b"\n;LAYER_CHANGE")
    claimed = re.search(rb"; filament used \[mm\] = ([\d.]+)", gcode)
    assert claimed
    assert float(claimed[1]) <= summary.filament_mm <= float(claimed[1]) + 60  # the purge is not in the slicer's count
    assert summary.nozzle_peak_celsius > 180
    assert all(target.celsius == 0 for target in summary.targets.values())
    assert_purged_beside_the_parts(gcode, profile)


def assert_purged_beside_the_parts(gcode: bytes, profile: PrinterProfile) -> None:
    """What the start code lays lies along one side, where neither a part nor its skirt can be."""
    purge = summarise(gcode.partition(b"\n;LAYER_CHANGE")[0]).printed
    assert purge
    free = profile.edge_mm - SKIRT_MM
    assert (
        purge.x_max_mm < free
        or purge.y_max_mm < free
        or purge.x_min_mm > profile.bed_width_mm - free
        or purge.y_min_mm > profile.bed_depth_mm - free
    )
