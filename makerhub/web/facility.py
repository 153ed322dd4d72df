"""The requester's page of a facility: where deliveries get in, what is proved of it, and who else asks for it."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session

from makerhub.demand import leaving
from makerhub.demand.leaving import open_requests, to_hand_over
from makerhub.errors import Invalid, NotFound, translatable
from makerhub.facilities import service as facilities
from makerhub.notices.letters import letter
from makerhub.notices.service import tell
from makerhub.notices.tasks import send_mails
from makerhub.people import service as people
from makerhub.people.joining import waiting_to_join
from makerhub.people.models import Organisation, Person, Role
from makerhub.planning.tasks import allocate_lots, plan_jobs
from makerhub.web.colleagues import wishes_of
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import allowed, signed_in
from makerhub.web.request_shown import show
from makerhub.web.typed import uuid_or_none
from makerhub.web.viewer import viewer, viewer_language

MAIL_CODE = letter(
    "facility_code",
    title=translatable("Code that proves a facility"),
    subject=translatable("Your code for %(facility)s"),
    text=translatable(
        "Somebody, most likely you, asked for this code on the page of %(facility)s.\n\n"
        "%(code)s\n\nType it there within a day. If it was not you, do nothing."
    ),
    secret=True,
)

STILL_OPEN = translatable("Nobody else asks for this facility. Tick the box, if you leave all the same.")

pages = Blueprint("facility", __name__, url_prefix="/facilities")
audience = Audience(
    pages,
    (
        Entry(
            "facility.mine",
            translatable("My facility"),
            translatable("Say how deliveries get in"),
            translatable("Entrance and opening hours, who else asks, and what is proved of your facility."),
            (Role.REQUESTER,),
        ),
    ),
)


@pages.get("")
@signed_in
def mine() -> ResponseReturnValue:
    """One's facilities, the only one at once; and where one asked to join."""
    with hub().database.reading() as session:
        found, wishes = people.facilities_of(session, viewer()), wishes_of(session, viewer())
    if len(found) == 1 and not wishes:
        return redirect(url_for("facility.facility", facility_id=found[0].id))
    return render_template("facility/mine.html", facilities=found, wishes=wishes)


@pages.get("/<uuid:facility_id>")
@allowed(Role.REQUESTER)
def facility(facility_id: UUID) -> str:
    """One of them."""
    return _page(facility_id)


@pages.post("/<uuid:facility_id>")
@allowed(Role.REQUESTER)
def describe(facility_id: UUID) -> ResponseReturnValue:
    """Say how deliveries get in."""
    typed = request.form
    try:
        with hub().database.changing() as session:
            place = _mine(session, facility_id)
            facilities.describe(
                session,
                place,
                name=place.name,
                place=place.place,
                postcode=place.postcode,
                entrance=typed.get("entrance", ""),
                opening_hours=typed.get("opening_hours", ""),
                by=viewer().id,
                now=hub().clock(),
            )
    except Invalid as error:
        return _page(facility_id, error.fields, typed), 400
    flash(_("Saved. The courier of each delivery sees it."), "success")
    return redirect(url_for("facility.facility", facility_id=facility_id))


@pages.post("/<uuid:facility_id>/code")
@allowed(Role.REQUESTER)
def code(facility_id: UUID) -> ResponseReturnValue:
    """Type a code that came by post or mail."""
    with hub().database.changing() as session:
        place = _mine(session, facility_id)
        wrong = facilities.confirm_code(
            session, place, request.form.get("code", ""), days=_days(), by=viewer().id, now=hub().clock()
        )
    if wrong:
        return _page(facility_id, {"code": wrong}), 400
    hub().soon(plan_jobs)
    hub().soon(allocate_lots)
    flash(_("Thank you. This proves your facility."), "success")
    return redirect(url_for("facility.facility", facility_id=facility_id))


@pages.post("/<uuid:facility_id>/mail-code")
@allowed(Role.REQUESTER)
def mail_code(facility_id: UUID) -> ResponseReturnValue:
    """Have a code sent to one's own mailbox, where its domain proves something."""
    now, me = hub().clock(), viewer()
    with hub().database.changing() as session:
        place = _mine(session, facility_id)
        domains = hub().settings.facility_mail_domains
        sent, secret = facilities.write_mail_code(session, place, me, domains, now=now)
        values = {"facility": place.name, "code": secret}
        tell(
            session,
            MAIL_CODE,
            to=me.email,
            values=values,
            language=viewer_language(),
            now=now,
            useful_until=sent.expires_at,
            key_box=hub().key_box,
        )
    hub().soon(send_mails)
    flash(_("We have sent a code to your mailbox. Type it here within a day."), "success")
    return redirect(url_for("facility.facility", facility_id=facility_id))


@pages.post("/<uuid:facility_id>/leave")
@allowed(Role.REQUESTER)
def leave(facility_id: UUID) -> ResponseReturnValue:
    """Ask for this facility no more; its requests stay, and what one sent goes to a colleague."""
    try:
        with hub().database.changing() as session:
            place, me = _mine(session, facility_id), session.get_one(Person, viewer().id)
            is_last = len(facilities.colleagues(session, place.id)) == 1
            if is_last and open_requests(session, place.id) and request.form.get("sure") != "yes":
                raise Invalid(fields={"sure": STILL_OPEN})
            successor = uuid_or_none(request.form.get("successor", ""))
            leaving.leave(session, me, place, successor, hub().post, now=hub().clock())
    except Invalid as error:
        return _page(facility_id, error.fields), 400
    hub().soon(send_mails)
    flash(
        _("You no longer ask for %(facility)s. Its people see its requests, and nothing is lost.", facility=place.name),
        "success",
    )
    return redirect(url_for("home.start"))


def _page(facility_id: UUID, errors: Mapping[str, str] | None = None, typed: Mapping[str, str] | None = None) -> str:
    now = hub().clock()
    with hub().database.reading() as session:
        place = _mine(session, facility_id)
        standing = facilities.standing_of(session, place.id, now)
        return render_template(
            "facility/facility.html",
            facility=place,
            standing=standing,
            most=facilities.limits_of(hub().settings).most(standing),
            evidence=facilities.evidence_of(session, place.id),
            waiting=facilities.waiting_code(session, place.id, now),
            colleagues=[one for one in facilities.colleagues(session, place.id) if one.id != viewer().id],
            joining=waiting_to_join(session, [place.id]),
            open_requests=show(session, open_requests(session, place.id)),
            to_hand_over=show(session, to_hand_over(session, viewer(), place.id)),
            errors=errors or {},
            typed=typed or {"entrance": place.entrance, "opening_hours": place.opening_hours},
        )


def _mine(session: Session, facility_id: UUID) -> Organisation:
    """The facility, if the viewer asks for it. Raises `NotFound`."""
    me = session.get_one(Person, viewer().id)
    found = next((one for one in people.facilities_of(session, me) if one.id == facility_id), None)
    if found is None:
        raise NotFound
    return found


def _days() -> int:
    return hub().settings.evidence_days
