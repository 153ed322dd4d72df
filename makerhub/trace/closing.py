"""What is still open at a hub: said before it sleeps, and in the way of closing it."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, func, select

from makerhub.delivery.models import OPEN_PICKUPS, Pickup, Shipment, ShipmentState
from makerhub.demand.models import RequestState, SupplyRequest
from makerhub.errors import Invalid, translatable
from makerhub.hubs import service as hubs
from makerhub.hubs.models import HubProfile, HubState
from makerhub.notices.letters import Post
from makerhub.people.models import Membership
from makerhub.printers.models import Printer, PrinterState
from makerhub.production.models import JobState, PrintJob
from makerhub.stock.models import AccountKind, Entry, Lot

OPEN_REQUESTS = (RequestState.SUBMITTED, RequestState.ACCEPTED)
OPEN_JOBS = (JobState.QUEUED, JobState.ASSIGNED, JobState.HELD)
OPEN_SHIPMENTS = (ShipmentState.PACKED, ShipmentState.IN_TRANSIT)


@dataclass(frozen=True)
class OpenWork:
    """How much of each is not at its end at a hub; `lots` have pieces with their maker or on its shelf."""

    submitted: int
    accepted: int
    jobs: int
    lots: int
    shipments: int
    pickups: int

    @property
    def is_nothing(self) -> bool:
        """Whether the hub can be closed."""
        return not any(asdict(self).values())


def open_work(session: Session, hub_id: UUID) -> OpenWork:
    """What is not at its end at this hub."""

    def count(model: Any, *conditions: Any) -> int:
        here = select(func.count()).select_from(model).where(model.hub_id == hub_id, *conditions)
        return int(session.exec(here).one())

    return OpenWork(
        submitted=count(SupplyRequest, SupplyRequest.state == RequestState.SUBMITTED),
        accepted=count(SupplyRequest, SupplyRequest.state == RequestState.ACCEPTED),
        jobs=count(PrintJob, col(PrintJob.state).in_(OPEN_JOBS)),
        lots=len(lots_left(session, hub_id)),
        shipments=count(Shipment, col(Shipment.state).in_(OPEN_SHIPMENTS)),
        pickups=count(Pickup, col(Pickup.state).in_(OPEN_PICKUPS)),
    )


def lots_left(session: Session, hub_id: UUID) -> list[UUID]:
    """The lots of the hub of which pieces are still with the maker or on its shelf."""
    left = (
        select(Entry.lot_id)
        .join(Lot, col(Lot.id) == Entry.lot_id)
        .where(Lot.hub_id == hub_id, col(Entry.account).in_((AccountKind.MAKER, AccountKind.HUB)))
        .group_by(col(Entry.lot_id))
        .having(func.sum(Entry.quantity) > 0)
    )
    return [lot_id for lot_id in session.exec(left).all() if lot_id is not None]


def numbers(session: Session, hub_id: UUID) -> tuple[int, int]:
    """How many people have a role at the hub, and how many printers make for it."""
    here = select(func.count(func.distinct(Membership.person_id))).where(Membership.organisation_id == hub_id)
    printers = select(func.count()).select_from(Printer)
    printing = printers.where(Printer.hub_id == hub_id, Printer.state != PrinterState.RETIRED)
    return int(session.exec(here).one()), int(session.exec(printing).one())


def close(session: Session, profile: HubProfile, *, why: str, post: Post, by: UUID, now: datetime) -> None:
    """Close a hub at which nothing is open, and tell its people why. Raises `Invalid`."""
    hubs.require_reason(why)
    if not open_work(session, profile.organisation_id).is_nothing:
        raise Invalid(translatable("Something is still open at this hub. Bring it to its end, or let the hub sleep."))
    hubs.change_state(session, profile, HubState.CLOSED, why=why, post=post, by=by, now=now)
