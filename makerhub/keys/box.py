"""Sealing a text for one place of the database: AES-256-GCM that is bound to table, row and column.

Fernet would decrypt a ciphertext copied from another row unnoticed (measured); here the place is authenticated along
with the text. What is sealed begins with the id of its key, then comes the nonce, then the ciphertext with its tag.
"""

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from makerhub.errors import MakerhubError, translatable
from makerhub.keys.ring import ID_BYTES, Key, KeyRing, read_ring

NONCE_BYTES = 12

SEALED = {"sealed": True}
"""The `info` of a column that holds what a `KeyBox` sealed; its table has a primary key named `id`."""


class Unreadable(MakerhubError):
    """Something sealed can not be opened; the subclasses say why."""

    template = translatable("Something in the database can not be decrypted.")


class KeyMissing(Unreadable):
    """It was sealed with a key that the key file does not hold."""

    template = translatable(
        "The key file %(file)s and the database do not belong together: "
        "%(place)s was sealed with key %(sealed_with)s, and the file holds %(held)s. Put the right key file back."
    )


class NotGenuine(Unreadable):
    """It was changed, cut short, or copied from another row."""

    template = translatable("%(place)s is not what was sealed there: it was changed, or copied from another row.")


@dataclass(frozen=True)
class Place:
    """Where something sealed stands; nothing of another place can be opened there."""

    table: str
    row: UUID
    column: str

    def __str__(self) -> str:
        return f"{self.table}:{self.row}:{self.column}"


def place(model: Any, row: UUID, column: str) -> Place:
    """The place of a model's column in the row with this id."""
    return Place(str(model.__tablename__), row, column)


class KeyBox:
    """Seals and opens with the keys in `file`, which is made at first use.

    The file is looked at whenever something is sealed, and when a key is missing: a hub that runs while its keys are
    rotated seals with the new one from then on.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._seen = _signature(file)
        self._ring = read_ring(file)

    @property
    def ring(self) -> KeyRing:
        """The keys as the file has them now."""
        signature = _signature(self.file)
        with self._lock:
            if signature is not None and signature != self._seen:
                self._ring, self._seen = read_ring(self.file), signature
            return self._ring

    def seal(self, text: str, place: Place) -> bytes:
        """The text, sealed with the newest key for this place."""
        key, nonce = self.ring.newest, os.urandom(NONCE_BYTES)
        return key.id + nonce + AESGCM(key.secret).encrypt(nonce, text.encode(), str(place).encode())

    def open(self, sealed: bytes, place: Place) -> str:
        """What was sealed for this place. Raises `KeyMissing` and `NotGenuine`."""
        key = self._key_of(sealed, place)
        nonce, ciphertext = sealed[ID_BYTES : ID_BYTES + NONCE_BYTES], sealed[ID_BYTES + NONCE_BYTES :]
        try:
            return AESGCM(key.secret).decrypt(nonce, ciphertext, str(place).encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise NotGenuine(place=str(place)) from error

    def _key_of(self, sealed: bytes, place: Place) -> Key:
        if len(sealed) < ID_BYTES + NONCE_BYTES:
            raise NotGenuine(place=str(place))
        key_id = sealed[:ID_BYTES]
        key = self._ring.find(key_id) or self.ring.find(key_id)
        if key is None:
            held = ", ".join(key.id.hex() for key in self._ring.keys)
            raise KeyMissing(file=str(self.file), place=str(place), sealed_with=key_id.hex(), held=held)
        return key


def _signature(file: Path) -> tuple[int, int] | None:
    """Changes whenever the file is replaced; None while there is none, and then the keys that were read stay in use."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns
