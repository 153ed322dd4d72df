"""Making one of two facilities that turn out to be the same, in every slice, so that it can be taken back.

Requests, shipments, notices of recalls, evidence, codes, calls and people go over; the pieces that arrived go over in
the ledger, by transfers. Where both have the same (a person with the same role, a notice of the same recall) the one of
the facility that is kept stands; a recall tells it anew when more pieces reached it than it was told of.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.delivery import service as delivery
from makerhub.demand import service as demand
from makerhub.errors import Invalid, translatable
from makerhub.facilities import service as facilities
from makerhub.facilities.finding import FACILITIES
from makerhub.facilities.models import FacilityMerge, MergeState
from makerhub.lifecycle import begin, move
from makerhub.people import invitations
from makerhub.people import service as people
from makerhub.people.models import Organisation
from makerhub.people.repointing import repoint
from makerhub.stock import service as stock
from makerhub.trace.models import RecallNotice

Step = Callable[[Session, UUID, UUID, Collection[UUID] | None], list[UUID]]
"""Lets rows of one facility belong to another, all or only those with these keys; returns their keys."""


def _notices(session: Session, source: UUID, target: UUID, only: Collection[UUID] | None) -> list[UUID]:
    told = select(RecallNotice.recall_id).where(RecallNotice.facility_id == target)
    mine = select(RecallNotice.id).where(RecallNotice.facility_id == source, col(RecallNotice.recall_id).not_in(told))
    alone = set(session.exec(mine).all())
    return repoint(session, RecallNotice.facility_id, source, target, alone if only is None else alone & set(only))


STEPS: Mapping[str, Step] = {
    "supply_request": demand.change_facility,
    "shipment": delivery.change_facility,
    "recall_notice": _notices,
    "evidence": facilities.move_evidence,
    "proof_code": facilities.move_codes,
    "call_back": facilities.move_calls,
    "membership": people.move_members,
    "invitation": invitations.move_invitations,
    "join_request": people.move_join_requests,
}
"""What goes over, by table, in this order; a test compares it with the foreign keys of all tables."""


@dataclass(frozen=True)
class Preview:
    """What a merge would move: so many rows of each table, and the people who would ask for the other one."""

    rows: Mapping[str, int]
    people: Collection[str]


def preview(session: Session, kept: Organisation, merged: Organisation) -> Preview:
    """What a merge would do; changes nothing."""
    with session.begin_nested() as attempt:
        rows = {table: len(step(session, merged.id, kept.id, None)) for table, step in STEPS.items()}
        attempt.rollback()
    session.expire_all()
    names = [f"{person.name} ({person.email})" for person in facilities.colleagues(session, merged.id)]
    return Preview(rows, names)


def merge(session: Session, kept: Organisation, merged: Organisation, *, by: UUID, now: datetime) -> FacilityMerge:
    """Let all that belongs to `merged` belong to `kept`. Raises `Invalid` where they can not be the same."""
    _require_two(kept, merged)
    moved = {table: list(map(str, step(session, merged.id, kept.id, None))) for table, step in STEPS.items()}
    moved["pieces"] = stock.hand_on(session, merged.id, kept.id, now=now)
    people.mark_merged(session, merged.id, kept.id)
    row = FacilityMerge(kept_id=kept.id, merged_id=merged.id, moved=moved, merged_by=by, merged_at=now)
    begin(session, row, now=now, by=by)
    return row


def undo(session: Session, row: FacilityMerge, *, by: UUID, now: datetime) -> None:
    """Take a merge back: what went over goes back, and what came later stays. Raises `Invalid` after another merge."""
    if session.get_one(Organisation, row.kept_id).merged_into is not None:
        raise Invalid(translatable("The facility that was kept was merged itself since: take that back first."))
    move(session, row, MergeState.UNDONE, now=now, by=by)
    for table, step in STEPS.items():
        step(session, row.kept_id, row.merged_id, [UUID(key) for key in row.moved[table]])
    stock.hand_back(session, row.kept_id, row.merged_id, row.moved["pieces"], now=now)
    people.mark_merged(session, row.merged_id, None)


def merges_of(session: Session, facility_id: UUID) -> list[FacilityMerge]:
    """The merges that a facility was part of, the newest first."""
    mine = (FacilityMerge.kept_id == facility_id) | (FacilityMerge.merged_id == facility_id)
    return list(session.exec(select(FacilityMerge).where(mine).order_by(col(FacilityMerge.merged_at).desc())))


def _require_two(kept: Organisation, merged: Organisation) -> None:
    if kept.id == merged.id:
        raise Invalid(translatable("Choose two different facilities."))
    if {kept.kind, merged.kind} - set(FACILITIES):
        raise Invalid(translatable("Only hospitals and care homes can be merged."))
    if kept.merged_into is not None or merged.merged_into is not None:
        raise Invalid(translatable("One of them has been merged already."))
