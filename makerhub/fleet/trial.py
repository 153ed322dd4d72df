"""A test print of nothing: the printer waits for ten seconds, nothing heats and nothing moves.

It takes the very way of a real print (upload, start, look, history), so a printer that has made one is connected. It
leaves no piece, so it needs no clear plate, and its file tells anybody who finds it what it is. (In the code it is a
trial: whatever is called a test there is one of the program's.)
"""

import hashlib
from typing import Final
from uuid import UUID

from makerhub.fleet.gateway import FOLDER

SECONDS: Final = 10
_COMMENT: Final = b"; A test print of makerhub: it waits for 10 seconds. Nothing heats, nothing moves.\n"
GCODE: Final = _COMMENT + b"G4 P1000\n" * SECONDS
"""One dwell a second, so that the printer's server tells how far it has come. The guard passes it for every printer."""

SHA1: Final = hashlib.sha1(GCODE, usedforsecurity=False).hexdigest()
SHA256: Final = hashlib.sha256(GCODE).hexdigest()
_PREFIX: Final = f"test-print-{SECONDS}-seconds-"


def file_name(trial_id: UUID) -> str:
    """Its start token, unique for ever."""
    return f"{_PREFIX}{trial_id.hex}.gcode"


def is_trial(name: str) -> bool:
    """Whether a file of our folder is one."""
    return name.startswith(_PREFIX)


def prints_trial(path: str | None) -> bool:
    """Whether what a printer prints, by its path on the printer's server, is one."""
    return path is not None and path.startswith(f"{FOLDER}/{_PREFIX}")
