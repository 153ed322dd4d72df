"""What pages confirm, and how to see in the database that it is so."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, func, select

from makerhub.delivery.models import Receipt, Shipment
from makerhub.demand.models import RequestLine, SupplyRequest
from makerhub.lifecycle import Transition
from makerhub.printers.models import BuildPlate
from makerhub.production.models import Attempt, AttemptState
from makerhub.stock.models import Inspection, Lot


@dataclass(frozen=True)
class Promise:
    """Something that a page has confirmed, and how to see in the database that it is so."""

    what: str
    holds: Callable[[Session], bool]


def asked(form_key: UUID, quantity: int) -> Promise:
    """The form made one request with one line."""

    def holds(session: Session) -> bool:
        lines = select(RequestLine.quantity).join(SupplyRequest, col(SupplyRequest.id) == RequestLine.request_id)
        return session.exec(lines.where(SupplyRequest.form_key == form_key)).all() == [quantity]

    return Promise(f"one request for {quantity} from form {form_key}", holds)


def moved(entity: str, key: UUID, state: str) -> Promise:
    """The row came to this state, wherever it went since."""

    def holds(session: Session) -> bool:
        logged = (Transition.entity == entity, Transition.entity_id == key, Transition.after == state)
        return session.exec(select(Transition).where(*logged)).first() is not None

    return Promise(f"{entity} {key} is {state}", holds)


def counted(attempt_id: UUID, good: int) -> Promise:
    """The print was counted, and its good pieces are one lot."""

    def holds(session: Session) -> bool:
        attempt = session.get_one(Attempt, attempt_id)
        lots = session.exec(select(Lot.quantity).where(Lot.attempt_id == attempt_id)).all()
        return attempt.state is AttemptState.COUNTED and attempt.good == good and lots == [good]

    return Promise(f"{good} pieces of attempt {attempt_id} counted", holds)


def passed(lot_id: UUID, pieces: int) -> Promise:
    """The lot was checked, once."""

    def holds(session: Session) -> bool:
        return session.exec(select(Inspection.passed).where(Inspection.lot_id == lot_id)).all() == [pieces]

    return Promise(f"{pieces} pieces of lot {lot_id} passed", holds)


def received(shipment_id: UUID) -> Promise:
    """The shipment has one receipt."""

    def holds(session: Session) -> bool:
        return len(session.exec(select(Receipt).where(Receipt.shipment_id == shipment_id)).all()) == 1

    return Promise(f"shipment {shipment_id} received", holds)


def cleared(what: str, printer_id: UUID, maker_id: UUID, *, times: int) -> Promise:
    """The maker has cleared the printer's plate so many times at least."""

    def holds(session: Session) -> bool:
        plate = session.exec(select(BuildPlate.id).where(BuildPlate.printer_id == printer_id)).one()
        clear = (Transition.entity_id == plate, Transition.after == "clear", Transition.by == maker_id)
        return session.exec(select(func.count()).select_from(Transition).where(*clear)).one() >= times

    return Promise(what, holds)


def packed(what: str, request_id: UUID, *, times: int) -> Promise:
    """The request has so many shipments at least."""

    def holds(session: Session) -> bool:
        packed = select(func.count()).select_from(Shipment).where(Shipment.request_id == request_id)
        return session.exec(packed).one() >= times

    return Promise(what, holds)
