"""Secret keys in files: made at the first start, whole or not at all, and readable by nobody else."""

import contextlib
import os
import secrets
import stat
import tempfile
from pathlib import Path

from makerhub.errors import MakerhubError, translatable

KEY_BYTES = 32


class KeyFileUnsafe(MakerhubError):
    """The key file can be read by others."""

    template = translatable("The key file %(file)s can be read by other users. Run: chmod 600 %(file)s")


def secret_key(file: Path) -> bytes:
    """The 32 random bytes in `file`, made when it is missing; raises `KeyFileUnsafe` when others can read it."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        _make(file)
    if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise KeyFileUnsafe(file=str(file))
    return file.read_bytes()


def _make(file: Path) -> None:
    """Written aside and linked to its name, so that of many who start at once all find the same whole key."""
    descriptor, aside = tempfile.mkstemp(dir=file.parent, suffix=".part")  # for its owner alone
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):
            file.hardlink_to(aside)
    finally:
        Path(aside).unlink()
