"""Files named by the hash of their content: meshes, pictures and G-code. What is stored never changes."""

import hashlib
import os
import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from uuid import UUID

from makerhub.errors import NotFound


class FileStore:
    """A folder of immutable files, found by the SHA-256 of their content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, content: bytes) -> str:
        """Keep `content`, durably, and return its SHA-256 (64 hexadecimal digits)."""
        sha256 = hashlib.sha256(content).hexdigest()
        file = self._file(sha256)
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, content)
        return sha256

    def get(self, sha256: str) -> bytes:
        """The content; raises `NotFound` when it is not here or no longer what its name says."""
        try:
            content = self._file(sha256).read_bytes()
        except FileNotFoundError as error:
            raise NotFound from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise NotFound
        return content

    def _file(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256


class UploadBox:
    """What was handed in, until it is published or discarded: a folder an upload, with its content and pictures."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, upload: UUID, name: str, content: bytes) -> None:
        """Keep one file of an upload, durably; one of the same name is replaced."""
        place = self.folder / str(upload)
        place.mkdir(parents=True, exist_ok=True)
        write_whole(place / name, content)

    def get(self, upload: UUID, name: str) -> bytes:
        """One file of an upload; raises `NotFound`."""
        try:
            return (self.folder / str(upload) / name).read_bytes()
        except FileNotFoundError as error:
            raise NotFound from error

    def remove(self, upload: UUID) -> None:
        """Forget all files of an upload, if there are any."""
        shutil.rmtree(self.folder / str(upload), ignore_errors=True)

    def older_than(self, moment: datetime) -> list[UUID]:
        """The uploads of which there are files, and none that is newer."""
        places = self.folder.iterdir() if self.folder.is_dir() else ()
        return [UUID(place.name) for place in places if place.stat().st_mtime < moment.timestamp()]


def write_whole(file: Path, content: bytes) -> None:
    """Write beside, sync, rename, sync the folder: after a crash the file is whole or absent."""
    descriptor, part = tempfile.mkstemp(dir=file.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(part).replace(file)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
