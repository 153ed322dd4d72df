"""The demo's story: people act as they would on their pages, and the hub does the rest in the background."""

import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from sqlmodel import Session, col, select

from makerhub.app import Makerhub, utc_now
from makerhub.delivery import service as delivery
from makerhub.delivery.models import Shipment
from makerhub.demand import service as demand
from makerhub.demand.models import RequestLine, SupplyRequest, Urgency
from makerhub.designs.models import Design, DesignVersion
from makerhub.designs.service import kit_parts, kits_of
from makerhub.people.models import Person
from makerhub.planning.tasks import allocate_lots, dispatch_jobs, plan_jobs
from makerhub.printers.models import Observation, Printer
from makerhub.production import service as production
from makerhub.production.models import Attempt, AttemptState, JobState, PrintJob
from makerhub.production.tasks import prepare_attempts
from makerhub.simulation.network import Network
from makerhub.stock import service as stock
from makerhub.stock.models import LotState
from makerhub.trace.service import Trace, lots_of_request, trace

WANTED = {"face-shield-headband": 2, "ear-saver": 10}
PATIENCE_SECONDS = 110.0
BLINK_SECONDS = 0.3


class Story:
    """Acts for the people of a network until one request of the hospital is delivered."""

    def __init__(self, hub: Makerhub, network: Network, console: Console) -> None:
        self._hub = hub
        self._network = network
        self._console = console
        self._bars: dict[str, TaskID] = {}

    def tell(self) -> Trace | None:
        """Go the whole way; gives the trace of one delivered lot, or None when time ran out."""
        request = self._ask()
        if not self._make(request):
            self._console.print(f"[red]Not all was made within {PATIENCE_SECONDS:.0f} s.[/] See: makerhub doctor")
            return None
        self._deliver(request)
        with self._hub.database.reading() as session:
            return trace(session, lots_of_request(session, request.id)[0].label)

    def _ask(self) -> SupplyRequest:
        """The ward asks, the dispatcher accepts; the care home's request is left for whoever looks around."""
        with self._hub.database.changing() as session:
            request = self._submit(session, self._network.nurse, self._network.hospital.id, WANTED, Urgency.CRITICAL)
            demand.accept(session, request, by=self._network.dispatcher.id, now=utc_now())
            self._submit(session, self._network.manager, self._network.care_home.id, {"door-opener": 6}, Urgency.SOON)
        self._say(f"{self._network.nurse.name} asks for {_in_words(WANTED)}; the hub accepts.")
        self._hub.engine.soon(plan_jobs)
        return request

    def _submit(
        self, session: Session, person: Person, facility_id: UUID, wanted: dict[str, int], urgency: Urgency
    ) -> SupplyRequest:
        now = utc_now()
        new = demand.NewRequest(
            form_key=uuid4(),
            facility_id=facility_id,
            hub_id=self._network.hub.id,
            requested_by=person.id,
            lines=[
                demand.NewLine(
                    kits_of(session, _version(session, key).id)[0].id, quantity, now + timedelta(days=3), urgency
                )
                for key, quantity in wanted.items()
            ],
        )
        return demand.submit(session, new, largest=self._hub.settings.largest_request, policy=self._hub.policy, now=now)

    def _make(self, request: SupplyRequest) -> bool:
        """Watch the printers, and do what makers and the hub's checkers do, until everything is reserved."""
        started = time.monotonic()
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
        ) as progress:
            while time.monotonic() - started < PATIENCE_SECONDS:
                self._makers_act()
                self._checkers_act()
                with self._hub.database.reading() as session:
                    self._show(progress, session, request)
                    if _is_reserved(session, request):
                        return True
                time.sleep(BLINK_SECONDS)
        return False

    def _makers_act(self) -> None:
        for maker in self._network.makers:
            with self._hub.database.changing() as session:
                for attempt in _attempts_of(session, maker, AttemptState.OFFERED):
                    production.accept(session, attempt, by=maker.id, now=utc_now())
                    self._hub.engine.soon(prepare_attempts)
                for attempt in _attempts_of(session, maker, AttemptState.FINISHED):
                    self._count(session, maker, attempt)

    def _count(self, session: Session, maker: Person, attempt: Attempt) -> None:
        now, copies = utc_now(), production.job_of(session, attempt).copies
        lot = stock.count_print(session, attempt, good=copies, by=maker.id, now=now)
        production.plate_cleared(session, attempt.printer_id, by=maker.id, now=now)
        if lot is not None:
            pieces = "piece" if lot.quantity == 1 else "pieces"
            self._say(f"{maker.name} takes {lot.quantity} good {pieces} off the plate: lot {lot.label}.")
        self._hub.engine.soon(dispatch_jobs)

    def _checkers_act(self) -> None:
        with self._hub.database.changing() as session:
            for lot in stock.lots_in(session, LotState.AT_MAKER, self._network.hub.id):
                stock.inspect(session, lot, passed=lot.quantity, by=self._network.dispatcher.id, now=utc_now())
                self._say(f"The hub checks lot {lot.label}: {lot.quantity} passed.")
                self._hub.engine.soon(allocate_lots)

    def _deliver(self, request: SupplyRequest) -> None:
        with self._hub.database.changing() as session:
            shipment = delivery.pack(session, request, by=self._network.dispatcher.id, now=utc_now())
        self._say("The hub packs everything into one shipment.")
        courier = self._network.courier
        with self._hub.database.changing() as session:
            delivery.depart(session, session.get_one(Shipment, shipment.id), courier_id=courier.id, now=utc_now())
        self._say(f"{courier.name} drives it to {self._network.hospital.name}.")
        with self._hub.database.changing() as session:
            arrived = session.get_one(Shipment, shipment.id)
            delivery.confirm_by_code(session, arrived, shipment.hand_over_code, by=courier.id, now=utc_now())
        self._say(f"At the door the ward tells the code {shipment.hand_over_code}: received.")

    def _show(self, progress: Progress, session: Session, request: SupplyRequest) -> None:
        jobs = session.exec(
            select(PrintJob)
            .join(RequestLine, col(RequestLine.id) == PrintJob.line_id)
            .where(RequestLine.request_id == request.id)
        ).all()
        done = sum(job.state is JobState.DONE for job in jobs)
        self._bar(progress, "build plates printed", done, len(jobs) or None)
        for printer in session.exec(select(Printer).order_by(col(Printer.name))):
            seen = session.get(Observation, printer.id)
            state = seen.state if seen else ""
            self._bar(
                progress,
                f"  {printer.name} [dim]{state}[/]",
                round(seen.completion or 0) if seen else 0,
                100,
                printer.name,
            )
        wanted, reserved = _pieces(session, request)
        self._bar(progress, "pieces checked and reserved", reserved, wanted)

    def _bar(self, progress: Progress, text: str, done: int, total: int | None, key: str = "") -> None:
        if (key or text) not in self._bars:
            self._bars[key or text] = progress.add_task(text, total=total)
        progress.update(self._bars[key or text], description=text, completed=done, total=total)

    def _say(self, sentence: str) -> None:
        self._console.print(f"• {sentence}")


def _version(session: Session, key: str) -> DesignVersion:
    wanted = select(DesignVersion).join(Design, col(Design.id) == DesignVersion.design_id).where(Design.key == key)
    return session.exec(wanted.order_by(col(DesignVersion.published_at).desc()).limit(1)).one()


def _attempts_of(session: Session, maker: Person, state: AttemptState) -> Sequence[Attempt]:
    mine = select(Attempt).join(Printer, col(Printer.id) == Attempt.printer_id)
    return session.exec(mine.where(Printer.owner_id == maker.id, Attempt.state == state)).all()


def _pieces(session: Session, request: SupplyRequest) -> tuple[int, int]:
    """Pieces that the request wants, and those that are promised to it."""
    wanted = promised = 0
    for line in demand.lines_of(session, request.id):
        for part, quantity in kit_parts(session, line.kit_id):
            wanted += line.quantity * quantity
            promised += delivery.promised_pieces(session, line.id, part.id)
    return wanted, promised


def _is_reserved(session: Session, request: SupplyRequest) -> bool:
    wanted, promised = _pieces(session, request)
    return promised >= wanted


def _in_words(wanted: dict[str, int]) -> str:
    return " and ".join(f"{quantity} × {key.replace('-', ' ')}" for key, quantity in wanted.items())
