"""The hub's keys in their file: the first one seals, all of them open. Outside of the database and of its backups.

While keys are rotated the file holds the new key and the old one; else it holds one. A key's id is derived from it,
so that no file can say a wrong one, and tells nothing of it.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from makerhub.errors import MakerhubError, translatable
from makerhub.key_file import KEY_BYTES, private_content, replace_private

ID_BYTES = 4

HEAD = """\
# The keys of this hub. The first one seals, every one of them opens.
# Without this file nobody can read the printers' keys and the makers' addresses in the database: keep a copy, but
# apart from the backups of the database.
"""


class KeyFileBroken(MakerhubError):
    """The key file holds something else."""

    template = translatable("The key file %(file)s is not one: it must hold lines of 64 hexadecimal figures.")


@dataclass(frozen=True)
class Key:
    """32 secret bytes."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> bytes:
        """Four bytes that name the key in all that it sealed."""
        return hashlib.sha256(b"makerhub key id:" + self.secret).digest()[:ID_BYTES]


@dataclass(frozen=True)
class KeyRing:
    """The hub's keys, the one that seals first; there is at least one."""

    keys: tuple[Key, ...]

    @property
    def newest(self) -> Key:
        """The key that seals."""
        return self.keys[0]

    def find(self, key_id: bytes) -> Key | None:
        """The key with this id, if the ring has it."""
        return next((key for key in self.keys if key.id == key_id), None)


def read_ring(file: Path) -> KeyRing:
    """The keys in `file`, which is made with one when it is missing.

    Raises `KeyFileUnsafe` when others can read it, and `KeyFileBroken`.
    """
    content = private_content(file, lambda: _written([new_key()]))
    try:
        lines = [line.strip() for line in content.decode("ascii").splitlines()]
        keys = tuple(Key(bytes.fromhex(line)) for line in lines if line and not line.startswith("#"))
    except ValueError as error:
        raise KeyFileBroken(file=str(file)) from error
    if not keys or any(len(key.secret) != KEY_BYTES for key in keys):
        raise KeyFileBroken(file=str(file))
    return KeyRing(keys)


def write_ring(file: Path, ring: KeyRing) -> None:
    """Let the file hold these keys, at once."""
    replace_private(file, _written(ring.keys))


def new_key() -> Key:
    """A random key."""
    return Key(secrets.token_bytes(KEY_BYTES))


def _written(keys: Sequence[Key]) -> bytes:
    return (HEAD + "".join(f"{key.secret.hex()}\n" for key in keys)).encode("ascii")
