"""Why the guard refuses something: a fixed set, each with a translatable message."""

from enum import StrEnum
from typing import Self

from makerhub.errors import translatable


class Reason(StrEnum):
    """Why a line, or the whole file, is refused; `template` is its message, translated where it is shown."""

    template: str

    def __new__(cls, value: str, template: str) -> Self:
        """Make a member from its stable value and its message."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.template = template
        return member

    UNPRINTABLE = "unprintable", translatable("It holds a byte that is not plain text.")
    LINE_TOO_LONG = "line-too-long", translatable("The line is longer than 256 bytes.")
    MALFORMED = "malformed", translatable("It is not a well-formed command.")
    TWO_COMMANDS = "two-commands", translatable("It holds two commands.")
    REPEATED_WORD = "repeated-word", translatable("It gives the same word twice.")
    UNKNOWN_COMMAND = "unknown-command", translatable("This command is not on the list of allowed commands.")
    UNKNOWN_WORD = "unknown-word", translatable("This command may not carry one of its words.")
    MISSING_WORD = (
        "missing-word",
        translatable("The command lacks a word that it needs, or carries two that exclude each other."),
    )
    OUT_OF_RANGE = "out-of-range", translatable("A value is outside the range allowed for this command.")
    NOT_HOMED = (
        "not-homed",
        translatable("It moves an axis that is not homed; only Z may be raised a little, by a relative move."),
    )
    HOMES_INTO_PRINT = "homes-into-print", translatable("It homes Z above what it has printed.")
    OUT_OF_REACH = "out-of-reach", translatable("It moves the nozzle beyond the reach of this printer.")
    OUTSIDE_HEIGHT = "outside-height", translatable("It moves below the bed or above the height of this printer.")
    OUTSIDE_BED = "outside-bed", translatable("It prints outside the bed.")
    BAD_ARC = "bad-arc", translatable("Its arc does not fit its end points.")
    FEEDRATE = "feedrate", translatable("Its speed is not above zero and within what this printer allows.")
    COLD_EXTRUSION = "cold-extrusion", translatable("It feeds filament before it has waited for a hot nozzle.")
    TOO_MUCH_FILAMENT = "too-much-filament", translatable("It moves more than 200 mm of filament at once.")
    NOZZLE_TOO_HOT = "nozzle-too-hot", translatable("It sets the nozzle hotter than this printer allows.")
    BED_TOO_HOT = "bed-too-hot", translatable("It sets the bed hotter than this printer allows.")
    MOTOR_CURRENT = "motor-current", translatable("It sets a motor current that this printer does not allow.")
    DWELL_TOO_LONG = "dwell-too-long", translatable("It waits longer than allowed, alone or with the waits before it.")
    HEATER_LEFT_ON = "heater-left-on", translatable("A heater set here is never switched off.")
    EMPTY = "empty", translatable("The file holds no command.")
    TOO_LARGE = "too-large", translatable("The file is too large.")
