"""What a part will take, before it is sliced (pure): grams and minutes, each with the band in which nine of ten lie.

The form of the rules is physical: walls and skins are solid, the rest is filled by a share; time goes by volume, by
layers and by the length of the outlines. Their factors were fitted to slices of the shipped designs and of meshes by
others on six printers, PLA, two sets of settings; `make bench NAME=quote` fits them again and says how far they miss.
"""

from dataclasses import dataclass

import msgspec

from makerhub.designs.analysis import Analysis
from makerhub.designs.manifest import PrintSettings

GRAMS_PER_CM3 = {"PLA": 1.24, "PETG": 1.27, "ABS": 1.04, "ASA": 1.07, "TPU": 1.21}
_USUAL_GRAMS_PER_CM3 = 1.25

LINE_WIDTH_MM = 0.45
SKIN_MM = 0.8


@dataclass(frozen=True, slots=True)
class Factors:
    """What was fitted; the bands are the share of the quote between which nine of ten slices lay."""

    side: float = 1.1
    flat: float = 0.8
    seconds_per_mm3: float = 0.2615
    seconds_per_layer: float = 5.02
    seconds_per_mm: float = 0.0158
    seconds: float = 27.0
    grams_band: tuple[float, float] = (0.88, 1.17)
    minutes_band: tuple[float, float] = (0.74, 1.53)


FACTORS = Factors()


class Band(msgspec.Struct, frozen=True):
    """A figure, and between which values nine of ten parts really lie."""

    expected: float
    low: float
    high: float


class Quote(msgspec.Struct, frozen=True):
    """What one piece takes: filament in grams and minutes of printing, without heating up."""

    grams: Band
    minutes: Band


def quote(analysis: Analysis, settings: PrintSettings, material: str, factors: Factors = FACTORS) -> Quote:
    """What one piece of this shape takes with these settings, on a printer of the common kind."""
    extruded = extruded_mm3(analysis, settings, factors)
    seconds = sum(
        factor * amount
        for factor, amount in zip(_time_factors(factors), time_amounts(analysis, settings, extruded), strict=True)
    )
    grams = extruded / 1000 * GRAMS_PER_CM3.get(material, _USUAL_GRAMS_PER_CM3)
    return Quote(_band(grams, factors.grams_band), _band(seconds / 60, factors.minutes_band))


def extruded_mm3(analysis: Analysis, settings: PrintSettings, factors: Factors = FACTORS) -> float:
    """The plastic in one piece: solid walls and skins, and a share of the rest."""
    skin = max(SKIN_MM, 4 * settings.layer_height_um / 1000)
    walls = analysis.side_mm2 * settings.perimeters * LINE_WIDTH_MM * factors.side
    shell = min(analysis.volume_mm3, walls + analysis.flat_mm2 * skin * factors.flat)
    return shell + settings.infill_percent / 100 * (analysis.volume_mm3 - shell)


def time_amounts(analysis: Analysis, settings: PrintSettings, extruded: float) -> tuple[float, float, float, float]:
    """What printing time grows with: mm³ of plastic, layers, mm of outline, and once."""
    layer_mm = settings.layer_height_um / 1000
    return extruded, analysis.height_mm / layer_mm, analysis.side_mm2 / layer_mm * settings.perimeters, 1.0


def _time_factors(factors: Factors) -> tuple[float, float, float, float]:
    return factors.seconds_per_mm3, factors.seconds_per_layer, factors.seconds_per_mm, factors.seconds


def _band(expected: float, band: tuple[float, float]) -> Band:
    return Band(round(expected, 1), round(expected * band[0], 1), round(expected * band[1], 1))
