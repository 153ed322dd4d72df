from pathlib import Path

import numpy as np
import pytest
import trimesh

from makerhub.designs.geometry import write_stl
from makerhub.designs.manifest import parse_manifest
from makerhub.designs.profiles import read_profiles
from makerhub.designs.sliced_catalogue import (
    Combination,
    Memory,
    Outcome,
    as_markdown,
    combinations,
    read_catalogue,
    sample,
    slice_one,
)
from makerhub.designs.slicer import DoesNotFit, PlateOrder, SlicedPlate, SlicingFailed, input_hash

ROOT = Path(__file__).parents[3]
PROFILES = read_profiles(ROOT / "printers")

MANIFEST = """
okhv = "OKH-LOSHv1.0"
name = "Visor"
repo = "https://example.org/visor"
version = "1.2.0"
license = "CERN-OHL-W-2.0"
licensor = "Somebody"
function = "Shields a face."

[[part]]
name = "Frame"
export = "frame.stl"
printing-process = "FDM"
material = "PETG"
other-materials = ["PLA"]

[[part]]
name = "Clip"
export = "clip.stl"
printing-process = "FDM"
material = "PLA"
quantity = 2
"""


class CountingSlicer:
    """A slicer that takes an hour and 10 g for everything, but for what it is told to refuse."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.asked = 0
        self._refusal = refusal

    def version(self) -> str:
        return "Counting 1"

    def slice(self, order: PlateOrder) -> SlicedPlate:
        self.asked += 1
        if self._refusal:
            raise self._refusal
        return SlicedPlate(b"G28\n", "", "", 3600, 10_000, 1, (), input_hash(order, "Counting 1"), "Counting 1")


def all_combinations(designs: Path) -> list[Combination]:
    folder = designs / "visor"
    folder.mkdir()
    block = write_stl(np.asarray(trimesh.creation.box(extents=(30, 20, 3)).triangles, dtype=np.float64))
    for export in ("frame.stl", "clip.stl"):
        (folder / export).write_bytes(block)
    return combinations([parse_manifest(MANIFEST, key="visor")], designs, PROFILES.values())


def test_every_part_meets_every_printer_and_material(tmp_path: Path) -> None:
    everything = all_combinations(tmp_path)
    assert len(everything) == len(PROFILES) * (2 + 1)
    assert {str(one) for one in everything} >= {
        "visor/frame.stl, prusa-mk3s, PLA",
        "visor/frame.stl, creality-ender-3, PETG",
        "visor/clip.stl, prusa-mini, PLA",
    }


def test_the_shipped_catalogue_is_read() -> None:
    assert {"face-shield-headband", "ear-saver"} <= {manifest.key for manifest in read_catalogue(ROOT / "designs")}


def test_a_sample_changes_with_its_seed_alone(tmp_path: Path) -> None:
    everything = all_combinations(tmp_path)
    one = sample(everything, 5, 1)
    assert one == sample(everything, 5, 1) != sample(everything, 5, 2)
    assert len(set(map(str, one))) == 5
    assert len(sample(everything, 999, 1)) == len(everything)


def test_what_passed_is_not_sliced_again(tmp_path: Path) -> None:
    first, second, *_ = all_combinations(tmp_path)
    slicer, memory = CountingSlicer(), Memory(tmp_path / "memory")
    assert slice_one(slicer, first, memory) == slice_one(slicer, first, memory) == Outcome(3600, 10_000)
    assert slicer.asked == 1
    slice_one(slicer, second, Memory(tmp_path / "memory"))
    slice_one(slicer, first, Memory(tmp_path / "memory"))
    assert slicer.asked == 2


def test_what_passed_another_guard_is_sliced_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_ = all_combinations(tmp_path)
    slicer = CountingSlicer()
    slice_one(slicer, first, Memory(tmp_path / "memory"))
    monkeypatch.setattr("makerhub.designs.sliced_catalogue._hash_of_the_guard", lambda: "another")
    slice_one(slicer, first, Memory(tmp_path / "memory"))
    assert slicer.asked == 2


def test_alarms_are_told_and_never_remembered(tmp_path: Path) -> None:
    first, *_ = all_combinations(tmp_path)
    slicer, memory = CountingSlicer(SlicingFailed(problem="line 7: unknown-command: M117")), Memory(tmp_path / "memory")
    for _ in range(2):
        assert "line 7: unknown-command: M117" in slice_one(slicer, first, memory).alarm
    assert slicer.asked == 2
    too_big = DoesNotFit(copies=1, width=1, depth=1, height=1, model="x")
    assert slice_one(CountingSlicer(too_big), first, memory) == Outcome()


def test_the_table_adds_up_a_kit_and_tells_what_does_not_fit() -> None:
    manifest = parse_manifest(MANIFEST, key="visor")
    printers = {key: PROFILES[key] for key in ("prusa-mk3s", "prusa-mini")}
    outcomes = {
        ("visor", "frame.stl", "prusa-mk3s", "PETG"): Outcome(3600, 10_000),
        ("visor", "clip.stl", "prusa-mk3s", "PLA"): Outcome(930, 1_250),
        ("visor", "frame.stl", "prusa-mini", "PETG"): Outcome(),
        ("visor", "clip.stl", "prusa-mini", "PLA"): Outcome(930, 1_250),
    }
    table = as_markdown([manifest], printers, outcomes, "Counting 1")
    assert "4 combinations, of which 3 fit" in table
    assert "- Visor 1.2.0: 1 × Frame of PETG, 2 × Clip of PLA\n" in table
    assert "| Printer | Visor |\n| --- | ---: |\n" in table
    assert "| Original Prusa i3 MK3S/MK3S+ | 1 h 31 min, 12.5 g |\n" in table
    assert "| Original Prusa MINI/MINI+ | — |\n" in table
