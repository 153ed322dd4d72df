"""The key that signs form tokens: made at the first start, in a file that nobody else may read."""

import os
import secrets
import stat
from pathlib import Path

from makerhub.errors import MakerhubError, translatable

KEY_BYTES = 32


class KeyFileUnsafe(MakerhubError):
    """The key file can be read by others."""

    template = translatable("The key file %(file)s can be read by other users. Run: chmod 600 %(file)s")


def secret_key(file: Path) -> str:
    """The key in `file`, which is made when it is missing. Raises `KeyFileUnsafe` when others can read it.

    The key is written aside and linked into place, so that of two processes that start at once both find one whole key.
    """
    if not file.exists():
        _make(file)
    if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise KeyFileUnsafe(file=str(file))
    return file.read_text(encoding="ascii")


def _make(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(KEY_BYTES))
        stream.flush()
        os.fsync(stream.fileno())
    try:
        file.hardlink_to(aside)
    except FileExistsError:
        pass  # another process was first, and its key is the one
    finally:
        aside.unlink()
