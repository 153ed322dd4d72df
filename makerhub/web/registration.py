"""The forms of a printer: its maker registers it, changes it, and takes it back."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session

from makerhub.designs.generic_profile import NEEDS, NOZZLES_MM
from makerhub.designs.profiles import PrinterProfile
from makerhub.errors import Invalid, translatable
from makerhub.people import service as people
from makerhub.people.models import Organisation, Role
from makerhub.printers import service as printers
from makerhub.printers.key_dialog import ask_for_keys
from makerhub.printers.models import Consent, Link, Printer
from makerhub.printers.own import base_of
from makerhub.printers.tasks import check_printers
from makerhub.production import service as production
from makerhub.web.hub import hub
from makerhub.web.limits import at_most
from makerhub.web.navigation import Audience
from makerhub.web.own_printer import DRIVES, OTHER, described
from makerhub.web.policy import allowed
from makerhub.web.shown import my_printer
from makerhub.web.viewer import viewer

pages = Blueprint("registration", __name__, url_prefix="/printers")
audience = Audience(pages)

NO_HUB = translatable("Choose the hub that you print for.")


@pages.get("/new")
@allowed(Role.MAKER)
def new() -> str:
    """How a printer gets its prints, and then the form to register it."""
    link = _link(request.args.get("link", ""))
    with hub().database.reading() as session:
        belongs = people.hubs_of(session, viewer(), Role.MAKER)
    if link is None and belongs:
        return render_template("maker/link.html")
    return _new_page({"link": link or Link.DIRECT}, {})


@pages.post("/new")
@allowed(Role.MAKER)
@at_most("30 per hour", per_address="120 per hour")
def register() -> ResponseReturnValue:
    """Register a printer; its key is checked in the background while its page is shown."""
    typed = request.form
    try:
        profile, answers = described() if typed.get("profile") == OTHER else (_model(), None)
        with hub().database.changing() as session:
            place = _chosen_hub(session, typed.get("hub", ""))
            wanted = replace(_typed(profile, place.id if place else UUID(int=0)), own_model=answers)
            if place is None:
                raise Invalid(fields={**printers.problems(wanted), "hub": NO_HUB})
            printer = printers.register(session, wanted, hub().key_box, now=hub().clock())
    except Invalid as error:
        return _new_page(typed, error.fields), 400
    hub().soon(ask_for_keys)
    hub().soon(check_printers)
    next_page = "agent_page.connection" if printer.link is Link.AGENT else "maker.printer"
    return redirect(url_for(next_page, printer_id=printer.id))


@pages.get("/<uuid:printer_id>/change")
@allowed(Role.MAKER)
def change(printer_id: UUID) -> str:
    """The form of what a maker may change: the spool on it, how it is reached, whether its maker is asked."""
    with hub().database.reading() as session:
        mine = my_printer(session, printer_id)
    typed = {
        "name": mine.name,
        "profile": mine.profile,
        "material": mine.material,
        "colour": mine.colour,
        "url": mine.url,
        "automatic": "yes" if mine.consent is Consent.AUTOMATIC else "",
    }
    return _change_page(mine, typed, {})


@pages.post("/<uuid:printer_id>/change")
@allowed(Role.MAKER)
@at_most("60 per hour", per_address="240 per hour")
def save(printer_id: UUID) -> ResponseReturnValue:
    """Take over what was changed; under a new address or with a new key the printer is checked again."""
    with hub().database.reading() as session:
        before = my_printer(session, printer_id)
    try:
        with hub().database.changing() as session:
            mine = my_printer(session, printer_id)
            wanted = replace(_typed(_wanted_model(mine), mine.hub_id), link=mine.link)
            is_another = printers.becomes_another(mine, wanted)
            if is_another or wanted.material != mine.material or printers.reconnects(mine, wanted):
                production.require_free(session, mine.id)
            printers.change(session, mine, wanted, hub().key_box, now=hub().clock())
    except Invalid as error:
        return _change_page(before, request.form, error.fields, "" if error.fields else error.template), 400
    hub().soon(check_printers)
    flash(_("Saved."), "success")
    next_page = "agent_page.connection" if is_another and mine.link is Link.AGENT else "maker.printer"
    return redirect(url_for(next_page, printer_id=printer_id))


@pages.post("/<uuid:printer_id>/retire")
@allowed(Role.MAKER)
def retire(printer_id: UUID) -> ResponseReturnValue:
    """The hub uses the printer no more and forgets its key."""
    with hub().database.changing() as session:
        mine = my_printer(session, printer_id)
        production.require_free(session, mine.id)
        printers.retire(session, mine, by=viewer().id, now=hub().clock())
    flash(_("We no longer use %(printer)s, and its key is deleted here.", printer=mine.name), "success")
    return redirect(url_for("maker.overview"))


def _wanted_model(mine: Printer) -> PrinterProfile | None:
    """The model that was chosen; without a choice, or where its maker described the printer, what it is."""
    chosen = "" if mine.own_model else request.form.get("profile", "")
    return hub().profiles.get(chosen) if chosen else base_of(mine, hub().profiles)


def _model() -> PrinterProfile | None:
    return hub().profiles.get(request.form.get("profile", ""))


def _typed(profile: PrinterProfile | None, hub_id: UUID) -> printers.NewPrinter:
    typed = request.form
    return printers.NewPrinter(
        owner_id=viewer().id,
        hub_id=hub_id,
        name=typed.get("name", ""),
        profile=profile,
        material=typed.get("material", ""),
        colour=typed.get("colour", ""),
        url=typed.get("url", "").strip(),
        key=typed.get("key", "").strip(),
        consent=Consent.AUTOMATIC if typed.get("automatic") else Consent.ASK,
        plate_is_clear=bool(typed.get("clear")),
        link=_link(typed.get("link", "")) or Link.DIRECT,
    )


def _link(text: str) -> Link | None:
    """The kind of link that can be registered here and was chosen."""
    return next((link for link in Link if link == text), None)


def _chosen_hub(session: Session, chosen: str) -> Organisation | None:
    """The hub that was chosen; with only one to choose from, that one."""
    hubs = people.hubs_of(session, viewer(), Role.MAKER)
    if len(hubs) == 1 and not chosen:
        return hubs[0]
    return next((place for place in hubs if str(place.id) == chosen), None)


def _new_page(typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
    with hub().database.reading() as session:
        hubs = people.hubs_of(session, viewer(), Role.MAKER)
    profiles = hub().profiles.values()
    models = sorted((profile.name, profile.key) for profile in profiles)
    return render_template(
        "maker/new.html",
        typed=typed,
        errors=errors,
        hubs=[(place.id, place.name) for place in hubs],
        profiles=[*((key, name) for name, key in models), (OTHER, _("Another model, described below"))],
        drives=[(drive.value, _(words)) for drive, words in DRIVES.items()],
        nozzles=[(str(nozzle), f"{nozzle:g} mm") for nozzle in NOZZLES_MM],
        own_materials=[(material, material) for material in NEEDS],
        materials=_options(name for profile in profiles for name in profile.materials),
    )


def _change_page(mine: Printer, typed: Mapping[str, str], errors: Mapping[str, str], general: str = "") -> str:
    profile = _shown_model(mine, typed)
    materials = profile.materials if profile else [mine.material]
    models = sorted((profile.name, profile.key) for profile in hub().profiles.values())
    return render_template(
        "maker/change.html",
        models=[] if mine.own_model else [(key, name) for name, key in models],
        printer=mine,
        typed=typed,
        errors=errors,
        general=_(general) if general else "",
        materials=_options(materials),
    )


def _shown_model(mine: Printer, typed: Mapping[str, str]) -> PrinterProfile | None:
    chosen = hub().profiles.get(typed.get("profile", ""))
    return base_of(mine, hub().profiles) if chosen is None or mine.own_model else chosen


def _options(materials: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in sorted(set(materials))]
