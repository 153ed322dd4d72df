"""What a guard finds, and the bounds that both guards share: the fast one of the hub and the small one of the agent."""

import re
from dataclasses import dataclass
from typing import Final

from makerhub.gcode.reasons import Reason

MAX_BYTES: Final = 128 << 20  # ten times a full-height print of a face-shield frame
MAX_FINDINGS: Final = 100
MAX_LINE_BYTES: Final = 256
MAX_FEED_MM: Final = 200.0  # Marlin's EXTRUDE_MAXLENGTH; a line across a bed of 400 mm takes some 20

_EXCERPT_CHARACTERS: Final = 60
TOLERANCE_MM: Final = 0.01
PLAIN: Final = bytes(range(ord(" "), 127)) + b"\t\r\n"
NOT_PLAIN: Final = re.compile(rb"[^\t\r\n -~]|\r(?!\n)")
_HARMFUL_IN_EXCERPT: Final = re.compile(rb"[^ -~]")


@dataclass(frozen=True)
class Finding:
    """One thing refused: its line from 1 (0: the file as a whole), a bounded printable excerpt, and the reason."""

    line: int
    excerpt: str
    reason: Reason


def excerpt(line: bytes) -> str:
    """Return the beginning of a line, bounded and printable."""
    return _HARMFUL_IN_EXCERPT.sub(b"?", line[:_EXCERPT_CHARACTERS]).decode("ascii")
