"""The use cases of pickups: a maker asks, a dispatcher gives it to a courier, who sets out, sees the address, collects.

There is one way to somebody else's address, `reveal()`: it writes down who looks and why, commits that, and only then
opens what is sealed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from makerhub.db import Database
from makerhub.delivery.models import OPEN_PICKUPS, AddressView, Pickup, PickupLot, PickupState
from makerhub.errors import Invalid, NotFound, translatable
from makerhub.keys.box import KeyBox
from makerhub.lifecycle import begin, move
from makerhub.people import homes
from makerhub.people import service as people
from makerhub.people.blocks import apart_from
from makerhub.people.disclosure import Asker, Errand, Precision, precision
from makerhub.people.models import Membership, Organisation, Person, Role
from makerhub.stock.models import Lot, LotState

SHORTEST_WINDOW = timedelta(minutes=30)
LONGEST_WINDOW = timedelta(hours=12)
FURTHEST_AHEAD = timedelta(days=14)

OVER = "its time is over"
HIDDEN = "the maker hides"
NO_ADDRESS = "the maker has removed the address"


def ask(session: Session, maker: Person, hub: Organisation, begins: datetime, ends: datetime, now: datetime) -> Pickup:
    """Ask that a courier of the hub fetches what lies at the maker's home. Raises `Invalid` with what is in the way."""
    _require(hub.offers_pickup, translatable("This hub does not offer pickups now. Please bring the pieces there."))
    _require(_is_window(begins, ends, now), WRONG_WINDOW, "ends")
    home = homes.home_of(session, maker.id)
    _require(not home.is_hidden, translatable("You are hidden. Show yourself again, and then ask for a pickup."))
    _require(homes.has_address(session, maker.id), translatable("Enter your address first, so that we can find you."))
    lots = lots_to_fetch(session, maker, hub.id)
    _require(bool(lots), translatable("Nothing of yours waits to be fetched. First count what you printed."))
    _require(open_pickup(session, maker.id) is None, translatable("You have asked for a pickup already."))
    pickup = Pickup(maker_id=maker.id, hub_id=hub.id, begins=begins, ends=ends, asked_at=now)
    begin(session, pickup, now=now, by=maker.id)
    session.add_all(PickupLot(pickup_id=pickup.id, lot_id=lot.id) for lot in lots)
    session.flush()
    return pickup


WRONG_WINDOW = translatable("Choose a time to come, half an hour to twelve hours long, within the next two weeks.")


def give(session: Session, pickup: Pickup, courier_id: UUID, *, by: UUID, now: datetime) -> None:
    """A dispatcher gives the pickup to a courier of the hub. Raises `Invalid` for anybody else and after its time."""
    is_courier = courier_id in {courier.id for courier in couriers_for(session, pickup)}
    _require(is_courier, translatable("Choose a courier of this hub, who is not the maker."), "courier")
    _require(now < pickup.ends, translatable("The time of this pickup is over."))
    move(session, pickup, PickupState.GIVEN, now=now, by=by, courier_id=courier_id)


def set_out(session: Session, pickup: Pickup, *, by: UUID, now: datetime) -> None:
    """The courier is on the way; raises `Invalid` before and after the time that the maker gave."""
    _require(now >= pickup.begins, translatable("It is too early: the maker expects you later."))
    _require(now < pickup.ends, translatable("The time of this pickup is over."))
    move(session, pickup, PickupState.UNDER_WAY, now=now, by=by)


def collect(session: Session, pickup: Pickup, *, by: UUID, now: datetime) -> None:
    """The courier has the pieces, and from now on no address."""
    move(session, pickup, PickupState.COLLECTED, now=now, by=by, ended_at=now)


def give_back(
    session: Session, pickup: Pickup, *, by: UUID, now: datetime, why: str = "the courier gave it back"
) -> None:
    """The courier can not do it: somebody else may."""
    move(session, pickup, PickupState.ASKED, now=now, by=by, courier_id=None, why=why)


def cancel(session: Session, pickup: Pickup, *, why: str = "", by: UUID | None = None, now: datetime) -> None:
    """Nobody comes; the pieces wait for another pickup, or for being brought."""
    move(session, pickup, PickupState.CANCELLED, now=now, by=by, why=why, ended_at=now)


def hide(session: Session, maker_id: UUID, *, now: datetime) -> None:
    """The maker hides: no map, no courier, and an open pickup is cancelled, even while its courier is on the way."""
    homes.set_hidden(session, maker_id, now, now=now)
    _cancel_open(session, maker_id, HIDDEN, now)


def show(session: Session, maker_id: UUID, *, now: datetime) -> None:
    """The maker hides no more."""
    homes.set_hidden(session, maker_id, None, now=now)


def remove_address(session: Session, maker_id: UUID, *, now: datetime) -> bool:
    """Forget the maker's address, and cancel what needed it; returns whether there was one."""
    _cancel_open(session, maker_id, NO_ADDRESS, now)
    return homes.forget_address(session, maker_id)


def end_lapsed(session: Session, now: datetime) -> int:
    """Cancel the pickups whose time is over; returns how many."""
    lapsed = session.exec(_open().where(col(Pickup.ends) <= now)).all()
    for pickup in lapsed:
        cancel(session, pickup, why=OVER, now=now)
    return len(lapsed)


def reveal(database: Database, key_box: KeyBox, pickup_id: UUID, courier_id: UUID, now: datetime) -> str:
    """The address of a pickup that is under way, for its courier within its time; the view is on record first.

    Raises `NotFound` for everybody else and at any other time.
    """
    with database.changing() as session:
        pickup = session.get(Pickup, pickup_id)
        if pickup is None or not may_see_address(session, pickup, courier_id, now):
            raise NotFound
        view = AddressView(
            maker_id=pickup.maker_id,
            viewer_id=courier_id,
            role=Role.COURIER,
            hub_id=pickup.hub_id,
            pickup_id=pickup.id,
            at=now,
        )
        session.add(view)
    with database.reading() as session:
        return homes.open_address(session, pickup.maker_id, key_box)


def may_see_address(session: Session, pickup: Pickup, courier_id: UUID, now: datetime) -> bool:
    """Whether this person may be shown the address of this pickup at this moment."""
    home = homes.home_of(session, pickup.maker_id)
    serves = select(Membership.organisation_id).where(
        Membership.person_id == courier_id, Membership.role == Role.COURIER, col(Membership.suspended).is_(False)
    )
    asker = Asker(courier_id, frozenset(session.exec(serves)))
    is_under_way = pickup.state is PickupState.UNDER_WAY and pickup.hub_id in asker.hubs
    errand = Errand(pickup.maker_id, pickup.courier_id, is_under_way, pickup.begins, pickup.ends)
    return courier_id != pickup.maker_id and precision(home, asker, errand, now) is Precision.ADDRESS


def views_of(session: Session, maker_id: UUID) -> Sequence[tuple[AddressView, Organisation]]:
    """Who was shown the maker's address, for which hub: the latest first."""
    mine = select(AddressView, Organisation).join(Organisation, col(Organisation.id) == AddressView.hub_id)
    return session.exec(mine.where(AddressView.maker_id == maker_id).order_by(col(AddressView.at).desc())).all()


def open_pickup(session: Session, maker_id: UUID) -> Pickup | None:
    """The pickup that the maker waits for."""
    return session.exec(_open().where(Pickup.maker_id == maker_id)).first()


def lots_of(session: Session, pickups: Sequence[UUID]) -> Mapping[UUID, Sequence[Lot]]:
    """What each pickup fetches, by label; only what is still at the maker or was when it was collected."""
    rows = session.exec(
        select(PickupLot.pickup_id, Lot)
        .join(Lot, col(Lot.id) == PickupLot.lot_id)
        .where(col(PickupLot.pickup_id).in_(pickups))
        .order_by(col(Lot.label))
    ).all()
    return {pickup: [lot for key, lot in rows if key == pickup] for pickup in pickups}


def lots_to_fetch(session: Session, maker: Person, hub_id: UUID) -> Sequence[Lot]:
    """The maker's lots for this hub that no courier has collected."""
    collected = select(PickupLot.lot_id).join(Pickup, col(Pickup.id) == PickupLot.pickup_id)
    mine = select(Lot).where(
        Lot.maker_reference == maker.maker_reference,
        Lot.hub_id == hub_id,
        Lot.state == LotState.AT_MAKER,
        col(Lot.id).not_in(collected.where(Pickup.state == PickupState.COLLECTED)),
    )
    return session.exec(mine.order_by(col(Lot.made_at))).all()


def collected_lots(session: Session, lots: Sequence[UUID]) -> frozenset[UUID]:
    """Those of the lots that a courier has collected."""
    mine = select(PickupLot.lot_id).join(Pickup, col(Pickup.id) == PickupLot.pickup_id)
    collected = mine.where(Pickup.state == PickupState.COLLECTED, col(PickupLot.lot_id).in_(lots))
    return frozenset(session.exec(collected))


def couriers_of(session: Session, hub_id: UUID) -> Sequence[Person]:
    """The couriers of a hub who can sign in, by name."""
    return people.members_of(session, hub_id, Role.COURIER)


def couriers_for(session: Session, pickup: Pickup) -> Sequence[Person]:
    """The couriers to whom this pickup may be given: not the maker, and nobody who and the maker are kept apart."""
    others = {pickup.maker_id, *session.execute(apart_from(pickup.maker_id)).scalars()}
    return [courier for courier in couriers_of(session, pickup.hub_id) if courier.id not in others]


def last_pickup_ended(session: Session, maker_id: UUID) -> datetime | None:
    """When the maker's last pickup ended, if there was any."""
    return session.exec(select(func.max(Pickup.ended_at)).where(Pickup.maker_id == maker_id)).one()


def _cancel_open(session: Session, maker_id: UUID, why: str, now: datetime) -> None:
    pickup = open_pickup(session, maker_id)
    if pickup is not None:
        cancel(session, pickup, why=why, by=maker_id, now=now)


def _open() -> SelectOfScalar[Pickup]:
    return select(Pickup).where(col(Pickup.state).in_(OPEN_PICKUPS))


def _is_window(begins: datetime, ends: datetime, now: datetime) -> bool:
    return now < ends <= now + FURTHEST_AHEAD and SHORTEST_WINDOW <= ends - begins <= LONGEST_WINDOW


def _require(holds: bool, problem: str, field: str = "") -> None:
    if not holds:
        raise Invalid(problem, fields={field: problem} if field else {})
