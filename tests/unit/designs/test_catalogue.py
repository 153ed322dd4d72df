import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import trimesh
from manifold3d import Manifold, Mesh

from makerhub.designs.build import BuildFailed, build_catalogue, build_design
from makerhub.designs.geometry import check_mesh
from makerhub.designs.manifest import Manifest, read_manifest

CATALOGUE = Path(__file__).parents[3] / "designs"
DESIGNS = sorted(file.parent for file in CATALOGUE.glob("*/okh.toml"))
MAX_MESH_BYTES = 300_000


def heading_anchors(text: str) -> set[str]:
    return {heading.lower().replace(" ", "-") for heading in re.findall(r"^## (.+)$", text, re.MULTILINE)}


def notes_of(manifest: Manifest) -> list[str]:
    return [manifest.assembly, manifest.cleaning, manifest.use]


def test_there_is_a_catalogue() -> None:
    assert {"ear-saver", "door-opener", "face-shield-headband"} <= {folder.name for folder in DESIGNS}


@pytest.mark.parametrize("folder", DESIGNS, ids=lambda folder: folder.name)
def test_meshes_are_what_their_sources_make(folder: Path) -> None:
    for export, content in build_design(folder).items():
        built, shipped = check_mesh(content), check_mesh((folder / export).read_bytes())
        assert shipped.problems == ()
        assert shipped.volume_mm3 == pytest.approx(built.volume_mm3, rel=1e-3)
        assert shipped.size_mm == pytest.approx(built.size_mm, abs=0.01)
        assert shipped.faces == pytest.approx(built.faces, rel=0.02)


@pytest.mark.parametrize("folder", DESIGNS, ids=lambda folder: folder.name)
def test_parts_stand_on_the_ground_and_are_small(folder: Path) -> None:
    for part in read_manifest(folder).parts:
        content = (folder / part.export).read_bytes()
        assert len(content) < MAX_MESH_BYTES
        assert check_mesh(content).low_mm[2] == pytest.approx(0, abs=1e-6)
        assert not part.settings.supports


@pytest.mark.parametrize("folder", DESIGNS, ids=lambda folder: folder.name)
def test_notes_are_where_the_manifest_says(folder: Path) -> None:
    manifest = read_manifest(folder)
    for note in notes_of(manifest):
        file, _, heading = note.partition("#")
        assert heading in heading_anchors((folder / file).read_text())
    assert f"SPDX-License-Identifier: {manifest.license}\n" in (folder / "LICENSE").read_text()


def test_the_pegs_of_the_headband_meet_the_holes_of_an_office_punch() -> None:
    loaded = trimesh.load_mesh(CATALOGUE / "face-shield-headband/face-shield-headband.stl")
    solid = Manifold(Mesh(np.asarray(loaded.vertices, np.float32), np.asarray(loaded.faces, np.uint32)))
    band = solid.slice(6.4)  # above pegs and engraving
    pegs = [peg for peg in (solid.slice(2.5) - band.offset(0.05)).decompose() if peg.area() > 5]
    outline = max(band.to_polygons(), key=len)
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(outline, axis=0), axis=1))])
    along = np.linspace(0, lengths[-1], 20_000)
    dense = np.stack([np.interp(along, lengths, outline[:, axis]) for axis in (0, 1)], axis=-1)
    middles = [np.mean(peg.to_polygons()[0], axis=0) for peg in pegs]
    places = sorted(along[np.linalg.norm(dense - middle, axis=1).argmin()] for middle in middles)
    assert np.diff(places) == pytest.approx([80, 80, 80], abs=0.8)


def test_a_new_version_is_engraved(tmp_path: Path) -> None:
    shutil.copytree(CATALOGUE / "ear-saver", tmp_path / "ear-saver")
    manifest = tmp_path / "ear-saver/okh.toml"
    manifest.write_text(manifest.read_text().replace('version = "1.0.0"', 'version = "1.4.2"'))
    assert build_catalogue(tmp_path) == [tmp_path / "ear-saver/ear-saver.stl"]
    assert build_catalogue(tmp_path) == []


def test_a_source_that_lacks_an_export_is_an_error(tmp_path: Path) -> None:
    shutil.copytree(CATALOGUE / "ear-saver", tmp_path / "ear-saver")
    (tmp_path / "ear-saver/source.py").write_text("def build(version):\n    return {}\n")
    with pytest.raises(BuildFailed, match=r"ear-saver\.stl"):
        build_design(tmp_path / "ear-saver")
