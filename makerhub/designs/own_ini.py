"""The settings of a maker's own slicer file that may be taken over: an allow-list, with the values each may have.

What a part is printed with (layers, infill, walls, supports) was approved with the design, and what a material needs
(temperatures, cooling, flow) belongs to its preset; both are left unused. What is left is how a printer moves.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from makerhub.errors import translatable

MAX_INI_CHARACTERS: Final = 100_000
CODE_KEYS: Final = frozenset({"start_gcode", "end_gcode"})

_KEY: Final = re.compile(r"[a-z][a-z0-9_]{1,60}")
_NUMBER: Final = re.compile(r"-?\d{1,6}(?:\.\d{1,6})?")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in which line (from 1); `template` is its message, translated where it is shown."""

    line: int
    template: str
    values: Mapping[str, object]

    @property
    def sentence(self) -> str:
        """The message in English."""
        return self.template % self.values


@dataclass(frozen=True, slots=True)
class Number:
    """A number from `low` to `high`; `percent` allows a share up to 200 % as well."""

    low: float
    high: float
    percent: bool = False

    def admits(self, value: str) -> bool:
        """Tell whether the slicer would read this as such a number."""
        is_share = self.percent and value.endswith("%")
        number = value[:-1] if is_share else value
        low, high = (0.0, 200.0) if is_share else (self.low, self.high)
        return bool(_NUMBER.fullmatch(number)) and low <= float(number) <= high

    def __str__(self) -> str:
        return f"{self.low:g} … {self.high:g}" + (" / 0 % … 200 %" if self.percent else "")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    words: tuple[str, ...]

    def admits(self, value: str) -> bool:
        """Tell whether this is one of the words."""
        return value in self.words

    def __str__(self) -> str:
        return ", ".join(self.words)


_SPEED: Final = Number(1, 500, percent=True)
_ACCELERATION: Final = Number(0, 20_000)
_WIDTH: Final = Number(0, 2, percent=True)
_FLAG: Final = Choice(("0", "1"))

ALLOWED: Final[Mapping[str, Number | Choice]] = {
    **dict.fromkeys(
        (
            "bridge_speed",
            "external_perimeter_speed",
            "first_layer_speed",
            "gap_fill_speed",
            "infill_speed",
            "max_print_speed",
            "perimeter_speed",
            "small_perimeter_speed",
            "solid_infill_speed",
            "support_material_speed",
            "top_solid_infill_speed",
            "travel_speed",
        ),
        _SPEED,
    ),
    **dict.fromkeys(
        (
            "bridge_acceleration",
            "default_acceleration",
            "first_layer_acceleration",
            "infill_acceleration",
            "perimeter_acceleration",
        ),
        _ACCELERATION,
    ),
    **dict.fromkeys(
        (
            "external_perimeter_extrusion_width",
            "extrusion_width",
            "first_layer_extrusion_width",
            "infill_extrusion_width",
            "perimeter_extrusion_width",
            "solid_infill_extrusion_width",
            "support_material_extrusion_width",
            "top_infill_extrusion_width",
        ),
        _WIDTH,
    ),
    **dict.fromkeys(
        (
            "avoid_crossing_perimeters",
            "external_perimeters_first",
            "infill_first",
            "only_retract_when_crossing_perimeters",
            "overhangs",
            "retract_layer_change",
            "wipe",
        ),
        _FLAG,
    ),
    "deretract_speed": Number(0, 120),
    "elefant_foot_compensation": Number(0, 1),
    "first_layer_height": Number(0.1, 0.4),
    "gcode_resolution": Number(0, 0.1),
    "infill_overlap": Number(0, 1, percent=True),
    "resolution": Number(0, 0.1),
    "retract_before_travel": Number(0, 20),
    "retract_before_wipe": Number(0, 0, percent=True),
    "retract_length": Number(0, 12),
    "retract_lift": Number(0, 2),
    "retract_restart_extra": Number(-0.5, 0.5),
    "retract_speed": Number(1, 120),
    "seam_position": Choice(("aligned", "nearest", "random", "rear")),
    "xy_size_compensation": Number(-0.5, 0.5),
}

_RUNS: Final = translatable("“%(key)s” would run programs where the slicer runs. Remove this line.")
_NAMES_FILES: Final = translatable("“%(key)s” would name files where the slicer runs. Remove this line.")
_REWRITES: Final = translatable("“%(key)s” would change G-code after the slicer made it. Remove this line.")
_NOTES: Final = translatable(
    "“%(key)s” is text that presets hide switches in, and it may name people. Remove this line."
)
_NETWORK: Final = translatable("“%(key)s” is an address or a key of your network. Remove this line.")

DANGEROUS: Final[Mapping[str, str]] = {
    "post_process": _RUNS,
    "output_filename_format": _NAMES_FILES,
    "gcode_substitutions": _REWRITES,
    **dict.fromkeys(("notes", "filament_notes", "printer_notes"), _NOTES),
    **dict.fromkeys(
        (
            "octoprint_apikey",
            "octoprint_cafile",
            "octoprint_host",
            "print_host",
            "printhost_apikey",
            "printhost_cafile",
            "printhost_password",
            "printhost_port",
            "printhost_user",
        ),
        _NETWORK,
    ),
}

_TOO_LONG: Final = translatable("The file is longer than 100,000 characters.")
_SECTION: Final = translatable("This is a bundle of many presets. Export the current configuration (“Export config”).")
_NOT_A_SETTING: Final = translatable("This is no setting; a line is “name = value”.")
_TWICE: Final = translatable("“%(key)s” is set twice.")
_VALUE: Final = translatable("“%(key)s” may be %(allowed)s, and not “%(value)s”.")


@dataclass(frozen=True, slots=True)
class IniFile:
    """What a file sets: `settings` that may be taken over, `code` as it stands there, names that stay `unused`."""

    settings: Mapping[str, str]
    code: Mapping[str, str]
    unused: tuple[str, ...]
    problems: tuple[Problem, ...]


def read_ini(text: str) -> IniFile:
    """Read a configuration as the slicer exports it; no content makes it raise, what is wrong is in `problems`."""
    if len(text) > MAX_INI_CHARACTERS:
        return IniFile({}, {}, (), (Problem(1, _TOO_LONG, {}),))
    lines = [entry for entry in _entries(text) if isinstance(entry, _Entry)]
    problems = [entry for entry in _entries(text) if isinstance(entry, Problem)]
    for line in lines:
        problem = _problem_with(line, lines)
        problems += [problem] if problem else []
    return IniFile(
        settings={entry.key: entry.value for entry in lines if entry.key in ALLOWED},
        code={entry.key: entry.value for entry in lines if entry.key in CODE_KEYS},
        unused=tuple(sorted(entry.key for entry in lines if not _is_known(entry.key))),
        problems=tuple(sorted(problems, key=lambda problem: problem.line)),
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    line: int
    key: str
    value: str


def _entries(text: str) -> Iterator[_Entry | Problem]:
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith(("#", ";")):
            continue
        if stripped.startswith("["):
            yield Problem(number, _SECTION, {})
            return
        key, equals, value = (part.strip() for part in stripped.partition("="))
        is_setting = equals and _KEY.fullmatch(key)
        yield _Entry(number, key, value) if is_setting else Problem(number, _NOT_A_SETTING, {})


def _problem_with(entry: _Entry, entries: list[_Entry]) -> Problem | None:
    if any(other.key == entry.key and other.line < entry.line for other in entries):
        return Problem(entry.line, _TWICE, {"key": entry.key})
    if entry.key in DANGEROUS and entry.value.strip('"'):
        return Problem(entry.line, DANGEROUS[entry.key], {"key": entry.key})
    allowed = ALLOWED.get(entry.key)
    if allowed and not allowed.admits(entry.value):
        return Problem(entry.line, _VALUE, {"key": entry.key, "allowed": allowed, "value": entry.value[:40]})
    return None


def _is_known(key: str) -> bool:
    return key in ALLOWED or key in DANGEROUS or key in CODE_KEYS
