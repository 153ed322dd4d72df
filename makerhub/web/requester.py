"""The requester's pages: the form that asks, the requests of one's facilities, and what became of each."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from makerhub.db import IntegrityError
from makerhub.delivery import service as delivery
from makerhub.delivery.models import Shipment, ShipmentState
from makerhub.demand import service as demand
from makerhub.demand.models import SupplyRequest, Urgency
from makerhub.errors import NotFound, translatable
from makerhub.people.access import find, organisation_ids, visible
from makerhub.people.models import Organisation, OrganisationKind, Role
from makerhub.people.service import facilities_of
from makerhub.planning.tasks import allocate_lots, plan_jobs
from makerhub.web.catalogue import Card, cards
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience, Entry
from makerhub.web.packing import bags
from makerhub.web.policy import allowed
from makerhub.web.request_form import QUANTITY, STOCK, Answers, Choices, Draft, Screen, answers, form_key
from makerhub.web.request_shown import RUNNING, asked_already, is_live, show
from makerhub.web.timeline import timeline
from makerhub.web.viewer import viewer, viewer_zone

pages = Blueprint("requester", __name__)
audience = Audience(
    pages,
    (
        Entry(
            "requester.ask_what",
            translatable("Ask"),
            translatable("Ask for equipment"),
            translatable("What, how many and by when: it takes two minutes."),
            (Role.REQUESTER,),
        ),
        Entry(
            "requester.requests",
            translatable("Requests"),
            translatable("See what you asked for"),
            translatable("What is being made, what is on its way, and what has arrived."),
            (Role.REQUESTER,),
        ),
    ),
)

PAST_SHOWN = 20

URGENCIES = (
    (Urgency.CRITICAL, translatable("Critical"), translatable("We run out within two days, or have none left.")),
    (Urgency.SOON, translatable("Soon"), translatable("We run out within two weeks.")),
    (Urgency.ROUTINE, translatable("Routine"), translatable("For our store cupboard.")),
)


@pages.get("/requests")
@allowed(Role.REQUESTER)
def requests() -> str:
    """The requests of one's facilities: the open ones, then the latest of the others."""
    with hub().database.reading() as session:
        newest_first = _mine().order_by(col(SupplyRequest.submitted_at).desc())
        running = col(SupplyRequest.state).in_(RUNNING)
        ahead = session.exec(newest_first.where(running)).all()
        past = session.exec(newest_first.where(~running).limit(PAST_SHOWN)).all()
        facilities = facilities_of(session, viewer())
        return render_template(
            "requester/requests.html",
            ahead=show(session, ahead),
            past=show(session, past),
            facility_names={facility.id: facility.name for facility in facilities},
        )


@pages.get("/ask/where")
@allowed(Role.REQUESTER)
def ask_where() -> str:
    """For which facility, and which hub is asked; only where there is a choice."""
    return _ask(Screen.WHERE)


@pages.get("/ask")
@allowed(Role.REQUESTER)
def ask_what() -> str:
    """Which designs, and how many of each; the first screen for most."""
    return _ask(Screen.WHAT)


@pages.get("/ask/when")
@allowed(Role.REQUESTER)
def ask_when() -> str:
    """By when, how urgent it is, and what is left."""
    return _ask(Screen.WHEN)


@pages.get("/ask/check")
@allowed(Role.REQUESTER)
def ask_check() -> ResponseReturnValue:
    """All answers once more, before they are sent; those that were sent already lead to their request."""
    before = _sent_before()
    if before is None:
        return _ask(Screen.CHECK)
    flash(_("You have sent this request already. If you need more, send a new one."))
    return redirect(url_for("requester.supply_request", request_id=before.id))


@pages.post("/requests")
@allowed(Role.REQUESTER)
def submit() -> ResponseReturnValue:
    """Send the request; sending the same form twice is one request."""
    before = _sent_before()
    if before is not None:
        return redirect(url_for("requester.sent", request_id=before.id))
    with hub().database.reading() as session:
        choices, draft, given = _read(session)
        wrong = given.first_wrong(list(Screen))
        if wrong:
            return _screen(session, wrong[0], choices, draft, given, wrong[1]), 400
    try:
        asked = _submit(given)
    except IntegrityError:
        asked = _submit(given)  # the same form arrived twice at the same moment: now the other one is there
    return redirect(url_for("requester.sent", request_id=asked.id))


@pages.get("/requests/<uuid:request_id>/sent")
@allowed(Role.REQUESTER)
def sent(request_id: UUID) -> str:
    """It is sent, and what happens next."""
    with hub().database.reading() as session:
        asked = _find(session, request_id)
        return render_template(
            "requester/sent.html", shown=show(session, [asked])[0], hub=session.get_one(Organisation, asked.hub_id)
        )


@pages.get("/requests/<uuid:request_id>")
@allowed(Role.REQUESTER)
def supply_request(request_id: UUID) -> str:
    """One request: how far it is, what is on its way, and what happened."""
    return render_template("requester/request.html", **_details(request_id))


@pages.get("/requests/<uuid:request_id>/now")
@allowed(Role.REQUESTER)
def supply_request_now(request_id: UUID) -> str:
    """The part of the page that changes by itself."""
    return render_template("requester/_request.html", **_details(request_id))


@pages.get("/requests/<uuid:request_id>/cancel")
@allowed(Role.REQUESTER)
def confirm_cancel(request_id: UUID) -> str:
    """Ask once more before the request is cancelled."""
    return render_template("requester/cancel.html", **_details(request_id))


@pages.post("/requests/<uuid:request_id>/cancel")
@allowed(Role.REQUESTER)
def cancel(request_id: UUID) -> ResponseReturnValue:
    """The facility no longer needs it."""
    with hub().database.changing() as session:
        demand.cancel(session, _find(session, request_id), by=viewer().id, now=hub().clock())
    hub().soon(allocate_lots)
    hub().soon(plan_jobs)
    flash(_("Cancelled. Thank you for saying so: the makers can turn to what others need."), "success")
    return redirect(url_for("requester.supply_request", request_id=request_id))


@pages.get("/requests/<uuid:request_id>/arrived/<uuid:shipment_id>")
@allowed(Role.REQUESTER)
def confirm_arrived(request_id: UUID, shipment_id: UUID) -> str:
    """Ask once more before a delivery is confirmed."""
    with hub().database.reading() as session:
        arriving = _shipment(session, request_id, shipment_id)
        return render_template(
            "requester/arrived.html", shipment=arriving, bags=bags(session, [shipment_id])[shipment_id]
        )


@pages.post("/requests/<uuid:request_id>/arrived/<uuid:shipment_id>")
@allowed(Role.REQUESTER)
def arrived(request_id: UUID, shipment_id: UUID) -> ResponseReturnValue:
    """The facility says that a delivery has arrived."""
    with hub().database.changing() as session:
        shipment = _shipment(session, request_id, shipment_id)
        if shipment.state is not ShipmentState.DELIVERED:  # else the courier, or a colleague, was faster
            delivery.confirm_by_facility(session, shipment, by=viewer().id, now=hub().clock())
    flash(_("Thank you. The courier and the makers can see that it has arrived."), "success")
    return redirect(url_for("requester.supply_request", request_id=request_id))


def _ask(screen: Screen) -> str:
    """The wanted screen, or the first one before it on which something is wrong or was left out."""
    with hub().database.reading() as session:
        choices, draft, given = _read(session)
        if not choices.facilities or not choices.hubs:
            return render_template("requester/nobody_to_ask.html", choices=choices)
        wrong = given.first_wrong(screen.earlier)
        if wrong is None:
            return _screen(session, screen, choices, draft, given, {})
        begins = "form_key" not in request.args
        return _screen(session, wrong[0], choices, draft, given, {} if begins else wrong[1])


def _screen(
    session: Session, screen: Screen, choices: Choices, draft: Draft, given: Answers, errors: Mapping[str, str]
) -> str:
    return render_template(
        f"requester/ask_{screen.value}.html",
        choices=choices,
        facilities=_options(choices.facilities),
        hubs=_options(choices.hubs),
        draft=draft,
        given=given.request,
        errors=errors,
        summary={name: _with_design(name, problem, choices) for name, problem in errors.items()},
        designs=_wanted_first(choices),
        urgencies=URGENCIES,
        today=hub().clock().astimezone(viewer_zone()).date(),
        already=asked_already(session, given.request.facility_id, draft.chosen) if screen is Screen.CHECK else [],
    )


def _read(session: Session) -> tuple[Choices, Draft, Answers]:
    me, now = viewer(), hub().clock()
    hubs = select(Organisation).where(Organisation.kind == OrganisationKind.HUB).order_by(col(Organisation.name))
    choices = Choices(
        facilities=facilities_of(session, me),
        hubs=session.exec(hubs).all(),
        designs={card.key: card for card in cards(session) if card.is_published},
    )
    draft = Draft.read(request.values, choices)
    largest = hub().settings.largest_request
    return choices, draft, answers(session, draft, choices, me, zone=viewer_zone(), largest=largest, now=now)


def _with_design(name: str, problem: str, choices: Choices) -> str:
    """What is wrong, naming the design where the same may be wrong with several; translated."""
    card = choices.designs.get(name.removeprefix(QUANTITY).removeprefix(STOCK))
    text: str = _(problem)
    return f"{card.version.name}: {text}" if card else text


def _options(organisations: Sequence[Organisation]) -> list[tuple[UUID, str, str]]:
    return [(one.id, one.name, one.place) for one in organisations]


def _wanted_first(choices: Choices) -> Sequence[Card]:
    """The designs by name, but first the one whose page led here."""
    wanted = request.values.get("design", "")
    return sorted(choices.designs.values(), key=lambda card: card.key != wanted)


def _sent_before() -> SupplyRequest | None:
    """The request that was sent with this form, by the viewer or a colleague."""
    with hub().database.reading() as session:
        key = form_key(request.values)
        return session.exec(_mine().where(SupplyRequest.form_key == key)).first() if key else None


def _submit(given: Answers) -> SupplyRequest:
    with hub().database.changing() as session:
        return demand.submit(session, given.request, largest=hub().settings.largest_request, now=hub().clock())


def _details(request_id: UUID) -> Mapping[str, object]:
    with hub().database.reading() as session:
        asked = _find(session, request_id)
        shown = show(session, [asked])[0]
        shipments = _shipments(session, request_id)
        return {
            "shown": shown,
            "hub": session.get_one(Organisation, asked.hub_id),
            "facility": session.get_one(Organisation, asked.facility_id),
            "shipments": shipments,
            "bags": bags(session, [shipment.id for shipment in shipments]),
            "events": timeline(session, asked, [line.line for line in shown.lines], shipments),
            "is_live": is_live(asked, shipments),
        }


def _mine() -> SelectOfScalar[SupplyRequest]:
    """The requests of the viewer's facilities; not those that he or she sees as somebody of a hub."""
    facilities = organisation_ids(viewer(), Role.REQUESTER)
    return visible(viewer(), SupplyRequest).where(col(SupplyRequest.facility_id).in_(facilities))


def _find(session: Session, request_id: UUID) -> SupplyRequest:
    found = session.exec(_mine().where(SupplyRequest.id == request_id)).one_or_none()
    if found is None:
        raise NotFound
    return found


def _shipments(session: Session, request_id: UUID) -> Sequence[Shipment]:
    mine = visible(viewer(), Shipment).where(Shipment.request_id == request_id)
    return session.exec(mine.order_by(col(Shipment.packed_at).desc())).all()


def _shipment(session: Session, request_id: UUID, shipment_id: UUID) -> Shipment:
    asked = _find(session, request_id)
    shipment = find(session, viewer(), Shipment, shipment_id)
    if shipment.request_id != asked.id:
        raise NotFound
    return shipment
