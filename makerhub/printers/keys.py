"""Printers' keys at rest: AES-256-GCM bound to the row, with a key file that is neither in database nor backup.

Fernet would decrypt a ciphertext copied from another row unnoticed (measured); here the row's name is
authenticated along with it.
"""

import os
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from makerhub.errors import MakerhubError, translatable
from makerhub.key_file import secret_key

NONCE_BYTES = 12


class KeyUnreadable(MakerhubError):
    """The key file and the database do not belong together."""

    template = translatable(
        "A printer's key can not be decrypted: the key file and the database do not belong together."
    )


class KeyBox:
    """Encrypts and decrypts printers' keys with the key in `file`, which is made at first use."""

    def __init__(self, file: Path) -> None:
        self._cipher = AESGCM(secret_key(file))

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
