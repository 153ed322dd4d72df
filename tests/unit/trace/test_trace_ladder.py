"""Whatever happens in whatever order, no facility holds more than is proved of it, and no request is ever lost.

Evidence is given, expires and is revoked; facilities are merged and taken apart again; pieces are made, shared out,
packed, carried, brought back and received. After each step the sweep runs, as it does within seconds in a hub.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from builders import NOW, World, organisation, prove
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlmodel import Session, SQLModel, col, select

from makerhub.config import Settings
from makerhub.db import Database
from makerhub.delivery import service as delivery
from makerhub.delivery.models import Allocation, AllocationState, Shipment, ShipmentState
from makerhub.demand import service as demand
from makerhub.demand.models import RequestLine, RequestState, SupplyRequest
from makerhub.facilities import service as facilities
from makerhub.facilities.ladder import EvidenceKind
from makerhub.facilities.models import Evidence, EvidenceState, FacilityMerge, MergeState
from makerhub.keys.box import KeyBox
from makerhub.people.models import Organisation, OrganisationKind
from makerhub.planning.tasks import allocate_lots
from makerhub.planning.view import promised_to
from makerhub.trace import merging
from makerhub.trace.invariants import breaches

SETTINGS = Settings(most_for_draft=0, most_for_mail_proved=3, most_for_registered=7)
LIMITS = facilities.limits_of(SETTINGS)
NAMES = ("Ash Court", "Beech Court", "Cedar Court")

folder = TemporaryDirectory(prefix="ladder-")
database = Database(f"sqlite:///{Path(folder.name, 'ladder.sqlite')}")
key_box = KeyBox(Path(folder.name, "hub.key"))
SQLModel.metadata.create_all(database.engine)

any_of = st.integers(0, 10**6)
"""Which of several, whatever their number is."""


def pick(rows: list[Any], number: int) -> Any:
    return rows[number % len(rows)] if rows else None


class Ladder(RuleBasedStateMachine):
    """Three care homes at a hub with a stock; the first is verified for nine days, and something is packed for it."""

    def __init__(self) -> None:
        super().__init__()
        with database.changing() as session:
            for table in reversed(SQLModel.metadata.sorted_tables):
                session.execute(table.delete())
        self.world, self.now, self.asked = World(database, key_box), NOW, 0
        with database.changing() as session:
            self.places = [organisation(session, OrganisationKind.CARE_HOME, name).id for name in NAMES]

    @initialize()
    def each_asks_and_something_is_packed_for_the_first(self) -> None:
        for place in self.places:
            self.ask(place, 4)
        first = next(request for request in self.requests() if request.facility_id == self.places[0])
        self.world.lot(6, request=first)
        self.prove(self.places[0], {EvidenceKind.REGISTER_MATCH, EvidenceKind.CALL_BACK}, 9)
        self.sweep()
        self.world.pack(first)

    @rule(number=any_of, kinds=st.sets(st.sampled_from(EvidenceKind), min_size=1), days=st.integers(1, 20))
    def give_evidence(self, number: int, kinds: set[EvidenceKind], days: int) -> None:
        self.prove(pick(self.unmerged(), number), kinds, days)

    @rule(number=any_of)
    def revoke_evidence(self, number: int) -> None:
        with database.changing() as session:
            mine = select(Evidence).where(
                col(Evidence.facility_id).in_(self.places), Evidence.state == EvidenceState.GIVEN
            )
            one = pick(list(session.exec(mine.order_by(col(Evidence.id)))), number)
            if one is not None:
                facilities.revoke(session, one, by=self.world.dispatcher.id, why="a fake", now=self.now)

    @rule(days=st.integers(1, 10))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule(number=any_of, quantity=st.integers(1, 9))
    def ask_for_more(self, number: int, quantity: int) -> None:
        with database.reading() as session:
            place = pick(self.open_places(session), number)
        self.ask(place, quantity)

    @rule(number=any_of, quantity=st.integers(1, 9))
    def make_some(self, number: int, quantity: int) -> None:
        self.world.lot(quantity, request=pick(self.requests(), number))

    @rule(number=any_of)
    def cancel(self, number: int) -> None:
        def end(session: Session, request: SupplyRequest) -> None:
            demand.cancel(session, request, now=self.now)

        self.do(SupplyRequest, (RequestState.ACCEPTED,), number, end)

    @rule(number=any_of)
    def pack(self, number: int) -> None:
        def put_in(session: Session, request: SupplyRequest) -> None:
            if delivery.reserved_for(session, request.id):
                delivery.pack(session, request, by=self.world.dispatcher.id, now=self.now)

        self.do(SupplyRequest, (RequestState.ACCEPTED,), number, put_in)

    @rule(number=any_of)
    def depart(self, number: int) -> None:
        def leave(session: Session, shipment: Shipment) -> None:
            delivery.depart(session, shipment, courier_id=self.world.courier.id, now=self.now)

        self.do(Shipment, (ShipmentState.PACKED,), number, leave)

    @rule(number=any_of)
    def bring_back(self, number: int) -> None:
        def back(session: Session, shipment: Shipment) -> None:
            delivery.give_back(session, shipment, why="no door", courier_id=self.world.courier.id, now=self.now)

        self.do(Shipment, (ShipmentState.IN_TRANSIT,), number, back)

    @rule(number=any_of)
    def arrive(self, number: int) -> None:
        def confirm(session: Session, shipment: Shipment) -> None:
            delivery.confirm_by_facility(session, shipment, by=self.world.requester.id, now=self.now)

        self.do(Shipment, (ShipmentState.PACKED, ShipmentState.IN_TRANSIT), number, confirm)

    @precondition(lambda self: len(self.unmerged()) > 1)
    @rule(one=any_of, other=any_of)
    def merge(self, one: int, other: int) -> None:
        with database.changing() as session:
            kept = pick(self.open_places(session), one)
            merged = pick([place for place in self.open_places(session) if place != kept], other)
            two = (session.get_one(Organisation, place) for place in (kept, merged))
            merging.merge(session, *two, by=self.world.dispatcher.id, now=self.now)

    @rule(number=any_of)
    def take_a_merge_back(self, number: int) -> None:
        with database.changing() as session:
            standing = select(FacilityMerge).where(FacilityMerge.state == MergeState.MERGED)
            rows = [
                row
                for row in session.exec(standing.order_by(col(FacilityMerge.id)))
                if session.get_one(Organisation, row.kept_id).merged_into is None
            ]
            if rows:
                merging.undo(session, pick(rows, number), by=self.world.dispatcher.id, now=self.now)

    @invariant()
    def nobody_holds_more_than_is_proved(self) -> None:
        self.sweep()
        with database.reading() as session:
            for place in self.open_places(session):
                most = LIMITS.most(facilities.standing_of(session, place, self.now))
                if most is not None and unsent(session, place):
                    assert promised_to(session, place) <= most

    @invariant()
    def no_request_is_lost_and_none_belongs_to_a_facility_that_was_merged(self) -> None:
        with database.reading() as session:
            rows = session.exec(select(SupplyRequest).where(col(SupplyRequest.facility_id).in_(self.places))).all()
            assert len(rows) == self.asked
            assert {request.facility_id for request in rows} <= set(self.open_places(session))

    @invariant()
    def nothing_goes_to_a_request_that_has_ended(self) -> None:
        with database.reading() as session:
            over = select(Allocation.id).join(RequestLine).join(SupplyRequest)
            reserved = over.where(Allocation.state == AllocationState.RESERVED)
            assert not session.exec(reserved.where(SupplyRequest.state != RequestState.ACCEPTED)).all()
            packed = select(Shipment.id).join(SupplyRequest).where(Shipment.state == ShipmentState.PACKED)
            assert not session.exec(packed.where(SupplyRequest.state != RequestState.ACCEPTED)).all()

    def teardown(self) -> None:
        with database.reading() as session:
            assert breaches(session) == []

    def sweep(self) -> None:
        allocate_lots.bind({"database": database, "settings": SETTINGS, "clock": lambda: self.now})()

    def prove(self, place: UUID, kinds: set[EvidenceKind], days: int) -> None:
        with database.changing() as session:
            prove(session, session.get_one(Organisation, place), sorted(kinds))
            given = select(Evidence).where(Evidence.facility_id == place, Evidence.given_at < NOW)
            for one in session.exec(given):
                one.given_at, one.expires_at = self.now, self.now + timedelta(days=days)
                session.add(one)

    def ask(self, place: UUID, quantity: int) -> None:
        self.world.request(quantity, facility_id=place, needed_by=NOW + timedelta(days=300))
        self.asked += 1

    def requests(self) -> list[SupplyRequest]:
        with database.reading() as session:
            return list(session.exec(select(SupplyRequest).order_by(col(SupplyRequest.id))))

    def unmerged(self) -> list[UUID]:
        with database.reading() as session:
            return self.open_places(session)

    def open_places(self, session: Session) -> list[UUID]:
        return [one for one in self.places if session.get_one(Organisation, one).merged_into is None]

    def do(self, model: Any, states: tuple[Any, ...], number: int, what: Callable[[Session, Any], None]) -> None:
        with database.changing() as session:
            row = pick(list(session.exec(select(model).where(model.state.in_(states)).order_by(model.id))), number)
            if row is not None:
                what(session, row)


def unsent(session: Session, place: UUID) -> int:
    """Pieces of a facility that lie at the hub, reserved or packed."""
    mine = (
        select(Allocation)
        .join(RequestLine)
        .join(SupplyRequest)
        .join(Shipment, col(Shipment.id) == Allocation.shipment_id, isouter=True)
        .where(SupplyRequest.facility_id == place)
    )
    reserved = mine.where(Allocation.state == AllocationState.RESERVED)
    packed = mine.where(Allocation.state == AllocationState.SHIPPED, Shipment.state == ShipmentState.PACKED)
    return sum(one.quantity for some in (reserved, packed) for one in session.exec(some))


TestLadder = Ladder.TestCase
TestLadder.settings = settings(
    max_examples=15, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
