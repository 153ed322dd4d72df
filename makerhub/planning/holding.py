"""What facilities hold that may not have it any more, since something that proved them expired or was revoked."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.delivery import service as delivery
from makerhub.delivery.models import Allocation, AllocationState
from makerhub.demand.models import RequestLine, SupplyRequest
from makerhub.facilities.ladder import Limits
from makerhub.facilities.service import standings
from makerhub.planning.view import promised_to


def beyond_limits(session: Session, limits: Limits, now: datetime) -> list[UUID]:
    """The facilities that have reservations and, with these, more than their standing allows."""
    found = []
    for facility, standing in standings(session, _with_reservations(session), now).items():
        most = limits.most(standing)
        if most is not None and promised_to(session, facility) > most:
            found.append(facility)
    return found


def take_back_beyond_limits(session: Session, limits: Limits, *, now: datetime) -> None:
    """Release what is reserved for them; what they may have is reserved again by the same sweep."""
    for facility in beyond_limits(session, limits, now):
        for request in _reserving(session, facility):
            delivery.release(session, request, why="the facility is not proved enough", now=now)


def _with_reservations(session: Session) -> Sequence[UUID]:
    held = (
        select(SupplyRequest.facility_id)
        .join(RequestLine, col(RequestLine.request_id) == SupplyRequest.id)
        .join(Allocation, col(Allocation.line_id) == RequestLine.id)
        .where(Allocation.state == AllocationState.RESERVED)
    )
    return session.exec(held.distinct()).all()


def _reserving(session: Session, facility_id: UUID) -> Sequence[SupplyRequest]:
    held = (
        select(SupplyRequest)
        .join(RequestLine, col(RequestLine.request_id) == SupplyRequest.id)
        .join(Allocation, col(Allocation.line_id) == RequestLine.id)
        .where(SupplyRequest.facility_id == facility_id, Allocation.state == AllocationState.RESERVED)
    )
    return session.exec(held.distinct().order_by(col(SupplyRequest.id))).all()
