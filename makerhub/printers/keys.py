"""Printers' keys at rest: AES-256-GCM bound to the row, with a key file that is neither in database nor backup.

Fernet would decrypt a ciphertext copied from another row unnoticed (measured); here the row's name is
authenticated along with it.
"""

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from makerhub.errors import MakerhubError, translatable

NONCE_BYTES = 12


class KeyFileUnsafe(MakerhubError):
    """The key file can be read by others."""

    template = translatable("The key file %(file)s can be read by other users. Run: chmod 600 %(file)s")


class KeyUnreadable(MakerhubError):
    """The key file and the database do not belong together."""

    template = translatable(
        "A printer's key can not be decrypted: the key file and the database do not belong together."
    )


class KeyBox:
    """Encrypts and decrypts printers' keys with the key in `file`, which is made at first use."""

    def __init__(self, file: Path) -> None:
        self._cipher = AESGCM(_key_from(file))

    def encrypt(self, key: str, printer_id: UUID) -> bytes:
        """The key, encrypted for this printer's row."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key.encode(), _place(printer_id))

    def decrypt(self, encrypted: bytes, printer_id: UUID) -> str:
        """The key; raises `KeyUnreadable` for another row's ciphertext or another key file."""
        nonce, ciphertext = encrypted[:NONCE_BYTES], encrypted[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, ciphertext, _place(printer_id)).decode()
        except (InvalidTag, ValueError) as error:
            raise KeyUnreadable from error


def _place(printer_id: UUID) -> bytes:
    return f"printer:{printer_id}:encrypted_key".encode()


def _key_from(file: Path) -> bytes:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        _make_key(file)
    if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise KeyFileUnsafe(file=str(file))
    return file.read_bytes()


def _make_key(file: Path) -> None:
    """A whole key or none: written beside and linked to its name, which only the first of many can do."""
    descriptor, part = tempfile.mkstemp(dir=file.parent, suffix=".part")  # for its owner alone
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(AESGCM.generate_key(256))
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):
            file.hardlink_to(part)
    finally:
        Path(part).unlink()
