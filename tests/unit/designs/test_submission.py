"""What may be handed in as a design, and how everything else is refused."""

import io
import os
import random
import zipfile
from pathlib import Path

import pytest
from unit.designs.hooks import FILES, MANIFEST, packed

from makerhub.designs import submission
from makerhub.designs.manifest import ManifestInvalid
from makerhub.designs.submission import SubmissionRefused, from_folder, from_mesh, from_zip, is_zip, key_of


def test_a_folder_and_its_archives_are_the_same_design(tmp_path: Path) -> None:
    folder = tmp_path / "door-hook"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "config").write_bytes(b"not of the design")
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    inside = packed({f"door-hook/{name}": content for name, content in FILES.items()} | {"__MACOSX/x": b""})
    for found in (from_folder(folder), from_zip(packed(FILES), "Door Hook.zip"), from_zip(inside, "anything.zip")):
        assert (found.key, dict(found.files)) == ("door-hook", FILES)
        assert found.manifest().name == "Hook"


def test_one_mesh_and_the_text_of_its_manifest_are_a_design() -> None:
    text = MANIFEST.replace('readme = "README.md"\n', "").replace('source = "source.py"\n', "")
    found = from_mesh(FILES["hook.stl"], "hook.stl", text)
    assert (found.key, set(found.files)) == ("hook", {"okh.toml", "hook.stl"})
    assert found.manifest().parts[0].source == ""
    with pytest.raises(ManifestInvalid, match=r"hook\.stl"):
        from_mesh(b"solid hook", "other.stl", text).manifest()


def test_keys_are_fit_for_addresses() -> None:
    names = ["Door Hook", "Türöffner, groß!", "../../etc", "日本", "", "x" * 300]
    assert [key_of(name) for name in names] == ["door-hook", "turoffner-gro", "etc", "design", "design", "x" * 80]


def link() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        entry = zipfile.ZipInfo("README.md")
        entry.external_attr = 0o120777 << 16
        writer.writestr(entry, "/etc/passwd")
    return archive.getvalue()


def lying_about_its_size() -> bytes:
    """An archive that says a member has 10 bytes, and unpacks to a million."""
    content = packed({"okh.toml": bytes(1_000_000)})
    return content.replace((1_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", submission.NOT_A_ZIP),
        (b"PK\x03\x04 and no more", submission.NOT_A_ZIP),
        (packed(FILES)[:-30], submission.NOT_A_ZIP),
        (lying_about_its_size(), submission.NOT_A_ZIP),
        (packed({"../okh.toml": b""}), submission.BAD_NAME),
        (packed({"/okh.toml": b""}), submission.BAD_NAME),
        (packed({"a\\okh.toml": b""}), submission.BAD_NAME),
        (packed({"C:okh.toml": b""}), submission.BAD_NAME),
        (packed({"okh.toml": b"", "OKH.toml": b""}), submission.BAD_NAME),
        (link(), submission.BAD_NAME),
        (packed({"okh.toml": b""}, zipfile.ZIP_LZMA), submission.LOCKED),
        (packed({"a": bytes(submission.MAX_FILE_BYTES + 1)}), submission.TOO_MUCH),
        (packed({str(number): bytes(50_000_000) for number in range(4)}), submission.TOO_MUCH),
        (packed({str(number): b"" for number in range(201)}), submission.TOO_MUCH),
        (packed({str(number): b"" for number in range(2_001)}), submission.TOO_MUCH),
        (packed({"hook.stl": b""}), submission.NO_MANIFEST),
        (packed({"a/okh.toml": b"", "b/okh.toml": b""}), submission.SEVERAL_MANIFESTS),
    ],
)
def test_an_archive_that_is_no_design_is_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(SubmissionRefused) as refused:
        from_zip(content, "hook.zip")
    assert refused.value.template == sentence


def test_a_folder_with_links_or_pipes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "okh.toml").write_text(MANIFEST)
    (tmp_path / "README.md").symlink_to("/etc/passwd")
    with pytest.raises(SubmissionRefused):
        from_folder(tmp_path)
    (tmp_path / "README.md").unlink()
    os.mkfifo(tmp_path / "README.md")
    with pytest.raises(SubmissionRefused):
        from_folder(tmp_path)


def test_mutated_archives_are_read_or_refused() -> None:
    whole, dice = packed(FILES), random.Random(20)  # noqa: S311 – a seed, no secret
    outcomes = {"read": 0, "refused": 0}
    for _ in range(500):
        content = bytearray(whole)
        for _ in range(dice.randint(1, 8)):
            content[dice.randrange(len(content))] = dice.randrange(256)
        try:
            from_zip(bytes(content), "hook.zip")
            outcomes["read"] += 1
        except SubmissionRefused:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 0


def test_tells_archives_of_designs_from_meshes() -> None:
    assert is_zip(packed(FILES))
    assert not is_zip(packed({"[Content_Types].xml": b"", "3D/3dmodel.model": b""}))
    assert not is_zip(b"solid hook")
    assert not is_zip(b"PK\x03\x04 damaged")
