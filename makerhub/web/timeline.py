"""What happened to a request, in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, func, select

from makerhub.delivery.models import Shipment, ShipmentState
from makerhub.delivery.service import ENDED, HELD, NOT_NOTED
from makerhub.demand.models import RequestLine, RequestState, SupplyRequest
from makerhub.demand.telephone import BY_TELEPHONE, BY_THE_CALLER
from makerhub.errors import translatable
from makerhub.lifecycle import Transition
from makerhub.planning.holding import NOT_PROVED
from makerhub.production.models import Attempt, PrintJob

WORDS = {
    (SupplyRequest.__tablename__, RequestState.SUBMITTED): translatable("You sent the request."),
    (SupplyRequest.__tablename__, RequestState.ACCEPTED): translatable("The hub took the request on."),
    (SupplyRequest.__tablename__, RequestState.DECLINED): translatable("The hub can not take the request on."),
    (SupplyRequest.__tablename__, RequestState.FULFILLED): translatable("Everything has arrived."),
    (SupplyRequest.__tablename__, RequestState.HELD): translatable("The hub holds the request for now."),
    (SupplyRequest.__tablename__, RequestState.CANCELLED): translatable("The request was cancelled."),
    (Shipment.__tablename__, ShipmentState.PACKED): translatable("The hub packed a delivery for you."),
    (Shipment.__tablename__, ShipmentState.IN_TRANSIT): translatable("A courier has the delivery and is on the way."),
    (Shipment.__tablename__, ShipmentState.DELIVERED): translatable("The delivery arrived."),
    (Shipment.__tablename__, ShipmentState.UNPACKED): translatable("The hub unpacked a delivery: it does not leave."),
}
"""Each text is English, to be translated."""

BY_THE_PROGRAM = {
    BY_TELEPHONE: translatable("The hub wrote the request down on the telephone."),
    ENDED: translatable("What was packed went back into the stock, since the request has ended."),
    HELD: translatable("What was packed went back into the stock, since the request is held."),
    NOT_PROVED: translatable(
        "What was packed went back into the stock: not enough is proved of the facility for so much."
    ),
    NOT_NOTED: translatable("The delivery arrived."),
    BY_THE_CALLER: translatable("Whoever called has cancelled the request."),
}
"""What the program writes as a reason, in words."""

BROUGHT_BACK = translatable("The courier brought the delivery back to the hub, where it waits for another one.")
FIRST_PRINT = translatable("The first print for you was started.")


@dataclass(frozen=True)
class Event:
    """Something that happened, in words to be translated; `why` is what somebody wrote."""

    at: datetime
    text: str
    why: str = ""


def timeline(
    session: Session, request: SupplyRequest, lines: Sequence[RequestLine], shipments: Sequence[Shipment]
) -> list[Event]:
    """What happened to the request, its prints and its shipments, the newest first."""
    changes = _changes(session, [request.id, *(shipment.id for shipment in shipments)])
    events = [_event(change) for change in changes if (change.entity, change.after) in WORDS]
    began = _first_print(session, lines)
    if began is not None:
        events.append(Event(began, FIRST_PRINT))
    return sorted(events, key=lambda event: event.at)[::-1]


def _event(change: Transition) -> Event:
    if change.why in BY_THE_PROGRAM:
        return Event(change.at, BY_THE_PROGRAM[change.why])
    if change.before == ShipmentState.IN_TRANSIT and change.after == ShipmentState.PACKED:
        return Event(change.at, BROUGHT_BACK, change.why)
    return Event(change.at, WORDS[change.entity, change.after], change.why)  # type: ignore[index]


def _changes(session: Session, rows: Sequence[UUID]) -> Sequence[Transition]:
    tables = (SupplyRequest.__tablename__, Shipment.__tablename__)
    mine = select(Transition).where(col(Transition.entity).in_(tables), col(Transition.entity_id).in_(rows))
    return session.exec(mine.order_by(col(Transition.number))).all()


def _first_print(session: Session, lines: Sequence[RequestLine]) -> datetime | None:
    prints = select(func.min(Attempt.started_at)).join(PrintJob)
    return session.exec(prints.where(col(PrintJob.line_id).in_([line.id for line in lines]))).one()
