"""PrusaSlicer on the shipped designs, and what the adapter makes of its failures; see also the slicers' contract."""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from builders import NOW, World
from integration.plate_orders import COARSE, PROFILES, ROOT, block, expect_as_ordered, order

from makerhub.designs.files import FileStore
from makerhub.designs.geometry import check_mesh
from makerhub.designs.manifest import PartManifest, read_manifest
from makerhub.designs.models import Part, PlateSlice
from makerhub.designs.plate_cache import PlateCache
from makerhub.designs.prusa_slicer import EXECUTABLE, PrusaSlicer
from makerhub.designs.sandbox import SandboxLimits
from makerhub.designs.slicer import (
    DoesNotFit,
    SlicingFailed,
    copies_that_fit,
    input_hash,
)
from makerhub.gcode.guard import require_safe

pytestmark = pytest.mark.skipif(not EXECUTABLE.exists(), reason="prusa-slicer is not installed")

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


def test_a_slicer_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(SlicingFailed, match="longer than"):
        PrusaSlicer(limits=SandboxLimits(wall_seconds=0.05, file_bytes=1 << 26)).slice(order(block(200, 150, 100)))


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("exit 134", "code 134"),
        ("echo much ado >&2; echo no filament at all >&2; exit 1", "code 1: no filament at all"),
        ("kill -SEGV $$", "ended by SIGSEGV"),
        ("exit 0", "wrote no file"),
        ("echo G28 > plate.gcode", "does not print"),
        ("printf 'G28\\nM500\\n' > plate.gcode", "line 2"),
        ("head -c 200000000 /dev/zero > plate.gcode", "ended"),
    ],
    ids=["crash", "its own words", "segfault", "silence", "an empty print", "a forbidden command", "an endless file"],
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


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo G28 > plate.gcode; sleep 60", "longer than"),
        ("echo G28 > plate.gcode; kill -KILL $$", "SIGKILL"),
        (f"echo G28 > plate.gcode; {sys.executable} -c 'bytearray(1 << 31)' && sleep 60", "code 1: MemoryError"),
    ],
    ids=["it hangs", "it is killed", "it takes all memory"],
)
def test_of_a_slicer_that_is_stopped_nothing_is_kept(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, problem: str
) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    impostor = tmp_path / "prusa-slicer"
    impostor.write_text(f'#!/bin/bash\n[ "$1" = --help ] && echo PrusaSlicer-9.9 && exit\n{script} || exit 1\n')
    impostor.chmod(0o700)
    slicer = PrusaSlicer(impostor, limits=SandboxLimits(memory_bytes=1 << 30, wall_seconds=2, file_bytes=1 << 20))
    files, part = FileStore(tmp_path / "files"), world.part(world.headband)
    with world.database.changing() as session:
        session.get_one(Part, part.id).mesh_sha256 = files.put(block(20, 20, 5))
    before = sorted((tmp_path / "files").rglob("*"))
    with pytest.raises(SlicingFailed, match=problem):
        PlateCache(world.database, files, slicer, lambda: NOW).plate(part.id, 1, PROFILES["prusa-mk3s"], "PETG")
    assert world.all(PlateSlice) == []
    assert sorted((tmp_path / "files").rglob("*")) == before
    assert list((tmp_path / "scratch").iterdir()) == []
