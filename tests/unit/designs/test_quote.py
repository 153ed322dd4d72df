"""Quotes: by the amounts that they are made of, and against what the slicer said of real parts."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from makerhub.designs.analysis import analyse
from makerhub.designs.geometry import read_stl
from makerhub.designs.manifest import PrintSettings
from makerhub.designs.quote import Band, quote

DESIGNS = Path(__file__).parents[3] / "designs"
USUAL = PrintSettings()


def block(*size: float) -> np.ndarray:
    return np.asarray(trimesh.creation.box(size).triangles)


def test_a_thin_sheet_is_solid() -> None:
    sheet = analyse(block(100, 100, 0.6))
    assert quote(sheet, USUAL, "PLA").grams.expected == pytest.approx(6 * 1.24, abs=0.1)


def test_more_walls_filling_and_denser_plastic_weigh_more() -> None:
    cube = analyse(block(30, 30, 30))
    usual = quote(cube, USUAL, "PLA").grams.expected
    assert quote(cube, PrintSettings(perimeters=4), "PLA").grams.expected > usual
    assert quote(cube, PrintSettings(infill_percent=40), "PLA").grams.expected > usual
    assert quote(cube, USUAL, "PETG").grams.expected == pytest.approx(usual * 1.27 / 1.24, abs=0.1)
    assert usual < 27 * 1.24


def test_thicker_layers_are_faster() -> None:
    cube = analyse(block(30, 30, 30))
    assert (
        quote(cube, PrintSettings(layer_height_um=300), "PLA").minutes.expected
        < quote(cube, USUAL, "PLA").minutes.expected
    )


@pytest.mark.parametrize(
    ("file", "layer_um", "grams", "minutes"),
    [
        # PrusaSlicer 2.5 for the MK3S, PETG, 20 % filling, three walls
        ("visor-bottom-clip/bottom-clip.stl", 200, 10.2, 74),
        ("stackable-headband/headband.stl", 200, 16.2, 81),
    ],
)
def test_what_the_slicer_said_lies_in_the_band(file: str, layer_um: int, grams: float, minutes: float) -> None:
    settings = PrintSettings(layer_height_um=layer_um, infill_percent=20, perimeters=3)
    quoted = quote(analyse(read_stl((DESIGNS / file).read_bytes())), settings, "PETG")
    for band, said in ((quoted.grams, grams), (quoted.minutes, minutes)):
        assert within(band, said), band


def within(band: Band, value: float) -> bool:
    return band.low <= value <= band.high
