"""A small world for tests: a hub, those who ask it and work for it, and rows in any state, made through the services.

Every method is one transaction of its own and gives back detached rows, fit to be read. Times are fixed.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlmodel import SQLModel, select

from makerhub.config import Settings
from makerhub.db import Database, Session
from makerhub.delivery import pickups
from makerhub.delivery import service as delivery
from makerhub.delivery.models import Allocation, Pickup, PickupState, Receipt, Shipment
from makerhub.demand import service as demand
from makerhub.demand import telephone
from makerhub.demand.models import RequestLine, SupplyRequest, TelephoneCall, Urgency
from makerhub.designs import approvals
from makerhub.designs.approvals import Decision, Scope, policy_of
from makerhub.designs.models import (
    Approval,
    ApprovalState,
    Design,
    DesignVersion,
    Kit,
    KitPart,
    Part,
    PlateSlice,
    Upload,
    UploadState,
    VersionState,
)
from makerhub.designs.profiles import PrinterProfile, read_profile
from makerhub.designs.slicer import PlateOrder, SlicedPlate, input_hash
from makerhub.errors import MakerhubError
from makerhub.facilities import service as facilities
from makerhub.facilities.ladder import EvidenceKind
from makerhub.facilities.models import Evidence, FacilityMerge, ProofCode, RegisterEntry
from makerhub.fleet.gateway import NEEDED, JobReport, KeyReport, Trouble
from makerhub.fleet.gateway import PrinterState as Doing
from makerhub.fleet.poll import Observation
from makerhub.hubs import proposals
from makerhub.hubs import service as hubs
from makerhub.hubs.models import HubProfile
from makerhub.keys.box import KeyBox
from makerhub.lifecycle import begin, move
from makerhub.moderation import holding
from makerhub.moderation import service as moderation
from makerhub.moderation.models import Kind, Reason, Report
from makerhub.moderation.subjects import subject_of
from makerhub.notices.letters import Post
from makerhub.people import blocks, homes, joining
from makerhub.people import service as people
from makerhub.people.block_models import Suspension
from makerhub.people.models import JoinRequest, Membership, Organisation, OrganisationKind, Person, Role
from makerhub.printers import service as printers
from makerhub.printers import spools
from makerhub.printers.models import Consent, Printer, Spool
from makerhub.production import service as production
from makerhub.production import trials
from makerhub.production.models import Attempt, AttemptState, PrintJob
from makerhub.production.trial_models import TrialPrint
from makerhub.stock import service as stock
from makerhub.stock.models import Inspection, Lot
from makerhub.trace import merging, recall
from makerhub.trace.models import RecallNotice

NOW = datetime(2020, 3, 25, 9, 0, tzinfo=UTC)
IN_A_WEEK = NOW + timedelta(days=7)
MK3S = read_profile(Path(__file__).parent.parent / "printers" / "prusa-mk3s.toml")
MESH = b"the mesh of a headband"
LARGEST = 100_000
ADDRESS = "Mona Marchetti\n7 Larch Lane\nKingston KT1 9ZZ"
POLICY = policy_of(Settings())
POST = Post("https://hub.example", "en")

Row = TypeVar("Row", bound=SQLModel)


def later(**amount: float) -> datetime:
    """So much after `NOW`."""
    return NOW + timedelta(**amount)


class World:
    """One hub with a maker and her printer, a dispatcher and a courier; a care home and a hospital with a requester."""

    def __init__(self, database: Database, key_box: KeyBox) -> None:
        self.database = database
        self.key_box = key_box
        with database.changing() as session:
            self.hub = organisation(session, OrganisationKind.HUB, "Kingston Hub")
            self.care_home = organisation(session, OrganisationKind.CARE_HOME, "Rosewood")
            self.hospital = organisation(session, OrganisationKind.HOSPITAL, "St Mary's")
            for facility in (self.care_home, self.hospital):
                prove(session, facility)
            self.requester = person(session, "Ruth", (self.care_home, Role.REQUESTER), (self.hospital, Role.REQUESTER))
            self.maker = person(session, "Mona", (self.hub, Role.MAKER))
            self.dispatcher = person(session, "Dan", (self.hub, Role.DISPATCHER))
            self.courier = person(session, "Kim", (self.hub, Role.COURIER))
            self.headband = design_version(session, "headband", band=1)
            self.kit = design_version(session, "face-shield", band=1, clip=2)
            for version in (self.headband, self.kit):
                review(session, version, self.dispatcher)
        self.printer = self.add_printer("Mona's")

    def get(self, model: type[Row], key: UUID) -> Row:
        """The row as it is now."""
        with self.database.reading() as session:
            return session.get_one(model, key)

    def all(self, model: type[Row]) -> Sequence[Row]:
        """Every row of a table."""
        with self.database.reading() as session:
            return session.exec(select(model)).all()

    def part(self, version: DesignVersion, name: str = "band") -> Part:
        """A part of a version by its name."""
        with self.database.reading() as session:
            return session.exec(select(Part).where(Part.version_id == version.id, Part.name == name)).one()

    def kit_of(self, version: DesignVersion) -> Kit:
        """The only kit of a version."""
        with self.database.reading() as session:
            return session.exec(select(Kit).where(Kit.version_id == version.id)).one()

    def upload(self) -> Upload:
        """A design that the maker handed in and that has been checked."""
        facts = {"key": "hook", "name": "Hook", "version": "1.0.0", "license": "CC0-1.0", "licensor": "Mona"}
        findings = {**facts, "repo": "https://example.org", "function": "Holds things.", "parts": []}
        row = Upload(
            hub_id=self.hub.id, uploaded_by=self.maker.id, uploaded_at=NOW, file_name="hook.zip", findings=findings
        )
        with self.database.changing() as session:
            begin(session, row, now=NOW, by=self.maker.id)
            move(session, row, UploadState.CHECKED, now=NOW)
            return row

    def add_printer(
        self,
        name: str,
        *,
        owner: Person | None = None,
        hub: Organisation | None = None,
        consent: Consent = Consent.AUTOMATIC,
        plate_is_clear: bool = True,
        material: str = "PETG",
    ) -> Printer:
        """A printer whose key has been checked."""
        with self.database.changing() as session:
            printer = printers.register(
                session,
                self.new_printer(
                    name=name,
                    owner_id=(owner or self.maker).id,
                    hub_id=(hub or self.hub).id,
                    consent=consent,
                    plate_is_clear=plate_is_clear,
                    material=material,
                ),
                self.key_box,
                now=NOW,
            )
            printers.key_checked(session, printer, KeyReport(NEEDED), now=NOW)
            return printer

    def new_printer(self, **changes: Any) -> printers.NewPrinter:
        """A registration in which all is right, but for the changes."""
        fields: dict[str, Any] = {
            "owner_id": self.maker.id,
            "hub_id": self.hub.id,
            "name": "Mona's",
            "profile": MK3S,
            "material": "PETG",
            "url": "http://octopi.local",
            "key": "0123456789ABCDEF0123456789ABCDEF",
        }
        return printers.NewPrinter(**fields | changes)

    def seen(
        self,
        printer: Printer,
        doing: Doing | Trouble = Doing.OPERATIONAL,
        *,
        at: datetime = NOW,
        file: str | None = None,
        completion: float | None = None,
    ) -> None:
        """The printer was heard of."""
        answer = doing if isinstance(doing, Trouble) else JobReport(doing, completion=completion, file_path=file)
        with self.database.changing() as session:
            printers.observe(session, [Observation(printer.id, at, answer)])

    def new_request(self, *lines: demand.NewLine, **changes: Any) -> demand.NewRequest:
        """A request of the care home, as its form was filled in."""
        fields: dict[str, Any] = {
            "form_key": uuid4(),
            "facility_id": self.care_home.id,
            "hub_id": self.hub.id,
            "requested_by": self.requester.id,
            "lines": lines or (self.new_line(),),
        }
        return demand.NewRequest(**fields | changes)

    def new_line(self, **changes: Any) -> demand.NewLine:
        """Ten headbands within a week, but for the changes."""
        fields: dict[str, Any] = {"kit_id": self.kit_of(self.headband).id, "quantity": 10, "needed_by": IN_A_WEEK}
        return demand.NewLine(**fields | changes)

    def request(
        self,
        quantity: int = 10,
        *,
        version: DesignVersion | None = None,
        needed_by: datetime = IN_A_WEEK,
        urgency: Urgency = Urgency.SOON,
        **changes: Any,
    ) -> SupplyRequest:
        """A request with one line that the hub has accepted."""
        version = version or self.headband
        line = demand.NewLine(self.kit_of(version).id, quantity, needed_by, urgency)
        with self.database.changing() as session:
            request = demand.submit(session, self.new_request(line, **changes), largest=LARGEST, policy=POLICY, now=NOW)
            demand.accept(session, request, by=self.dispatcher.id, now=NOW)
            return request

    def called(self, email: str = "", **changes: Any) -> tuple[TelephoneCall, str]:
        """A request that somebody of the care home made on the telephone, and the secret that opens it."""
        caller = telephone.Caller("Carla Caller", "020 7946 0123", email)
        new, post = self.new_request(requested_by=self.dispatcher.id, **changes), self.post
        with self.database.changing() as session:
            return telephone.write_down(session, new, caller, post, largest=LARGEST, policy=POLICY, now=NOW)

    @property
    def post(self) -> telephone.Post:
        """What a mail with a secret needs."""
        return telephone.Post(self.key_box, "https://hub.example")

    def line(self, request: SupplyRequest) -> RequestLine:
        """The only line of a request."""
        with self.database.reading() as session:
            return session.exec(select(RequestLine).where(RequestLine.request_id == request.id)).one()

    def cancel(self, request: SupplyRequest) -> None:
        """The facility no longer needs it."""
        with self.database.changing() as session:
            row = session.get_one(SupplyRequest, request.id)
            demand.cancel(session, row, by=self.requester.id, now=NOW)

    def propose_hub(self) -> HubProfile:
        """A hub that the maker proposed."""
        told = hubs.Told("Surbiton Hub", "Surbiton", postcode="KT5")
        with self.database.changing() as session:
            proposer = session.get_one(Person, self.maker.id)
            why, zone = "nobody makes here", "Europe/London"
            return proposals.propose(session, told, why=why, time_zone=zone, by=proposer, now=NOW)

    def ask_to_join(self, role: Role = Role.COURIER, organisation: Organisation | None = None) -> JoinRequest:
        """The maker asks for a further role."""
        with self.database.changing() as session:
            asking, where = session.get_one(Person, self.maker.id), organisation or self.hub
            return joining.ask_to_join(session, asking, session.get_one(Organisation, where.id), role, now=NOW)

    def letter(self) -> tuple[ProofCode, str]:
        """A code on its way to the care home, by the address of a register, and the code itself."""
        with self.database.changing() as session:
            entry = RegisterEntry(
                source="cqc", code=f"1-{uuid4().hex[:8]}", name="Rosewood", name_key="rosewod", address="1 Rose Lane",
                telephone="020 7946 0000",
            )  # fmt: skip
            session.add(entry)
            session.flush()
            care_home = session.get_one(Organisation, self.care_home.id)
            facilities.match_register(session, care_home, entry, days=365, by=self.dispatcher.id, now=NOW)
            return facilities.write_letter(session, care_home, by=self.dispatcher.id, now=NOW)

    def merge_facilities(self) -> FacilityMerge:
        """A second entry of the care home that was found to be the same."""
        with self.database.changing() as session:
            second = organisation(session, OrganisationKind.CARE_HOME, "Rosewood House")
            kept = session.get_one(Organisation, self.care_home.id)
            return merging.merge(session, kept, second, by=self.dispatcher.id, now=NOW)

    def report(
        self, kind: Kind, thing_id: UUID, *, by: Person | None = None, reason: Reason = Reason.HARASSMENT
    ) -> Report:
        """Somebody, the requester where nobody is named, reports a thing that he or she sees."""
        with self.database.changing() as session:
            reporter = session.get_one(Person, (by or self.requester).id)
            subject = subject_of(session, kind, thing_id, reporter)
            return moderation.report(session, subject, reason, "they were rude", by=reporter, now=NOW)

    def suspend(
        self, who: Person, *, until: datetime | None = None, hub: Organisation | None = None, now: datetime = NOW
    ) -> Suspension:
        """Somebody is kept out of the hub, and what is under way is held."""
        with self.database.changing() as session:
            blocked = session.get_one(Person, who.id)
            place = session.get_one(Organisation, (hub or self.hub).id)
            suspension = blocks.suspend(
                session, blocked, place, why="You were rude.", until=until, by=self.dispatcher.id, now=now
            )
            holding.hold_all(session, suspension, by=self.dispatcher.id, now=now)
            return suspension

    def lift(self, suspension: Suspension, *, now: datetime = NOW) -> None:
        """It ends."""
        with self.database.changing() as session:
            row = session.get_one(Suspension, suspension.id)
            moderation.lift(session, row, post=POST, by=self.dispatcher.id, now=now)

    def withdraw(self, version: DesignVersion) -> None:
        """The design's version may be printed no more."""
        with self.database.changing() as session:
            row = session.get_one(DesignVersion, version.id)
            move(session, row, VersionState.WITHDRAWN, now=NOW, by=self.dispatcher.id, why="cracks")

    def recall(self, version: DesignVersion) -> RecallNotice:
        """A withdrawn version of which a piece went to the care home, and what the care home was told."""
        request = self.request(1, version=version)
        part = self.part(version)
        self.deliver(request, self.lot(1, request=request, part=part), 1)
        with self.database.changing() as session:
            row = session.get_one(DesignVersion, version.id)
            begun = recall.withdraw_version(session, row, by=self.dispatcher.id, why="cracks", now=NOW)
            return session.exec(select(RecallNotice).where(RecallNotice.recall_id == begun.id)).one()

    def job(self, copies: int = 4, *, request: SupplyRequest | None = None, part: Part | None = None) -> PrintJob:
        """A queued job for the only line of a request."""
        line = self.line(request or self.request())
        part = part or self.part(self.headband)
        with self.database.changing() as session:
            return production.plan_job(session, line, hub_id=self.hub.id, part_id=part.id, copies=copies, now=NOW)

    def spool(self, grams: int = 1000, *, on: Printer | None = None, **words: str) -> Spool:
        """A spool of the maker's, on a printer or on the shelf."""
        new = spools.NewSpool(**{"material": "PETG", "grams": grams, **words})  # type: ignore[arg-type]
        with self.database.changing() as session:
            spool = spools.add(session, new, MK3S.materials, owner_id=self.maker.id, now=NOW)
            if on is not None:
                spools.load(session, spool, session.get_one(Printer, on.id))
            return spool

    def ask_for_trial(self, printer: Printer | None = None, *, now: datetime = NOW) -> TrialPrint:
        """A test print to which the printer's maker agreed."""
        with self.database.changing() as session:
            row = session.get_one(Printer, (printer or self.printer).id)
            return trials.ask(session, row, by=row.owner_id, now=now)

    def attempt(
        self,
        state: AttemptState = AttemptState.READY,
        *,
        job: PrintJob | None = None,
        printer: Printer | None = None,
        now: datetime = NOW,
    ) -> Attempt:
        """An attempt that went its way through the services up to `state`."""
        job_id, printer_id = (job or self.job()).id, (printer or self.printer).id
        with self.database.changing() as session:
            planned = session.get_one(PrintJob, job_id)
            attempt = production.assign(session, planned, session.get_one(Printer, printer_id), now=now)
            if state in (AttemptState.OFFERED, AttemptState.PREPARING):
                return attempt
            if attempt.state is AttemptState.OFFERED:
                production.accept(session, attempt, by=self.maker.id, now=now)
            production.prepared(session, attempt, self.plate_slice(session, planned).id, now=now)
            if state is not AttemptState.READY:
                production.claim_start(session, attempt, now=now)
            if state not in (AttemptState.READY, AttemptState.SENDING, AttemptState.NOT_STARTED):
                production.started(session, attempt, now=now)
            if state not in (AttemptState.READY, AttemptState.SENDING, AttemptState.PRINTING):
                doubt = "no_history" if state is AttemptState.IN_DOUBT else ""
                production.end(session, attempt, production.Outcome(state, doubt=doubt), now=now)
            return attempt

    def clear_plate(self, printer: Printer) -> None:
        """The maker has cleared the build plate."""
        with self.database.changing() as session:
            production.plate_cleared(session, printer.id, by=self.maker.id, now=NOW)

    def lot_at_maker(
        self,
        good: int = 4,
        *,
        copies: int | None = None,
        request: SupplyRequest | None = None,
        part: Part | None = None,
    ) -> Lot:
        """A lot of a print that its maker has counted, on the world's first printer."""
        job = self.job(copies or good, request=request, part=part)
        finished = self.attempt(AttemptState.FINISHED, job=job)
        with self.database.changing() as session:
            attempt = session.get_one(Attempt, finished.id)
            lot = stock.count_print(session, attempt, good=good, by=self.maker.id, now=NOW)
        self.clear_plate(self.printer)
        assert lot is not None
        return lot

    def lot(self, passed: int = 4, **changes: Any) -> Lot:
        """A lot that has passed the hub's check."""
        made = self.lot_at_maker(changes.pop("good", passed), **changes)
        self.inspect(made, passed)
        return self.get(Lot, made.id)

    def inspect(self, lot: Lot, passed: int) -> Inspection:
        """The hub's check of a lot."""
        with self.database.changing() as session:
            row = session.get_one(Lot, lot.id)
            return stock.inspect(session, row, passed=passed, by=self.dispatcher.id, now=NOW)

    def reserve(self, request: SupplyRequest, lot: Lot, quantity: int) -> Allocation:
        """Pieces of a lot for the only line of a request."""
        share = delivery.Share(self.line(request).id, lot.id, quantity, "first in the order of service")
        with self.database.changing() as session:
            return delivery.reserve(session, share, now=NOW)

    def pack(self, request: SupplyRequest) -> Shipment:
        """All that is reserved for the request in one shipment."""
        with self.database.changing() as session:
            row = session.get_one(SupplyRequest, request.id)
            return delivery.pack(session, row, by=self.dispatcher.id, now=NOW)

    def depart(self, shipment: Shipment) -> None:
        """The courier has taken the shipment."""
        with self.database.changing() as session:
            row = session.get_one(Shipment, shipment.id)
            delivery.depart(session, row, courier_id=self.courier.id, now=NOW)

    def confirm(self, shipment: Shipment, code: str | None = None) -> Receipt:
        """The courier was told the hand-over code."""
        with self.database.changing() as session:
            row = session.get_one(Shipment, shipment.id)
            typed = shipment.hand_over_code if code is None else code
            return delivery.confirm_by_code(session, row, typed, by=self.courier.id, now=NOW)

    def deliver(self, request: SupplyRequest, lot: Lot, quantity: int) -> Shipment:
        """Pieces of a lot went all the way to the facility."""
        self.reserve(request, lot, quantity)
        shipment = self.pack(request)
        self.depart(shipment)
        self.confirm(shipment)
        return shipment

    def pickup(self, state: PickupState = PickupState.ASKED, *, lots: bool = True) -> Pickup:
        """The maker, whose address is known, asked for a pickup within the next hours; the courier went this far."""
        if lots:
            self.lot_at_maker(2)
        with self.database.changing() as session:
            place = session.get_one(Organisation, self.hub.id)
            people.offer_pickup(session, place, True, by=self.dispatcher.id, now=NOW)
            homes.enter_address(session, self.maker.id, ADDRESS, self.key_box, now=NOW)
            pickup = pickups.ask(session, self.maker, place, NOW, later(hours=4), NOW)
            if state in (PickupState.GIVEN, PickupState.UNDER_WAY, PickupState.COLLECTED):
                pickups.give(session, pickup, self.courier.id, by=self.dispatcher.id, now=NOW)
            if state in (PickupState.UNDER_WAY, PickupState.COLLECTED):
                pickups.set_out(session, pickup, by=self.courier.id, now=NOW)
            if state is PickupState.COLLECTED:
                pickups.collect(session, pickup, by=self.courier.id, now=NOW)
            return pickup

    def plate_slice(self, session: Session, job: PrintJob) -> PlateSlice:
        """G-code for a job, as if it had been sliced."""
        gcode = b"G28 ; " + job.id.bytes
        plate = PlateSlice(
            part_id=job.part_id,
            profile=MK3S.key,
            material="PETG",
            copies=job.copies,
            input_hash=uuid4().hex,
            gcode_sha256=hashlib.sha256(gcode).hexdigest(),
            gcode_sha1=hashlib.sha1(gcode, usedforsecurity=False).hexdigest(),
            gcode_bytes=len(gcode),
            seconds=3600,
            milligrams=42_000,
            slicer_version="PrusaSlicer 2.5.0",
            sliced_at=NOW,
        )
        session.add(plate)
        session.flush()
        return plate


def organisation(session: Session, kind: OrganisationKind, name: str) -> Organisation:
    """A facility or a hub."""
    made = Organisation(kind=kind, name=name)
    session.add(made)
    session.flush()
    return made


def prove(
    session: Session,
    facility: Organisation,
    kinds: Iterable[EvidenceKind] = (EvidenceKind.REGISTER_MATCH, EvidenceKind.CALL_BACK),
) -> None:
    """Evidence for a facility, of which it holds as if a dispatcher had given it."""
    giver = person(session, f"Giver-{uuid4().hex[:12]}")
    for kind in kinds:
        evidence = Evidence(
            facility_id=facility.id,
            kind=kind,
            reference="a test",
            given_by=giver.id,
            given_at=NOW - timedelta(days=1),
            expires_at=NOW + timedelta(days=36_500),
        )
        begin(session, evidence, now=NOW - timedelta(days=1), by=giver.id)


def person(session: Session, name: str, *roles: tuple[Organisation, Role]) -> Person:
    """Somebody with these roles, without a password."""
    somebody = Person(email=f"{name.lower()}@example.org", name=name, created_at=NOW)
    session.add(somebody)
    session.flush()
    session.add_all(Membership(person_id=somebody.id, organisation_id=where.id, role=role) for where, role in roles)
    session.flush()
    session.refresh(somebody, ["roles"])
    return somebody


def design_version(session: Session, key: str, **parts: int) -> DesignVersion:
    """A published version with so many pieces of each part in its only kit."""
    design = Design(key=key)
    session.add(design)
    session.flush()
    version = DesignVersion(
        design_id=design.id,
        version="1.0",
        content_hash=hashlib.sha256(key.encode()).hexdigest(),
        name=key.title(),
        function="Keeps droplets away.",
        license="CC-BY-4.0",
        licensor="Somebody",
        published_at=NOW,
    )
    begin(session, version, now=NOW)
    made = [_part(version, name) for name in parts]
    kit = Kit(version_id=version.id, position=0, name=version.name)
    session.add_all([*made, kit])
    session.flush()
    session.add_all(KitPart(kit_id=kit.id, part_id=part.id, quantity=parts[part.name]) for part in made)
    return version


def review(session: Session, version: DesignVersion, by: Person, **scope: Any) -> Approval:
    """A version that the community has reviewed, as hospitals require it."""
    decision = Decision(Scope(**scope), ApprovalState.COMMUNITY_REVIEWED, "Worn for a week on ward 7.", NOW)
    return approvals.decide(session, version, decision, by=by.id, now=NOW)


def _part(version: DesignVersion, name: str) -> Part:
    return Part(
        version_id=version.id,
        name=name,
        mesh_sha256=hashlib.sha256(MESH).hexdigest(),
        materials=["PETG"],
        settings={},
        width_mm=100.0,
        depth_mm=80.0,
        height_mm=20.0,
        volume_mm3=30_000.0,
    )


def profiles() -> Mapping[str, PrinterProfile]:
    """The one printer model of this world."""
    return {MK3S.key: MK3S}


class CountingSlicer:
    """A `Slicer` for tests that are not about slicing: its plates take `seconds` a copy, or fail."""

    def __init__(self, seconds: int = 600, problem: MakerhubError | None = None) -> None:
        self.seconds = seconds
        self.problem = problem
        self.orders: list[PlateOrder] = []

    def version(self) -> str:
        """As it goes into the hash of what is sliced."""
        return "counting 1"

    def slice(self, order: PlateOrder) -> SlicedPlate:
        """G-code that heats nothing and moves nowhere."""
        self.orders.append(order)
        if self.problem is not None:
            raise self.problem
        gcode = f"G28 ; {order.copies} copies of {hashlib.sha256(order.mesh).hexdigest()}".encode()
        return SlicedPlate(
            gcode=gcode,
            sha256=hashlib.sha256(gcode).hexdigest(),
            sha1=hashlib.sha1(gcode, usedforsecurity=False).hexdigest(),
            seconds=self.seconds * order.copies,
            milligrams=10_000 * order.copies,
            copies=order.copies,
            placements=(),
            input_hash=input_hash(order, self.version()),
            slicer_version=self.version(),
        )


def at_once(*actions: Callable[[], object]) -> list[object]:
    """Run the actions in threads that start together; gives what each returned, or the exception it raised."""
    start = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> object:
        start.wait()
        try:
            return action()
        except Exception as error:  # noqa: BLE001 - what went wrong is a result here
            return error

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(run, actions))


def failures(results: Iterable[object]) -> list[type[Exception]]:
    """What kinds of exceptions are among the results of `at_once`."""
    return [type(result) for result in results if isinstance(result, Exception)]
