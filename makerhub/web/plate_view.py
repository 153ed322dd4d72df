"""Where the copies of a job lie on the build plate, to be drawn: as they were sliced, or as they will be."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from makerhub.designs.models import Part
from makerhub.designs.plates import Placement
from makerhub.designs.profiles import PrinterProfile
from makerhub.designs.slicer import DoesNotFit, plate_layout
from makerhub.errors import MakerhubError
from makerhub.printers.models import Printer
from makerhub.printers.own import base_of
from makerhub.web.hub import hub
from makerhub.web.shown import ShownAttempt

Loop = Sequence[Sequence[float]]


@dataclass(frozen=True)
class PlateView:
    """A bed in mm, its free border, and the copies on it.

    `outline` is the path of one copy around (0, 0) with y upwards, as SVG writes it; `is_sliced` says that the copies
    lie there for certain, while another slicer's plate could still differ.
    """

    profile: PrinterProfile
    outline: str
    placements: Sequence[Placement]
    is_sliced: bool


def plate_of(shown: ShownAttempt, printer: Printer) -> PlateView | None:
    """The plate of an attempt on its printer; None where it can't be told, as for a model that is no longer here."""
    profile = _profile(printer)
    if profile is None:
        return None
    try:
        placements = _sliced(shown) or _planned(shown, profile)
    except DoesNotFit:
        return None
    return PlateView(profile, outline_path(shown.part), placements, is_sliced=bool(_sliced(shown)))


def outline_path(part: Part) -> str:
    """One copy seen from above, its bounding box around (0, 0): its silhouette, or less where no more is known."""
    return "".join(_path(loop) for loop in _centred(_loops(part)))


def _profile(printer: Printer) -> PrinterProfile | None:
    try:
        return base_of(printer, hub().profiles)
    except MakerhubError:
        return None


def _sliced(shown: ShownAttempt) -> Sequence[Placement]:
    kept = shown.plate_slice.placements if shown.plate_slice else []
    return [Placement(x, y, bool(turned)) for x, y, turned in kept]


def _planned(shown: ShownAttempt, profile: PrinterProfile) -> Sequence[Placement]:
    part, brim = shown.part, int(shown.part.settings.get("brim_mm", 0))
    return plate_layout(part.width_mm, part.depth_mm, part.height_mm, profile, shown.job.copies, brim)


def _loops(part: Part) -> Sequence[Loop]:
    analysis: dict[str, Any] = part.analysis
    hull = analysis.get("outline_mm")
    box = [(0.0, 0.0), (part.width_mm, 0.0), (part.width_mm, part.depth_mm), (0.0, part.depth_mm)]
    return analysis.get("silhouette_mm") or [hull or box]


def _centred(loops: Sequence[Loop]) -> Iterable[Loop]:
    xs, ys = zip(*(point for loop in loops for point in loop), strict=True)
    middle_x, middle_y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    return [[(x - middle_x, y - middle_y) for x, y in loop] for loop in loops]


def _path(loop: Loop) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in loop) + "Z"
