"""What was handed in becomes an immutable version, under the hash of its content."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlmodel import select
from unit.designs.hooks import cube, hook

from makerhub.db import Database
from makerhub.designs.files import FileStore
from makerhub.designs.geometry import read_stl, write_stl
from makerhub.designs.inspection import MeshRefused
from makerhub.designs.licences import LicencePolicy, LicenceRefused
from makerhub.designs.manifest import ManifestInvalid
from makerhub.designs.models import DesignVersion
from makerhub.designs.publishing import CheckedDesign, VersionTaken, check, publish
from makerhub.designs.service import parts_of
from makerhub.designs.submission import Submission


@pytest.fixture
def files(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


def put(database: Database, files: FileStore, design: CheckedDesign, day: int = 1) -> DesignVersion | None:
    return publish(database, files, design, lambda: datetime(2020, 4, day, tzinfo=UTC))


def test_the_same_content_is_published_once_and_a_change_is_a_child(database: Database, files: FileStore) -> None:
    first = put(database, files, check(hook()))
    assert first
    assert first.parent_id is None
    assert put(database, files, check(hook())) is None
    second = put(database, files, check(hook(11, version="1.3.0")), day=2)
    assert second
    assert (second.parent_id, second.design_id) == (first.id, first.design_id)
    assert second.content_hash != first.content_hash
    with database.reading() as session:
        (part,) = parts_of(session, second.id)
    assert part.volume_mm3 == pytest.approx(1331)
    assert files.get(part.mesh_sha256) == hook(11).files["hook.stl"]


def test_a_version_never_changes(database: Database, files: FileStore) -> None:
    put(database, files, check(hook()))
    with pytest.raises(VersionTaken, match=r"1\.2\.0"):
        put(database, files, check(hook(11)))
    with database.reading() as session:
        assert len(session.exec(select(DesignVersion)).all()) == 1


@pytest.mark.parametrize("field", ["name", "function", "licensor", "repo"])
def test_every_word_of_the_manifest_counts_for_the_hash(field: str) -> None:
    other = check(hook(10, **{field: "https://example.org/other"}))
    assert other.content_hash != check(hook()).content_hash


def test_what_may_not_be_made_or_can_not_be_printed_is_refused() -> None:
    with pytest.raises(LicenceRefused):
        check(hook(license="CC-BY-NC-4.0"), LicencePolicy(money=True))
    with pytest.raises(MeshRefused, match="The mesh of “Hook” can not be used"):
        check(Submission("hook", {**hook().files, "hook.stl": b"solid nothing"}))
    with pytest.raises(ManifestInvalid, match=r"source\.py"):
        check(Submission("hook", {name: content for name, content in hook().files.items() if name != "source.py"}))


def test_several_bodies_are_one_piece_where_the_manifest_says_so() -> None:
    both = write_stl(np.concatenate([read_stl(cube()), read_stl(cube()) + 30]))
    files = {**hook().files, "hook.stl": both}
    with pytest.raises(MeshRefused) as refused:
        check(Submission("hook", files))
    assert "Save each body as a file" in refused.value.fields["Hook"]
    assert not refused.value.can_be_mended
    said = files["okh.toml"].replace(b'export = "hook.stl"', b'export = "hook.stl"\nbodies = 2')
    (part,) = check(Submission("hook", {**files, "okh.toml": said})).parts
    assert part.report.bodies == 2


def test_a_version_has_one_picture_of_all_its_pieces(database: Database, files: FileStore) -> None:
    alone = put(database, files, check(hook()))
    text = hook(version="1.3.0").files["okh.toml"].replace(b'material = "PETG"', b'material = "PETG"\nquantity = 3')
    three = put(database, files, check(Submission("hook", {**hook().files, "okh.toml": text})), day=2)
    assert alone
    assert three
    with database.reading() as session:
        assert alone.picture_sha256 == parts_of(session, alone.id)[0].picture_sha256
        assert three.picture_sha256 != parts_of(session, three.id)[0].picture_sha256
    assert files.get(three.picture_sha256)[8:12] == b"WEBP"
    assert len(files.get(three.picture_sha256)) <= 20_000
