"""Printers' keys at rest: AES-256-GCM bound to the row, with a key file that is neither in database nor backup.

Fernet would decrypt a ciphertext copied from another row unnoticed (measured); here the row's name is
authenticated along with it.
"""

import os
import stat
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
        except InvalidTag as error:
            raise KeyUnreadable from error


def _place(printer_id: UUID) -> bytes:
    return f"printer:{printer_id}:encrypted_key".encode()


def _key_from(file: Path) -> bytes:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise KeyFileUnsafe(file=str(file)) from None
        return file.read_bytes()
    with os.fdopen(descriptor, "wb") as stream:
        key = AESGCM.generate_key(256)
        stream.write(key)
        stream.flush()
        os.fsync(stream.fileno())
    return key
