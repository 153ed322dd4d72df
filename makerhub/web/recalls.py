"""Withdrawing a design and recalling what was made of it: the hub's pages, and the facility's answer."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session, col

from makerhub.designs.models import DesignVersion, VersionState
from makerhub.designs.service import parts_of
from makerhub.errors import Invalid, MovedMeanwhile, NotFound, translatable
from makerhub.people.access import find, permitted, visible
from makerhub.people.models import Organisation, Person, Role
from makerhub.people.service import hubs_of
from makerhub.planning.tasks import allocate_lots, plan_jobs
from makerhub.production.tasks import withdraw_stale_attempts
from makerhub.trace import recall as recalling
from makerhub.trace.access import ANSWER
from makerhub.trace.models import NoticeState, Recall, RecallNotice
from makerhub.web.catalogue import find_version, key_of
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import allowed
from makerhub.web.typed import whole_number
from makerhub.web.viewer import viewer

WITHDRAWERS = (Role.DISPATCHER, Role.REVIEWER, Role.ADMIN)
"""Who may stop a design, and follow its recall."""

pages = Blueprint("recalls", __name__)
audience = Audience(
    pages,
    (
        Entry(
            "recalls.overview",
            translatable("Recalls"),
            translatable("See what is recalled"),
            translatable("What was withdrawn and why, and which facilities have answered."),
            WITHDRAWERS,
        ),
    ),
)


@pages.get("/recalls")
@allowed(*WITHDRAWERS)
def overview() -> str:
    """Every recall, the newest first."""
    with hub().database.reading() as session:
        rows = session.exec(visible(viewer(), Recall).order_by(col(Recall.started_at).desc())).all()
        return render_template("recalls/overview.html", recalls=[_shown(session, row) for row in rows])


@pages.get("/recalls/<uuid:recall_id>")
@allowed(*WITHDRAWERS)
def recall(recall_id: UUID) -> str:
    """One recall: why, and who has answered."""
    with hub().database.reading() as session:
        row = find(session, viewer(), Recall, recall_id)
        notices = _notices(session, row)
        return render_template(
            "recalls/recall.html",
            **_shown(session, row),
            notices=notices,
            facilities={notice.facility_id: session.get_one(Organisation, notice.facility_id) for notice in notices},
        )


@pages.get("/designs/<key>/versions/<version>/withdraw")
@allowed(*WITHDRAWERS)
def confirm_withdraw(key: str, version: str) -> str:
    """What withdrawing would touch, and the question why; `material` and `hub` may narrow it."""
    return _withdraw_page(key, version, {})


@pages.post("/designs/<key>/versions/<version>/withdraw")
@allowed(*WITHDRAWERS)
def withdraw(key: str, version: str) -> ResponseReturnValue:
    """Withdraw a version, and recall what was made of it."""
    try:
        with hub().database.changing() as session:
            row = find_version(session, key, version)
            if row.state is VersionState.WITHDRAWN:
                raise MovedMeanwhile(translatable("This design has been withdrawn by now."))
            begun = recalling.withdraw_within(
                session, row, _scope(session, row), by=viewer().id, why=request.form.get("why", ""), now=hub().clock()
            )
    except Invalid as error:
        return _withdraw_page(key, version, error.fields), 400
    for task in (withdraw_stale_attempts, plan_jobs, allocate_lots):
        hub().soon(task)
    flash(_("Withdrawn. No more of it is made, and everybody who got pieces of it is told."), "success")
    return redirect(url_for("recalls.recall", recall_id=begun.id))


@pages.get("/notices/<uuid:notice_id>")
@allowed(Role.REQUESTER)
def notice(notice_id: UUID) -> str:
    """What a facility is told: what not to use any more, and why."""
    return _notice_page(notice_id, {})


@pages.post("/notices/<uuid:notice_id>")
@allowed(Role.REQUESTER)
def answer(notice_id: UUID) -> ResponseReturnValue:
    """The facility has looked, and says how many it has set aside."""
    set_aside = whole_number(request.form.get("set_aside", ""))
    try:
        with hub().database.changing() as session:
            row = _find_notice(session, notice_id)
            if row.state is NoticeState.OPEN:  # else a colleague was faster
                recalling.answer(
                    session, row, set_aside=-1 if set_aside is None else set_aside, by=viewer().id, now=hub().clock()
                )
    except Invalid as error:
        return _notice_page(notice_id, error.fields), 400
    flash(_("Thank you. The hub can see your answer."), "success")
    return redirect(url_for("home.start"))


def open_notices(session: Session, person: Person) -> list[dict[str, object]]:
    """The recalls that facilities of a person have not answered, for the pages where they must be seen."""
    mine = permitted(person, ANSWER).where(RecallNotice.state == NoticeState.OPEN)
    rows = session.exec(mine.order_by(col(RecallNotice.told_at))).all()
    return [_shown(session, session.get_one(Recall, row.recall_id)) | {"notice": row} for row in rows]


def _notice_page(notice_id: UUID, errors: Mapping[str, str]) -> str:
    with hub().database.reading() as session:
        row = _find_notice(session, notice_id)
        return render_template(
            "recalls/notice.html",
            **_shown(session, session.get_one(Recall, row.recall_id)),
            notice=row,
            facility=session.get_one(Organisation, row.facility_id),
            errors=errors,
        )


def _withdraw_page(key: str, version: str, errors: Mapping[str, str]) -> str:
    with hub().database.reading() as session:
        row = find_version(session, key, version)
        scope = _scope(session, row)
        reach = recalling.reach(session, scope)
        return render_template(
            "recalls/withdraw.html",
            key=key,
            version=row,
            scope=scope,
            only_hub=session.get_one(Organisation, scope.hub_id).name if scope.hub_id else "",
            reach=reach,
            facilities=[session.get_one(Organisation, facility_id).name for facility_id in reach.facilities],
            typed=request.form,
            errors=errors,
        )


def _scope(session: Session, version: DesignVersion) -> recalling.Scope:
    """All of the version, or what the address or the form narrows it to. Raises `NotFound` for what is not there."""
    material, hub_id = request.values.get("material", ""), request.values.get("hub", "")
    if material and material not in {one for part in parts_of(session, version.id) for one in part.materials}:
        raise NotFound
    mine = {str(one.id): one.id for one in hubs_of(session, viewer(), *WITHDRAWERS)}
    if hub_id and hub_id not in mine:
        raise NotFound
    return recalling.Scope(version.id, material, mine.get(hub_id))


def _find_notice(session: Session, notice_id: UUID) -> RecallNotice:
    """A notice for one of the person's own facilities: whoever only watches a recall does not answer it."""
    return find(session, viewer(), ANSWER, notice_id)


def _notices(session: Session, row: Recall) -> Sequence[RecallNotice]:
    """The notices of a recall that the viewer may see: those without an answer first."""
    mine = visible(viewer(), RecallNotice).where(RecallNotice.recall_id == row.id)
    return session.exec(mine.order_by(col(RecallNotice.state).desc(), col(RecallNotice.told_at))).all()


def _shown(session: Session, row: Recall) -> dict[str, object]:
    """A recall with the version that it is about, and how many facilities have answered."""
    version = session.get_one(DesignVersion, row.version_id)
    notices = _notices(session, row)
    return {
        "recall": row,
        "version": version,
        "key": key_of(session, version),
        "only_hub": session.get_one(Organisation, row.hub_id).name if row.hub_id else "",
        "told": len(notices),
        "answered": sum(notice.state is NoticeState.ANSWERED for notice in notices),
    }
