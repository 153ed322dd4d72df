"""The dispatcher's pages of facilities: who waits to be proved, what proves them, and what to do next."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
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
from makerhub.facilities.models import CallOutcome, Evidence, FacilityMerge, RegisterEntry
from makerhub.facilities.registers import candidates
from makerhub.people.access import can, find, permitted
from makerhub.people.models import Organisation, Role
from makerhub.planning.tasks import allocate_lots, plan_jobs
from makerhub.trace import merging
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import allowed, fresh
from makerhub.web.viewer import viewer

pages = Blueprint("verification", __name__, url_prefix="/dispatch/facilities")
audience = Audience(
    pages,
    (
        Entry(
            "verification.queue",
            translatable("Facilities"),
            translatable("Prove who asks"),
            translatable("See which hospitals and care homes are not proved yet, call them back, or send a letter."),
            (Role.DISPATCHER,),
        ),
    ),
)


class Next(StrEnum):
    """What is to be done for a facility, in English."""

    REGISTER = translatable("Find it in a register.")
    CALL = translatable("Call the number that the register names, or send a letter to its address.")
    NOTHING = translatable("Nothing: it is verified.")


@pages.get("")
@allowed(Role.DISPATCHER)
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
@allowed(Role.DISPATCHER)
@fresh
def facility(facility_id: UUID) -> str:
    """One facility: its evidence, what to do next, and whether it is here twice."""
    return _page(facility_id)


@pages.post("/<uuid:facility_id>/register")
@allowed(Role.DISPATCHER)
@fresh
def match(facility_id: UUID) -> ResponseReturnValue:
    """Say which entry of a register it is."""
    with hub().database.changing() as session:
        mine = find(session, viewer(), VERIFY, facility_id)
        chosen = request.form.get("entry", "")
        entry = session.get(RegisterEntry, int(chosen)) if chosen.isdecimal() and len(chosen) < 10 else None
        if entry is None:
            raise Invalid(translatable("Choose one of the entries."))
        facilities.match_register(session, mine, entry, days=_days(), by=viewer().id, now=hub().clock())
    return _done(facility_id, _("Written down. Now call the number there, or send a letter."))


@pages.post("/<uuid:facility_id>/call")
@allowed(Role.DISPATCHER)
@fresh
def call(facility_id: UUID) -> ResponseReturnValue:
    """Record what the call told."""
    with hub().database.changing() as session:
        mine = find(session, viewer(), VERIFY, facility_id)
        facilities.record_call(
            session,
            mine,
            _outcome(request.form.get("outcome", "")),
            note=request.form.get("note", ""),
            days=_days(),
            by=viewer().id,
            now=hub().clock(),
        )
    return _done(facility_id, _("Written down."))


@pages.post("/<uuid:facility_id>/letter")
@allowed(Role.DISPATCHER)
@fresh
def letter(facility_id: UUID) -> str:
    """A letter with a code, to be printed and posted now: the code is shown this once."""
    with hub().database.changing() as session:
        mine = find(session, viewer(), VERIFY, facility_id)
        sent, code = facilities.write_letter(session, mine, by=viewer().id, now=hub().clock())
    return render_template("verification/letter.html", facility=mine, sent=sent, code=code)


@pages.post("/<uuid:facility_id>/evidence/<uuid:evidence_id>/revoke")
@allowed(Role.DISPATCHER)
@fresh
def revoke(facility_id: UUID, evidence_id: UUID) -> ResponseReturnValue:
    """Take evidence back; what is reserved beyond what is left proved is released."""
    try:
        with hub().database.changing() as session:
            mine = find(session, viewer(), VERIFY, facility_id)
            evidence = session.get(Evidence, evidence_id)
            if evidence is None or evidence.facility_id != mine.id:
                raise NotFound
            why = request.form.get("why", "")[: facilities.LONGEST_REASON]
            facilities.revoke(session, evidence, by=viewer().id, why=why, now=hub().clock())
    except Invalid as error:
        return _page(facility_id, error.fields), 400
    hub().soon(allocate_lots)
    return _done(facility_id, _("Taken back. What is reserved for it beyond its standing is released."))


@pages.get("/<uuid:facility_id>/merge")
@allowed(Role.DISPATCHER)
@fresh
def confirm_merge(facility_id: UUID) -> ResponseReturnValue:
    """What a merge would move, before it is done."""
    with hub().database.changing() as session:
        kept = find(session, viewer(), VERIFY, facility_id)
        merged = _other(session, request.args.get("other", ""))
        if merged is None:
            return redirect(url_for("verification.facility", facility_id=facility_id))
        shown = merging.preview(session, kept, merged)
        return render_template("verification/merge.html", kept=kept, merged=merged, preview=shown)


@pages.post("/<uuid:facility_id>/merge")
@allowed(Role.DISPATCHER)
@fresh
def merge(facility_id: UUID) -> ResponseReturnValue:
    """Make the two one."""
    with hub().database.changing() as session:
        kept = find(session, viewer(), VERIFY, facility_id)
        merged = _other(session, request.form.get("other", ""))
        if merged is None:
            raise Invalid(translatable("Choose two different facilities."))
        merging.merge(session, kept, merged, by=viewer().id, now=hub().clock())
    return _done(facility_id, _("They are one now. You can take it back on this page."))


@pages.post("/<uuid:facility_id>/merges/<uuid:merge_id>/undo")
@allowed(Role.DISPATCHER)
@fresh
def undo(facility_id: UUID, merge_id: UUID) -> ResponseReturnValue:
    """Take a merge back."""
    with hub().database.changing() as session:
        mine = find(session, viewer(), VERIFY, facility_id)
        row = session.get(FacilityMerge, merge_id)
        if row is None or row.kept_id != mine.id:
            raise NotFound
        merging.undo(session, row, by=viewer().id, now=hub().clock())
    return _done(facility_id, _("They are two again."))


def _page(facility_id: UUID, errors: Mapping[str, str] | None = None) -> str:
    now = hub().clock()
    with hub().database.reading() as session:
        mine = find(session, viewer(), VERIFY, facility_id)
        standing = facilities.standing_of(session, mine.id, now)
        entry = facilities.matched_entry(session, mine.id, now)
        merges = merging.merges_of(session, mine.id)
        return render_template(
            "verification/facility.html",
            facility=mine,
            standing=standing,
            most=facilities.limits_of(hub().settings).most(standing),
            next_step=_next(standing, entry),
            entry=entry,
            candidates=candidates(session, mine),
            evidence=facilities.evidence_of(session, mine.id),
            calls=facilities.calls_to(session, mine.id),
            colleagues=facilities.colleagues(session, mine.id),
            twins=_twins(session, mine),
            merges=[(one, session.get_one(Organisation, one.merged_id)) for one in merges if one.kept_id == mine.id],
            outcomes=[(one.value, one) for one in CallOutcome],
            holds=_holding(facilities.evidence_of(session, mine.id), now),
            errors=errors or {},
        )


def _next(standing: Standing, entry: RegisterEntry | None) -> Next:
    if standing is Standing.VERIFIED:
        return Next.NOTHING
    return Next.REGISTER if entry is None else Next.CALL


def _holding(evidence: Sequence[Evidence], now: datetime) -> frozenset[UUID]:
    return frozenset(one.id for one in evidence if one.revoked_at is None and one.given_at <= now < one.expires_at)


def _twins(session: Session, mine: Organisation) -> list[Organisation]:
    """Those that may be the same, among what the viewer may merge."""
    return [one for one in duplicates(session, mine) if can(session, viewer(), VERIFY, one)]


def _other(session: Session, typed: str) -> Organisation | None:
    try:
        return find(session, viewer(), VERIFY, UUID(typed))
    except ValueError:
        return None


def _outcome(typed: str) -> CallOutcome:
    try:
        return CallOutcome(typed)
    except ValueError:
        raise Invalid(translatable("Say what the call told.")) from None


def _days() -> int:
    return hub().settings.evidence_days


def _done(facility_id: UUID, said: str) -> ResponseReturnValue:
    hub().soon(plan_jobs)
    hub().soon(allocate_lots)
    flash(said, "success")
    return redirect(url_for("verification.facility", facility_id=facility_id))
