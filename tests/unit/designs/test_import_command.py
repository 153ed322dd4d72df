"""`makerhub designs import`, as its user sees it: what is taken in, and what is said of what is not."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlmodel import select
from unit.designs.hooks import FILES, cube, packed

from makerhub.cli import main
from makerhub.config import load
from makerhub.db import Database
from makerhub.designs.files import FileStore
from makerhub.designs.geometry import read_stl, write_stl
from makerhub.designs.models import DesignVersion, Part
from makerhub.migrations import migrate

REAL_MESHES = Path(__file__).parents[3].parent / "shared/data/meshes"
"""Real meshes by others, with the number of bodies of each."""

BODIES = {
    "3dverkstan_visor_eu80_v2.stl": 1,
    "3dverkstan_mk3s_plate_iso838.3mf": 2,
    "aon3d_frame_r01.step": 1,
    "aon3d_frame_r01.stl": 1,
    "nicvagn_door_knob.3mf": 1,
    "nicvagn_door_knob.stl": 1,
    "titanous_strap_adapter.stl": 1,
    "trimesh_featuretype.stl": 1,
    "trimesh_tray_bottom.stl": 1,
}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data directory of a hub whose database is at this version, and empty."""
    monkeypatch.setenv("MAKERHUB_DATA_DIRECTORY", str(tmp_path / "data"))
    settings = load(None)
    settings.data_directory.mkdir(parents=True)
    database = Database(settings.database)
    migrate(database)
    database.dispose()
    return tmp_path


def take_in(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["designs", "import", *map(str, arguments)])


def versions() -> list[DesignVersion]:
    database = Database(load(None).database)
    with database.reading() as session:
        found = list(session.exec(select(DesignVersion)))
    database.dispose()
    return found


def manifest(folder: Path, export: str, bodies: int = 1) -> Path:
    text = FILES["okh.toml"].decode().replace('readme = "README.md"\n', "").replace('source = "source.py"\n', "")
    file = folder / "of-one.toml"
    file.write_text(text.replace('export = "hook.stl"', f"export = {json.dumps(export)}\nbodies = {bodies}"))
    return file


def test_an_archive_is_taken_in_once_and_keeps_its_author(data: Path) -> None:
    (data / "hook.zip").write_bytes(packed())
    assert take_in(data / "hook.zip").output == "Hook 1.2.0 by Somebody (CC-BY-SA-4.0) is in the catalogue\n"
    assert take_in(data / "hook.zip").output == "Hook 1.2.0 is in the catalogue already\n"
    (version,) = versions()
    assert (version.licensor, version.repo) == ("Somebody", "https://example.org/hook")


def test_one_mesh_wants_to_be_told_what_it_is(data: Path) -> None:
    (data / "cube.stl").write_bytes(cube())
    refused = take_in(data / "cube.stl")
    assert refused.exit_code == 2
    assert "docs/designing.md" in refused.output
    assert "is in the catalogue" in take_in(data / "cube.stl", "--manifest", manifest(data, "cube.stl")).output


def test_a_mesh_that_can_be_mended_is_not_mended_without_being_asked(data: Path) -> None:
    inside_out = read_stl(cube())[:, ::-1]
    (data / "cube.stl").write_bytes(write_stl(inside_out))
    refused = take_in(data / "cube.stl", "--manifest", manifest(data, "cube.stl"))
    assert refused.exit_code == 2
    assert "Hook: The mesh is inside out." in refused.output
    assert "--mend: would mend it" in refused.output
    assert versions() == []
    taken = take_in(data / "cube.stl", "--manifest", manifest(data, "cube.stl"), "--mend")
    assert "Turn faces over, so that all point outwards: 12." in taken.output
    assert len(versions()) == 1


def test_the_number_of_bodies_is_told_where_it_is_another(data: Path) -> None:
    (data / "cube.stl").write_bytes(cube())
    assert "bodies: 1 were found" in take_in(data / "cube.stl", "--manifest", manifest(data, "cube.stl", 2)).output


def test_a_licence_that_forbids_it_is_refused_in_one_sentence(data: Path) -> None:
    file = manifest(data, "cube.stl")
    file.write_text(file.read_text().replace("CC-BY-SA-4.0", "SDFL"))
    (data / "cube.stl").write_bytes(cube())
    refused = take_in(data / "cube.stl", "--manifest", file)
    assert refused.exit_code == 2
    assert refused.output.count("print for themselves only") == 1


@pytest.mark.parametrize("name", BODIES)
def test_real_meshes_by_others_come_in_whole(data: Path, name: str) -> None:
    if not (REAL_MESHES / name).exists():
        pytest.skip("the meshes by others are not on this machine")
    taken = take_in(REAL_MESHES / name, "--manifest", manifest(data, name, BODIES[name]))
    assert "is in the catalogue" in taken.output, taken.output
    database, store = Database(load(None).database), FileStore(load(None).files_directory)
    with database.reading() as session:
        (part,) = session.exec(select(Part))
    database.dispose()
    original = store.get(part.original_sha256 or part.mesh_sha256)
    assert original == (REAL_MESHES / name).read_bytes()
    assert 0 < len(store.get(part.picture_sha256)) <= 20_000
    assert read_stl(store.get(part.mesh_sha256)).shape[1:] == (3, 3)
    assert part.analysis["quote"]["grams"]["expected"] >= 0
