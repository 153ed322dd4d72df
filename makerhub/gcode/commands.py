"""One G-code command: read without trust from one line, and what it says of heaters, waits and homing.

It knows no columns and no numpy, so that the small guard of an agent stands on it as the fast one of the hub does.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from makerhub.gcode.reasons import Reason

MOVE_WORDS: Final = "XYZEFIJ"
MELTING_CELSIUS: Final = 170.0
"""Marlin's EXTRUDE_MINTEMP: a firmware refuses to feed a colder nozzle, or grinds the filament if it doesn't."""
MILLIMETRES_PER_INCH: Final = 25.4
BLIND_RAISE_MM: Final = 10.0
"""How far in all Z may be raised by relative moves while it is not homed: Marlin's own raise before it homes."""
ROUNDING_MM: Final = 1e-6
"""Less than this is no length but the rounding of sums: slicers write at most five decimals, and a position at the end
of a whole spool (330 m) is exact to 1e-10 mm."""

# At most six digits before the point and eight after it, no exponent: nan, inf and 1e9 are not numbers here.
NUMBER: Final = rb"[+-]?+(?:\d{1,6}+(?:\.\d{0,8}+)?+|\.\d{1,8}+)"
_NAME: Final = re.compile(rb"(?:[GM]\d{1,4}(?:\.\d)?|T\d)(?=[ \t]|$)")
_WORD: Final = re.compile(rb"([A-Z])(" + NUMBER + rb")?")
_SECOND_COMMAND: Final = re.compile(rb"[GM]\d")

# Two commands carry text instead of numbers; their whole tail is matched.
_TEXT_TAILS: Final = {
    "M115": re.compile(rb"(?:[ \t]+U\d{1,3}\.\d{1,3}\.\d{1,3}(?:-[A-Za-z0-9]{1,16})?)?"),
    "M862.3": re.compile(rb'[ \t]+P ?"[A-Za-z0-9 ._+&-]{1,40}"'),
}


@dataclass(frozen=True)
class Command:
    """One well-formed command: its name and its words; a word without a number has the value None."""

    name: str
    words: Mapping[str, float | None]


def command_name(text: bytes) -> str | None:
    """Return the name of the command that a line without comment and surrounding blanks begins with, if one does."""
    name = _NAME.match(text)
    return name.group().decode() if name else None


@lru_cache(maxsize=4096)
def parse_command(text: bytes) -> Command | Reason:
    """Parse one line without its comment and surrounding blanks; returns the reason where it is not well-formed."""
    command = command_name(text)
    if command is None:
        return Reason.MALFORMED if text[:1] in (b"G", b"M", b"T") else Reason.UNKNOWN_COMMAND
    tail = text[len(command) :]
    if command in _TEXT_TAILS:
        return Command(command, {}) if _TEXT_TAILS[command].fullmatch(tail) else Reason.MALFORMED
    return _parse_words(command, tail.split())


def _parse_words(command: str, tokens: list[bytes]) -> Command | Reason:
    words: dict[str, float | None] = {}
    for token in tokens:
        if _SECOND_COMMAND.match(token):
            return Reason.TWO_COMMANDS
        match = _WORD.fullmatch(token)
        if match is None:
            return Reason.MALFORMED
        letter = match[1].decode()
        if letter in words:
            return Reason.REPEATED_WORD
        words[letter] = float(match[2]) if match[2] else None
    return Command(command, words)


def target_celsius(command: Command) -> float:
    """Return the target that a heater command sets, 0 where it names none."""
    return max(number(command.words.get("S")), number(command.words.get("R")))


def dwell_seconds(command: Command) -> float:
    """Return how long a G4 waits: P is in milliseconds, S in seconds."""
    return number(command.words.get("P")) / 1000 + number(command.words.get("S"))


def number(value: float | None) -> float:
    """Return a word's number, 0 for one that is absent or bare."""
    return 0.0 if value is None else value


def homes(command: Command, axis: str) -> bool:
    """Tell whether a command homes this axis; G28 without any axis homes all."""
    return command.name == "G28" and concerns(command, axis)


def concerns(command: Command, axis: str) -> bool:
    """Tell whether G28 or M84 is meant for this axis: for all where they name none."""
    return axis in command.words or not command.words.keys() & set("XYZE")
