"""The form that asks for equipment: at most five screens, one thing on each, and no JavaScript.

What was typed travels along in the addresses: see `request_form`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session, col, select

from makerhub.demand import service as demand
from makerhub.demand.models import SupplyRequest
from makerhub.errors import translatable
from makerhub.hubs.service import resting
from makerhub.people.blocks import suspensions_of
from makerhub.people.models import Organisation, OrganisationKind, Role
from makerhub.people.service import facilities_of
from makerhub.web.catalogue import Card, Choice
from makerhub.web.hub import hub
from makerhub.web.limits import at_most
from makerhub.web.navigation import Audience, Entry
from makerhub.web.offered import URGENCIES, kits_offered, why_barred
from makerhub.web.policy import allowed
from makerhub.web.request_form import QUANTITY, STOCK, Answers, Choices, Draft, Screen, answers, form_key
from makerhub.web.request_shown import ShownRequest, asked_already, my_requests
from makerhub.web.viewer import viewer, viewer_zone

pages = Blueprint("asking", __name__)
audience = Audience(
    pages,
    (
        Entry(
            "asking.what",
            translatable("Ask"),
            translatable("Ask for equipment"),
            translatable("What, how many and by when: it takes two minutes."),
            (Role.REQUESTER,),
        ),
    ),
)


@pages.get("/ask/where")
@allowed(Role.REQUESTER)
def where() -> str:
    """For which facility, and which hub is asked; only where there is a choice."""
    return _ask(Screen.WHERE)


@pages.get("/ask")
@allowed(Role.REQUESTER)
def what() -> str:
    """Which designs, and how many of each; the first screen for most."""
    return _ask(Screen.WHAT)


@pages.get("/ask/when")
@allowed(Role.REQUESTER)
def when() -> str:
    """By when, how urgent it is, and what is left."""
    return _ask(Screen.WHEN)


@pages.get("/ask/check")
@allowed(Role.REQUESTER)
def check() -> ResponseReturnValue:
    """All answers once more, before they are sent; those that were sent already lead to their request."""
    before = _sent_before()
    if before is None:
        return _ask(Screen.CHECK)
    flash(_("You have sent this request already. If you need more, send a new one."))
    return redirect(url_for("requester.supply_request", request_id=before.id))


@pages.post("/requests")
@allowed(Role.REQUESTER)
@at_most("30 per hour", per_address="300 per hour")
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
    with hub().database.changing() as session:
        largest = hub().settings.largest_request
        asked = demand.submit(session, given.request, largest=largest, policy=hub().policy, now=hub().clock())
    return redirect(url_for("requester.sent", request_id=asked.id))


def _ask(screen: Screen) -> str:
    """The wanted screen, or the first one before it on which something is wrong or was left out."""
    with hub().database.reading() as session:
        choices, draft, given = _read(session)
        if not choices.facilities or not choices.hubs:
            return render_template("asking/nobody_to_ask.html", choices=choices)
        wrong = given.first_wrong(screen.earlier)
        if wrong is None:
            return _screen(session, screen, choices, draft, given, {})
        begins = "form_key" not in request.args
        return _screen(session, wrong[0], choices, draft, given, {} if begins else wrong[1])


def _screen(
    session: Session, screen: Screen, choices: Choices, draft: Draft, given: Answers, errors: Mapping[str, str]
) -> str:
    barred = why_barred(session, choices, given) if screen is Screen.WHAT else {}
    return render_template(
        f"asking/{screen.value}.html",
        choices=choices,
        facilities=_options(choices.facilities),
        hubs=_options(choices.hubs),
        draft=draft,
        given=given.request,
        errors=errors,
        summary={name: _with_kit(name, problem, choices) for name, problem in errors.items()},
        designs=_wanted_first(choices, barred),
        barred=barred,
        asked_hub=session.get(Organisation, given.request.hub_id),
        urgencies=URGENCIES,
        today=hub().clock().astimezone(viewer_zone()).date(),
        already=_asked_already(session, choices, draft, given) if screen is Screen.CHECK else [],
    )


def _read(session: Session) -> tuple[Choices, Draft, Answers]:
    me, now = viewer(), hub().clock()
    closed = resting(session) | {place.id for _, place in suspensions_of(session, me.id)}
    hubs = (
        select(Organisation)
        .where(Organisation.kind == OrganisationKind.HUB, col(Organisation.id).not_in(closed))
        .order_by(col(Organisation.name))
    )
    choices = Choices(
        facilities=facilities_of(session, me),
        hubs=session.exec(hubs).all(),
        kits={},
    )
    draft = Draft.read(request.values, choices)
    choices = replace(choices, kits={choice.key: choice for choice in kits_offered(session, draft, choices)})
    largest, policy = hub().settings.largest_request, hub().policy
    given = answers(session, draft, choices, me, zone=viewer_zone(), largest=largest, policy=policy, now=now)
    return choices, draft, given


def _with_kit(name: str, problem: str, choices: Choices) -> str:
    """What is wrong, naming the kit where the same may be wrong with several; translated."""
    choice = choices.kits.get(name.removeprefix(QUANTITY).removeprefix(STOCK))
    text: str = _(problem)
    return f"{choice.name}: {text}" if choice else text


def _asked_already(session: Session, choices: Choices, draft: Draft, given: Answers) -> Sequence[ShownRequest]:
    designs = {choices.kits[key].card.key for key in draft.chosen if key in choices.kits}
    return asked_already(session, given.request.facility_id, designs)


def _options(organisations: Sequence[Organisation]) -> list[tuple[UUID, str, str]]:
    return [(one.id, one.name, one.place) for one in organisations]


def _wanted_first(choices: Choices, barred: Collection[str]) -> Sequence[tuple[Card, Sequence[Choice]]]:
    """The designs by name, each with its kits: first the one whose page led here, last those that are barred."""
    wanted = request.values.get("design", "")
    of_designs = [(card, list(kits)) for card, kits in groupby(choices.kits.values(), lambda choice: choice.card)]
    return sorted(
        of_designs,
        key=lambda of_design: (of_design[0].key != wanted, all(choice.key in barred for choice in of_design[1])),
    )


def _sent_before() -> SupplyRequest | None:
    """The request that was sent with this form, by the viewer or a colleague."""
    with hub().database.reading() as session:
        key = form_key(request.values)
        return session.exec(my_requests(viewer()).where(SupplyRequest.form_key == key)).first() if key else None
