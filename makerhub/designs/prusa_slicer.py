"""The slicer port on PrusaSlicer's command line (2.5 and later), run in a child process with limits.

It fails quietly: asked to put a part beyond the bed it answers with code 0 and G-code outside of the bed, it never
looks at the height, and some input makes it crash. So it is only handed meshes that were checked, in a layout of
our own, and its G-code is checked against the printer and against what it was asked to make.
"""

import hashlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from makerhub.designs.bundle import as_ini, flatten
from makerhub.designs.geometry import MeshDamaged, Triangles, check_triangles, read_stl, write_stl
from makerhub.designs.plates import Placement
from makerhub.designs.sandbox import GIB, SandboxFailed, SandboxLimits, run_limited
from makerhub.designs.slicer import (
    MaterialUnknown,
    PlateOrder,
    SlicedPlate,
    SlicerMissing,
    SlicingFailed,
    input_hash,
    plate_layout,
)
from makerhub.gcode.guard import UnsafeGcode, require_safe
from makerhub.gcode.interpreter import Box

EXECUTABLE = Path("/usr/bin/prusa-slicer")
BUNDLES = Path("/usr/share/PrusaSlicer/profiles")
LIMITS = SandboxLimits(memory_bytes=4 * GIB, cpu_seconds=300, wall_seconds=300, file_bytes=128 << 20)

_SKIRT_MM = 4.0
_TOLERANCE_MM = 1.0
_THICKEST_LAYER = 0.8  # of the nozzle: lines of more do not hold; what asks for more is printed finer, and as strong
_SPARSE = "cubic"  # straight lines: a 40 % smaller file and an 11 % shorter print than gyroid
_SOLID = "rectilinear"  # the slicer refuses to fill wholly with any pattern that crosses itself
_LONGEST_LINE = 200
_VERSION = re.compile(rb"PrusaSlicer-([0-9.]+)")
_DURATION = re.compile(rb"^; estimated printing time \(normal mode\) = (.+)$", re.MULTILINE)
_GRAMS = re.compile(rb"^; filament used \[g\] = ([0-9.]+)", re.MULTILINE)
_UNIT_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class _Plate:
    """All copies as one mesh on the bed, and its bounds in mm."""

    triangles: Triangles
    placements: tuple[Placement, ...]

    @property
    def low(self) -> tuple[float, float, float]:
        x, y, z = self.triangles.min(axis=(0, 1)).tolist()
        return x, y, z

    @property
    def high(self) -> tuple[float, float, float]:
        x, y, z = self.triangles.max(axis=(0, 1)).tolist()
        return x, y, z


class PrusaSlicer:
    """A `Slicer`; `bundles` is the folder of the vendors' presets that come with the executable."""

    def __init__(self, executable: Path = EXECUTABLE, bundles: Path = BUNDLES, limits: SandboxLimits = LIMITS) -> None:
        self._executable = executable
        self._bundles = bundles
        self._limits = limits
        self._version = ""

    def version(self) -> str:
        """As in `Slicer`; asked once, then remembered."""
        self._version = self._version or self._ask_version()
        return self._version

    def slice(self, order: PlateOrder) -> SlicedPlate:
        """As in `Slicer`."""
        if order.material not in order.profile.presets.filaments:
            raise MaterialUnknown(model=order.profile.model, material=order.material)
        plate = _plate_of(order)
        version = self.version()
        gcode = self._run(plate, order)
        _require_as_ordered(gcode, plate, order)
        return SlicedPlate(
            gcode=gcode,
            sha256=hashlib.sha256(gcode).hexdigest(),
            sha1=hashlib.sha1(gcode, usedforsecurity=False).hexdigest(),
            seconds=estimated_seconds(gcode),
            milligrams=estimated_milligrams(gcode),
            copies=order.copies,
            placements=plate.placements,
            input_hash=input_hash(order, version),
            slicer_version=version,
        )

    def _ask_version(self) -> str:
        self._require_executable()
        try:
            answer = run_limited([str(self._executable), "--help"], Path(tempfile.gettempdir()), self._limits)
        except SandboxFailed as error:
            raise SlicingFailed(problem=error.problem) from error
        match = _VERSION.search(answer)
        return f"PrusaSlicer {match[1].decode()}" if match else "PrusaSlicer"

    def _require_executable(self) -> None:
        if not self._executable.is_file():
            raise SlicerMissing(path=self._executable)

    def _run(self, plate: _Plate, order: PlateOrder) -> bytes:
        (left, front, _), (right, back, _) = plate.low, plate.high
        with tempfile.TemporaryDirectory(prefix="makerhub-slice-") as name:
            folder = Path(name)
            (folder / "settings.ini").write_text(as_ini(self._settings(order)), encoding="utf-8")
            (folder / "plate.stl").write_bytes(write_stl(plate.triangles))
            command = [str(self._executable), "--loglevel", "1", "--load", "settings.ini", "--export-gcode"]
            command += ["--center", f"{(left + right) / 2:.3f},{(front + back) / 2:.3f}", "-o", "plate.gcode"]
            try:
                run_limited([*command, "plate.stl"], folder, self._limits)
                return (folder / "plate.gcode").read_bytes()
            except SandboxFailed as error:
                raise SlicingFailed(problem=_with_its_words(error)) from error
            except FileNotFoundError as error:
                raise SlicingFailed(problem="the slicer wrote no file") from error

    def _settings(self, order: PlateOrder) -> dict[str, str]:
        """The vendor's presets, with the bed that the profile promises and what the part asks for."""
        profile, wanted = order.profile, order.settings
        width, depth = f"{profile.bed_width_mm:g}", f"{profile.bed_depth_mm:g}"
        return flatten(self._bundles, profile, order.material) | {
            "bed_shape": f"0x0,{width}x0,{width}x{depth},0x{depth}",
            "max_print_height": f"{profile.height_mm:g}",
            "print_settings_id": profile.presets.print,
            "filament_settings_id": f'"{profile.presets.filaments[order.material]}"',
            "layer_height": f"{min(wanted.layer_height_um / 1000, profile.nozzle_mm * _THICKEST_LAYER):g}",
            "fill_density": f"{wanted.infill_percent}%",
            "fill_pattern": _SOLID if wanted.infill_percent == 100 else _SPARSE,
            "perimeters": str(wanted.perimeters),
            "brim_width": str(wanted.brim_mm),
            "skirts": "0" if wanted.brim_mm else "1",
            "skirt_distance": "2",
            "support_material": str(int(wanted.supports)),
            "complete_objects": "0",
            "thumbnails": "",
        }


def _with_its_words(error: SandboxFailed) -> str:
    """How the slicer ended, and the last line that it said about it."""
    said = [line.strip() for line in error.output.splitlines() if line.strip()]
    return f"{error.problem}: {said[-1][:_LONGEST_LINE]}" if said else error.problem


def estimated_seconds(gcode: bytes) -> int:
    """The printing time that the slicer wrote at the end, as “1d 2h 3m 4s”; raises `SlicingFailed` without it."""
    match = _DURATION.search(gcode, _tail_of(gcode))
    pairs = re.findall(r"(\d+)([dhms])", match[1].decode(errors="replace")) if match else []
    if not pairs:
        raise SlicingFailed(problem="its G-code tells no printing time")
    return sum(int(number) * _UNIT_SECONDS[unit] for number, unit in pairs)


def estimated_milligrams(gcode: bytes) -> int:
    """The filament's mass that the slicer wrote at the file's end; raises `SlicingFailed` without it."""
    match = _GRAMS.search(gcode, _tail_of(gcode))
    if not match:
        raise SlicingFailed(problem="its G-code tells no filament")
    return round(float(match[1]) * 1000)


def _tail_of(gcode: bytes) -> int:
    """Where the comments at the end begin, generously."""
    return max(0, len(gcode) - 200_000)


def _plate_of(order: PlateOrder) -> _Plate:
    part = _checked(order.mesh)
    low, high = part.min(axis=(0, 1)), part.max(axis=(0, 1))
    width, depth, height = (high - low).tolist()
    placements = plate_layout(width, depth, height, order.profile, order.copies, order.settings.brim_mm)
    centred = part - np.array([*((low + high) / 2)[:2], low[2]])
    return _Plate(np.concatenate([_placed(centred, placement) for placement in placements]), placements)


def _checked(mesh: bytes) -> Triangles:
    """The faces of a mesh that is still as sound as when it was inspected."""
    try:
        triangles = read_stl(mesh)
    except MeshDamaged as error:
        raise SlicingFailed(problem=str(error)) from error
    report = check_triangles(triangles)
    if report.problems:
        raise SlicingFailed(problem=report.problems[0].sentence)
    return triangles


def _placed(part: Triangles, placement: Placement) -> Triangles:
    x, y, z = part[..., 0], part[..., 1], part[..., 2]
    turned = np.stack([-y, x, z], axis=-1) if placement.turned else part
    moved: Triangles = turned + np.array([placement.x_mm, placement.y_mm, 0.0])
    return moved


def _require_as_ordered(gcode: bytes, plate: _Plate, order: PlateOrder) -> None:
    """Raise unless the G-code is safe for the printer and prints the plate, where it should be, and nothing else."""
    try:
        summary = require_safe(gcode, order.profile.limits()).summary
    except UnsafeGcode as error:
        finding = error.report.findings[0]
        raise SlicingFailed(problem=f"line {finding.line}: {finding.reason}: {finding.excerpt}") from error
    if summary.printed is None or not _is_printed(summary.printed, plate, order):
        raise SlicingFailed(problem="its G-code does not print what was asked for")


def _is_printed(printed: Box, plate: _Plate, order: PlateOrder) -> bool:
    """Whether the plastic reaches the plate's bounds and leaves them by no more than skirt or brim."""
    (left, front, _), (right, back, top) = plate.low, plate.high
    beyond = (
        left - printed.x_min_mm,
        front - printed.y_min_mm,
        printed.x_max_mm - right,
        printed.y_max_mm - back,
    )
    around = max(_SKIRT_MM, order.settings.brim_mm) + _TOLERANCE_MM
    layer = order.settings.layer_height_um / 1000 + 0.05
    return all(-_TOLERANCE_MM <= excess <= around for excess in beyond) and abs(printed.z_max_mm - top) <= layer
