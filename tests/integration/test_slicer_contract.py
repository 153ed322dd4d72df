"""What the hub expects of every slicer behind the port; a second one joins by a line in `SLICERS`."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from integration.plate_orders import COARSE, PROFILES, angle, block, covered, expect_as_ordered, order

from makerhub.designs.geometry import read_stl, write_stl
from makerhub.designs.manifest import PrintSettings
from makerhub.designs.prusa_slicer import EXECUTABLE, PrusaSlicer
from makerhub.designs.slicer import (
    DoesNotFit,
    MaterialUnknown,
    PlateOrder,
    Slicer,
    SlicerMissing,
    SlicingFailed,
    copies_that_fit,
    input_hash,
)
from makerhub.gcode.guard import require_safe

SLICERS: Mapping[str, tuple[Path, Callable[[Path], Slicer]]] = {"PrusaSlicer": (EXECUTABLE, PrusaSlicer)}
"""Where each slicer's program is, and its adapter for a program at a path."""


@pytest.fixture(scope="module", params=SLICERS)
def slicer(request: pytest.FixtureRequest) -> Slicer:
    executable, adapter = SLICERS[request.param]
    if not executable.exists():
        pytest.skip(f"{request.param} is not installed")
    return adapter(executable)


@pytest.fixture(params=SLICERS)
def absent(request: pytest.FixtureRequest, tmp_path: Path) -> Slicer:
    """An adapter without its program: what it answers nevertheless, it answers before slicing."""
    _, adapter = SLICERS[request.param]
    return adapter(tmp_path / "nothing-here")


def test_it_tells_its_name_and_version_always_alike(slicer: Slicer) -> None:
    assert slicer.version() == slicer.version()
    assert 3 < len(slicer.version()) <= 100
    assert any(letter.isdigit() for letter in slicer.version())


@pytest.mark.parametrize("model", ["prusa-mk3s", "creality-ender-3"])
@pytest.mark.parametrize("copies", [1, 5])
def test_a_plate_is_safe_complete_and_where_it_says(slicer: Slicer, model: str, copies: int) -> None:
    wanted = order(angle(60, 12, 4), PROFILES[model], copies)
    expect_as_ordered(slicer.slice(wanted), wanted)


def test_a_full_plate_is_full_and_no_copy_lies_over_another(slicer: Slicer) -> None:
    most = copies_that_fit(70, 45, 2, PROFILES["prusa-mini"])
    wanted = order(block(70, 45, 2), PROFILES["prusa-mini"], most)
    plate = slicer.slice(wanted)
    expect_as_ordered(plate, wanted)
    assert most >= 6
    assert covered(plate, wanted).num_contour() == most
    with pytest.raises(DoesNotFit):
        slicer.slice(replace(wanted, copies=most + 1))


def test_what_fits_only_turned_is_turned(slicer: Slicer) -> None:
    wanted = order(angle(195, 12, 2))
    expect_as_ordered(slicer.slice(wanted), wanted)
    turned = order(block(20, 230, 2))
    (placement,) = slicer.slice(turned).placements
    assert placement.turned


def test_more_copies_take_more_of_everything(slicer: Slicer) -> None:
    one, three = (slicer.slice(order(block(30, 30, 6), copies=copies)) for copies in (1, 3))
    assert 2 * one.milligrams < three.milligrams < 4 * one.milligrams
    assert one.seconds < three.seconds < 4 * one.seconds


def test_the_order_s_settings_count(slicer: Slicer) -> None:
    wanted = order(block(30, 30, 10))
    solid = replace(wanted, settings=replace(COARSE, infill_percent=100))
    fine = replace(wanted, settings=replace(COARSE, layer_height_um=150))
    plain = slicer.slice(wanted)
    assert slicer.slice(solid).milligrams > 2 * plain.milligrams
    assert slicer.slice(fine).seconds > 1.1 * plain.seconds


@pytest.mark.parametrize(
    "settings",
    [
        replace(COARSE, layer_height_um=50),
        replace(COARSE, layer_height_um=600),
        replace(COARSE, perimeters=20),
        replace(COARSE, brim_mm=20),
        replace(COARSE, infill_percent=100, supports=True),
    ],
    ids=["the finest", "the thickest", "nothing but perimeters", "the widest brim", "solid with supports"],
)
def test_whatever_a_manifest_may_ask_for_can_be_sliced(slicer: Slicer, settings: PrintSettings) -> None:
    """The ends of what the manifest's schema admits; a thicker layer than the nozzle can lay becomes a thinner one."""
    plate = slicer.slice(replace(order(block(20, 20, 5)), settings=settings))
    assert require_safe(plate.gcode, PROFILES["prusa-mk3s"].limits()).summary.height_mm == pytest.approx(5, abs=0.35)


def test_the_same_order_has_the_same_hash_and_nearly_the_same_estimates(slicer: Slicer) -> None:
    wanted = order(block(20, 20, 3))
    one, two = slicer.slice(wanted), slicer.slice(replace(wanted))
    assert one.input_hash == two.input_hash == input_hash(wanted, slicer.version())
    assert one.slicer_version == slicer.version()
    assert one.seconds == pytest.approx(two.seconds, abs=5)
    assert one.milligrams == pytest.approx(two.milligrams, abs=50)
    assert one.input_hash != slicer.slice(replace(wanted, copies=2)).input_hash


@pytest.mark.parametrize(
    ("size", "copies"),
    [((241, 100, 5), 1), ((100, 201, 5), 3), ((20, 20, 211), 1), ((120, 100, 5), 5), ((20, 20, 5), 101)],
    ids=["too wide", "too many of the deep", "too high", "one too many", "more than anybody needs"],
)
def test_what_does_not_fit_is_refused_before_slicing(
    absent: Slicer, size: tuple[float, float, float], copies: int
) -> None:
    with pytest.raises(DoesNotFit):
        absent.slice(order(block(*size), copies=copies))


def test_a_material_that_the_printer_does_not_know_is_refused_before_slicing(absent: Slicer) -> None:
    with pytest.raises(MaterialUnknown, match="UNOBTAINIUM"):
        absent.slice(replace(order(block(20, 20, 5)), material="UNOBTAINIUM"))


@pytest.mark.parametrize(
    ("mesh", "problem"),
    [(block(20, 20, 5)[:-1], "cut off"), (write_stl(read_stl(block(20, 20, 5))[1:]), "not closed")],
    ids=["cut off", "open"],
)
def test_a_mesh_that_is_not_sound_is_refused_before_slicing(absent: Slicer, mesh: bytes, problem: str) -> None:
    with pytest.raises(SlicingFailed, match=problem):
        absent.slice(order(mesh))


def test_without_its_program_it_says_what_to_install(absent: Slicer) -> None:
    calls: tuple[Callable[[], object], ...] = (absent.version, lambda: absent.slice(_fitting()))
    for call in calls:
        with pytest.raises(SlicerMissing, match="Install it"):
            call()


def _fitting() -> PlateOrder:
    return order(block(20, 20, 5))
