"""Some of the catalogue through the real slicer and the guard, others each time; `make catalogue` takes all of it."""

import os
from pathlib import Path
from random import SystemRandom

import pytest

from makerhub.designs.profiles import read_profiles
from makerhub.designs.prusa_slicer import EXECUTABLE, PrusaSlicer
from makerhub.designs.sliced_catalogue import combinations, read_catalogue, sample, slice_one

ROOT = Path(__file__).parents[2]
SAMPLE = 12


@pytest.mark.skipif(not EXECUTABLE.exists(), reason="prusa-slicer is not installed")
def test_a_sample_of_the_catalogue_raises_no_alarm() -> None:
    """Repeat one that failed by CATALOGUE_SEED=…, which the failure tells."""
    seed = int(os.environ.get("CATALOGUE_SEED") or SystemRandom().randrange(1_000_000))
    print(f"CATALOGUE_SEED={seed}")
    everything = combinations(
        read_catalogue(ROOT / "designs"), ROOT / "designs", read_profiles(ROOT / "printers").values()
    )
    slicer = PrusaSlicer()
    outcomes = {str(one): slice_one(slicer, one) for one in sample(everything, SAMPLE, seed)}
    assert {name: outcome.alarm for name, outcome in outcomes.items() if outcome.alarm} == {}, f"CATALOGUE_SEED={seed}"


def test_the_page_names_every_shipped_design_and_printer() -> None:
    page = (ROOT / "docs/catalogue.md").read_text(encoding="utf-8")
    names = [f"- {manifest.name} {manifest.version}:" for manifest in read_catalogue(ROOT / "designs")]
    names += [f"| {profile.name} |" for profile in read_profiles(ROOT / "printers").values()]
    assert [name for name in names if name not in page] == [], "run `make catalogue`"
