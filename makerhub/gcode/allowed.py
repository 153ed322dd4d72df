"""The allow-list: every command that may reach a printer, which words it may carry, and why it is there.

What is not here is refused. The list is what slicers need to print a part; each entry beyond moving, heating and
fans says what it is for. Bounds that depend on the printer (temperatures, waits, speeds, reach) are the guard's.
Left out on purpose although some vendor profiles use them: M117 and M300 (text and noise on a stranger's printer),
M420 (a mesh switch on one firmware, something else on another), M141 and M191 (chambers have no limits yet),
M600, M601 and M0 (they wait for a person), M92, M500 to M504 and M906 (they change the machine), G92 with X, Y or Z
(it moves the origin that every other bound relies on).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from makerhub.gcode.commands import MOVE_WORDS, Command
from makerhub.gcode.reasons import Reason


class Range(NamedTuple):
    """The values that a word may have, both ends included; `bare` allows the word without a number."""

    low: float
    high: float
    bare: bool = False


@dataclass(frozen=True)
class Rule:
    """What one command may carry: its words, those of which exactly one must be there, and why it is allowed."""

    why: str
    words: Mapping[str, Range]
    one_of: str = ""


_FLAG = Range(0, 0, bare=True)
_TOOL = Range(0, 9)
_CELSIUS = Range(0, 1000)  # the printer's own limits are far below; this only keeps the negative ones out
_ACCELERATION = Range(1, 100_000)
_JERK = Range(0, 100)
_PERCENT = Range(0, 100)
_AXES = "XYZE"


def _no_words(why: str) -> Rule:
    return Rule(why, {})


ALLOWED: Final[Mapping[str, Rule]] = {
    "G4": Rule("waits; the guard bounds how long", {"P": Range(0, 999_999), "S": Range(0, 999_999)}),
    "G20": _no_words("inches; the interpreter converts"),
    "G21": _no_words("millimetres"),
    "G28": Rule("homes; W is Prusa's “without mesh levelling”", dict.fromkeys("XYZW", _FLAG)),
    "G29": _no_words("probes the bed before the print"),
    "G80": _no_words("Prusa's mesh levelling, in every MK2 and MK3 start; elsewhere it ends a canned cycle"),
    "G90": _no_words("absolute positions"),
    "G91": _no_words("relative positions"),
    "G92": Rule("resets the length extruded", {"E": Range(-999_999, 999_999)}, one_of="E"),
    "M73": Rule(
        "progress on the display; Q and S are those of the silent mode",
        {"P": _PERCENT, "Q": _PERCENT, "R": Range(0, 100_000), "S": Range(0, 100_000)},
    ),
    "M82": _no_words("absolute extrusion"),
    "M83": _no_words("relative extrusion"),
    "M84": Rule("motors off; not S, which lets axes go later, in some pause", dict.fromkeys(_AXES, _FLAG)),
    "M104": Rule("nozzle target", {"S": _CELSIUS, "T": _TOOL}, one_of="S"),
    "M105": _no_words("reports temperatures"),
    "M106": Rule("fan on", {"S": Range(0, 255), "P": _TOOL}),
    "M107": Rule("fan off", {"P": _TOOL}),
    "M109": Rule("nozzle target, and waits; R waits for cooling too", {"S": _CELSIUS, "R": _CELSIUS, "T": _TOOL}, "SR"),
    "M115": _no_words("reports the firmware; Prusa's U only compares a version and shows a hint"),
    "M140": Rule("bed target", {"S": _CELSIUS}, one_of="S"),
    "M190": Rule("bed target, and waits; R waits for cooling too", {"S": _CELSIUS, "R": _CELSIUS}, one_of="SR"),
    "M201": Rule("largest accelerations, mm/s²", dict.fromkeys(_AXES, _ACCELERATION)),
    "M202": Rule("largest travel accelerations, mm/s²", dict.fromkeys(_AXES, _ACCELERATION)),
    "M203": Rule("largest speeds, mm/s; F stays bounded whatever they are", dict.fromkeys(_AXES, Range(1, 1000))),
    "M204": Rule("accelerations in use, mm/s²", dict.fromkeys("PRST", _ACCELERATION)),
    "M205": Rule(
        "jerk, junction deviation and slowest speeds",
        {**dict.fromkeys(_AXES, _JERK), "J": Range(0, 1), "S": Range(0, 1000), "T": Range(0, 1000)},
    ),
    "M220": Rule("speed in per cent; more than double has no use in a file", {"S": Range(10, 200)}, one_of="S"),
    "M221": Rule("flow in per cent; MK3 starts set 95", {"S": Range(10, 200)}, one_of="S"),
    "M400": _no_words("waits for moves to finish"),
    "M862.1": Rule("Prusa's check of the nozzle's diameter: can only stop a wrong file", {"P": Range(0.1, 2)}, "P"),
    "M862.3": _no_words("Prusa's check of the printer's model: can only stop a wrong file"),
    "M900": Rule("pressure advance; 200 is the highest in vendor profiles", {"K": Range(0, 200)}, one_of="K"),
    "M907": Rule("extruder motor current of the MK3; the guard bounds it by the printer", {"E": Range(1, 2000)}, "E"),
}

_TOOLS: Final = frozenset(f"T{tool}" for tool in range(10))
_MOVES: Final = {f"G{code}": frozenset("XYZEF" if code < 2 else MOVE_WORDS) for code in range(4)}


def is_listed(name: str) -> bool:
    """Tell whether a command is on the list, whatever its words."""
    return name in ALLOWED or name in _MOVES or name in _TOOLS


def judge(command: Command) -> Reason | None:
    """Return why a well-formed command is not on the list as it stands, or None where it is.

    Moves get here only when the reader could not take them as moves, so one is always refused.
    """
    if command.name in _MOVES:
        known = set(command.words) <= _MOVES[command.name]
        return Reason.MALFORMED if known else Reason.UNKNOWN_WORD
    if command.name in _TOOLS:
        return Reason.UNKNOWN_WORD if command.words else None
    rule = ALLOWED.get(command.name)
    return Reason.UNKNOWN_COMMAND if rule is None else _judge_words(command.words, rule)


def _judge_words(words: Mapping[str, float | None], rule: Rule) -> Reason | None:
    if not words.keys() <= rule.words.keys():
        return Reason.UNKNOWN_WORD
    if rule.one_of and len(words.keys() & set(rule.one_of)) != 1:
        return Reason.MISSING_WORD
    for letter, value in words.items():
        allowed = rule.words[letter]
        if value is None and not allowed.bare:
            return Reason.MISSING_WORD
        if value is not None and not allowed.low <= value <= allowed.high:
            return Reason.OUT_OF_RANGE
    return None
