"""Printer profiles: one TOML file a printer model in `printers/`, read into a `PrinterProfile`.

A profile holds what planning and the guard need (bed, height, temperatures, power) and names the presets of the
slicer's vendor bundle; how those are flattened stands in `bundle.py`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from makerhub.designs.plates import Bed
from makerhub.errors import Invalid, NotFound, translatable
from makerhub.gcode.limits import Margin, PrinterLimits


class ProfileInvalid(Invalid):
    """A printer profile can not be used; names the file and what is wrong."""

    template = translatable("The printer profile “%(file)s” can not be used: %(problem)s")


@dataclass(frozen=True, slots=True)
class SlicerPresets:
    """The names that the slicer's vendor bundle gives to this printer: `filaments` maps a material to its preset.

    `overrides` are settings of the slicer that replace the presets' own, such as `start_gcode`.
    """

    bundle: str
    printer: str
    print: str
    filaments: Mapping[str, str]
    overrides: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PrinterProfile:
    """One printer model; lengths in mm, temperatures in °C, power in W.

    The bed goes from (0, 0) to (`bed_width_mm`, `bed_depth_mm`). No part is placed nearer than `edge_mm` to its border
    (clips, purge line, skirt); the start code may leave the bed by `purge_margin` to clean the nozzle. The extruder's
    current is in mA, 0 when its firmware knows no such command.
    """

    key: str
    vendor: str
    model: str
    bed_width_mm: float
    bed_depth_mm: float
    height_mm: float
    edge_mm: float
    purge_margin: Margin
    nozzle_mm: float
    max_nozzle_celsius: int
    max_bed_celsius: int
    max_speed_mm_s: int
    max_extruder_current_ma: int
    power_watts: int
    presets: SlicerPresets

    @property
    def name(self) -> str:
        """Vendor and model as people say it; some models carry their vendor's name already."""
        return self.model if self.vendor.split()[0] in self.model else f"{self.vendor} {self.model}"

    @property
    def materials(self) -> tuple[str, ...]:
        """The materials that this printer can be asked to print."""
        return tuple(self.presets.filaments)

    @property
    def bed(self) -> Bed:
        """The bed, for the layout of plates."""
        return Bed(width_mm=self.bed_width_mm, depth_mm=self.bed_depth_mm, edge_mm=self.edge_mm)

    def limits(self) -> PrinterLimits:
        """The bounds that the guard holds every file for this printer against."""
        return PrinterLimits(
            bed_width_mm=self.bed_width_mm,
            bed_depth_mm=self.bed_depth_mm,
            height_mm=self.height_mm,
            nozzle_max_celsius=self.max_nozzle_celsius,
            bed_max_celsius=self.max_bed_celsius,
            purge_margin=self.purge_margin,
            feedrate_max_mm_per_minute=self.max_speed_mm_s * 60,
            extruder_current_max_milliamperes=self.max_extruder_current_ma,
        )


def read_profiles(folder: Path) -> Mapping[str, PrinterProfile]:
    """Every profile in `folder` by its key (the file's name without `.toml`), in the order of the keys."""
    return {file.stem: read_profile(file) for file in sorted(folder.glob("*.toml"))}


def read_profile(file: Path) -> PrinterProfile:
    """The profile in `file`; raises `NotFound` without it, `ProfileInvalid` when a field is missing or wrong."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        return _profile_of(file.stem, document)
    except FileNotFoundError as error:
        raise NotFound from error
    except KeyError as error:
        raise ProfileInvalid(file=file.name, problem=f"{error.args[0]} is missing") from error
    except (tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        raise ProfileInvalid(file=file.name, problem=str(error)) from error


def _profile_of(key: str, document: Mapping[str, Any]) -> PrinterProfile:
    bed, nozzle, slicer = document["bed"], document["nozzle"], document["slicer"]
    return PrinterProfile(
        key=key,
        vendor=str(document["vendor"]),
        model=str(document["model"]),
        bed_width_mm=_positive(bed, "width-mm"),
        bed_depth_mm=_positive(bed, "depth-mm"),
        height_mm=_positive(document, "height-mm"),
        edge_mm=_positive(bed, "edge-mm"),
        purge_margin=_margin_of(bed.get("purge-margin", {})),
        nozzle_mm=_positive(nozzle, "diameter-mm"),
        max_nozzle_celsius=int(_positive(nozzle, "max-celsius")),
        max_bed_celsius=int(_positive(bed, "max-celsius")),
        max_speed_mm_s=int(_positive(document, "max-speed-mm-s")),
        max_extruder_current_ma=int(document.get("motors", {}).get("extruder-current-max-ma", 0)),
        power_watts=int(_positive(document, "power-watts")),
        presets=SlicerPresets(
            bundle=str(slicer["bundle"]),
            printer=str(slicer["printer"]),
            print=str(slicer["print"]),
            filaments=dict(slicer["filaments"]),
            overrides={name: _setting(value) for name, value in slicer.get("overrides", {}).items()},
        ),
    )


def _setting(value: object) -> str:
    """A setting as the slicer's files have it: in one line."""
    return str(value).strip().replace("\n", "\\n")


def _margin_of(table: Mapping[str, Any]) -> Margin:
    return Margin(**{field.replace("-", "_"): _positive(table, field) for field in table})


def _positive(table: Mapping[str, Any], field: str) -> float:
    value = float(table[field])
    if not 0 < value < 10_000:
        raise ValueError(f"{field} must be more than 0 and less than 10000, not {value:g}")
    return value
