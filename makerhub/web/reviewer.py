"""The reviewer's pages: what waits for a decision at the reviewer's hubs, and where it is decided with its evidence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session, col, func, select

from makerhub.demand.models import RequestLine, RequestState, SupplyRequest
from makerhub.designs import approvals
from makerhub.designs.approvals import Decision, approvals_of, jurisdiction_of, scope_of
from makerhub.designs.models import Approval, ApprovalState, DesignVersion, Kit
from makerhub.designs.reviewing import Cause, Waiting, waiting
from makerhub.designs.service import parts_of
from makerhub.designs.versions import ancestors, approved_ancestor
from makerhub.errors import Invalid, NotFound, translatable
from makerhub.people.models import Organisation, Role
from makerhub.people.service import hubs_of
from makerhub.planning.tasks import allocate_lots, plan_jobs
from makerhub.production.tasks import withdraw_stale_attempts
from makerhub.web.catalogue import key_of, pictures_of, published_versions
from makerhub.web.changes import Comparison, compare
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import allowed
from makerhub.web.review_form import Typed
from makerhub.web.standing import Standings, askers, shown_approvals, standings
from makerhub.web.viewer import viewer, viewer_zone

RUNNING = (RequestState.SUBMITTED, RequestState.ACCEPTED)

pages = Blueprint("reviewer", __name__)
audience = Audience(
    pages,
    (
        Entry(
            "reviewer.queue",
            translatable("Reviews"),
            translatable("Review designs"),
            translatable("New versions and what changed in them, and approvals that end soon."),
            (Role.REVIEWER,),
        ),
    ),
)


@dataclass(frozen=True)
class Wanted:
    """What is asked for of a version at a hub: kits, and by how many facilities."""

    kits: int
    facilities: int


@dataclass(frozen=True)
class Waits:
    """A version that waits for a decision at a hub; `since` is what it is compared with, if there is anything."""

    hub: Organisation
    version: DesignVersion
    picture: str
    why: Waiting
    standing: Standings
    wanted: Wanted
    comparison: Comparison | None
    is_own: bool


@pages.get("/reviews")
@allowed(Role.REVIEWER)
def queue() -> str:
    """What waits for a decision at the reviewer's hubs, what ends first at the top."""
    with hub().database.reading() as session:
        hubs = hubs_of(session, viewer(), Role.REVIEWER)
        found = sorted(
            (one for of_hub in hubs for one in _waiting_at(session, of_hub)),
            key=lambda one: (one.why.at is None, one.why.at or one.version.published_at, one.version.name),
        )
        return render_template("reviewer/queue.html", waiting=found, hubs=hubs)


@pages.get("/reviews/<uuid:hub_id>/<uuid:version_id>")
@allowed(Role.REVIEWER)
def review(hub_id: UUID, version_id: UUID) -> str:
    """One version at one hub: what changed, what was decided so far, and the form to decide."""
    return _review_page(hub_id, version_id, {})


@pages.post("/reviews/<uuid:hub_id>/<uuid:version_id>")
@allowed(Role.REVIEWER)
def decide(hub_id: UUID, version_id: UUID) -> ResponseReturnValue:
    """Show what a decision would change, and record it when it was confirmed."""
    typed = Typed.read(request.form)
    try:
        if not typed.is_sure:
            return _confirm_page(hub_id, version_id, typed)
        with hub().database.changing() as session:
            _record(session, *_found(session, hub_id, version_id), typed)
    except Invalid as error:
        return _review_page(hub_id, version_id, error.fields), 400
    for task in (withdraw_stale_attempts, plan_jobs, allocate_lots):
        hub().soon(task)
    flash(_("Recorded, with your name and your evidence."), "success")
    return redirect(url_for("reviewer.review", hub_id=hub_id, version_id=version_id))


def _record(session: Session, of_hub: Organisation, version: DesignVersion, typed: Typed) -> None:
    decision = _decision(session, of_hub, version, typed)
    if decision.state is ApprovalState.PROTOTYPE:
        approvals.take_back(
            session, version, decision.scope, evidence=decision.evidence, by=viewer().id, now=decision.valid_from
        )
    elif not _is_recorded(session, version, decision):
        approvals.decide(session, version, decision, by=viewer().id, now=decision.valid_from)


def _is_recorded(session: Session, version: DesignVersion, decision: Decision) -> bool:
    """Whether this very decision is there already: the form was sent twice."""
    same = (decision.scope, decision.state, decision.evidence, decision.valid_until, viewer().id)
    rows = approvals_of(session, version.id)
    return same in [(scope_of(row), row.state, row.evidence, row.valid_until, row.decided_by) for row in rows]


def _decision(session: Session, of_hub: Organisation, version: DesignVersion, typed: Typed) -> Decision:
    return typed.decision(
        materials=_materials(session, version),
        of_hub=of_hub,
        jurisdiction=jurisdiction_of(of_hub, hub().policy),
        zone=viewer_zone(),
        now=hub().clock(),
    )


def _confirm_page(hub_id: UUID, version_id: UUID, typed: Typed) -> str:
    """What would be decided and what it changes; raises what is wrong with it."""
    with hub().database.reading() as session:
        of_hub, version = _found(session, hub_id, version_id)
        decision = _decision(session, of_hub, version, typed)
        rows, now = approvals_of(session, version.id), decision.valid_from
        if decision.state is ApprovalState.PROTOTYPE:
            ending = approvals.check_take_back(session, version, decision.scope, decision.evidence, now)
            after = [row for row in rows if row not in ending]
        else:
            carried = approvals.check(session, version, decision, by=viewer().id, now=now)
            after = [*(row for row in rows if row is not carried), _as_row(version, decision)]
        materials = _materials(session, version)
        return render_template(
            "reviewer/confirm.html",
            hub=of_hub,
            version=version,
            decision=decision,
            typed=typed,
            steps=[(one, *(_state(every, one, of_hub, now) for every in (rows, after))) for one in materials],
        )


def _as_row(version: DesignVersion, decision: Decision) -> Approval:
    """The approval that a decision would make; never added."""
    scope = decision.scope
    return Approval(
        version_id=version.id,
        material=scope.material,
        hub_id=scope.hub_id,
        jurisdiction=scope.jurisdiction,
        state=decision.state,
        decided_by=viewer().id,
        valid_from=decision.valid_from,
        valid_until=decision.valid_until,
    )


def _state(rows: Sequence[Approval], material: str, of_hub: Organisation, now: datetime) -> ApprovalState:
    return approvals.standing(rows, material, of_hub.id, jurisdiction_of(of_hub, hub().policy), now)


def _review_page(hub_id: UUID, version_id: UUID, errors: Mapping[str, str]) -> str:
    with hub().database.reading() as session:
        of_hub, version = _found(session, hub_id, version_id)
        since, is_approved = _since(session, version, of_hub)
        return render_template(
            "reviewer/review.html",
            hub=of_hub,
            version=version,
            key=key_of(session, version),
            shown_picture=pictures_of(session, [version]).get(version.id, ""),
            standing=standings(session, [version], [of_hub])[version.id],
            askers=askers(session, version, [of_hub]),
            wanted=_wanted(session, version, of_hub),
            comparison=compare(session, since, version) if since else None,
            is_since_approved=is_approved,
            approvals=shown_approvals(session, version.id),
            materials=[(one, one) for one in _materials(session, version)],
            jurisdiction=jurisdiction_of(of_hub, hub().policy),
            is_own=version.published_by == viewer().id,
            tomorrow=(hub().clock().astimezone(viewer_zone()) + timedelta(days=1)).date(),
            typed=Typed.read(request.form),
            errors=errors,
        )


def _found(session: Session, hub_id: UUID, version_id: UUID) -> tuple[Organisation, DesignVersion]:
    """A hub of the reviewer, and the version. Raises `NotFound`."""
    version = session.get(DesignVersion, version_id)
    for one in hubs_of(session, viewer(), Role.REVIEWER):
        if one.id == hub_id and version is not None:
            return one, version
    raise NotFound


def _waiting_at(session: Session, of_hub: Organisation) -> Iterator[Waits]:
    """The newest version of each design, and those before it as long as none after them is approved here."""
    designs = published_versions(session).values()
    states = standings(session, [version for versions in designs for version in versions], [of_hub])
    for versions in designs:
        for version in versions:
            why = _why(session, states[version.id], of_hub)
            if why is not None and (version is versions[0] or why.cause is Cause.ENDING):
                yield _waits(session, of_hub, version, why, states[version.id])
            if states[version.id].best.suffices_for(ApprovalState.COMMUNITY_REVIEWED):
                break


def _why(session: Session, states: Standings, of_hub: Organisation) -> Waiting | None:
    rows, jurisdiction = approvals_of(session, states.version.id), jurisdiction_of(of_hub, hub().policy)
    return waiting(rows, [material for _, material in states.cells], of_hub.id, jurisdiction, hub().clock())


def _waits(session: Session, of_hub: Organisation, version: DesignVersion, why: Waiting, state: Standings) -> Waits:
    since, _is_approved = _since(session, version, of_hub)
    return Waits(
        hub=of_hub,
        version=version,
        picture=pictures_of(session, [version]).get(version.id, ""),
        why=why,
        standing=state,
        wanted=_wanted(session, version, of_hub),
        comparison=compare(session, since, version) if since else None,
        is_own=version.published_by == viewer().id,
    )


def _since(session: Session, version: DesignVersion, of_hub: Organisation) -> tuple[DesignVersion | None, bool]:
    """What the version is compared with: the nearest ancestor that is approved here, else its parent."""
    approved = approved_ancestor(session, hub().policy, version, of_hub.id, hub().clock())
    return approved or next(ancestors(session, version), None), approved is not None


def _materials(session: Session, version: DesignVersion) -> list[str]:
    """What the version's parts may be made of, each once."""
    return list(dict.fromkeys(one for part in parts_of(session, version.id) for one in part.materials))


def _wanted(session: Session, version: DesignVersion, of_hub: Organisation) -> Wanted:
    kits, facilities = session.exec(
        select(
            func.coalesce(func.sum(RequestLine.quantity), 0),
            func.count(func.distinct(SupplyRequest.facility_id)),
        )
        .join(SupplyRequest, col(SupplyRequest.id) == RequestLine.request_id)
        .join(Kit, col(Kit.id) == RequestLine.kit_id)
        .where(
            Kit.version_id == version.id,
            SupplyRequest.hub_id == of_hub.id,
            col(SupplyRequest.state).in_(RUNNING),
        )
    ).one()
    return Wanted(int(kits), facilities)
