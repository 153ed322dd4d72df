"""Who may follow a lot: who may see it, and the facilities that got pieces of it; and who may see recalls."""

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from makerhub.delivery.models import Allocation, AllocationState
from makerhub.demand.models import RequestLine, SupplyRequest
from makerhub.people.access import action, everything, has_role, nothing, organisation_ids, visibility, visible
from makerhub.people.models import Person, Role
from makerhub.stock import service as stock
from makerhub.stock.models import Lot
from makerhub.trace.models import Recall, RecallNotice
from makerhub.trace.service import NoSuchLot

SENT = (AllocationState.SHIPPED, AllocationState.DELIVERED)


def find_lot(session: Session, person: Person, label: str) -> Lot:
    """The lot with this label, however it was typed, if `person` may follow it; else raises `NoSuchLot`."""
    lot = stock.lot_by_label(session, label)
    if lot is not None:
        for mine in (visible(person, Lot), sent_to_facilities_of(person)):
            if session.exec(mine.where(Lot.id == lot.id)).first() is not None:
                return lot
    raise NoSuchLot(label=label[:32])


def sent_to_facilities_of(person: Person) -> SelectOfScalar[Lot]:
    """The lots of which pieces went to a facility for which `person` asks."""
    sent = (
        select(Allocation.lot_id)
        .join(RequestLine, col(RequestLine.id) == Allocation.line_id)
        .join(SupplyRequest, col(SupplyRequest.id) == RequestLine.request_id)
        .where(
            col(Allocation.state).in_(SENT),
            col(SupplyRequest.facility_id).in_(organisation_ids(person, Role.REQUESTER)),
        )
    )
    return select(Lot).where(col(Lot.id).in_(sent))


@visibility(Recall)
def recalls(person: Person) -> ColumnElement[bool]:
    """Dispatchers and reviewers see what is recalled and why; the others see the notices for their facilities."""
    return everything() if has_role(person, Role.DISPATCHER, Role.REVIEWER, Role.ADMIN) else nothing()


@visibility(RecallNotice)
def recall_notices(person: Person) -> ColumnElement[bool]:
    """One's own facilities' notices; as a dispatcher or a reviewer those of the facilities that ask one's hubs."""
    if has_role(person, Role.ADMIN):
        return everything()
    asking = select(SupplyRequest.facility_id).where(
        col(SupplyRequest.hub_id).in_(organisation_ids(person, Role.DISPATCHER, Role.REVIEWER))
    )
    return or_(its_requesters(person), col(RecallNotice.facility_id).in_(asking))


def its_requesters(person: Person) -> ColumnElement[bool]:
    """Requesters of the facility that was told."""
    return col(RecallNotice.facility_id).in_(organisation_ids(person, Role.REQUESTER))


ANSWER = action(RecallNotice, "answer", its_requesters)
