"""How far quotes miss what the slicer says: `python -m benchmarks.quote`, about ten minutes.

Slices every shipped part, and the meshes by others beside the project where they are, on several printers with two
sets of settings; fits the factors of `makerhub.designs.quote` anew, and prints them with their errors. The last line is
one JSON object.
"""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from makerhub.designs.analysis import Analysis, analyse
from makerhub.designs.formats import read_mesh
from makerhub.designs.geometry import canonical, check_triangles, write_stl
from makerhub.designs.manifest import PrintSettings
from makerhub.designs.profiles import read_profiles
from makerhub.designs.prusa_slicer import PrusaSlicer
from makerhub.designs.quote import GRAMS_PER_CM3, Factors, extruded_mm3, quote, time_amounts
from makerhub.designs.slicer import DoesNotFit, PlateOrder

ROOT = Path(__file__).parents[1]
MODELS = ("prusa-mk3s", "prusa-mini", "creality-ender-3", "anycubic-i3-mega", "artillery-genius", "elegoo-neptune-2")
SETTINGS = (PrintSettings(), PrintSettings(layer_height_um=300, infill_percent=20, perimeters=3))
LEAST_MM3 = 500  # below, a part weighs less than the purge line before it

Sample = tuple[str, Analysis, PrintSettings, float, float]


def main() -> None:
    """Slice, fit, and print factors and errors."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        samples = [sample for sample in pool.map(_sliced, _orders()) if sample]
    fitted = _fitted(samples)
    names = sorted({sample[0] for sample in samples})
    print(f"{len(samples)} slices of {len(names)} shapes on {len(MODELS)} printers; fitted: {fitted}")
    print(f"{'shape':34} {'grams, real / quoted':>22} {'minutes, real / quoted':>24}")
    for name in names:
        grams, minutes = _shares([sample for sample in samples if sample[0] == name])
        print(f"{name:34} {grams.min():10.2f} to {grams.max():.2f} {minutes.min():12.2f} to {minutes.max():.2f}")
    grams, minutes = _shares(samples)
    result = {
        "grams_median_error": round(float(np.median(np.abs(grams - 1))), 3),
        "minutes_median_error": round(float(np.median(np.abs(minutes - 1))), 3),
        "grams_band": np.percentile(grams, [5, 95]).round(2).tolist(),
        "minutes_band": np.percentile(minutes, [5, 95]).round(2).tolist(),
        "slices": len(samples),
    }
    print(json.dumps(result))


def _orders() -> Iterator[tuple[str, Analysis, PlateOrder]]:
    profiles = read_profiles(ROOT / "printers")
    files = [*sorted((ROOT / "designs").glob("*/*.stl")), *sorted(ROOT.parent.glob("shared/data/meshes/*.stl"))]
    for file in files:
        mesh = canonical(read_mesh(file.read_bytes()))
        report = check_triangles(mesh)
        if not report.problems and report.volume_mm3 > LEAST_MM3:
            for model in MODELS:
                for settings in SETTINGS:
                    order = PlateOrder(write_stl(mesh), 1, profiles[model], "PLA", settings)
                    yield f"{file.parent.name}/{file.name}", analyse(mesh), order


def _sliced(wanted: tuple[str, Analysis, PlateOrder]) -> Sample | None:
    """What the slicer says of an order in grams and minutes; None where the part is larger than the printer."""
    name, analysis, order = wanted
    try:
        plate = PrusaSlicer().slice(order)
    except DoesNotFit:
        return None
    return name, analysis, order.settings, plate.milligrams / 1000, plate.seconds / 60


def _shares(samples: list[Sample]) -> tuple[np.ndarray, np.ndarray]:
    """The real grams and minutes as shares of the quoted ones."""
    quotes = [quote(analysis, settings, "PLA") for _, analysis, settings, _, _ in samples]
    grams = [sample[3] / one.grams.expected for sample, one in zip(samples, quotes, strict=True)]
    minutes = [sample[4] / one.minutes.expected for sample, one in zip(samples, quotes, strict=True)]
    return np.array(grams), np.array(minutes)


def _fitted(samples: list[Sample]) -> dict[str, float]:
    """The factors that miss these slices least, as a share of each."""
    real = np.array([sample[3] for sample in samples])
    best = (np.inf, 0.0, 0.0)
    for side in np.arange(0.7, 1.35, 0.05):
        for flat in np.arange(0.4, 1.2, 0.05):
            factors = Factors(side=side, flat=flat)
            volumes = np.array([extruded_mm3(one[1], one[2], factors) for one in samples])
            error = float(np.percentile(np.abs(np.log(real * 1000 / volumes / GRAMS_PER_CM3["PLA"])), 90))
            best = min(best, (error, float(side), float(flat)))
    factors = Factors(side=best[1], flat=best[2])
    amounts = np.array([time_amounts(one[1], one[2], extruded_mm3(one[1], one[2], factors)) for one in samples])
    seconds = np.array([sample[4] * 60 for sample in samples])
    per_mm3, per_layer, per_mm, once = nnls(amounts / seconds[:, None], np.ones(len(samples)))[0]
    fitted = {"side": best[1], "flat": best[2], "seconds_per_mm3": per_mm3, "seconds_per_layer": per_layer}
    return {
        name: round(float(value), 4) for name, value in {**fitted, "seconds_per_mm": per_mm, "seconds": once}.items()
    }


if __name__ == "__main__":
    main()
