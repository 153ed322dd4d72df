"""The port to a slicer: a mesh, a printer and settings go in, checked G-code with its estimates comes out."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Protocol

from makerhub.designs.manifest import PrintSettings
from makerhub.designs.plates import Bed, Placement, PlateFull, capacity, layout
from makerhub.designs.profiles import PrinterProfile
from makerhub.errors import Invalid, MakerhubError, translatable

_SPACING_MM = 4.0


class SlicingFailed(MakerhubError):
    """The slicer stopped with an error, took too long, or its G-code can not be trusted."""

    template = translatable("The part could not be sliced: %(problem)s")


class SlicerMissing(SlicingFailed):
    """No slicer is installed where the configuration says."""

    template = translatable(
        "There is no slicer at %(path)s. Install it: apt-get install --no-install-recommends prusa-slicer"
    )


class DoesNotFit(Invalid):
    """So many copies, or the part itself, do not fit into this printer."""

    template = translatable(
        "%(copies)s × %(width)s × %(depth)s × %(height)s mm does not fit into the printer “%(model)s”."
    )


class MaterialUnknown(Invalid):
    """The printer's profile names no preset for this material."""

    template = translatable("The printer “%(model)s” has no settings for %(material)s.")


@dataclass(frozen=True, slots=True)
class PlateOrder:
    """What to slice: `mesh` is a binary STL in mm that `inspection` has accepted, `copies` of it go on one plate."""

    mesh: bytes
    copies: int
    profile: PrinterProfile
    material: str
    settings: PrintSettings


@dataclass(frozen=True, slots=True)
class SlicedPlate:
    """A plate that the guard has passed: `seconds` and `milligrams` are the slicer's estimates for the whole plate."""

    gcode: bytes
    sha256: str
    sha1: str
    seconds: int
    milligrams: int
    copies: int
    placements: tuple[Placement, ...]
    input_hash: str
    slicer_version: str


class Slicer(Protocol):
    """Turns plates into G-code.

    Two runs of one order differ in their bytes, and by about a second in their estimates: cache by `input_hash`.
    """

    def version(self) -> str:
        """The slicer's name and version, as it goes into `input_hash`; raises `SlicerMissing`."""

    def slice(self, order: PlateOrder) -> SlicedPlate:
        """Slice one plate, blocking up to some minutes.

        Raises `DoesNotFit` and `MaterialUnknown` before slicing, `SlicerMissing` and `SlicingFailed` after trying.
        What it returns has passed the guard of the order's printer and lies on its bed.
        """


def copies_that_fit(
    width_mm: float, depth_mm: float, height_mm: float, profile: PrinterProfile, brim_mm: int = 0
) -> int:
    """How many copies of a part go on one plate of this printer; 0 when not even one does."""
    if height_mm > profile.height_mm:
        return 0
    return capacity(width_mm, depth_mm, _bed_for(profile, brim_mm), _spacing_mm(brim_mm))


def plate_layout(
    width_mm: float, depth_mm: float, height_mm: float, profile: PrinterProfile, copies: int, brim_mm: int = 0
) -> tuple[Placement, ...]:
    """Where so many copies of a part go on this bed; raises `DoesNotFit`, also for a part that is too high."""
    misfit = DoesNotFit(
        copies=copies,
        width=round(width_mm),
        depth=round(depth_mm),
        height=round(height_mm),
        model=profile.model,
    )
    if height_mm > profile.height_mm:
        raise misfit
    try:
        return layout(width_mm, depth_mm, _bed_for(profile, brim_mm), _spacing_mm(brim_mm), copies)
    except PlateFull as error:
        raise misfit from error


def _bed_for(profile: PrinterProfile, brim_mm: int) -> Bed:
    return replace(profile.bed, edge_mm=profile.edge_mm + brim_mm)


def _spacing_mm(brim_mm: int) -> float:
    return _SPACING_MM + 2 * brim_mm


def input_hash(order: PlateOrder, slicer_version: str) -> str:
    """The key of a cached plate (64 hexadecimal digits): the same for the same mesh, settings, printer and slicer."""
    words = {
        "mesh": hashlib.sha256(order.mesh).hexdigest(),
        "copies": order.copies,
        "material": order.material,
        "settings": asdict(order.settings),
        "profile": asdict(order.profile),
        "slicer": slicer_version,
    }
    return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()
