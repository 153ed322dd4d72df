"""What somebody hands in as a design: a folder, a ZIP archive of one, or one mesh with a manifest.

Everything is read once and into memory, sizes first, so that what is checked is what is kept. Names are those inside
the folder, with `/`; whatever leaves the folder, is a link or comes twice is refused.
"""

import io
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import tomli_w

from makerhub.designs.manifest import MANIFEST_NAME, MAX_MANIFEST_BYTES, Manifest, parse_manifest, require_files
from makerhub.errors import Invalid, translatable

MAX_FILES = 200
MAX_FILE_BYTES = 60_000_000
MAX_TOTAL_BYTES = 150_000_000
MAX_ENTRIES = 2_000
# What the standard library was seen to raise for sixty thousand damaged archives, and what it documents.
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError),
    *(ValueError, IndexError, OverflowError),
)
_ENTRY = b"PK\x01\x02"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_3MF_MARK = "[Content_Types].xml"
_BESIDE_THE_POINT = re.compile(r"(^|/)(\.[^./][^/]*|__MACOSX|__pycache__|Thumbs\.db)(/|$)")


class SubmissionRefused(Invalid):
    """What was handed in can not be read as a design."""

    template = translatable("This can not be read as a design.")


NOT_A_ZIP = translatable("The file is no ZIP archive, or it is damaged.")
TOO_MUCH = translatable(
    "This is too large: at most %(files)s files, %(each)s MB each and %(total)s MB together. "
    "Leave out what is not needed to print."
)
BAD_NAME = translatable("The name “%(name)s” in the archive leads out of its folder, is a link, or comes twice.")
LOCKED = translatable(
    "“%(name)s” in the archive is encrypted or packed in an unusual way. Pack it again as an ordinary ZIP."
)
NO_MANIFEST = translatable(
    "There is no okh.toml in it, which tells name, version, licence and parts of a design. "
    "Add one, or send one mesh only."
)
SEVERAL_MANIFESTS = translatable("There are several designs in it. Send them one by one.")


@dataclass(frozen=True)
class Submission:
    """A design's files by their names inside its folder; `key` is what the folder is called."""

    key: str
    files: Mapping[str, bytes]

    def manifest(self) -> Manifest:
        """What the design's `okh.toml` says, each file that it names being there; raises `ManifestInvalid`."""
        manifest = parse_manifest(self.text(MANIFEST_NAME), key=self.key)
        require_files(manifest, self.files.__contains__)
        return manifest

    def text(self, name: str) -> str:
        """A file as text; raises `SubmissionRefused` for what is no text."""
        try:
            return self.files[name][: MAX_MANIFEST_BYTES + 1].decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise SubmissionRefused(translatable("“%(name)s” is not written in UTF-8."), name=name) from error


def from_folder(folder: Path) -> Submission:
    """The design in `folder`."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    wanted = [name for name in names if not _BESIDE_THE_POINT.search(name)]
    _require_few(len(wanted), sum((folder / name).stat().st_size for name in wanted))
    return _design({name: _file(folder, name) for name in wanted}, folder.name)


def from_zip(content: bytes, name: str) -> Submission:
    """The design in a ZIP archive called `name`, at its top or in its only folder."""
    if content.count(_ENTRY) > MAX_ENTRIES:  # each would become an object before anything could be refused
        raise too_much()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = dict(_members(archive))
    except _UNREADABLE as error:
        raise SubmissionRefused(NOT_A_ZIP) from error
    return _design(files, Path(name).stem)


def from_mesh(content: bytes, name: str, manifest: str) -> Submission:
    """One mesh called `name` with the text of a manifest that names it as its only export."""
    if len(content) > MAX_FILE_BYTES:
        raise too_much()
    key = key_of(parse_manifest(manifest, key=Path(name).stem).name)
    return Submission(key, {MANIFEST_NAME: manifest.encode(), name: content})


def manifest_of_mesh(name: str, told: Mapping[str, str], material: str) -> str:
    """The text of a manifest for one mesh in the file `name`, of what its form told: fields of a manifest."""
    part = {"name": told["name"], "export": name, "printing-process": "FDM", "material": material}
    return tomli_w.dumps({"okhv": "OKH-LOSHv1.0", **told, "part": [part]})


def key_of(name: str) -> str:
    """A name as a folder and an address may have it: small Latin letters, figures and hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall("[a-z0-9]+", plain))[:80].strip("-") or "design"


def too_much() -> SubmissionRefused:
    """The refusal of what is larger than it may be."""
    megabyte = 1_000_000
    return SubmissionRefused(
        TOO_MUCH, files=MAX_FILES, each=MAX_FILE_BYTES // megabyte, total=MAX_TOTAL_BYTES // megabyte
    )


def is_zip(content: bytes) -> bool:
    """Whether this is a ZIP archive of a design; 3MF files are archives too, and meshes."""
    if content[:4] != b"PK\x03\x04" or content.count(_ENTRY) > MAX_ENTRIES:
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _3MF_MARK not in archive.namelist()
    except zipfile.BadZipFile:
        return False


def _design(files: Mapping[str, bytes], name: str) -> Submission:
    """The files from the folder on that holds the manifest."""
    found = [PurePosixPath(path).parent for path in files if PurePosixPath(path).name == MANIFEST_NAME]
    if not found:
        raise SubmissionRefused(NO_MANIFEST)
    if len(found) > 1:
        raise SubmissionRefused(SEVERAL_MANIFESTS)
    (top,) = found
    inside = {
        PurePosixPath(path).relative_to(top).as_posix(): content
        for path, content in files.items()
        if PurePosixPath(path).is_relative_to(top)
    }
    return Submission(key_of(top.name or name), inside)


def _members(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    """Names and contents; the sizes that the archive states are checked first and not believed afterwards."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    wanted = [entry for entry in entries if not _BESIDE_THE_POINT.search(entry.filename)]
    _require_few(len(wanted), sum(entry.file_size for entry in wanted))
    seen: set[str] = set()
    for entry in wanted:
        name = entry.filename
        if name.casefold() in seen or not _stays_inside(name) or stat.S_ISLNK(entry.external_attr >> 16):
            raise SubmissionRefused(BAD_NAME, name=name[:100])
        if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
            raise SubmissionRefused(LOCKED, name=name[:100])
        seen.add(name.casefold())
        yield name, _member(archive, entry)


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.file_size > MAX_FILE_BYTES:
        raise too_much()
    with archive.open(entry) as stream:
        content = stream.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise SubmissionRefused(NOT_A_ZIP)
    return content


def _file(folder: Path, name: str) -> bytes:
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise SubmissionRefused(BAD_NAME, name=name[:100])
    with path.open("rb") as stream:
        content = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise too_much()
    return content


def _stays_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and not set(name) & {"\\", ":", "\0"}


def _require_few(files: int, total: int) -> None:
    if files > MAX_FILES or total > MAX_TOTAL_BYTES:
        raise too_much()
