"""What is held while somebody is kept out of a hub, and goes on once that is lifted.

Requests are held and packed shipments unpacked; what the person was to print or fetch goes to others, since nobody's
need waits for a quarrel. What is with a courier already arrives: the facility confirms it on its own page.
"""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.delivery import pickups
from makerhub.delivery import service as delivery
from makerhub.delivery.models import OPEN_PICKUPS, Pickup, PickupState
from makerhub.demand import service as demand
from makerhub.demand.models import RequestState
from makerhub.people.block_models import Suspension
from makerhub.printers.models import Printer
from makerhub.production import service as production
from makerhub.production.models import ON_THE_PRINTER, Attempt, AttemptState
from makerhub.stock import service as stock

SENDER_BLOCKED = "whoever asked for it is blocked at this hub"
MAKER_BLOCKED = "its maker is blocked at this hub"
COURIER_BLOCKED = "its courier is blocked at this hub"
LIFTED = "the block was lifted"


def hold_all(session: Session, suspension: Suspension, *, by: UUID, now: datetime) -> None:
    """Hold all that the person has under way with the hub."""
    _hold_requests(session, suspension, by, now)
    _give_prints_to_others(session, suspension, by, now)
    _give_pickups_to_others(session, suspension, by, now)


def go_on(session: Session, suspension: Suspension, *, by: UUID | None, now: datetime) -> None:
    """Let the held requests go on; one of which everything arrived meanwhile is done."""
    for request in demand.requests_of(session, suspension.person_id, suspension.hub_id, RequestState.HELD):
        demand.go_on(session, request, by=by, why=LIFTED, now=now)
        demand.record_delivered(session, request.id, delivery.delivered_items(session, request.id), now=now)


def _hold_requests(session: Session, suspension: Suspension, by: UUID, now: datetime) -> None:
    running = (RequestState.SUBMITTED, RequestState.ACCEPTED)
    for request in demand.requests_of(session, suspension.person_id, suspension.hub_id, *running):
        demand.hold(session, request, by=by, why=SENDER_BLOCKED, now=now)
        delivery.take_back_unsent(session, request, why=SENDER_BLOCKED, by=by, now=now)


def _give_prints_to_others(session: Session, suspension: Suspension, by: UUID, now: datetime) -> None:
    mine = select(Printer).where(Printer.owner_id == suspension.person_id, Printer.hub_id == suspension.hub_id)
    for printer in session.exec(mine).all():
        attempt = production.live_attempt(session, printer.id)
        if attempt is not None:
            _end_attempt(session, attempt, by, now)


def _end_attempt(session: Session, attempt: Attempt, by: UUID, now: datetime) -> None:
    if attempt.state in ON_THE_PRINTER:
        outcome = production.Outcome(AttemptState.FAILED, MAKER_BLOCKED)
        production.end(session, attempt, outcome, by=by, now=now)
    elif attempt.state is AttemptState.FINISHED:
        stock.count_print(session, attempt, good=0, by=by, now=now)
    else:
        production.withdraw(session, attempt, why=MAKER_BLOCKED, now=now)


def _give_pickups_to_others(session: Session, suspension: Suspension, by: UUID, now: datetime) -> None:
    here = select(Pickup).where(Pickup.hub_id == suspension.hub_id, col(Pickup.state).in_(OPEN_PICKUPS))
    for pickup in session.exec(here.where(Pickup.maker_id == suspension.person_id)).all():
        pickups.cancel(session, pickup, why=MAKER_BLOCKED, by=by, now=now)
    for pickup in session.exec(here.where(Pickup.courier_id == suspension.person_id)).all():
        if pickup.state is not PickupState.ASKED:
            pickups.give_back(session, pickup, by=by, now=now, why=COURIER_BLOCKED)
