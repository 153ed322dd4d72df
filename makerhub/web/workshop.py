"""A maker's workshop: the spools at hand, what was done to each printer, and what the household's breaker bears."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import col

from makerhub.errors import Invalid, translatable
from makerhub.people.access import find
from makerhub.people.models import Role
from makerhub.printers import power, spools, upkeep
from makerhub.printers.models import Printer, Spool, SpoolState, UpkeepKind
from makerhub.production import material
from makerhub.production import service as production
from makerhub.production.tasks import start_attempts
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import allowed
from makerhub.web.shown import my_attempt, my_printer, my_printers
from makerhub.web.typed import whole_number
from makerhub.web.viewer import viewer

pages = Blueprint("workshop", __name__)
audience = Audience(
    pages,
    (
        Entry(
            "workshop.overview",
            translatable("My workshop"),
            translatable("Look after my spools"),
            translatable("Enter filament, put it on a printer, see what is left."),
            (Role.MAKER,),
        ),
    ),
)

KINDS: Mapping[UpkeepKind, str] = {
    UpkeepKind.CLEANED: translatable("Cleaned it"),
    UpkeepKind.LEVELLED: translatable("Levelled the bed"),
    UpkeepKind.NOZZLE: translatable("Changed or unclogged the nozzle"),
    UpkeepKind.BELTS: translatable("Tightened the belts"),
    UpkeepKind.GREASED: translatable("Greased rods and screws"),
    UpkeepKind.REPAIRED: translatable("Repaired it"),
    UpkeepKind.OTHER: translatable("Something else"),
}


@pages.get("/workshop")
@allowed(Role.MAKER)
def overview() -> str:
    """My spools, and how much my printers may draw."""
    return _page({}, {})


@pages.post("/workshop/spools")
@allowed(Role.MAKER)
def add_spool() -> ResponseReturnValue:
    """Enter a spool."""
    typed = request.form
    new = spools.NewSpool(
        material=typed.get("material", ""),
        grams=whole_number(typed.get("grams", "")) or 0,
        colour=typed.get("colour", ""),
        brand=typed.get("brand", ""),
        lot=typed.get("lot", ""),
    )
    try:
        with hub().database.changing() as session:
            spools.add(session, new, _materials(), owner_id=viewer().id, now=hub().clock())
    except Invalid as error:
        return _page(typed, error.fields), 400
    flash(_("The spool is entered. Put it on a printer below."), "success")
    return redirect(url_for("workshop.overview"))


@pages.post("/workshop/spools/<uuid:spool_id>/load")
@allowed(Role.MAKER)
def load(spool_id: UUID) -> ResponseReturnValue:
    """Put a spool on a printer of mine, or take it off."""
    chosen = request.form.get("printer", "")
    with hub().database.changing() as session:
        spool = find(session, viewer(), Spool, spool_id)
        printer = next((one for one in session.exec(my_printers()) if str(one.id) == chosen), None)
        if printer is None:
            if spool.printer_id is not None:
                spools.unload(session, spool.printer_id)
        else:
            if printer.material != spool.material:
                production.require_free(session, printer.id)
            spools.load(session, spool, printer)
    hub().soon(start_attempts)
    words = _("The spool is on %(printer)s.", printer=printer.name) if printer else _("The spool is on no printer.")
    flash(words, "success")
    return redirect(url_for("workshop.overview"))


@pages.post("/workshop/spools/<uuid:spool_id>/weigh")
@allowed(Role.MAKER)
def weigh(spool_id: UUID) -> ResponseReturnValue:
    """Say what is left on a spool."""
    field = f"grams-{spool_id}"
    grams = whole_number(request.form.get(field, ""))
    try:
        with hub().database.changing() as session:
            spool = find(session, viewer(), Spool, spool_id)
            spools.weigh(session, spool, -1 if grams is None else grams, by=viewer().id, now=hub().clock())
    except Invalid as error:
        return _page({}, {field: error.fields["grams"]}), 400
    hub().soon(start_attempts)
    flash(_("Saved."), "success")
    return redirect(url_for("workshop.overview"))


@pages.post("/workshop/power")
@allowed(Role.MAKER)
def limit_power() -> ResponseReturnValue:
    """Say how many watts my printers may draw together while they heat up."""
    watts = whole_number(request.form.get("watts", ""))
    try:
        with hub().database.changing() as session:
            power.set_limit(session, viewer().id, watts or 0, now=hub().clock())
    except Invalid as error:
        return _page(request.form, error.fields), 400
    flash(_("Saved."), "success")
    return redirect(url_for("workshop.overview"))


@pages.post("/printers/attempts/<uuid:attempt_id>/spool")
@allowed(Role.MAKER)
def print_anyway(attempt_id: UUID) -> ResponseReturnValue:
    """Start a print although our count says that the spool is not enough."""
    with hub().database.changing() as session:
        attempt = my_attempt(session, attempt_id)
        material.print_anyway(session, attempt)
    hub().soon(start_attempts)
    return redirect(url_for("maker.printer", printer_id=attempt.printer_id))


@pages.get("/printers/<uuid:printer_id>/upkeep")
@allowed(Role.MAKER)
def upkeep_log(printer_id: UUID) -> str:
    """What was done to a printer, and the hours that it printed."""
    return _upkeep_page(printer_id, {}, {})


@pages.post("/printers/<uuid:printer_id>/upkeep")
@allowed(Role.MAKER)
def record_upkeep(printer_id: UUID) -> ResponseReturnValue:
    """Write down what was done."""
    typed = request.form
    kind = next((kind for kind in UpkeepKind if kind == typed.get("kind")), None)
    try:
        with hub().database.changing() as session:
            mine = my_printer(session, printer_id)
            seconds = material.print_seconds(session, mine.id)
            upkeep.record(session, mine.id, kind, typed.get("note", ""), print_seconds=seconds, now=hub().clock())
    except Invalid as error:
        return _upkeep_page(printer_id, typed, error.fields), 400
    flash(_("Saved."), "success")
    return redirect(url_for("workshop.upkeep_log", printer_id=printer_id))


def _materials() -> list[str]:
    return sorted({name for profile in hub().profiles.values() for name in profile.materials})


def _page(typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
    with hub().database.reading() as session:
        mine = spools.of_owner(session, viewer().id)
        left = spools.left_on(session, mine)
        printers = session.exec(my_printers().order_by(col(Printer.name))).all()
        watts = power.limit_of(session, viewer().id)
    return render_template(
        "maker/workshop.html",
        at_hand=[(spool, left[spool.id]) for spool in mine if spool.state is SpoolState.AT_HAND],
        used_up=[(spool, left[spool.id]) for spool in mine if spool.state is SpoolState.USED_UP],
        printers=[(printer.id, printer.name) for printer in printers],
        materials=[(name, name) for name in _materials()],
        watts=watts,
        typed=typed,
        errors=errors,
    )


def _upkeep_page(printer_id: UUID, typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
    with hub().database.reading() as session:
        mine = my_printer(session, printer_id)
        seconds, log = material.print_seconds(session, mine.id), upkeep.log_of(session, mine.id)
    return render_template(
        "maker/upkeep.html",
        printer=mine,
        seconds=seconds,
        log=log,
        is_due=upkeep.is_due(log, seconds),
        kinds=[(kind.value, _(words)) for kind, words in KINDS.items()],
        words=KINDS,
        typed=typed,
        errors=errors,
    )
