"""What is handed in is checked in the background, accepted by somebody, published once, and then forgotten."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from builders import NOW, World
from sqlmodel import select
from unit.designs.hooks import FILES, MANIFEST, cube, packed

from makerhub.designs.files import FileStore, UploadBox
from makerhub.designs.licences import NOT_FOR_MONEY, LicencePolicy
from makerhub.designs.models import DesignVersion, Upload, UploadState
from makerhub.designs.publishing import VersionTaken
from makerhub.designs.submission import NO_MANIFEST, NOT_A_ZIP
from makerhub.designs.tasks import work_on_uploads
from makerhub.designs.uploads import CONTENT, Desk, NewUpload, accept, discard, picture_name, receive, take_in
from makerhub.errors import Invalid, NotFound

MESH_ALONE = MANIFEST.replace('readme = "README.md"\n', "").replace('source = "source.py"\n', "")


class Counter:
    """A counter where designs are handed in, and the background work behind it."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        box, files = UploadBox(folder / "box"), FileStore(folder / "files")
        self.desk = Desk(world.database, box, files, LicencePolicy(), lambda: NOW)

    def hand_in(self, content: bytes, name: str = "hook.zip", manifest: str = "") -> Upload:
        new = NewUpload(self.world.hub.id, self.world.maker.id, name, content, manifest)
        return receive(self.desk, new)

    def work(self) -> None:
        work_on_uploads.bind({"desk": self.desk})()

    def checked(self, content: bytes, name: str = "hook.zip", manifest: str = "") -> Upload:
        upload = self.hand_in(content, name, manifest)
        self.work()
        return self.world.get(Upload, upload.id)

    def accept(self, upload: Upload) -> None:
        with self.world.database.changing() as session:
            accept(session, session.get_one(Upload, upload.id), by=self.world.dispatcher.id, now=NOW)


@pytest.fixture
def counter(world: World, tmp_path: Path) -> Counter:
    return Counter(world, tmp_path)


@pytest.mark.parametrize(
    ("content", "name", "manifest"), [(packed(), "hook.zip", ""), (cube(), "hook.stl", MESH_ALONE)]
)
def test_a_good_design_goes_into_the_catalogue_when_it_is_accepted(
    counter: Counter, content: bytes, name: str, manifest: str
) -> None:
    upload = counter.checked(content, name, manifest)
    assert (upload.state, upload.findings["name"], upload.problem) == (UploadState.CHECKED, "Hook", "")
    assert upload.findings["parts"][0]["volume_mm3"] == pytest.approx(1000)
    assert counter.desk.box.get(upload.id, picture_name(0))[8:12] == b"WEBP"
    assert all(version.name != "Hook" for version in counter.world.all(DesignVersion))

    counter.accept(upload)
    counter.work()
    upload = counter.world.get(Upload, upload.id)
    assert upload.state is UploadState.PUBLISHED
    assert upload.version_id
    version = counter.world.get(DesignVersion, upload.version_id)
    assert (version.name, version.licensor, version.published_by) == ("Hook", "Somebody", counter.world.maker.id)


def test_killed_after_publishing_it_is_published_no_second_time(counter: Counter) -> None:
    upload = counter.checked(packed())
    counter.accept(upload)
    times = iter([NOW])  # one look at the clock, for the version, and no second one, for the upload
    with pytest.raises(StopIteration):
        take_in(replace(counter.desk, clock=lambda: next(times)), upload.id)
    assert counter.world.get(Upload, upload.id).state is UploadState.ACCEPTED
    counter.work()
    assert counter.world.get(Upload, upload.id).state is UploadState.PUBLISHED
    assert [version.name for version in counter.world.all(DesignVersion)].count("Hook") == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"what is this", NOT_A_ZIP),
        (packed({"hook.stl": cube()}), NO_MANIFEST),
        (packed({**FILES, "okh.toml": b"name = 3"}), "%(file)s: %(field)s: %(problem)s"),
    ],
)
def test_what_is_no_design_is_refused_with_the_reason(counter: Counter, content: bytes, sentence: str) -> None:
    upload = counter.checked(content)
    assert (upload.state, upload.problem) == (UploadState.REFUSED, sentence)
    assert sentence % upload.problem_values


def test_a_broken_mesh_is_refused_part_by_part(counter: Counter) -> None:
    upload = counter.checked(packed({**FILES, "hook.stl": cube()[:-7]}))
    assert (upload.state, upload.problem) == (UploadState.REFUSED, "")
    assert [len(finding["problems"]) for finding in upload.findings["parts"]] == [1]


def test_a_version_that_is_there_and_a_licence_that_forbids_it_are_refused(counter: Counter) -> None:
    counter.accept(counter.checked(packed()))
    counter.work()
    again = counter.checked(packed({**FILES, "hook.stl": cube(11)}))
    assert (again.state, again.problem) == (UploadState.REFUSED, VersionTaken.template)
    counter.desk = replace(counter.desk, licences=LicencePolicy(money=True))
    paid = counter.checked(packed({**FILES, "okh.toml": MANIFEST.replace("CC-BY-SA", "CC-BY-NC").encode()}))
    assert (paid.state, paid.problem) == (UploadState.REFUSED, NOT_FOR_MONEY)


def test_an_empty_file_is_no_upload(counter: Counter) -> None:
    with pytest.raises(Invalid):
        counter.hand_in(b"")
    assert counter.world.all(Upload) == []


def test_files_go_when_the_upload_is_done_with_or_never_was_one(counter: Counter) -> None:
    kept, gone = counter.hand_in(packed()), counter.hand_in(packed())
    lost = counter.hand_in(packed()).id
    with counter.world.database.changing() as session:
        discard(session, session.get_one(Upload, gone.id), by=counter.world.maker.id, now=NOW)
        session.delete(session.exec(select(Upload).where(Upload.id == lost)).one())
    for upload_id in (kept.id, gone.id, lost):
        os.utime(counter.desk.box.folder / str(upload_id), (0, 0))
    counter.work()
    assert counter.desk.box.get(kept.id, CONTENT) == packed()
    for upload_id in (gone.id, lost):
        with pytest.raises(NotFound):
            counter.desk.box.get(upload_id, CONTENT)
