"""The queue of what was reported: its context, what was reported of the same before, and the decision."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session, col, select

from makerhub.errors import Invalid, translatable
from makerhub.moderation import service as moderation
from makerhub.moderation.access import DECIDE
from makerhub.moderation.models import Kind, Report, ReportState
from makerhub.moderation.subjects import can_be_hidden
from makerhub.notices.tasks import send_mails
from makerhub.people.access import find, permitted
from makerhub.people.block_models import Suspension, SuspensionState
from makerhub.people.blocks import LIFT
from makerhub.people.models import Organisation, Person, Role
from makerhub.planning.tasks import allocate_lots, plan_jobs
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import allowed
from makerhub.web.reporting import REASONS
from makerhub.web.viewer import viewer, viewer_zone

DECIDERS = (Role.DISPATCHER, Role.ADMIN)
LATE = timedelta(days=1)
MOST_PAST = 30

pages = Blueprint("moderation", __name__, url_prefix="/moderation")
audience = Audience(
    pages,
    (
        Entry(
            "moderation.queue",
            translatable("Reports"),
            translatable("Look at what was reported"),
            translatable("What people met that seemed wrong to them, and who is blocked at your hub."),
            DECIDERS,
        ),
    ),
)


@pages.get("")
@allowed(*DECIDERS)
def queue() -> str:
    """What waits for a decision, the oldest first; who is blocked; and what was decided."""
    with hub().database.reading() as session:
        mine = permitted(viewer(), DECIDE)
        oldest = mine.where(Report.state == ReportState.OPEN).order_by(col(Report.reported_at), col(Report.id))
        past = mine.where(Report.state != ReportState.OPEN).order_by(col(Report.ended_at).desc(), col(Report.id))
        return render_template(
            "moderation/queue.html",
            waiting=session.exec(oldest).all(),
            past=session.exec(past.limit(MOST_PAST)).all(),
            blocked=_blocked(session),
            reasons=REASONS,
            late_before=hub().clock() - LATE,
        )


@pages.get("/<uuid:report_id>")
@allowed(*DECIDERS)
def report(report_id: UUID) -> str:
    """What is reported, by whom, and what was reported of the same."""
    return _page(report_id, {})


@pages.post("/<uuid:report_id>/dismiss")
@allowed(*DECIDERS)
def dismiss(report_id: UUID) -> ResponseReturnValue:
    """Nothing is wrong with it."""
    with hub().database.changing() as session:
        moderation.dismiss(session, find(session, viewer(), DECIDE, report_id), by=viewer().id, now=hub().clock())
    flash(_("Decided: nothing is wrong with it."), "success")
    return redirect(url_for("moderation.queue"))


@pages.post("/<uuid:report_id>/hide")
@allowed(*DECIDERS)
def hide(report_id: UUID) -> ResponseReturnValue:
    """Hide what it says."""
    with hub().database.changing() as session:
        moderation.hide(session, find(session, viewer(), DECIDE, report_id), by=viewer().id, now=hub().clock())
    flash(_("Decided: nobody reads it any more."), "success")
    return redirect(url_for("moderation.queue"))


@pages.post("/<uuid:report_id>/block")
@allowed(*DECIDERS)
def block(report_id: UUID) -> ResponseReturnValue:
    """Keep the person behind it out of the hub."""
    try:
        with hub().database.changing() as session:
            moderation.block(
                session,
                find(session, viewer(), DECIDE, report_id),
                why=request.form.get("why", ""),
                until=_end_of(request.form.get("until", "")),
                post=hub().post,
                by=session.get_one(Person, viewer().id),
                now=hub().clock(),
            )
    except Invalid as error:
        return _page(report_id, error.fields or {"why": error.template}), 400
    for task in (send_mails, allocate_lots, plan_jobs):
        hub().soon(task)
    flash(_("Blocked. What was under way is held or given to others; the person is told by mail."), "success")
    return redirect(url_for("moderation.queue"))


@pages.post("/blocked/<uuid:suspension_id>/lift")
@allowed(*DECIDERS)
def lift(suspension_id: UUID) -> ResponseReturnValue:
    """Let somebody work with the hub again."""
    with hub().database.changing() as session:
        suspension = find(session, viewer(), LIFT, suspension_id)
        moderation.lift(session, suspension, post=hub().post, by=viewer().id, now=hub().clock())
    for task in (send_mails, plan_jobs):
        hub().soon(task)
    flash(_("Lifted. What was held goes on."), "success")
    return redirect(url_for("moderation.queue"))


def _page(report_id: UUID, errors: Mapping[str, str]) -> str:
    with hub().database.reading() as session:
        row = find(session, viewer(), DECIDE, report_id)
        reporter = session.get(Person, row.reporter_id) if row.reporter_id else None
        reported = session.get(Person, row.person_id) if row.person_id else None
        may_block = bool(reported and row.hub_id and moderation.may_block(viewer(), reported, row.hub_id))
        return render_template(
            "moderation/report.html",
            report=row,
            reasons=REASONS,
            reporter=reporter,
            reported=reported,
            hub=session.get(Organisation, row.hub_id) if row.hub_id else None,
            earlier=moderation.earlier(session, row),
            address=_address_of(row),
            may_hide=can_be_hidden(session, row),
            may_block=may_block,
            typed=request.form,
            errors=errors,
        )


def _blocked(session: Session) -> list[tuple[Suspension, Person, Organisation]]:
    held = permitted(viewer(), LIFT).where(Suspension.state == SuspensionState.HOLDS)
    named = select(Suspension, Person, Organisation).where(
        col(Suspension.id).in_(held.with_only_columns(col(Suspension.id))),
        Person.id == Suspension.person_id,
        Organisation.id == Suspension.hub_id,
    )
    return list(session.exec(named.order_by(col(Suspension.begun_at), col(Suspension.id))).all())


def _address_of(row: Report) -> str:
    """The page on which a dispatcher sees the thing itself, where there is one."""
    match row.kind:
        case Kind.REQUEST:
            return url_for("dispatcher.supply_request", request_id=row.thing_id)
        case Kind.FACILITY:
            return url_for("verification.facility", facility_id=row.thing_id)
        case Kind.PICKUP:
            return url_for("pickups.pickup", pickup_id=row.thing_id)
        case Kind.UPLOAD:
            return url_for("uploads.upload", upload_id=row.thing_id)
        case Kind.HUB:
            return url_for("find_hub.one", place_id=row.thing_id)
    return ""


def _end_of(day: str) -> datetime | None:
    """The end of a day that was typed, by the viewer's clock; nothing typed is no end. Raises `Invalid`."""
    if not day.strip():
        return None
    try:
        begins = datetime.combine(datetime.fromisoformat(day).date(), time(), viewer_zone())
    except ValueError:
        raise Invalid(fields={"until": translatable("Choose a day, or leave it empty.")}) from None
    return begins + timedelta(days=1)
