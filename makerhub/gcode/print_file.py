"""A print file as guards and printers take it: its bytes, or where they stand, to be read as they are needed.

An agent has 60 MB for itself on a Raspberry Pi, and a print may have 50 MB.
"""

import hashlib
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

PrintFile = bytes | Path
_CHUNK: Final = 256 * 1024


def opened(file: PrintFile) -> BinaryIO:
    """The file to read from; whoever asked for it closes it."""
    return BytesIO(file) if isinstance(file, bytes) else file.open("rb")


def size_of(file: PrintFile) -> int:
    """How many bytes it has."""
    return len(file) if isinstance(file, bytes) else file.stat().st_size


def digest_of(file: PrintFile, algorithm: str) -> str:
    """Its hash in hex, by hashlib's name of the algorithm."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with opened(file) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
