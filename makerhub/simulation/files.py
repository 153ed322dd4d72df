"""The files of a simulated printer: a tree of folders, each file with its hash and its history of prints."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from makerhub.simulation.reading import Reading

SUFFIXES = (".gcode", ".gco", ".g")


@dataclass(frozen=True)
class Entry:
    """One line of a file's history; OctoPrint writes it a moment after the state has changed."""

    success: bool
    date: float
    written_at: float
    seconds: float | None = None


@dataclass
class StoredFile:
    """A file as OctoPrint knows it: `date` in seconds since 1970, `size` in bytes; the content is not kept."""

    path: str
    size: int
    sha1: str
    date: float
    user: str | None
    reading: Reading
    history: list[Entry] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The path without its folders."""
        return self.path.rpartition("/")[2]

    def average_seconds(self, now: float) -> float | None:
        """The mean time of the good prints so far."""
        times = [entry.seconds for entry in self.written(now) if entry.seconds is not None]
        return sum(times) / len(times) if times else None

    def last_seconds(self, now: float) -> float | None:
        """The time of the last good print."""
        return next((entry.seconds for entry in reversed(self.written(now)) if entry.seconds is not None), None)

    def written(self, now: float) -> list[Entry]:
        """The entries that OctoPrint has written by `now`."""
        return [entry for entry in self.history if entry.written_at <= now]


def sha1(content: bytes) -> str:
    """The hash that OctoPrint tells of a file."""
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


class Files:
    """The folders and files under `local`."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._folders: dict[str, float] = {}
        self._files: dict[str, StoredFile] = {}

    @property
    def free(self) -> int:
        """Bytes left."""
        return max(0, self.capacity - sum(file.size for file in self._files.values()))

    def get(self, path: str) -> StoredFile | None:
        """The file, if there is one."""
        return self._files.get(path)

    def has_folder(self, path: str) -> bool:
        """Whether the folder exists; the root always does."""
        return path == "" or path in self._folders

    def make_folder(self, path: str, now: float) -> None:
        """Make the folder and those above it; harmless if it exists."""
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            self._folders.setdefault("/".join(parts[:depth]), now)

    def put(self, file: StoredFile) -> None:
        """Store a file; the history of an older one stays only if the bytes are the same."""
        before = self._files.get(file.path)
        if before is not None and before.sha1 == file.sha1:
            file.history = before.history
        if folder := file.path.rpartition("/")[0]:
            self.make_folder(folder, file.date)
        self._files[file.path] = file

    def delete(self, path: str) -> None:
        """Remove a file."""
        del self._files[path]

    def forget_unwritten(self, now: float) -> None:
        """What a power cut does to entries that were not yet on the disk."""
        for file in self._files.values():
            file.history = file.written(now)

    def described(self, path: str, url: str, now: float, *, recursive: bool = True) -> dict[str, Any] | None:
        """What `GET /api/files/local/<path>` answers for a file or a folder; None if there is neither."""
        if (file := self._files.get(path)) is not None:
            return _described_file(file, url, now)
        if path in self._folders:
            return self._described_folder(path, url, now, recursive=recursive)
        return None

    def listed(self, folder: str, url: str, now: float, *, recursive: bool) -> list[dict[str, Any]]:
        """What is directly in `folder`, and below it if `recursive`."""
        described = (self.described(path, url, now, recursive=recursive) for path in self._within(folder))
        return [entry for entry in described if entry is not None]

    def _within(self, folder: str) -> Iterator[str]:
        return (path for path in (*self._folders, *self._files) if path.rpartition("/")[0] == folder)

    def _described_folder(self, path: str, url: str, now: float, *, recursive: bool) -> dict[str, Any]:
        children = self.listed(path, url, now, recursive=True)
        name = path.rpartition("/")[2]
        return {
            **({"children": children} if recursive else {}),
            "date": int(self._folders[path]),
            "display": name,
            "name": name,
            "origin": "local",
            "path": path,
            "prints": _counts([child["prints"] for child in children if "prints" in child]),
            "refs": {"resource": f"{url}/api/files/local/{path}"},
            "size": sum(child["size"] for child in children),
            "type": "folder",
            "typePath": ["folder"],
        }


def _counts(prints: list[dict[str, Any]]) -> dict[str, Any]:
    return {kind: sum(counts[kind] for counts in prints) for kind in ("success", "failure")}


def _described_file(file: StoredFile, url: str, now: float) -> dict[str, Any]:
    written = file.written(now)
    return {
        "date": int(file.date),
        "display": file.name,
        "hash": file.sha1,
        "name": file.name,
        "origin": "local",
        "path": file.path,
        "refs": {
            "download": f"{url}/downloads/files/local/{file.path}",
            "resource": f"{url}/api/files/local/{file.path}",
        },
        "size": file.size,
        "type": "machinecode",
        "typePath": ["machinecode", "gcode"],
        "user": file.user,
        **({"prints": _history(written)} if written else {}),
        **(_statistics(file, now) if written else {}),
    }


def _history(written: list[Entry]) -> dict[str, Any]:
    last = written[-1]
    return {
        "success": sum(entry.success for entry in written),
        "failure": sum(not entry.success for entry in written),
        "last": {
            "success": last.success,
            "date": last.date,
            **({} if last.seconds is None else {"printTime": last.seconds}),
        },
    }


def _statistics(file: StoredFile, now: float) -> dict[str, Any]:
    average, last = file.average_seconds(now), file.last_seconds(now)
    if average is None:
        return {}
    return {"statistics": {"averagePrintTime": {"_default": average}, "lastPrintTime": {"_default": last}}}
