from dataclasses import replace
from pathlib import Path

import pytest

from makerhub.designs.manifest import PrintSettings
from makerhub.designs.profiles import read_profile
from makerhub.designs.prusa_slicer import PrusaSlicer, estimated_milligrams, estimated_seconds
from makerhub.designs.slicer import (
    DoesNotFit,
    PlateOrder,
    SlicerMissing,
    SlicingFailed,
    copies_that_fit,
    input_hash,
    plate_layout,
)

MK3S = read_profile(Path(__file__).parents[3] / "printers/prusa-mk3s.toml")
ORDER = PlateOrder(b"mesh", 3, MK3S, "PLA", PrintSettings())


def test_the_hash_is_the_same_for_the_same_order() -> None:
    assert input_hash(ORDER, "PrusaSlicer 2.5.0") == input_hash(replace(ORDER), "PrusaSlicer 2.5.0")


@pytest.mark.parametrize(
    "other",
    [
        replace(ORDER, mesh=b"other"),
        replace(ORDER, copies=4),
        replace(ORDER, material="PETG"),
        replace(ORDER, settings=PrintSettings(layer_height_um=300)),
        replace(ORDER, profile=replace(MK3S, edge_mm=6)),
        replace(ORDER, profile=replace(MK3S, presets=replace(MK3S.presets, filaments={"PLA": "Other"}))),
    ],
)
def test_the_hash_changes_with_whatever_changes_the_print(other: PlateOrder) -> None:
    assert input_hash(other, "PrusaSlicer 2.5.0") != input_hash(ORDER, "PrusaSlicer 2.5.0")


def test_the_hash_changes_with_the_slicer() -> None:
    assert input_hash(ORDER, "PrusaSlicer 2.6.0") != input_hash(ORDER, "PrusaSlicer 2.5.0")


def test_a_brim_takes_room() -> None:
    assert copies_that_fit(50, 50, 10, MK3S) > copies_that_fit(50, 50, 10, MK3S, brim_mm=8) > 0


def test_what_is_too_high_does_not_fit() -> None:
    assert copies_that_fit(50, 50, 210, MK3S) > 0
    assert copies_that_fit(50, 50, 210.1, MK3S) == 0
    with pytest.raises(DoesNotFit, match="1 × 50 × 50 × 211 mm does not fit"):
        plate_layout(50, 50, 211, MK3S, copies=1)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1d 2h 3m 4s", 93_784), ("1h 12m 52s", 4_372), ("59s", 59), ("2d 5s", 172_805)],
)
def test_reads_the_estimated_time(text: str, seconds: int) -> None:
    assert estimated_seconds(f"G1 X1\n; estimated printing time (normal mode) = {text}\n".encode()) == seconds


def test_reads_the_estimated_filament() -> None:
    assert estimated_milligrams(b"; filament used [mm] = 1\n; filament used [g] = 12.32\n") == 12_320


@pytest.mark.parametrize("gcode", [b"", b"; estimated printing time (normal mode) = soon\n; filament used [g] =\n"])
def test_gcode_without_estimates_is_not_trusted(gcode: bytes) -> None:
    with pytest.raises(SlicingFailed):
        estimated_seconds(gcode)
    with pytest.raises(SlicingFailed):
        estimated_milligrams(gcode)


def test_a_missing_slicer_says_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(SlicerMissing, match="apt-get install --no-install-recommends prusa-slicer"):
        PrusaSlicer(tmp_path / "prusa-slicer").version()
