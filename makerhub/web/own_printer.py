"""A printer like no other: its model described by its maker, and the maker's own slicer settings and G-code for it."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]

from makerhub.designs.generic_profile import Answers, AnswersInvalid, Drive, generic_profile
from makerhub.designs.profiles import PrinterProfile
from makerhub.errors import Invalid, translatable
from makerhub.people.models import Role
from makerhub.printers import service as printers
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience
from makerhub.web.policy import allowed
from makerhub.web.shown import my_printer

pages = Blueprint("own_printer", __name__, url_prefix="/printers")
audience = Audience(pages)

OTHER = "other"
"""The choice of a model that the maker describes."""

DRIVES = {
    Drive.BOWDEN: translatable("At the frame, with a tube to the nozzle"),
    Drive.DIRECT: translatable("At the nozzle"),
}
CODE = ("ini", "start_gcode", "end_gcode")
_NUMBERS = ("bed_width_mm", "bed_depth_mm", "height_mm", "max_nozzle_celsius", "max_bed_celsius", "power_watts")


def described() -> tuple[PrinterProfile, Answers]:
    """The profile of the model that the form describes; raises `Invalid` by the names of the form's fields."""
    typed = request.form
    numbers = {field: _number(typed.get(f"own_{field}", "")) for field in _NUMBERS}
    answers = Answers(
        name=typed.get("own_name", ""),
        bed_width_mm=numbers["bed_width_mm"],
        bed_depth_mm=numbers["bed_depth_mm"],
        height_mm=numbers["height_mm"],
        nozzle_mm=_number(typed.get("own_nozzle_mm", "")),
        max_nozzle_celsius=round(numbers["max_nozzle_celsius"]),
        max_bed_celsius=round(numbers["max_bed_celsius"]),
        drive=Drive.DIRECT if typed.get("own_drive") == Drive.DIRECT else Drive.BOWDEN,
        materials=tuple(filter(None, typed.getlist("own_materials"))),
        power_watts=round(numbers["power_watts"]),
    )
    try:
        return generic_profile(OTHER, answers), answers
    except AnswersInvalid as error:
        raise Invalid(fields={f"own_{field}": problem for field, problem in error.fields.items()}) from error


def _number(text: str) -> float:
    """What was typed, with a comma or a point; nonsense is -1, which is outside of every range."""
    try:
        number = float(text.strip().replace(",", "."))
    except ValueError:
        return -1.0
    return number if 0 <= number < 100_000 else -1.0


@pages.get("/<uuid:printer_id>/own")
@allowed(Role.MAKER)
def own(printer_id: UUID) -> str:
    """The form for what a maker brings for one printer."""
    with hub().database.reading() as session:
        mine = my_printer(session, printer_id)
    return _page(printer_id, mine.own_code, {})


@pages.post("/<uuid:printer_id>/own")
@allowed(Role.MAKER)
def bring(printer_id: UUID) -> ResponseReturnValue:
    """Lint what was brought, and use it for this printer from the next slice on."""
    code = {name: request.form.get(name, "").replace("\r\n", "\n") for name in CODE}
    try:
        with hub().database.changing() as session:
            mine = my_printer(session, printer_id)
            settings = printers.bring(session, mine, code, hub().profiles, now=hub().clock())
    except Invalid as error:
        return _page(printer_id, code, error.fields), 400
    flash(_("Saved. From the next slice on it is used for this printer."), "success")
    if settings.unused:
        flash(_("These lines change nothing here: %(names)s.", names=", ".join(settings.unused[:20])), "warning")
    return redirect(url_for("maker.printer", printer_id=printer_id))


def _page(printer_id: UUID, code: Mapping[str, str], errors: Mapping[str, str]) -> str:
    with hub().database.reading() as session:
        mine = my_printer(session, printer_id)
    return render_template("maker/own.html", printer=mine, typed=code, errors=errors)
