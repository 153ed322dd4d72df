"""What facilities hold that may not have it any more, since something that proved them expired or was revoked.

What has not left goes back into the stock: first what is reserved, then packed shipments, the latest first, until the
facility has no more than its standing allows. What is on its way or has arrived stays where it is.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, select

from makerhub.delivery import service as delivery
from makerhub.delivery.models import Allocation, AllocationState, Shipment, ShipmentState
from makerhub.demand.models import RequestLine, RequestState, SupplyRequest
from makerhub.facilities.ladder import Limits
from makerhub.facilities.service import standings
from makerhub.planning.view import promised_to

NOT_PROVED = "the facility is not proved enough"
"""Why something is taken back, in the log."""


def take_back_from_ended(session: Session, *, now: datetime) -> None:
    """Nothing goes to requests that have ended or are held."""
    for request in _with_unsent(session, col(SupplyRequest.state) != RequestState.ACCEPTED):
        why = delivery.HELD if request.state is RequestState.HELD else delivery.ENDED
        delivery.take_back_unsent(session, request, why=why, now=now)


def beyond_limits(session: Session, limits: Limits, now: datetime) -> list[UUID]:
    """The facilities that wait for something that has not left and have, with it, more than their standing allows."""
    waiting = sorted({request.facility_id for request in _with_unsent(session)})
    mosts = {facility: limits.most(standing) for facility, standing in standings(session, waiting, now).items()}
    return [one for one, most in mosts.items() if most is not None and promised_to(session, one) > most]


def take_back_beyond_limits(session: Session, limits: Limits, *, now: datetime) -> None:
    """Take back from them what has not left; of what was only reserved the same sweep reserves what they may have."""
    beyond = beyond_limits(session, limits, now)
    for facility, standing in standings(session, beyond, now).items():
        requests = _with_unsent(session, col(SupplyRequest.facility_id) == facility)
        for request in requests:
            delivery.release(session, request, why=NOT_PROVED, now=now)
        for shipment in _packed_for(session, requests):
            if promised_to(session, facility) <= (limits.most(standing) or 0):
                break
            delivery.unpack(session, shipment, why=NOT_PROVED, now=now)


def _packed_for(session: Session, requests: Collection[SupplyRequest]) -> list[Shipment]:
    """What is packed for several requests, the latest first."""
    packed = [shipment for request in requests for shipment in delivery.packed_for(session, request.id)]
    return sorted(packed, key=lambda one: (one.packed_at, str(one.id)), reverse=True)


def _with_unsent(session: Session, *which: ColumnElement[bool]) -> Sequence[SupplyRequest]:
    """The requests for which something is reserved or packed."""
    packed = and_(col(Allocation.state) == AllocationState.SHIPPED, col(Shipment.state) == ShipmentState.PACKED)
    unsent: Any = (
        select(SupplyRequest)
        .join(RequestLine, col(RequestLine.request_id) == SupplyRequest.id)
        .join(Allocation, col(Allocation.line_id) == RequestLine.id)
        .outerjoin(Shipment, col(Shipment.id) == Allocation.shipment_id)
        .where(or_(col(Allocation.state) == AllocationState.RESERVED, packed), *which)
    )
    return list(session.exec(unsent.distinct().order_by(col(SupplyRequest.id))))
