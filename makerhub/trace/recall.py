"""Withdrawing a design and recalling what was made of it: one use case, whichever way it begins.

It ends new requests and new prints, sets aside what lies at makers and hubs, takes back what is reserved or packed, and
tells every facility that got pieces. What is under way at that moment is found by a sweep that does the same again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from makerhub.delivery import service as delivery
from makerhub.delivery.models import Allocation, Shipment, ShipmentState
from makerhub.demand.models import RequestLine, SupplyRequest
from makerhub.designs import approvals
from makerhub.designs import service as designs
from makerhub.designs.models import ApprovalState, DesignVersion, Part, PlateSlice, VersionState
from makerhub.errors import IllegalMove, Invalid, MovedMeanwhile, translatable
from makerhub.lifecycle import begin, move
from makerhub.production.models import Attempt
from makerhub.stock import service as stock
from makerhub.stock.models import Lot, LotState
from makerhub.trace.access import SENT
from makerhub.trace.models import NoticeState, Recall, RecallNotice

LONGEST_REASON = 500
IN_USE = frozenset({LotState.AT_MAKER, LotState.PASSED})


@dataclass(frozen=True)
class Scope:
    """What is recalled: all of a version, or only what was printed of one material, or what belongs to one hub."""

    version_id: UUID
    material: str = ""
    hub_id: UUID | None = None


@dataclass(frozen=True)
class Reach:
    """What a recall would touch now: lots set aside, shipments unpacked, and how many pieces each facility got."""

    lots: int
    shipments: int
    facilities: Mapping[UUID, int]


def withdraw_version(session: Session, version: DesignVersion, *, by: UUID, why: str, now: datetime) -> Recall:
    """End new requests and new prints of a version, and recall what was made of it.

    Raises `Invalid` without a reason and `IllegalMove` when it is withdrawn already.
    """
    _require_reason(why)
    designs.withdraw(session, version, by=by, why=why.strip(), now=now)
    return recall(session, Scope(version.id), by=by, why=why, now=now)


def withdraw_within(
    session: Session, version: DesignVersion, scope: Scope, *, by: UUID, why: str, now: datetime
) -> Recall:
    """The same within a scope: of one material, or at one hub; without either it is the version that is withdrawn.

    Raises `Invalid` without a reason and `IllegalMove` when it is withdrawn there already.
    """
    if not scope.material and scope.hub_id is None:
        return withdraw_version(session, version, by=by, why=why, now=now)
    _require_reason(why)
    if version.state is VersionState.WITHDRAWN:
        raise IllegalMove(before=str(version.state), after=str(ApprovalState.WITHDRAWN))
    where = approvals.Scope(scope.material, scope.hub_id)
    decision = approvals.Decision(where, ApprovalState.WITHDRAWN, why, now)
    approvals.decide(session, version, decision, by=by, now=now)
    return recall(session, scope, by=by, why=why, now=now)


def recall(session: Session, scope: Scope, *, by: UUID, why: str, now: datetime) -> Recall:
    """Recall what was made within the scope, and will come out of prints that are under way."""
    _require_reason(why)
    row = Recall(
        version_id=scope.version_id,
        material=scope.material,
        hub_id=scope.hub_id,
        why=why.strip(),
        started_by=by,
        started_at=now,
    )
    session.add(row)
    session.flush()
    carry_out(session, row, now=now)
    return row


def carry_out(session: Session, row: Recall, *, now: datetime) -> None:
    """Set aside and tell whatever is not set aside and told yet; doing it again changes nothing.

    A lot that somebody else moves at this moment is left to the next time.
    """
    for lot in session.exec(_lots(scope_of(row)).where(col(Lot.state).in_(IN_USE))).all():
        try:
            with session.begin_nested():
                stock.set_aside(session, lot, why=row.why, now=now)
                delivery.take_back(session, lot, why=row.why, now=now)
        except MovedMeanwhile:
            continue
    for facility_id, pieces in _sent(session, scope_of(row)).items():
        _tell(session, row, facility_id, pieces, now)


def answer(session: Session, notice: RecallNotice, *, set_aside: int, by: UUID, now: datetime) -> None:
    """The facility has looked, and has set so many pieces aside."""
    if not 0 <= set_aside <= notice.pieces:
        problem = translatable("Enter how many you have set aside: from 0 to the number that you got.")
        raise Invalid(fields={"set_aside": problem})
    move(session, notice, NoticeState.ANSWERED, now=now, by=by, set_aside=set_aside)


def reach(session: Session, scope: Scope) -> Reach:
    """What a recall of this scope would touch if it were begun now."""
    in_use = _lots(scope).where(col(Lot.state).in_(IN_USE))
    packed = (
        select(func.count(func.distinct(Shipment.id)))
        .join(Allocation, col(Allocation.shipment_id) == Shipment.id)
        .where(Shipment.state == ShipmentState.PACKED, col(Allocation.lot_id).in_(_lot_ids(in_use)))
    )
    return Reach(len(session.exec(in_use).all()), session.exec(packed).one(), _sent(session, scope))


def scope_of(row: Recall) -> Scope:
    """What a recall is about."""
    return Scope(row.version_id, row.material, row.hub_id)


def _require_reason(why: str) -> None:
    if not why.strip():
        raise Invalid(fields={"why": translatable("Say why: everybody who has pieces of it reads your reason.")})
    if len(why.strip()) > LONGEST_REASON:
        raise Invalid(fields={"why": translatable("Keep the reason under 500 characters.")})


def _lots(scope: Scope) -> SelectOfScalar[Lot]:
    """The lots within a scope, in the order in which all who lock lots do so."""
    wanted = select(Lot).join(Part, col(Part.id) == Lot.part_id).where(Part.version_id == scope.version_id)
    if scope.hub_id is not None:
        wanted = wanted.where(Lot.hub_id == scope.hub_id)
    if scope.material:
        printed = select(Attempt.id).join(PlateSlice, col(PlateSlice.id) == Attempt.plate_slice_id)
        wanted = wanted.where(col(Lot.attempt_id).in_(printed.where(PlateSlice.material == scope.material)))
    return wanted.order_by(col(Lot.id))


def _lot_ids(lots: SelectOfScalar[Lot]) -> SelectOfScalar[UUID]:
    return cast("SelectOfScalar[UUID]", lots.with_only_columns(col(Lot.id)).order_by(None))


def _sent(session: Session, scope: Scope) -> Mapping[UUID, int]:
    """How many pieces within the scope each facility got, or will get of what is on its way."""
    sent = (
        select(SupplyRequest.facility_id, func.sum(Allocation.quantity))
        .join(RequestLine, col(RequestLine.request_id) == SupplyRequest.id)
        .join(Allocation, col(Allocation.line_id) == RequestLine.id)
        .join(Shipment, col(Shipment.id) == Allocation.shipment_id)
        .where(col(Allocation.state).in_(SENT), Shipment.state != ShipmentState.PACKED)
        .where(col(Allocation.lot_id).in_(_lot_ids(_lots(scope))))
        .group_by(col(SupplyRequest.facility_id))
    )
    return {facility_id: int(pieces) for facility_id, pieces in session.exec(sent)}


def _tell(session: Session, row: Recall, facility_id: UUID, pieces: int, now: datetime) -> None:
    """Tell a facility, or tell it again when more has reached it than it was told of."""
    mine = select(RecallNotice).where(RecallNotice.recall_id == row.id, RecallNotice.facility_id == facility_id)
    notice = session.exec(mine).first()
    if notice is None:
        told = RecallNotice(recall_id=row.id, facility_id=facility_id, pieces=pieces, told_at=now)
        begin(session, told, now=now, why=row.why)
    elif notice.pieces < pieces:
        if notice.state is NoticeState.ANSWERED:
            move(session, notice, NoticeState.OPEN, now=now, why="more pieces have reached the facility")
        notice.pieces, notice.told_at = pieces, now
