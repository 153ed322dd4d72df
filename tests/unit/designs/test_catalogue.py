"""Every folder of `designs/`, held against what the catalogue promises: made by its source, printable, told in full."""

import re
import shutil
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from manifold3d import CrossSection, Manifold
from unit.designs.printability import LINE_MM, hanging, solid_of, thinnest

from makerhub.designs.build import BuildFailed, build_catalogue, build_design
from makerhub.designs.geometry import check_mesh
from makerhub.designs.manifest import Manifest, PartManifest, read_manifest
from makerhub.designs.profiles import read_profiles
from makerhub.designs.shapes import arc, at_length, offset_curve, soft_slab, stroke
from makerhub.designs.slicer import copies_that_fit
from makerhub.designs.visor import SHEET_WIDTH_MM

ROOT = Path(__file__).parents[3]
CATALOGUE = ROOT / "designs"
DESIGNS = sorted(file.parent for file in CATALOGUE.glob("*/okh.toml"))
PARTS = [(folder, part) for folder in DESIGNS for part in read_manifest(folder).parts]
OUR_LICENCES = {"CERN-OHL-W-2.0", "CC-BY-SA-4.0"}
MAX_MESH_BYTES = 400_000  # of one piece: what a page and a thumbnail can afford
SECTIONS = {"assembly", "cleaning", "use"}

PIECES = {"stackable-headband/headband-stack.stl": 4}
# A grown head with a visor in front of it is wider than the smallest bed; the stackable headband is there for that.
TOO_WIDE = {"face-shield-headband/headband-four-holes.stl", "face-shield-headband/headband-two-holes.stl"}
# The pockets of the nuts rise at 60°, but only for the 2 mm of a hexagon's side.
STEEP = {"door-opener/arm.stl"}
# The arm that it is screwed to is marked.
UNMARKED = {"door-opener/clamp.stl"}

each_design = pytest.mark.parametrize("folder", DESIGNS, ids=lambda folder: folder.name)
each_part = pytest.mark.parametrize(
    ("folder", "part"), PARTS, ids=[f"{folder.name}/{part.export}" for folder, part in PARTS]
)


def heading_anchors(text: str) -> set[str]:
    return {heading.lower().replace(" ", "-") for heading in re.findall(r"^## (.+)$", text, re.MULTILINE)}


def section_of(text: str, heading: str) -> str:
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def notes_of(manifest: Manifest) -> list[str]:
    return [manifest.assembly, manifest.cleaning, manifest.use]


def key_of(folder: Path, part: PartManifest) -> str:
    return f"{folder.name}/{part.export}"


@cache
def shipped(folder: Path, export: str) -> Manifold:
    return solid_of((folder / export).read_bytes())


@cache
def source_of(name: str) -> ModuleType:
    spec = spec_from_file_location(name.replace("-", "_"), CATALOGUE / name / "source.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build_of(folder: Path) -> Callable[[str], Mapping[str, Manifold]]:
    builder: Callable[[str], Mapping[str, Manifold]] = source_of(folder.name).build
    return builder


def test_the_catalogue_has_what_a_hub_needs_in_a_crisis_and_in_peacetime() -> None:
    worn = {"face-shield-headband", "stackable-headband", "ear-saver", "mask-tension-band", "visor-bottom-clip"}
    worn |= {"goggle-vent-cap"}
    untouched, aids = {"door-opener", "bottle-pump-elbow-pusher"}, {"pen-grip", "jar-opener"}
    assert worn | untouched | aids <= {folder.name for folder in DESIGNS}


@each_design
def test_meshes_are_what_their_sources_make(folder: Path) -> None:
    for export, content in build_design(folder).items():
        built, found = check_mesh(content), check_mesh((folder / export).read_bytes())
        assert found.problems == ()
        assert found.volume_mm3 == pytest.approx(built.volume_mm3, rel=1e-3)
        assert found.size_mm == pytest.approx(built.size_mm, abs=0.01)
        assert found.faces == pytest.approx(built.faces, rel=0.02)


@each_design
def test_nothing_lies_in_a_folder_but_what_its_manifest_names(folder: Path) -> None:
    meshes = {file.name for file in folder.glob("*.stl")}
    assert meshes == {part.export for part in read_manifest(folder).parts}


@each_part
def test_parts_stand_on_the_bed_and_are_small_files(folder: Path, part: PartManifest) -> None:
    content = (folder / part.export).read_bytes()
    assert len(content) < MAX_MESH_BYTES * PIECES.get(key_of(folder, part), 1)
    assert check_mesh(content).low_mm[2] == pytest.approx(0, abs=1e-6)


@each_part
def test_parts_print_without_support(folder: Path, part: PartManifest) -> None:
    assert not part.settings.supports
    found = hanging(shipped(folder, part.export), part.settings.layer_height_um / 1000)
    assert bool(found) == (key_of(folder, part) in STEEP), found


@each_part
def test_walls_are_two_lines_thick(folder: Path, part: PartManifest) -> None:
    layer_mm = part.settings.layer_height_um / 1000
    assert thinnest(shipped(folder, part.export), layer_mm, 2 * LINE_MM) == 0


@each_part
def test_parts_fit_the_smallest_printer_of_the_catalogue(folder: Path, part: PartManifest) -> None:
    profiles = read_profiles(ROOT / "printers").values()
    smallest = min(profiles, key=lambda profile: min(profile.bed_width_mm, profile.bed_depth_mm))
    size = check_mesh((folder / part.export).read_bytes()).size_mm
    fits = copies_that_fit(*size, smallest, part.settings.brim_mm) >= 1
    assert fits == (key_of(folder, part) not in TOO_WIDE)


@each_design
def test_every_part_is_marked_with_its_version(folder: Path) -> None:
    ours, later = build_of(folder)("1.1.1"), build_of(folder)("8.8.8")
    same = {export for export in ours if ours[export].volume() == pytest.approx(later[export].volume(), abs=0.01)}
    assert same == {key.partition("/")[2] for key in UNMARKED if key.startswith(f"{folder.name}/")}


@each_design
def test_notes_are_where_the_manifest_says(folder: Path) -> None:
    manifest, readme = read_manifest(folder), (folder / "README.md").read_text()
    for note in notes_of(manifest):
        file, _, heading = note.partition("#")
        assert heading in heading_anchors((folder / file).read_text())
    assert heading_anchors(readme) >= SECTIONS
    assert heading_anchors(readme) & {"print-settings", "printing"}


@each_design
def test_each_kit_stands_in_the_size_chart(folder: Path) -> None:
    manifest, readme = read_manifest(folder), (folder / "README.md").read_text()
    if len(manifest.kits) > 1:
        chart = section_of(readme, "Sizes")
        assert all(kit.fits and f"| {kit.name} |" in chart for kit in manifest.kits)


@each_design
def test_the_licence_is_one_of_ours_and_lies_beside_the_design(folder: Path) -> None:
    manifest = read_manifest(folder)
    assert manifest.license in OUR_LICENCES
    assert f"SPDX-License-Identifier: {manifest.license}\n" in (folder / "LICENSE").read_text()


@pytest.mark.parametrize(
    ("name", "export", "pegs_mm"),
    [
        ("face-shield-headband", "headband-four-holes.stl", [40, 120]),
        ("face-shield-headband", "headband-two-holes.stl", [40]),
        ("stackable-headband", "headband.stl", [40, 120]),
    ],
)
def test_pegs_meet_the_holes_of_an_office_punch(name: str, export: str, pegs_mm: list[float]) -> None:
    visor = source_of(name).visor()
    caps = as_worn(name, export).slice(2.5) ^ stroke(offset_curve(visor, 3.2), 2.0)
    lengths = np.linspace(0, 140, 1_401)
    line = np.array([at_length(visor, length)[0] for length in lengths])
    middles = [np.mean(cap.to_polygons()[0], axis=0) for cap in caps.decompose() if cap.area() > 5]
    places = sorted(lengths[np.linalg.norm(line - middle, axis=1).argmin()] for middle in middles)
    assert [place for place in places if place < 125] == pytest.approx(pegs_mm, abs=0.4)


def test_a_whole_sheet_fits_between_the_pockets_and_can_not_slide() -> None:
    visor = source_of("face-shield-headband").visor()
    above_pegs = as_worn("face-shield-headband", "headband-two-holes.stl").slice(6.0)
    lying, half = offset_curve(visor, 0.6), SHEET_WIDTH_MM / 2
    for stop, touches in ((half - 0.25, False), (half + 2.5, True)):
        sheet = np.array([at_length(lying, length)[0] for length in np.linspace(0, stop, 200)])
        assert (stroke(sheet, 0.5) ^ above_pegs).is_empty() is not touches
    lifted = np.array([at_length(offset_curve(visor, 2.0), length)[0] for length in np.linspace(132, half, 50)])
    assert not (stroke(lifted, 0.5) ^ above_pegs).is_empty()


def test_the_slot_of_the_clip_is_open_and_leaves_no_straight_way() -> None:
    slotted = as_worn("visor-bottom-clip", "bottom-clip.stl").slice(6.0)
    assert len(slotted.decompose()) == 2
    bends = [stroke(arc((0, -95), 95 + away, 130, 50, 200), 0.15) for away in np.linspace(-0.6, 0.6, 13)]
    assert not any((bend ^ slotted).is_empty() for bend in bends)


def test_the_plates_of_a_stack_touch_in_pips_alone() -> None:
    source = source_of("stackable-headband")
    solids = source.build("1.0.0")
    pitch = source.THICKNESS_MM + source.GAP_MM
    gap = solids["headband-stack.stl"].slice(pitch - source.GAP_MM / 2)
    assert gap.area() < 0.02 * solids["headband.stl"].slice(source.THICKNESS_MM / 2).area()
    assert len(gap.decompose()) == 14
    assert solids["headband-stack.stl"].volume() == pytest.approx(4 * solids["headband.stl"].volume(), rel=1e-3)
    layer_um = {part.settings.layer_height_um for part in read_manifest(CATALOGUE / "stackable-headband").parts}
    assert layer_um == {round(source.LAYER_MM * 1000)}


def test_sizes_of_ear_savers_grow_and_their_hooks_overlap() -> None:
    sizes = list(source_of("ear-saver").SIZES.values())
    assert [size.hooks_at_mm[-1] for size in sizes] == sorted(size.hooks_at_mm[-1] for size in sizes)
    for smaller, larger in pairwise(sizes):
        assert larger.hooks_at_mm[0] < smaller.hooks_at_mm[-1]


def as_worn(name: str, export: str) -> Manifold:
    """A part in the axes of its source: the front is up in y, the thumbnails look at it from there."""
    solid: Manifold = source_of(name).build("1.0.0")[export]
    return solid.rotate((0, 0, 180))


def test_a_new_version_is_engraved(tmp_path: Path) -> None:
    folder = tmp_path / "visor-bottom-clip"
    shutil.copytree(CATALOGUE / "visor-bottom-clip", folder)
    manifest = folder / "okh.toml"
    manifest.write_text(manifest.read_text().replace('version = "1.0.0"', 'version = "1.4.2"'))
    assert build_catalogue(tmp_path) == [folder / "bottom-clip.stl"]
    assert build_catalogue(tmp_path) == []


def test_a_source_that_lacks_an_export_is_an_error(tmp_path: Path) -> None:
    shutil.copytree(CATALOGUE / "ear-saver", tmp_path / "ear-saver")
    (tmp_path / "ear-saver/source.py").write_text("def build(version):\n    return {}\n")
    with pytest.raises(BuildFailed, match=r"strap-small\.stl"):
        build_design(tmp_path / "ear-saver")


def test_an_outline_that_would_cut_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="knots"):
        soft_slab(CrossSection.square((20, 1.2)), 4, top=0.8)
