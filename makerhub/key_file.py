"""Secret keys in files: made at the first start, whole or not at all, and readable by nobody else."""

import contextlib
import os
import secrets
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from makerhub.errors import MakerhubError, translatable

KEY_BYTES = 32


class KeyFileUnsafe(MakerhubError):
    """The key file can be read by others."""

    template = translatable("The key file %(file)s can be read by other users. Run: chmod 600 %(file)s")


def secret_key(file: Path) -> bytes:
    """The 32 random bytes in `file`, made when it is missing; raises `KeyFileUnsafe` when others can read it."""
    return private_content(file, lambda: secrets.token_bytes(KEY_BYTES))


def private_content(file: Path, first: Callable[[], bytes]) -> bytes:
    """What `file` holds; when it is missing it is made of `first()`. Raises `KeyFileUnsafe` if others can read it."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        _make(file, first())
    if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise KeyFileUnsafe(file=str(file))
    return file.read_bytes()


def replace_private(file: Path, content: bytes) -> None:
    """Let `file` hold `content` from now on: whoever reads it finds the old or the new content, and never a half."""
    with _aside(file, content) as aside:
        aside.replace(file)
    _keep_name(file.parent)


def _make(file: Path, content: bytes) -> None:
    """Written aside and linked to its name, so that of many who start at once all find the same whole key."""
    with _aside(file, content) as aside, contextlib.suppress(FileExistsError):
        file.hardlink_to(aside)
    _keep_name(file.parent)


@contextmanager
def _aside(file: Path, content: bytes) -> Iterator[Path]:
    """A file beside `file`, for its owner alone, that is on the disk and is gone afterwards."""
    descriptor, aside = tempfile.mkstemp(dir=file.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        yield Path(aside)
    finally:
        Path(aside).unlink(missing_ok=True)


def _keep_name(folder: Path) -> None:
    """Have the folder's entries on the disk too: a key that is gone after a power cut locks out what it sealed."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
