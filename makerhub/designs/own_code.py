"""What a maker may bring for one printer: settings of an own slicer file, own start and end G-code.

All of it is linted before it is stored, and what the slicer makes of it passes the guard like everything else. The
code may hold a few of the slicer's placeholders and no conditions, so that the lint sees every line it can become.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from makerhub.designs.own_ini import Problem, read_ini
from makerhub.designs.profiles import PrinterProfile
from makerhub.errors import Invalid, translatable
from makerhub.gcode.guard import Reason, check

MAX_CODE_LINES: Final = 200
MAX_CODE_CHARACTERS: Final = 10_000

INI, START, END = "ini", "start_gcode", "end_gcode"

_TOO_LONG: Final = translatable("The code is longer than 200 lines or 10,000 characters.")
_PLACEHOLDER: Final = translatable(
    "“%(text)s” is not one of the placeholders that can be used here: [first_layer_temperature], [temperature], "
    "[first_layer_bed_temperature], [bed_temperature], [max_print_height] and "
    "{min(max_layer_z+10, max_print_height)}. There are no conditions."
)
_BRACKET: Final = translatable("A bracket or brace is open or closed without the other.")
_ONLY_AT_THE_END: Final = translatable("The height of the print (max_layer_z) is known to the end code alone.")
_LAYER_MARK: Final = translatable("Comments that begin with “;LAYER” are the slicer's own.")
_REFUSED: Final = translatable("%(reason)s (“%(excerpt)s”)")
_LEFT_ON: Final = translatable("The end code must switch off all heaters: M104 S0 and M140 S0.")
_AFTERWARDS: Final = translatable("The print that follows the start code can not begin: %(reason)s")


class OwnCodeRefused(Invalid):
    """What a maker brought can not be used; `source` is "ini", "start_gcode" or "end_gcode", `problems` are all."""

    template = translatable("%(source)s, line %(line)d: %(problem)s")

    def __init__(self, source: str, problems: tuple[Problem, ...]) -> None:
        first = problems[0]
        super().__init__(
            fields={source: first.sentence}, source=source.replace("_", " "), line=first.line, problem=first.sentence
        )
        self.source = source
        self.problems = problems


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """What may be used: `settings` replace those of the presets; `unused` names in the file change nothing."""

    settings: Mapping[str, str]
    unused: tuple[str, ...] = ()


def read_own(profile: PrinterProfile, *, ini: str = "", start_gcode: str = "", end_gcode: str = "") -> OwnSettings:
    """Lint what a maker brings for a printer of this profile; raises `OwnCodeRefused` with line and reason.

    `ini` is the text of an exported configuration. Code that is given apart counts, not the one in the file. An empty
    text leaves what the profile has.
    """
    file = read_ini(ini)
    if file.problems:
        raise OwnCodeRefused(INI, file.problems)
    given = {key: text for key, text in ((START, start_gcode), (END, end_gcode)) if text.strip()}
    code = {**{key: _unescaped(value) for key, value in file.code.items() if value}, **given}
    lint_code(profile, start_gcode=code.get(START, ""), end_gcode=code.get(END, ""))
    return OwnSettings({**file.settings, **{key: as_setting(text) for key, text in code.items()}}, file.unused)


def with_own(profile: PrinterProfile, settings: Mapping[str, str]) -> PrinterProfile:
    """The profile of one printer with its own settings: they are part of the profile, and so of a plate's hash."""
    presets = replace(profile.presets, overrides={**profile.presets.overrides, **settings})
    return replace(profile, presets=presets)


def as_setting(code: str) -> str:
    """G-code as a slicer's file has it: in one line."""
    return "\\n".join(_lines(code.strip().replace("\\", "\\\\")))


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "r": ""}.get(match[1], match[1]), value)


def _lines(code: str) -> list[str]:
    """The lines as a printer sees them; Python would end lines at other characters too."""
    return code.replace("\r\n", "\n").split("\n") if code else []


def lint_code(profile: PrinterProfile, *, start_gcode: str = "", end_gcode: str = "") -> None:
    """Raise `OwnCodeRefused` unless start and end code are safe on this printer, around a low print and a high one."""
    for source, code in ((START, start_gcode), (END, end_gcode)):
        problems = tuple(_problems_of_text(source, code))
        if problems:
            raise OwnCodeRefused(source, problems)
    for height_mm in (0.2, profile.height_mm):
        _lint_around_a_print(profile, start_gcode, end_gcode, height_mm)


# A placeholder in the slicer's own syntax: in braces, a setting of each extruder needs an index and others have none.
_OF_EXTRUDERS: Final = "first_layer_temperature|temperature|first_layer_bed_temperature|bed_temperature"
_OF_ALL: Final = "max_print_height|max_layer_z"
_NAMES: Final = (*_OF_EXTRUDERS.split("|"), *_OF_ALL.split("|"))
_SQUARE: Final = re.compile(rf"\[({_OF_EXTRUDERS}|{_OF_ALL})\]")
_CURLY: Final = re.compile(
    rf"\{{((?:{_OF_EXTRUDERS})(?=\[0\])|(?:{_OF_ALL})(?!\[))(?:\[0\])?(?: ?([+-]) ?(\d{{1,3}}))?\}}"
)
_RAISED: Final = re.compile(
    r"\{(?:z_offset ?\+ ?)?min\(max_layer_z ?\+ ?(\d{1,3}), ?max_print_height(?: ?- ?(\d{1,3}))?\)\}"
)
_ANY: Final = re.compile(r"\{[^{}]*\}|\[[^\[\]]*\]")


def _problems_of_text(source: str, code: str) -> Iterator[Problem]:
    lines = _lines(code)
    if len(lines) > MAX_CODE_LINES or len(code) > MAX_CODE_CHARACTERS:
        yield Problem(1, _TOO_LONG, {})
        return
    for number, line in enumerate(lines, start=1):
        rest = _expanded(line, dict.fromkeys(_NAMES, 1.0))
        unknown = _ANY.search(rest)
        if unknown:
            yield Problem(number, _PLACEHOLDER, {"text": unknown.group()[:40]})
        elif re.search(r"[\[\]{}]", rest):
            yield Problem(number, _BRACKET, {})
        elif source == START and rest != line and "max_layer_z" in line:
            yield Problem(number, _ONLY_AT_THE_END, {})
        elif line.lstrip().startswith(";LAYER"):
            yield Problem(number, _LAYER_MARK, {})


def _expanded(line: str, values: Mapping[str, float]) -> str:
    """The line as the slicer would write it where its placeholders have these values."""

    def raised(match: re.Match[str]) -> str:
        return f"{min(values['max_layer_z'] + int(match[1]), values['max_print_height'] - int(match[2] or 0)):g}"

    def shifted(match: re.Match[str]) -> str:
        shift = int(f"{match[2]}{match[3]}") if match[2] else 0
        return f"{values[match[1]] + shift:g}"

    line = _RAISED.sub(raised, line)
    return _CURLY.sub(shifted, _SQUARE.sub(lambda match: f"{values[match[1]]:g}", line))


def _lint_around_a_print(profile: PrinterProfile, start_gcode: str, end_gcode: str, height_mm: float) -> None:
    values = _values(profile, height_mm)
    start = [_expanded(line, values) for line in _lines(start_gcode)] or ["G28"]
    end = [_expanded(line, values) for line in _lines(end_gcode)] or ["M104 S0", "M140 S0"]
    printed = _print(profile, values)
    for finding in check("\n".join([*start, *printed, *end]).encode(errors="surrogatepass"), profile.limits()).findings:
        in_end = finding.line - len(start) - len(printed)
        refused = {"reason": finding.reason.template, "excerpt": finding.excerpt}
        if finding.reason is Reason.HEATER_LEFT_ON:
            raise OwnCodeRefused(END, (Problem(len(end), _LEFT_ON, {}),))
        if in_end > 0:
            raise OwnCodeRefused(END, (Problem(in_end, _REFUSED, refused),))
        if finding.line <= len(start):
            raise OwnCodeRefused(START, (Problem(finding.line, _REFUSED, refused),))
        raise OwnCodeRefused(START, (Problem(len(start), _AFTERWARDS, refused),))


def _values(profile: PrinterProfile, height_mm: float) -> Mapping[str, float]:
    nozzle, bed = min(240, profile.max_nozzle_celsius), min(60, profile.max_bed_celsius)
    temperatures = {
        "first_layer_temperature": nozzle,
        "temperature": nozzle,
        "first_layer_bed_temperature": bed,
        "bed_temperature": bed,
    }
    return {**temperatures, "max_print_height": profile.height_mm, "max_layer_z": height_mm}


def _print(profile: PrinterProfile, values: Mapping[str, float]) -> list[str]:
    """The smallest print: what the slicer writes between start and end code, up to the height in question."""
    x, y = profile.bed_width_mm / 2, profile.bed_depth_mm / 2
    return [
        "G21",
        "G90",
        "M83",
        f"M190 S{values['first_layer_bed_temperature']:g}",
        f"M109 S{values['first_layer_temperature']:g}",
        "G1 Z0.2 F600",
        f"G1 X{x:g} Y{y:g} F3000",
        f"G1 X{x + 5:g} E0.2 F1200",
        f"G1 Z{values['max_layer_z']:g} F600",
        f"G1 X{x:g} E0.2 F1200",
    ]
