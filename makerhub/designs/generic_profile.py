"""A profile for a printer that nobody wrote one for: from a few answers of its maker, careful where they tell nothing.

It relies on a vendor's presets for the most sold kind of printer, a bed on rails with Marlin, and replaces what would
be a promise about the machine: its start and end code home, heat and draw one line, without probing the bed; its
speeds are modest; and it leaves the firmware's own limits alone. The bed is a rectangle, its zero in front on the left.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from makerhub.designs.own_code import OwnCodeRefused, as_setting, lint_code
from makerhub.designs.profiles import PrinterProfile, SlicerPresets
from makerhub.errors import Invalid, translatable
from makerhub.gcode.limits import Margin

EDGE_MM: Final = 10.0
MAX_SPEED_MM_S: Final = 150
NOZZLES_MM: Final = (0.4, 0.5, 0.6)
NEEDS: Final[Mapping[str, tuple[int, int]]] = {"PLA": (210, 0), "PETG": (240, 70)}
"""The materials that there are presets for, with the °C that they need of the nozzle and of the bed."""

_PLA_BED_CELSIUS: Final = 60


class Drive(StrEnum):
    """Where the extruder's motor sits: at the nozzle, or at the frame with a tube between."""

    DIRECT = "direct"
    BOWDEN = "bowden"


@dataclass(frozen=True, slots=True)
class Answers:
    """What the maker says of the printer: mm, °C, W; `max_bed_celsius` is 0 for a bed that is not heated."""

    name: str
    bed_width_mm: float
    bed_depth_mm: float
    height_mm: float
    nozzle_mm: float
    max_nozzle_celsius: int
    max_bed_celsius: int
    drive: Drive
    materials: tuple[str, ...]
    power_watts: int


class AnswersInvalid(Invalid):
    """Some answers can not be right; `fields` says which and why, by the names of `Answers`."""

    template = translatable("Please check what you entered about the printer.")


def generic_profile(key: str, answers: Answers) -> PrinterProfile:
    """The profile of the printer that the answers describe; raises `AnswersInvalid` with a message for each field.

    `key` is what the profile is known by among all profiles. Answers can be stored and asked for again: the same ones
    give the same profile.
    """
    fields = dict(_problems(answers))
    if fields:
        raise AnswersInvalid(fields=fields)
    profile = PrinterProfile(
        key=key,
        vendor=answers.name.strip(),
        model=answers.name.strip(),
        bed_width_mm=answers.bed_width_mm,
        bed_depth_mm=answers.bed_depth_mm,
        height_mm=answers.height_mm,
        edge_mm=EDGE_MM,
        purge_margin=Margin(),
        nozzle_mm=answers.nozzle_mm,
        max_nozzle_celsius=answers.max_nozzle_celsius,
        max_bed_celsius=answers.max_bed_celsius,
        max_speed_mm_s=MAX_SPEED_MM_S,
        max_extruder_current_ma=0,
        power_watts=answers.power_watts,
        presets=_presets(answers),
    )
    try:
        lint_code(profile, start_gcode=_start_code(answers), end_gcode=_end_code(answers))
    except OwnCodeRefused as error:  # a rule above is missing: better to say so than to let it come to a printer
        raise AnswersInvalid(fields={"name": str(error)}) from error
    return profile


_NAME: Final = translatable("Give the printer's name in 2 to 60 characters.")
_BETWEEN: Final = translatable("This must be between %(low)s and %(high)s.")
_NOZZLE: Final = translatable("There are settings for nozzles of 0.4, 0.5 and 0.6 mm.")
_NO_MATERIAL: Final = translatable("Choose at least one material.")
_UNKNOWN_MATERIAL: Final = translatable("There are no settings for %(material)s.")
_TOO_COLD: Final = translatable("%(material)s needs a nozzle of %(nozzle)s °C and a bed of %(bed)s °C.")
_BED_TOO_HOT: Final = translatable("Enter 0 for a bed that is not heated, otherwise 40 to 130.")

_RANGES: Final = {
    "bed_width_mm": (80, 500),
    "bed_depth_mm": (80, 500),
    "height_mm": (50, 600),
    "max_nozzle_celsius": (200, 300),
    "power_watts": (20, 1500),
}


def _problems(answers: Answers) -> Iterator[tuple[str, str]]:
    if not 2 <= len(answers.name.strip()) <= 60:
        yield "name", _NAME
    for field, (low, high) in _RANGES.items():
        if not low <= getattr(answers, field) <= high:
            yield field, _BETWEEN % {"low": low, "high": high}
    if answers.nozzle_mm not in NOZZLES_MM:
        yield "nozzle_mm", _NOZZLE
    if answers.max_bed_celsius and not 40 <= answers.max_bed_celsius <= 130:
        yield "max_bed_celsius", _BED_TOO_HOT
    yield from _problems_of_materials(answers)


def _problems_of_materials(answers: Answers) -> Iterator[tuple[str, str]]:
    if not answers.materials:
        yield "materials", _NO_MATERIAL
    for material in answers.materials:
        if material not in NEEDS:
            yield "materials", _UNKNOWN_MATERIAL % {"material": material}
            return
        nozzle, bed = NEEDS[material]
        if answers.max_nozzle_celsius < nozzle or answers.max_bed_celsius < bed:
            yield "materials", _TOO_COLD % {"material": material, "nozzle": nozzle, "bed": bed}


def _presets(answers: Answers) -> SlicerPresets:
    return SlicerPresets(
        bundle="Creality",
        printer=f"Creality Ender-3 ({answers.nozzle_mm:g} mm nozzle)",
        print=f"0.20 mm NORMAL ({answers.nozzle_mm:g} mm nozzle) @CREALITY",
        filaments={material: f"Generic {material} @CREALITY" for material in answers.materials},
        overrides=_overrides(answers),
    )


def _overrides(answers: Answers) -> Mapping[str, str]:
    is_direct = answers.drive is Drive.DIRECT
    return {
        "start_gcode": as_setting(_start_code(answers)),
        "end_gcode": as_setting(_end_code(answers)),
        "gcode_flavor": "marlin",
        "machine_limits_usage": "time_estimate_only",
        "printer_model": "",
        "printer_notes": "",
        "retract_length": "1" if is_direct else "5",
        "retract_speed": "35",
        "retract_lift": "0.2",
        "travel_speed": "120",
        "max_print_speed": "80",
        **_bed_temperatures(answers),
    }


def _bed_temperatures(answers: Answers) -> Mapping[str, str]:
    """As warm as the bed gets, where that is less than the preset for PLA asks for; PETG isn't printed there."""
    celsius = str(answers.max_bed_celsius)
    is_cool = answers.max_bed_celsius < _PLA_BED_CELSIUS
    return {"bed_temperature": celsius, "first_layer_bed_temperature": celsius} if is_cool else {}


def _start_code(answers: Answers) -> str:
    """Heat the bed, home with a nozzle that does not ooze yet, heat it, and draw a line along the front edge."""
    length_mm = min(100, answers.bed_width_mm - 2 * EDGE_MM)
    heated = answers.max_bed_celsius > 0
    return "\n".join(
        [
            "G21",
            "G90",
            "M83",
            *(["M140 S[first_layer_bed_temperature]"] if heated else []),
            "M104 S150",
            *(["M190 S[first_layer_bed_temperature]"] if heated else []),
            "G91",
            "G1 Z5 F300",
            "G90",
            "G28",
            "G1 Z10 F300",
            f"G1 X{EDGE_MM:g} Y3 F3000",
            "M109 S[first_layer_temperature]",
            "G92 E0",
            "G1 Z0.3 F300",
            f"G1 X{EDGE_MM + length_mm:g} E{length_mm / 10:g} F900",
            "G92 E0",
            "G1 Z2 F300",
        ]
    )


def _end_code(answers: Answers) -> str:
    """Draw a little filament back, rise, push the bed forward, and switch everything off."""
    return "\n".join(
        [
            "G1 E-1 F1800",
            "G1 Z{min(max_layer_z+10, max_print_height)} F300",
            f"G1 X{EDGE_MM:g} Y{answers.bed_depth_mm - EDGE_MM:g} F3000",
            "M107",
            "M104 S0",
            *(["M140 S0"] if answers.max_bed_celsius else []),
            "M84",
        ]
    )
