"""The pages on which facilities are proved: who waits, how far up the ladder each is, and what to do next."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session, col

from makerhub.demand.access import VERIFY
from makerhub.errors import Invalid, NotFound, translatable
from makerhub.facilities import service as facilities
from makerhub.facilities.finding import duplicates
from makerhub.facilities.ladder import Standing
from makerhub.facilities.models import CallOutcome, Evidence, RegisterEntry
from makerhub.facilities.registers import candidates
from makerhub.people.access import can, find, permitted
from makerhub.people.models import Organisation, Role
from makerhub.planning.tasks import allocate_lots, plan_jobs
from makerhub.trace import merging
from makerhub.web.hub import hub
from makerhub.web.ladder_shown import pieces, rungs
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import allowed, fresh
from makerhub.web.typed import whole_number
from makerhub.web.viewer import viewer

View = TypeVar("View", bound=Callable[..., Any])
PROVERS = (Role.DISPATCHER, Role.ADMIN)

pages = Blueprint("verification", __name__, url_prefix="/dispatch/facilities")
audience = Audience(
    pages,
    (
        Entry(
            "verification.queue",
            translatable("Facilities"),
            translatable("Prove who asks"),
            translatable("See which hospitals and care homes are not proved yet, call them back, or send a letter."),
            PROVERS,
        ),
    ),
)

NEXT = {
    False: translatable("Find it in a register."),
    True: translatable("Call the number that the register names, or send a letter to its address."),
}
"""What is to be done for a facility that is not verified, by whether it was found in a register."""
VERIFIED = translatable("Nothing: it is verified.")


def for_provers(view: View) -> View:
    """Let those open the page who may prove facilities, once they have shown that it is them."""
    return allowed(*PROVERS)(fresh(view))


@contextmanager
def working_on(facility_id: UUID) -> Iterator[tuple[Session, Organisation]]:
    """A transaction, and the facility that the viewer may prove. Raises `NotFound`."""
    with hub().database.changing() as session:
        yield session, find(session, viewer(), VERIFY, facility_id)


def done(facility_id: UUID, said: str) -> ResponseReturnValue:
    """Share out anew, since more or less may be promised now, and go back to the facility's page."""
    hub().soon(plan_jobs)
    hub().soon(allocate_lots)
    flash(said, "success")
    return redirect(url_for("verification.facility", facility_id=facility_id))


@pages.get("")
@allowed(*PROVERS)
def queue() -> str:
    """The facilities that ask one's hubs: those that are not verified first."""
    now = hub().clock()
    with hub().database.reading() as session:
        mine = permitted(viewer(), VERIFY).where(col(Organisation.merged_into).is_(None))
        found = session.exec(mine.order_by(col(Organisation.name), col(Organisation.id))).all()
        standings = facilities.standings(session, [one.id for one in found], now)
    found = sorted(found, key=lambda one: standings[one.id].rung)
    return render_template(
        "verification/queue.html", facilities=found, standings=standings, limits=facilities.limits_of(hub().settings)
    )


@pages.get("/<uuid:facility_id>")
@for_provers
def facility(facility_id: UUID) -> str:
    """One facility: its ladder and evidence, what to do next, and whether it is here twice."""
    return _page(facility_id)


@pages.post("/<uuid:facility_id>/register")
@for_provers
def match(facility_id: UUID) -> ResponseReturnValue:
    """Say which entry of a register it is."""
    with working_on(facility_id) as (session, mine):
        chosen = whole_number(request.form.get("entry", ""))
        entry = None if chosen is None else session.get(RegisterEntry, chosen)
        if entry is None:
            raise Invalid(translatable("Choose one of the entries."))
        facilities.match_register(session, mine, entry, days=_days(), by=viewer().id, now=hub().clock())
    return done(facility_id, _("Written down. Now call the number there, or send a letter."))


@pages.post("/<uuid:facility_id>/call")
@for_provers
def call(facility_id: UUID) -> ResponseReturnValue:
    """Record what the call told."""
    with working_on(facility_id) as (session, mine):
        outcome, note = _outcome(request.form.get("outcome", "")), request.form.get("note", "")
        days, by = _days(), viewer().id
        facilities.record_call(session, mine, outcome, note=note, days=days, by=by, now=hub().clock())
    return done(facility_id, _("Written down."))


@pages.post("/<uuid:facility_id>/letter")
@for_provers
def letter(facility_id: UUID) -> str:
    """A letter with a code, to be printed and posted now: the code is shown this once."""
    with working_on(facility_id) as (session, mine):
        sent, code = facilities.write_letter(session, mine, by=viewer().id, now=hub().clock())
    return render_template("verification/letter.html", facility=mine, sent=sent, code=code)


@pages.post("/<uuid:facility_id>/evidence/<uuid:evidence_id>/revoke")
@for_provers
def revoke(facility_id: UUID, evidence_id: UUID) -> ResponseReturnValue:
    """Take evidence back; what has not left and is beyond what is left proved goes back into the stock."""
    why = request.form.get("why", "")[: facilities.LONGEST_REASON]
    try:
        with working_on(facility_id) as (session, mine):
            evidence = session.get(Evidence, evidence_id)
            if evidence is None or evidence.facility_id != mine.id:
                raise NotFound
            facilities.revoke(session, evidence, by=viewer().id, why=why, now=hub().clock())
    except Invalid as error:
        return _page(facility_id, error.fields), 400
    return done(
        facility_id, _("Taken back. What was reserved or packed beyond its standing now goes back into the stock.")
    )


def _page(facility_id: UUID, errors: Mapping[str, str] | None = None) -> str:
    now, limits = hub().clock(), facilities.limits_of(hub().settings)
    with hub().database.reading() as session:
        mine = find(session, viewer(), VERIFY, facility_id)
        standing = facilities.standing_of(session, mine.id, now)
        entry = facilities.matched_entry(session, mine.id, now)
        evidence = facilities.evidence_of(session, mine.id)
        merges = [one for one in merging.merges_of(session, mine.id) if one.kept_id == mine.id]
        return render_template(
            "verification/facility.html",
            facility=mine,
            standing=standing,
            most=limits.most(standing),
            rungs=rungs(evidence, limits, now),
            pieces=pieces(session, evidence, now),
            next_step=VERIFIED if standing is Standing.VERIFIED else NEXT[entry is not None],
            entry=entry,
            candidates=candidates(session, mine),
            calls=facilities.calls_to(session, mine.id),
            colleagues=facilities.colleagues(session, mine.id),
            twins=[one for one in duplicates(session, mine) if can(session, viewer(), VERIFY, one)],
            merges=[(one, session.get_one(Organisation, one.merged_id)) for one in merges],
            outcomes=[(one.value, one) for one in CallOutcome],
            errors=errors or {},
        )


def _outcome(typed: str) -> CallOutcome:
    try:
        return CallOutcome(typed)
    except ValueError:
        raise Invalid(translatable("Say what the call told.")) from None


def _days() -> int:
    return hub().settings.evidence_days
