"""The real slicer on the shipped designs: every plate passes the guard and is where it was asked to be."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from makerhub.designs.geometry import check_mesh, read_stl, write_stl
from makerhub.designs.manifest import PartManifest, PrintSettings, read_manifest
from makerhub.designs.profiles import PrinterProfile, read_profiles
from makerhub.designs.prusa_slicer import EXECUTABLE, PrusaSlicer
from makerhub.designs.sandbox import SandboxLimits
from makerhub.designs.slicer import (
    DoesNotFit,
    MaterialUnknown,
    PlateOrder,
    SlicedPlate,
    SlicingFailed,
    copies_that_fit,
    input_hash,
)
from makerhub.gcode.guard import require_safe

pytestmark = pytest.mark.skipif(not EXECUTABLE.exists(), reason="prusa-slicer is not installed")

ROOT = Path(__file__).parents[2]
PROFILES = read_profiles(ROOT / "printers")
COARSE = PrintSettings(layer_height_um=300, infill_percent=0, perimeters=1)
MODELS = ("prusa-mk3s", "creality-ender-3")
MOST_COPIES = 4  # a bed full of the smallest part is 40 copies, and a minute of slicing


def shipped_parts() -> Iterator[tuple[str, PartManifest]]:
    for manifest in sorted((ROOT / "designs").glob("*/okh.toml")):
        for part in read_manifest(manifest.parent).parts:
            yield manifest.parent.name, part


PARTS = {f"{folder}/{part.export}": (ROOT / "designs" / folder / part.export, part) for folder, part in shipped_parts()}


@pytest.fixture(scope="session")
def slicer() -> PrusaSlicer:
    return PrusaSlicer()


def block(width: float, depth: float, height: float) -> bytes:
    return write_stl(np.asarray(trimesh.creation.box(extents=(width, depth, height)).triangles, dtype=np.float64))


def order(mesh: bytes, profile: PrinterProfile = PROFILES["prusa-mk3s"], copies: int = 1) -> PlateOrder:
    return PlateOrder(mesh, copies, profile, "PETG", COARSE)


def expect_as_ordered(plate: SlicedPlate, wanted: PlateOrder) -> None:
    """The plate is safe, complete, in its place and as high as the part, and it weighs what its plastic weighs."""
    summary = require_safe(plate.gcode, wanted.profile.limits()).summary
    size = check_mesh(wanted.mesh).size_mm
    printed = summary.printed
    assert printed is not None
    lefts = [place.x_mm - size[place.turned] / 2 for place in plate.placements]
    rights = [place.x_mm + size[place.turned] / 2 for place in plate.placements]
    assert len(plate.placements) == plate.copies == wanted.copies
    assert -1 < min(lefts) - printed.x_min_mm < 5
    assert -1 < printed.x_max_mm - max(rights) < 5
    assert printed.z_max_mm == pytest.approx(size[2], abs=0.35)
    assert plate.milligrams == pytest.approx(summary.filament_mm * 1.27 * np.pi * 0.875**2, rel=0.08)
    assert plate.seconds > 60


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", PARTS)
def test_a_shipped_part_and_a_plate_of_it_are_safe(slicer: PrusaSlicer, name: str, model: str) -> None:
    file, _ = PARTS[name]
    mesh, profile = file.read_bytes(), PROFILES[model]
    full = min(MOST_COPIES, copies_that_fit(*check_mesh(mesh).size_mm, profile))
    assert full >= 1
    plates = {copies: slicer.slice(order(mesh, profile, copies)) for copies in {1, full}}
    for copies, plate in plates.items():
        expect_as_ordered(plate, order(mesh, profile, copies))
    assert plates[full].milligrams == pytest.approx(full * plates[1].milligrams, rel=0.06, abs=800)


def test_the_settings_of_the_manifest_change_the_print(slicer: PrusaSlicer) -> None:
    file, part = PARTS["door-opener/clamp.stl"]
    coarse = order(file.read_bytes())
    as_shipped = replace(coarse, settings=part.settings)
    plate = slicer.slice(as_shipped)
    expect_as_ordered(plate, as_shipped)
    assert plate.milligrams > 1.5 * slicer.slice(coarse).milligrams
    assert plate.input_hash == input_hash(as_shipped, slicer.version())


def test_an_ear_saver_takes_less_than_half_an_hour(slicer: PrusaSlicer) -> None:
    file, part = PARTS["ear-saver/strap-medium.stl"]
    plate = slicer.slice(replace(order(file.read_bytes()), settings=part.settings))
    assert plate.seconds < 30 * 60
    assert plate.milligrams < 6_500


def test_a_brim_lies_on_the_bed(slicer: PrusaSlicer) -> None:
    wanted = order(block(228, 188, 2))
    brimmed = replace(wanted, settings=replace(COARSE, brim_mm=6))
    printed = require_safe(slicer.slice(brimmed).gcode, wanted.profile.limits()).summary.printed
    assert printed is not None
    assert printed.x_min_mm == pytest.approx(11 - 6, abs=0.8)
    with pytest.raises(DoesNotFit):
        slicer.slice(replace(brimmed, settings=replace(COARSE, brim_mm=7)))


@pytest.mark.parametrize(
    ("size", "copies"),
    [((241, 100, 5), 1), ((100, 201, 5), 3), ((20, 20, 211), 1), ((120, 100, 5), 5)],
    ids=["too wide", "too many of the deep", "too high", "one too many"],
)
def test_what_does_not_fit_is_refused_before_slicing(
    tmp_path: Path, size: tuple[float, float, float], copies: int
) -> None:
    never_asked = PrusaSlicer(tmp_path / "no-slicer")
    with pytest.raises(DoesNotFit):
        never_asked.slice(order(block(*size), copies=copies))


def test_a_material_without_preset_is_refused(slicer: PrusaSlicer) -> None:
    with pytest.raises(MaterialUnknown, match="UNOBTAINIUM"):
        slicer.slice(replace(order(block(20, 20, 5)), material="UNOBTAINIUM"))


def test_a_damaged_mesh_never_reaches_the_slicer(slicer: PrusaSlicer) -> None:
    with pytest.raises(SlicingFailed, match="cut off"):
        slicer.slice(order(block(20, 20, 5)[:-1]))
    with pytest.raises(SlicingFailed, match="not closed"):
        slicer.slice(order(write_stl(read_stl(block(20, 20, 5))[1:])))


def test_a_slicer_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(SlicingFailed, match="longer than"):
        PrusaSlicer(limits=SandboxLimits(wall_seconds=0.05, file_bytes=1 << 26)).slice(order(block(200, 150, 100)))


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("exit 134", "code 134"),
        ("exit 0", "wrote no file"),
        ("echo G28 > plate.gcode", "does not print"),
        ("printf 'G28\\nM500\\n' > plate.gcode", "line 2"),
        ("head -c 200000000 /dev/zero > plate.gcode", "ended"),
    ],
    ids=["crash", "silence", "an empty print", "a forbidden command", "an endless file"],
)
def test_a_slicer_is_not_taken_at_its_word(tmp_path: Path, script: str, problem: str) -> None:
    impostor = tmp_path / "prusa-slicer"
    impostor.write_text(f'#!/bin/bash\n[ "$1" = --help ] && echo PrusaSlicer-9.9 && exit\n{script}\n')
    impostor.chmod(0o700)
    with pytest.raises(SlicingFailed, match=problem):
        PrusaSlicer(impostor).slice(order(block(20, 20, 5)))


def test_gcode_of_another_part_is_not_accepted(slicer: PrusaSlicer, tmp_path: Path) -> None:
    (tmp_path / "other.gcode").write_bytes(slicer.slice(order(block(60, 60, 5))).gcode)
    impostor = tmp_path / "prusa-slicer"
    impostor.write_text(
        f'#!/bin/bash\n[ "$1" = --help ] && echo PrusaSlicer-9.9 && exit\ncp "{tmp_path}/other.gcode" plate.gcode\n'
    )
    impostor.chmod(0o700)
    with pytest.raises(SlicingFailed, match="does not print what was asked for"):
        PrusaSlicer(impostor).slice(order(block(50, 50, 5)))
