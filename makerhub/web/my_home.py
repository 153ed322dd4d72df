"""The maker's page of the own home: the address and who saw it, how pieces leave it, quiet hours, and hiding."""

from collections.abc import Mapping, Sequence
from datetime import time
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session

from makerhub.delivery import pickups
from makerhub.delivery.access import CANCEL_PICKUP
from makerhub.errors import Invalid, translatable
from makerhub.hubs.service import is_on_map
from makerhub.people import homes
from makerhub.people import service as people
from makerhub.people.access import find
from makerhub.people.home_models import HandingOver
from makerhub.people.models import Organisation, Role
from makerhub.people.quiet_hours import QuietHours
from makerhub.planning.tasks import dispatch_jobs
from makerhub.web.hub import hub
from makerhub.web.mistakes import message_of
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import allowed, fresh
from makerhub.web.times import parse_moment
from makerhub.web.viewer import viewer, viewer_zone

pages = Blueprint("my_home", __name__, url_prefix="/my-home")
audience = Audience(
    pages,
    (
        Entry(
            "my_home.page",
            translatable("My home"),
            translatable("Say who may know where I live"),
            translatable("Your address and who saw it, quiet hours, pickups, and a button to hide."),
            (Role.MAKER,),
        ),
    ),
)


@pages.get("")
@allowed(Role.MAKER)
def page() -> str:
    """My address and who saw it, and what else I have said about my home."""
    return _page()


@pages.get("/address")
@allowed(Role.MAKER)
@fresh
def address() -> str:
    """The form of the address."""
    with hub().database.reading() as session:
        kept = homes.open_address(session, viewer().id, hub().key_box) if _has_address(session) else ""
    return render_template("my_home/address.html", typed={"address": kept}, errors={}, has_address=bool(kept))


@pages.post("/address")
@allowed(Role.MAKER)
@fresh
def enter_address() -> ResponseReturnValue:
    """Keep this address."""
    typed = request.form.get("address", "")
    try:
        with hub().database.changing() as session:
            homes.enter_address(session, viewer().id, typed, hub().key_box, now=hub().clock())
    except Invalid as error:
        form = {"typed": {"address": typed}, "errors": error.fields, "has_address": False}
        return render_template("my_home/address.html", **form), 400
    flash(_("Your address is kept, under seal."), "success")
    return redirect(url_for("my_home.page"))


@pages.post("/address/remove")
@allowed(Role.MAKER)
def remove_address() -> ResponseReturnValue:
    """Forget the address, now."""
    with hub().database.changing() as session:
        was_there = pickups.remove_address(session, viewer().id, now=hub().clock())
    flash(_("Your address is deleted here.") if was_there else _("There was no address."), "success")
    return redirect(url_for("my_home.page"))


@pages.post("/handing-over")
@allowed(Role.MAKER)
def choose_handing_over() -> ResponseReturnValue:
    """How my pieces leave home."""
    chosen = {one.value: one for one in HandingOver}.get(request.form.get("handing_over", ""))
    if chosen is None:
        return _page(errors={"handing_over": translatable("Choose how your pieces leave your home.")}), 400
    with hub().database.changing() as session:
        homes.choose_handing_over(session, viewer().id, chosen, now=hub().clock())
    flash(_("Saved."), "success")
    return redirect(url_for("my_home.page"))


@pages.post("/quiet-hours")
@allowed(Role.MAKER)
def set_quiet_hours() -> ResponseReturnValue:
    """When I want to be left alone."""
    try:
        quiet = _typed_quiet_hours()
    except Invalid as error:
        return _page(typed=request.form, errors=error.fields), 400
    with hub().database.changing() as session:
        homes.set_quiet_hours(session, viewer().id, quiet, now=hub().clock())
    hub().soon(dispatch_jobs)
    flash(_("Saved. In these hours we leave you alone.") if quiet else _("You have no quiet hours."), "success")
    return redirect(url_for("my_home.page"))


@pages.post("/hide")
@allowed(Role.MAKER)
def hide() -> ResponseReturnValue:
    """Hide me now, or show me again."""
    with hub().database.changing() as session:
        if request.form.get("hidden") == "yes":
            pickups.hide(session, viewer().id, now=hub().clock())
        else:
            pickups.show(session, viewer().id, now=hub().clock())
    return redirect(url_for("my_home.page"))


@pages.post("/pickups")
@allowed(Role.MAKER)
def ask_for_pickup() -> ResponseReturnValue:
    """Ask that somebody fetches my pieces."""
    typed = request.form
    try:
        begins, ends = (parse_moment(f"{typed.get('day', '')}T{typed.get(name, '')}", viewer_zone()) for name in HOURS)
        with hub().database.changing() as session:
            place = _my_hub(session, typed.get("hub", ""))
            pickups.ask(session, viewer(), place, begins, ends, hub().clock())
    except Invalid as error:
        return _page(typed=typed, errors={"day": message_of(error)}), 400
    flash(_("We look for a courier. You see here when somebody comes."), "success")
    return redirect(url_for("my_home.page"))


@pages.post("/pickups/<uuid:pickup_id>/cancel")
@allowed(Role.MAKER)
def cancel_pickup(pickup_id: UUID) -> ResponseReturnValue:
    """Nobody needs to come."""
    me = viewer()
    with hub().database.changing() as session:
        pickup = find(session, me, CANCEL_PICKUP, pickup_id)
        pickups.cancel(session, pickup, why="the maker cancelled it", by=me.id, now=hub().clock())
    flash(_("Nobody comes. The pieces can wait, or you bring them."), "success")
    return redirect(url_for("my_home.page"))


HOURS = ("from", "until")


def _page(typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None) -> str:
    me = viewer()
    with hub().database.reading() as session:
        said = homes.settings_of(session, me.id)
        quiet = homes.quiet_hours_of(said)
        hubs = people.hubs_of(session, me, Role.MAKER)
        pickup = pickups.open_pickup(session, me.id)
        shown = {
            **dict.fromkeys(("hub", "day", *HOURS), ""),
            "quiet_from": _clock(quiet.begins) if quiet else "",
            "quiet_until": _clock(quiet.ends) if quiet else "",
        }
        return render_template(
            "my_home/page.html",
            typed={**shown, **(typed or {})},
            errors=errors or {},
            said=said,
            has_address=_has_address(session),
            keep_days=hub().settings.keep_address_days,
            hubs=hubs,
            fetching=_fetching(session, hubs),
            pickup=pickup,
            lots=pickups.lots_of(session, [pickup.id])[pickup.id] if pickup else (),
            views=pickups.views_of(session, me.id),
            zone=viewer_zone().key,
            is_on_map=is_on_map(session, me.id),
        )


def _fetching(session: Session, hubs: Sequence[Organisation]) -> list[tuple[UUID, str]]:
    """The hubs that may fetch something of mine now."""
    offering = (place for place in hubs if place.offers_pickup)
    return [(place.id, place.name) for place in offering if pickups.lots_to_fetch(session, viewer(), place.id)]


def _typed_quiet_hours() -> QuietHours | None:
    """The hours that were typed, or None for two empty fields. Raises `Invalid`."""
    typed = [request.form.get(f"quiet_{name}", "").strip() for name in HOURS]
    if not any(typed):
        return None
    minutes = [_minute(text) for text in typed]
    problems = {
        f"quiet_{name}": translatable("Enter a time of day, like 22:00, or leave both empty.")
        for name, minute in zip(HOURS, minutes, strict=True)
        if minute is None
    }
    if not problems and minutes[0] == minutes[1]:
        problems = {"quiet_until": translatable("Enter another end. To be left alone all day, pause your printers.")}
    begins, ends = minutes
    if problems or begins is None or ends is None:
        raise Invalid(fields=problems)
    return QuietHours(begins, ends)


def _minute(text: str) -> int | None:
    try:
        at = time.fromisoformat(text)
    except ValueError:
        return None
    return at.hour * 60 + at.minute


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _has_address(session: Session) -> bool:
    return homes.has_address(session, viewer().id)


def _my_hub(session: Session, chosen: str) -> Organisation:
    hubs = people.hubs_of(session, viewer(), Role.MAKER)
    place = next((place for place in hubs if str(place.id) == chosen), None)
    if place is None:
        raise Invalid(translatable("Choose the hub that shall fetch the pieces."))
    return place
