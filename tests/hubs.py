"""Whole hubs for tests, assembled as `makerhub serve` assembles its own, on printers of this very machine."""

import atexit
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlmodel import Session, SQLModel, col, select

from makerhub.app import Makerhub, assemble, prusa_slicer, utc_now
from makerhub.config import Settings, load
from makerhub.db import Clock, Database
from makerhub.delivery import service as delivery
from makerhub.delivery.models import Shipment
from makerhub.demand import service as demand
from makerhub.demand.models import SupplyRequest, Urgency
from makerhub.designs import publishing
from makerhub.designs import service as designs
from makerhub.designs.files import FileStore
from makerhub.designs.models import Design, DesignVersion
from makerhub.designs.slicer import Slicer
from makerhub.migrations import migrate
from makerhub.people.models import Person
from makerhub.planning.tasks import allocate_lots, dispatch_jobs, plan_jobs
from makerhub.printers import service as printers
from makerhub.printers.models import BuildPlate, Consent, PlateState, Printer
from makerhub.printers.tasks import check_printers
from makerhub.production import service as production
from makerhub.production.models import Attempt, AttemptState
from makerhub.simulation.network import Network, review_all, settle
from makerhub.simulation.real_octoprint import RealOctoPrint
from makerhub.stock import service as stock
from makerhub.stock.models import LotState

MODEL = "prusa-mk3s"
MATERIAL = "PETG"
DESIGN = "ear-saver"
KIT = f"{DESIGN}.small"  # the first of its sizes, as forms call it

Row = TypeVar("Row", bound=SQLModel)
Value = TypeVar("Value")


def quick_settings(data: Path, **changes: Any) -> Settings:
    """Settings of a hub that nobody wants to wait for: looks often, sweeps often, and prints one piece a plate."""
    settings = replace(
        load(None, {}),
        data_directory=data,
        secure_cookies=False,
        allow_loopback_printers=True,
        probe_seconds=0.0,
        poll_idle_seconds=0.5,
        poll_printing_seconds=0.5,
        sweep_seconds=1.0,
        longest_plate_hours=0,
        second_factor_roles=(),
    )
    return replace(settings, **changes)


@dataclass(frozen=True)
class Place:
    """A hub with its network of people, as a test drives it; each action is one transaction, as on a page."""

    hub: Makerhub
    network: Network

    def get(self, model: type[Row], key: UUID) -> Row:
        """The row as it is now."""
        with self.hub.database.reading() as session:
            return session.get_one(model, key)

    def all(self, model: type[Row], *conditions: Any) -> list[Row]:
        """Every row that fits."""
        with self.hub.database.reading() as session:
            return list(session.exec(select(model).where(*conditions)).all())

    def add_printer(
        self,
        url: str,
        key: str,
        *,
        maker: int = 0,
        consent: Consent = Consent.AUTOMATIC,
        plate_is_clear: bool = True,
    ) -> Printer:
        """A printer of the network's maker of that number, as its form registers it."""
        owner = self.network.makers[maker]
        new = printers.NewPrinter(
            owner_id=owner.id,
            hub_id=self.network.hub.id,
            name=f"{owner.name}'s printer",
            profile=self.hub.profiles[MODEL],
            material=MATERIAL,
            url=url,
            key=key,
            consent=consent,
            plate_is_clear=plate_is_clear,
        )
        with self.hub.database.changing() as session:
            printer = printers.register(session, new, self.hub.key_box, now=self.hub.clock())
        self.hub.engine.soon(check_printers)
        return printer

    def ask(self, quantity: int) -> SupplyRequest:
        """The ward asks for so many pieces, and the dispatcher accepts."""
        now = self.hub.clock()
        with self.hub.database.changing() as session:
            line = demand.NewLine(
                designs.kits_of(session, _version(session).id)[0].id,
                quantity,
                now + timedelta(days=3),
                Urgency.CRITICAL,
            )
            network = self.network
            new = demand.NewRequest(uuid4(), network.hospital.id, network.hub.id, network.nurse.id, [line])
            request = demand.submit(session, new, largest=100, policy=self.hub.policy, now=now)
            demand.accept(session, request, by=network.dispatcher.id, now=now)
        self.hub.engine.soon(plan_jobs)
        return request

    def makers_act(self) -> None:
        """Makers take what is offered to them, count what is finished and clear its plate."""
        for maker in self.network.makers:
            for attempt in self._attempts_of(maker, AttemptState.OFFERED):
                with self.hub.database.changing() as session:
                    production.accept(session, session.get_one(Attempt, attempt.id), by=maker.id, now=self.hub.clock())
            for attempt in self._attempts_of(maker, AttemptState.FINISHED):
                self.count(attempt, maker)

    def count(self, attempt: Attempt, maker: Person) -> None:
        """All pieces of a finished print are good, and the plate is clear again."""
        with self.hub.database.changing() as session:
            row = session.get_one(Attempt, attempt.id)
            copies = production.job_of(session, row).copies
            stock.count_print(session, row, good=copies, by=maker.id, now=self.hub.clock())
            production.plate_cleared(session, row.printer_id, by=maker.id, now=self.hub.clock())
        self.hub.engine.soon(dispatch_jobs)

    def clear_plates(self) -> None:
        """Makers clear every build plate on which nothing of ours is."""
        with self.hub.database.changing() as session:
            for plate in session.exec(select(BuildPlate).where(BuildPlate.state == PlateState.OCCUPIED)):
                if production.live_attempt(session, plate.printer_id) is None:
                    owner = session.get_one(Printer, plate.printer_id).owner_id
                    production.plate_cleared(session, plate.printer_id, by=owner, now=self.hub.clock())
        self.hub.engine.soon(dispatch_jobs)

    def sweep(self) -> None:
        """Wait until every printer was looked at and every task has begun once more."""
        settings = self.hub.settings
        time.sleep(2 * max(settings.sweep_seconds, settings.poll_idle_seconds))

    def check_lots(self) -> None:
        """The hub checks every lot that was made: all pieces pass."""
        with self.hub.database.changing() as session:
            for lot in stock.lots_in(session, LotState.AT_MAKER):
                stock.inspect(session, lot, passed=lot.quantity, by=self.network.dispatcher.id, now=self.hub.clock())
        self.hub.engine.soon(allocate_lots)

    def reserved(self, request: SupplyRequest) -> int:
        """Pieces that are reserved for a request and not yet packed."""
        with self.hub.database.reading() as session:
            return sum(allocation.quantity for allocation in delivery.reserved_for(session, request.id))

    def deliver(self, request: SupplyRequest) -> Shipment:
        """Pack what is reserved, drive it to the ward and hand it over against the code."""
        now, courier = self.hub.clock(), self.network.courier.id
        with self.hub.database.changing() as session:
            asked = session.get_one(SupplyRequest, request.id)
            packed = delivery.pack(session, asked, by=self.network.dispatcher.id, now=now)
        with self.hub.database.changing() as session:
            shipment = session.get_one(Shipment, packed.id)
            delivery.depart(session, shipment, courier_id=courier, now=now)
            delivery.confirm_by_code(session, shipment, packed.hand_over_code, by=courier, now=now)
            return shipment

    def _attempts_of(self, maker: Person, state: AttemptState) -> list[Attempt]:
        mine = select(Printer.id).where(Printer.owner_id == maker.id)
        return self.all(Attempt, Attempt.state == state, col(Attempt.printer_id).in_(mine))


@contextmanager
def running_hub(
    settings: Settings,
    *,
    slicer: Callable[[Slicer], Slicer] = lambda real: real,
    clock: Clock = utc_now,
) -> Iterator[Place]:
    """A new hub with one design and its people, whose engine and poll loop run while the block lasts."""
    network = found(settings)
    hub = assemble(settings, clock, slicer(prusa_slicer(settings)))
    hub.start()
    try:
        yield Place(hub, network)
    finally:
        hub.stop()


def found(settings: Settings) -> Network:
    """Make the tables, publish one design of the catalogue, and make the people known."""
    if settings.database_url:
        return _found(settings)
    copied, network = _founded()
    shutil.copytree(copied, settings.data_directory, dirs_exist_ok=True)
    return network


@cache
def _founded() -> tuple[Path, Network]:
    """The same on SQLite, once a session, to be copied."""
    directory = Path(tempfile.mkdtemp(prefix="makerhub-founded-"))
    atexit.register(shutil.rmtree, directory)
    return directory, _found(quick_settings(directory))


def _found(settings: Settings) -> Network:
    database = Database(settings.database)
    try:
        migrate(database)
        checked = publishing.check_folder(settings.catalogue / DESIGN)
        publishing.publish(database, FileStore(settings.files_directory), checked, utc_now)
        with database.changing() as session:
            network = settle(session, settings.time_zone, utc_now())
            review_all(session, network, utc_now())
            return network
    finally:
        database.dispose()


def wait_until(happens: Callable[[], Value], what: str, seconds: float = 30) -> Value:
    """Ask again and again until the answer is true, and give it back; fails with `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not (answer := happens()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(0.05)
    return answer


def prints(octoprint: RealOctoPrint) -> Mapping[str, tuple[int, int]]:
    """OctoPrint's own history of the hub's files: how often each was printed to its end, and how often not."""
    everything = octoprint.call("GET", "/api/files/local?recursive=true&force=true")["files"]
    ours = [file for entry in everything if entry["path"] == "makerhub" for file in entry["children"]]
    histories = {file["name"]: file.get("prints", {}) for file in ours}
    return {name: (counts.get("success", 0), counts.get("failure", 0)) for name, counts in histories.items()}


class FastTime:
    """A clock that runs `speed` times as fast as the wall's, from a moment that several processes can share."""

    def __init__(self, speed: float, since: datetime | None = None) -> None:
        self.speed = speed
        self.since = since or datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.since + self.speed * (datetime.now(UTC) - self.since)


def _version(session: Session) -> DesignVersion:
    of_design = select(DesignVersion).join(Design, col(Design.id) == DesignVersion.design_id)
    return session.exec(of_design.where(Design.key == DESIGN)).one()
