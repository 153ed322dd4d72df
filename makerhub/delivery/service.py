"""The use cases of delivery: reserve pieces for a line, pack, hand to a courier, confirm the receipt."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from makerhub.delivery.models import Allocation, AllocationState, Receipt, Shipment, ShipmentState
from makerhub.demand import service as demand
from makerhub.demand.models import RequestLine, RequestState, SupplyRequest
from makerhub.designs.service import kit_parts
from makerhub.errors import IllegalMove, Invalid, translatable
from makerhub.lifecycle import begin, move
from makerhub.people.repointing import repoint
from makerhub.stock import service as stock
from makerhub.stock.models import Lot, LotState

ENDED = "the request has ended"
HELD = "the request is held"
NOT_NOTED = "nobody noted that a courier took it"
"""Why something is taken back or moves on, in the log."""

PROMISED = frozenset({AllocationState.RESERVED, AllocationState.SHIPPED, AllocationState.DELIVERED})
"""Pieces that a line has or will get."""


class WrongCode(Invalid):
    """The hand-over code is not the shipment's."""

    template = translatable("This is not the hand-over code of this delivery. Ask again at the door.")


@dataclass(frozen=True)
class Share:
    """`quantity` pieces of a lot for a request line, with the reason that is shown to everybody."""

    line_id: UUID
    lot_id: UUID
    quantity: int
    reason: str


def reserve(session: Session, share: Share, *, now: datetime) -> Allocation:
    """Promise pieces in the hub's stock to a line; raises `Invalid` when they are promised already."""
    locked = select(Lot).where(Lot.id == share.lot_id).with_for_update()
    lot = session.exec(locked.execution_options(populate_existing=True)).one()
    if lot.state is not LotState.PASSED or share.quantity > unpromised(session, lot):
        raise Invalid(translatable("These pieces are promised to somebody else by now."))
    allocation = Allocation(
        line_id=share.line_id, lot_id=lot.id, quantity=share.quantity, reason=share.reason, allocated_at=now
    )
    begin(session, allocation, now=now, why=share.reason)
    return allocation


def unpromised(session: Session, lot: Lot) -> int:
    """Pieces of the lot that lie at the hub and are promised to nobody."""
    reserved = select(func.coalesce(func.sum(Allocation.quantity), 0)).where(
        Allocation.lot_id == lot.id, Allocation.state == AllocationState.RESERVED
    )
    return stock.at_hub(session, lot) - int(session.exec(reserved).one())


def release(session: Session, request: SupplyRequest, *, why: str, now: datetime) -> None:
    """Give back what was reserved for a request that ended."""
    for allocation in reserved_for(session, request.id):
        move(session, allocation, AllocationState.RELEASED, now=now, why=why)


def take_back_unsent(
    session: Session, request: SupplyRequest, *, why: str, now: datetime, by: UUID | None = None
) -> None:
    """Nothing that has not left goes to a request: its reservations are released, its packed shipments unpacked."""
    release(session, request, why=why, now=now)
    for shipment in packed_for(session, request.id):
        unpack(session, shipment, why=why, now=now, by=by)


def pack(session: Session, request: SupplyRequest, *, by: UUID, now: datetime) -> Shipment:
    """Put all that is reserved for the request into one shipment; raises `Invalid` when nothing is, or nobody waits."""
    if _locked(session, request.id).state is not RequestState.ACCEPTED:
        raise Invalid(translatable("This request has ended: nobody waits for it any more."))
    reserved = reserved_for(session, request.id)
    if not reserved:
        raise Invalid(translatable("Nothing is reserved for this request yet."))
    shipment = Shipment(
        request_id=request.id,
        hub_id=request.hub_id,
        facility_id=request.facility_id,
        hand_over_code=f"{secrets.randbelow(10**6):06}",
        packed_at=now,
    )
    begin(session, shipment, now=now, by=by)
    for allocation in reserved:
        move(session, allocation, AllocationState.SHIPPED, now=now, by=by, shipment_id=shipment.id)
        lot = session.get_one(Lot, allocation.lot_id)
        stock.ship(session, lot, shipment_id=shipment.id, quantity=allocation.quantity, now=now)
    return shipment


def unpack(session: Session, shipment: Shipment, *, why: str, now: datetime, by: UUID | None = None) -> None:
    """A packed shipment does not leave: its pieces lie in the hub's stock again, promised to nobody."""
    move(session, shipment, ShipmentState.UNPACKED, now=now, by=by, why=why)
    for allocation in contents(session, shipment.id):
        move(session, allocation, AllocationState.RELEASED, now=now, by=by, why=why)
        lot = session.get_one(Lot, allocation.lot_id)
        stock.put_back(session, lot, shipment_id=shipment.id, quantity=allocation.quantity, now=now)


def take_back(session: Session, lot: Lot, *, why: str, now: datetime) -> None:
    """Nothing of the lot that has not left goes anywhere: reservations are released, packed shipments unpacked."""
    promised = select(Allocation).where(Allocation.lot_id == lot.id)
    reserved = promised.where(Allocation.state == AllocationState.RESERVED)
    for allocation in session.exec(reserved.order_by(col(Allocation.id))):
        move(session, allocation, AllocationState.RELEASED, now=now, why=why)
    packed = select(Shipment).join(Allocation, col(Allocation.shipment_id) == Shipment.id)
    waiting = packed.where(Allocation.lot_id == lot.id, Shipment.state == ShipmentState.PACKED)
    for shipment in session.exec(waiting.distinct()).all():
        unpack(session, shipment, why=why, now=now)


def depart(session: Session, shipment: Shipment, *, courier_id: UUID, now: datetime) -> None:
    """A courier has taken the shipment."""
    move(session, shipment, ShipmentState.IN_TRANSIT, now=now, by=courier_id, courier_id=courier_id)


def give_back(session: Session, shipment: Shipment, *, why: str, courier_id: UUID, now: datetime) -> None:
    """The courier has brought the shipment back to the hub, where another one can take it. Raises `Invalid`."""
    if not why.strip():
        raise Invalid(fields={"why": translatable("Say why, so that the hub can do better next time.")})
    move(session, shipment, ShipmentState.PACKED, now=now, by=courier_id, why=why.strip(), courier_id=None)


def confirm_by_code(session: Session, shipment: Shipment, code: str, *, by: UUID, now: datetime) -> Receipt:
    """The courier was told the hand-over code at the door; raises `WrongCode`."""
    typed = "".join(str(int(character)) for character in code if character.isdecimal())  # of any script
    if not secrets.compare_digest(typed, shipment.hand_over_code):
        raise WrongCode(fields={"code": WrongCode.template})
    if shipment.state is ShipmentState.PACKED:  # only the facility says that it came without having been taken
        raise IllegalMove(before=str(shipment.state), after=str(ShipmentState.DELIVERED))
    return _confirm(session, shipment, by=by, by_code=True, now=now)


def confirm_by_facility(session: Session, shipment: Shipment, *, by: UUID, now: datetime) -> Receipt:
    """Somebody of the facility says that it has arrived, though perhaps nobody noted that a courier took it."""
    return _confirm(session, shipment, by=by, by_code=False, now=now)


def _confirm(session: Session, shipment: Shipment, *, by: UUID, by_code: bool, now: datetime) -> Receipt:
    why = NOT_NOTED if shipment.state is ShipmentState.PACKED else ""
    move(session, shipment, ShipmentState.DELIVERED, now=now, by=by, why=why)
    _locked(session, shipment.request_id)  # so that the last of several deliveries at once sees all the others
    receipt = Receipt(shipment_id=shipment.id, confirmed_by=by, by_hand_over_code=by_code, at=now)
    session.add(receipt)
    for allocation in contents(session, shipment.id):
        move(session, allocation, AllocationState.DELIVERED, now=now, by=by)
        lot = session.get_one(Lot, allocation.lot_id)
        stock.deliver(
            session,
            lot,
            shipment_id=shipment.id,
            facility_id=shipment.facility_id,
            quantity=allocation.quantity,
            now=now,
        )
    demand.record_delivered(session, shipment.request_id, delivered_items(session, shipment.request_id), now=now)
    return receipt


def _locked(session: Session, request_id: UUID) -> SupplyRequest:
    """The request as it is now, which nobody else changes before this transaction ends."""
    wanted = select(SupplyRequest).where(SupplyRequest.id == request_id).with_for_update()
    return session.exec(wanted.execution_options(populate_existing=True)).one()


def contents(session: Session, shipment_id: UUID) -> Sequence[Allocation]:
    """What is in a shipment, by lot."""
    mine = select(Allocation).where(Allocation.shipment_id == shipment_id)
    return session.exec(mine.order_by(col(Allocation.lot_id))).all()


def reserved_for(session: Session, request_id: UUID) -> Sequence[Allocation]:
    """What is reserved for a request and not yet packed, by lot: all who lock lots do so in one order."""
    mine = select(Allocation).join(RequestLine, col(RequestLine.id) == Allocation.line_id)
    reserved = mine.where(RequestLine.request_id == request_id, Allocation.state == AllocationState.RESERVED)
    return session.exec(reserved.order_by(col(Allocation.lot_id))).all()


def packed_for(session: Session, request_id: UUID) -> Sequence[Shipment]:
    """What is packed for a request and has not left, the latest first."""
    packed = select(Shipment).where(Shipment.request_id == request_id, Shipment.state == ShipmentState.PACKED)
    return session.exec(packed.order_by(col(Shipment.packed_at).desc(), col(Shipment.id))).all()


def delivered_items(session: Session, request_id: UUID) -> Mapping[UUID, int]:
    """Complete kits (all parts in their quantities) that each line of the request has received."""
    return {
        line.id: _complete_items(session, line, frozenset({AllocationState.DELIVERED}))
        for line in demand.lines_of(session, request_id)
    }


def promised_pieces(session: Session, line_id: UUID, part_id: UUID) -> int:
    """Pieces of a part that the line has or will get."""
    return _pieces(session, line_id, part_id, PROMISED)


def promised_at(session: Session, hub_id: UUID) -> Mapping[tuple[UUID, UUID], int]:
    """The same for all lines of the accepted requests of a hub at once, by line and part; what is 0 is left out."""
    accepted = (
        select(RequestLine.id)
        .join(SupplyRequest, col(SupplyRequest.id) == RequestLine.request_id)
        .where(SupplyRequest.hub_id == hub_id, SupplyRequest.state == RequestState.ACCEPTED)
    )
    return _promised(session, col(Allocation.line_id).in_(accepted))


def promised_to(session: Session, lines: Collection[UUID]) -> Mapping[tuple[UUID, UUID], int]:
    """The same for some lines."""
    return _promised(session, col(Allocation.line_id).in_(lines))


def with_reservations(session: Session, requests: Collection[UUID]) -> frozenset[UUID]:
    """Those of the requests for which something is reserved."""
    mine = select(RequestLine.request_id).join(Allocation, col(Allocation.line_id) == RequestLine.id)
    reserved = mine.where(col(RequestLine.request_id).in_(requests), Allocation.state == AllocationState.RESERVED)
    return frozenset(session.exec(reserved))


def change_facility(session: Session, source: UUID, target: UUID, only: Collection[UUID] | None = None) -> list[UUID]:
    """Let the shipments to one facility be to another; returns their keys. Only the merge of two calls this."""
    return repoint(session, Shipment.facility_id, source, target, only)


def _promised(session: Session, those: ColumnElement[bool]) -> Mapping[tuple[UUID, UUID], int]:
    pieces = select(Allocation.line_id, Lot.part_id, func.sum(Allocation.quantity)).join(
        Lot, col(Lot.id) == Allocation.lot_id
    )
    promised = pieces.where(those, col(Allocation.state).in_(PROMISED))
    grouped = promised.group_by(col(Allocation.line_id), col(Lot.part_id))
    return {(line_id, part_id): int(quantity) for line_id, part_id, quantity in session.exec(grouped)}


def _complete_items(session: Session, line: RequestLine, states: frozenset[AllocationState]) -> int:
    parts = kit_parts(session, line.kit_id)
    return min((_pieces(session, line.id, part.id, states) // quantity for part, quantity in parts), default=0)


def _pieces(session: Session, line_id: UUID, part_id: UUID, states: frozenset[AllocationState]) -> int:
    total = select(func.coalesce(func.sum(Allocation.quantity), 0)).join(Lot, col(Lot.id) == Allocation.lot_id)
    wanted = total.where(Allocation.line_id == line_id, Lot.part_id == part_id, col(Allocation.state).in_(states))
    return int(session.exec(wanted).one())
