"""Every shipped part, sliced for every shipped printer and material: `python -m makerhub.designs.sliced_catalogue`.

Nothing that the slicer makes of the catalogue may alarm the guard, and docs/catalogue.md tells the time and the
plastic of each design on each printer. What was sliced and passed is remembered by the hash of all that it was made
of, the guard's own code included, so a run that was stopped goes on where it was.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from time import monotonic

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import makerhub.gcode
from makerhub.designs.manifest import MANIFEST_NAME, Manifest, PartManifest, read_manifest
from makerhub.designs.profiles import PrinterProfile, read_profiles
from makerhub.designs.prusa_slicer import PrusaSlicer
from makerhub.designs.slicer import DoesNotFit, PlateOrder, Slicer, SlicingFailed, input_hash


@dataclass(frozen=True, slots=True)
class Combination:
    """One copy of a part on one printer, of one material that both are made for."""

    design: str
    part: PartManifest
    mesh: bytes
    profile: PrinterProfile
    material: str

    @property
    def order(self) -> PlateOrder:
        """What the slicer is asked for."""
        return PlateOrder(self.mesh, 1, self.profile, self.material, self.part.settings)

    def __str__(self) -> str:
        return f"{self.design}/{self.part.export}, {self.profile.key}, {self.material}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: seconds and milligrams; zeros where it does not fit, and `alarm` where it was refused."""

    seconds: int = 0
    milligrams: int = 0
    alarm: str = ""

    @property
    def fits(self) -> bool:
        """Whether there is a plate."""
        return self.seconds > 0


Key = tuple[str, str, str, str]
"""Design, export of the part, printer and material."""


def combinations(manifests: Iterable[Manifest], designs: Path, profiles: Iterable[PrinterProfile]) -> list[Combination]:
    """All that there is to slice, in the order of the designs and their parts."""
    printers = list(profiles)
    return [
        Combination(manifest.key, part, (designs / manifest.key / part.export).read_bytes(), profile, material)
        for manifest in manifests
        for part in manifest.parts
        for profile in printers
        for material in part.materials
        if material in profile.materials
    ]


def read_catalogue(designs: Path) -> list[Manifest]:
    """The manifests of all designs in a folder, by their keys."""
    return [read_manifest(file.parent) for file in sorted(designs.glob(f"*/{MANIFEST_NAME}"))]


def sample(everything: Sequence[Combination], count: int, seed: int) -> list[Combination]:
    """Some of them, the same ones for the same seed."""
    return Random(seed).sample(everything, min(count, len(everything)))  # noqa: S311 # a choice, not a secret


class Memory:
    """What passed before, one small file each in `folder`; what alarmed is never remembered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guard = _hash_of_the_guard()
        folder.mkdir(parents=True, exist_ok=True)

    def recall(self, order: PlateOrder, slicer_version: str) -> Outcome | None:
        """What came of the same order before, with the same slicer and guard."""
        file = self._file(order, slicer_version)
        return Outcome(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None

    def keep(self, order: PlateOrder, slicer_version: str, outcome: Outcome) -> None:
        """Remember an outcome; a run that is stopped here leaves no half of it."""
        file = self._file(order, slicer_version)
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(outcome)), encoding="utf-8")
        draft.replace(file)

    def _file(self, order: PlateOrder, slicer_version: str) -> Path:
        return self._folder / f"{self._guard}-{input_hash(order, slicer_version)}.json"


def _hash_of_the_guard() -> str:
    digest = hashlib.sha256()
    for file in sorted(Path(makerhub.gcode.__path__[0]).glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def slice_one(slicer: Slicer, combination: Combination, memory: Memory | None = None) -> Outcome:
    """Slice one combination, verified as the slicer port promises, or recall what came of it; raises nothing."""
    order = combination.order
    known = memory.recall(order, slicer.version()) if memory else None
    if known:
        return known
    try:
        plate = slicer.slice(order)
    except DoesNotFit:
        return Outcome()
    except SlicingFailed as error:
        return Outcome(alarm=str(error))
    outcome = Outcome(plate.seconds, plate.milligrams)
    if memory:
        memory.keep(order, slicer.version(), outcome)
    return outcome


def slice_all(
    slicer: Slicer, chosen: Sequence[Combination], memory: Memory, jobs: int
) -> Iterator[tuple[Combination, Outcome]]:
    """Slice them, some at a time, and yield each with its outcome as it is done."""
    slicer.version()
    with ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(slice_one, slicer, combination, memory): combination for combination in chosen}
        for future in as_completed(running):
            yield running[future], future.result()


def as_markdown(
    manifests: Sequence[Manifest],
    profiles: Mapping[str, PrinterProfile],
    outcomes: Mapping[Key, Outcome],
    slicer_version: str,
) -> str:
    """docs/catalogue.md: a line for each design's first kit with its material, and the table of printers by designs."""
    plates = sum(outcome.fits for outcome in outcomes.values())
    rows = [
        [profile.name, *(_cell(manifest, key, outcomes) for manifest in manifests)] for key, profile in profiles.items()
    ]
    header = ["Printer", *(manifest.name for manifest in manifests)]
    return "\n".join(
        [
            "# The catalogue, sliced",
            "",
            "<!-- Generated by `make catalogue`: change the designs or the profiles, not this file. -->",
            "",
            f"Every part of the {len(manifests)} shipped designs was sliced for each of the {len(profiles)} shipped",
            "printer profiles and every material that both are made for, with the settings of the design, by",
            f"{slicer_version}: {len(outcomes)} combinations, of which {plates} fit on their printer. The G-code guard",
            "passed all of those.",
            "",
            "A cell tells what one kit takes: printing time and plastic of all its parts, each printed alone. Full",
            "plates take a little less time a piece. “—” is a part that is larger than the printer. The kits are",
            "",
            *(f"- {manifest.name} {manifest.version}: {_kit_of(manifest)}" for manifest in manifests),
            "",
            "| " + " | ".join(header) + " |",
            "|" + " --- |" + " ---: |" * len(manifests),
            *("| " + " | ".join(row) + " |" for row in rows),
            "",
        ]
    )


def _kit_of(manifest: Manifest) -> str:
    parts = {part.name: part for part in manifest.parts}
    kit = manifest.kits[0]
    pieces = ", ".join(f"{count} × {name} of {parts[name].materials[0]}" for name, count in kit.parts)
    return f"{kit.name}: {pieces}" if len(manifest.kits) > 1 else pieces


def _cell(manifest: Manifest, profile: str, outcomes: Mapping[Key, Outcome]) -> str:
    parts = {part.name: part for part in manifest.parts}
    kit = [
        (count, outcomes.get((manifest.key, parts[name].export, profile, parts[name].materials[0])))
        for name, count in manifest.kits[0].parts
    ]
    if not all(outcome and outcome.fits for _, outcome in kit):
        return "—"
    minutes = round(sum(count * outcome.seconds for count, outcome in kit if outcome) / 60)
    grams = sum(count * outcome.milligrams for count, outcome in kit if outcome) / 1000
    return f"{minutes // 60} h {minutes % 60:02} min, {grams:.1f} g"


def main(arguments: Sequence[str]) -> int:
    """Slice all, or a sample; writes the table after all. Returns 1 if anything was refused, and says what."""
    asked = _parser().parse_args(arguments)
    slicer, manifests, profiles = PrusaSlicer(), read_catalogue(asked.designs), read_profiles(asked.printers)
    chosen = combinations(manifests, asked.designs, profiles.values())
    if asked.sample:
        print(f"a sample of {asked.sample} with seed {asked.seed}")
        chosen = sample(chosen, asked.sample, asked.seed)
    started = monotonic()
    outcomes = _with_a_bar(slice_all(slicer, chosen, Memory(asked.memory), asked.jobs), len(chosen))
    alarms = [(combination, outcome) for combination, outcome in outcomes if outcome.alarm]
    for combination, outcome in alarms:
        print(f"{combination}: {outcome.alarm}", file=sys.stderr)
    fitting = sum(outcome.fits for _, outcome in outcomes)
    print(f"{len(chosen)} combinations, {fitting} plates, {len(alarms)} refused, {monotonic() - started:.0f} s")
    if not asked.sample and not alarms:
        by_key = {(c.design, c.part.export, c.profile.key, c.material): outcome for c, outcome in outcomes}
        asked.table.write_text(as_markdown(manifests, profiles, by_key, slicer.version()), encoding="utf-8")
    return 1 if alarms else 0


def _with_a_bar(outcomes: Iterator[tuple[Combination, Outcome]], total: int) -> list[tuple[Combination, Outcome]]:
    columns = BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}")
    done = []
    with Progress(*columns) as progress:
        bar = progress.add_task("", total=total)
        for combination, outcome in outcomes:
            done.append((combination, outcome))
            progress.update(bar, advance=1, description=str(combination))
    return done


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m makerhub.designs.sliced_catalogue", description=main.__doc__)
    parser.add_argument("--designs", type=Path, default=Path("designs"))
    parser.add_argument("--printers", type=Path, default=Path("printers"))
    parser.add_argument("--table", type=Path, default=Path("docs/catalogue.md"))
    parser.add_argument("--memory", type=Path, default=Path("var/sliced-catalogue"))
    parser.add_argument("--jobs", type=int, default=2, help="slicers at a time")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="slice N combinations, write no table")
    parser.add_argument("--seed", type=int, default=0, help="which ones these are")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
