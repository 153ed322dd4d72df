"""Whether a printer is the model that we slice for: its bed and nozzle, as OctoPrint has them or as its maker says.

A key with the five permissions can't read OctoPrint's printer profile, so then the maker compares two numbers. Where
they differ the printer gets no jobs, until another model is chosen or OctoPrint is corrected.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlmodel import Field, Session, SQLModel

from makerhub.db import state_type
from makerhub.designs.profiles import PrinterProfile
from makerhub.fleet.gateway import Build
from makerhub.lifecycle import move
from makerhub.printers.models import Printer, PrinterState

BED_TOLERANCE_MM: Final = 3.0
"""The same model is entered as 250 × 210 and as 252.5 × 210 mm; other models differ by a centimetre and more."""

NOZZLE_TOLERANCE_MM: Final = 0.01


class ToldBy(StrEnum):
    """Who says whether a printer fits its model."""

    OCTOPRINT = "octoprint"
    MAKER = "maker"


class PrinterFit(SQLModel, table=True):
    """The latest answer to whether a printer has the bed and the nozzle of the model `profile`, and who gave it when.

    The numbers, in millimetres, are OctoPrint's; a maker says only whether they are the same.
    """

    __tablename__ = "printer_fit"

    printer_id: UUID = Field(foreign_key="printer.id", primary_key=True)
    profile: str = Field(max_length=64)
    told_by: ToldBy = Field(sa_type=state_type(ToldBy))
    fits: bool
    bed_width_mm: float | None = None
    bed_depth_mm: float | None = None
    nozzle_mm: float | None = None
    told_at: datetime


def is_same(build: Build, profile: PrinterProfile) -> bool:
    """Whether OctoPrint speaks of a printer of this model; one whose bed is a circle has its diameter both ways."""
    pairs = ((build.bed_width_mm, profile.bed_width_mm), (build.bed_depth_mm, profile.bed_depth_mm))
    is_bed = all(abs(told - ours) <= BED_TOLERANCE_MM for told, ours in pairs)
    return is_bed and abs(build.nozzle_mm - profile.nozzle_mm) <= NOZZLE_TOLERANCE_MM


def fit_of(session: Session, printer: Printer) -> PrinterFit | None:
    """The answer for the model that the printer is now; nothing where nobody has answered."""
    fit = session.get(PrinterFit, printer.id)
    return fit if fit is not None and fit.profile == printer.profile else None


def note(session: Session, printer: Printer, profile: PrinterProfile, build: Build, *, now: datetime) -> None:
    """Keep what OctoPrint tells."""
    told = PrinterFit(
        printer_id=printer.id,
        profile=printer.profile,
        told_by=ToldBy.OCTOPRINT,
        fits=is_same(build, profile),
        bed_width_mm=build.bed_width_mm,
        bed_depth_mm=build.bed_depth_mm,
        nozzle_mm=build.nozzle_mm,
        told_at=now,
    )
    session.merge(told)
    session.flush()


def answer(session: Session, printer: Printer, *, fits: bool, by: UUID, now: datetime) -> None:
    """The maker has compared the numbers. One that differs is refused; one that fits now is checked again."""
    told = PrinterFit(printer_id=printer.id, profile=printer.profile, told_by=ToldBy.MAKER, fits=fits, told_at=now)
    session.merge(told)
    session.flush()
    if not fits and printer.state in (PrinterState.ACTIVE, PrinterState.PAUSED):
        move(session, printer, PrinterState.REFUSED, now=now, by=by, why=DIFFERS)
    elif fits and printer.state is PrinterState.REFUSED:
        move(session, printer, PrinterState.UNCHECKED, now=now, by=by, trouble="", why="bed and nozzle fit now")


DIFFERS: Final = "its bed or nozzle is not that of the model"
