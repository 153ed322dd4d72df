"""What planning sees of a hub: what is wanted, what exists, and of which grade it is."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.delivery import service as delivery
from makerhub.demand.models import RequestLine, RequestState, SupplyRequest
from makerhub.designs.approvals import ApprovalPolicy, approved_materials, grade
from makerhub.designs.models import Part, PlateSlice
from makerhub.designs.service import kit_parts
from makerhub.facilities.ladder import Limits
from makerhub.facilities.service import standings
from makerhub.people.models import Organisation, OrganisationKind
from makerhub.planning.allocation import Available, WantedKits
from makerhub.planning.limits import Allowance, kits_promised, within
from makerhub.planning.needs import Wanted
from makerhub.production.models import Attempt, JobState, PrintJob
from makerhub.stock import service as stock
from makerhub.stock.models import Lot, LotState


class View:
    """What planning sees of a hub, in one session and at one time."""

    def __init__(
        self, session: Session, hub_id: UUID, policy: ApprovalPolicy, now: datetime, limits: Limits | None = None
    ) -> None:
        self.session = session
        self.hub_id = hub_id
        self.now = now
        self._policy = policy
        self._limits = limits or Limits()
        self._grades: dict[tuple[UUID, str], int] = {}
        self._lines: dict[UUID, RequestLine] = {}  # held here: a session forgets what nobody holds
        self._kinds: dict[UUID, OrganisationKind] = {}
        self._parts_of_kits: dict[UUID, Sequence[tuple[Part, int]]] = {}
        self._materials: dict[tuple[UUID, OrganisationKind], frozenset[str]] = {}

    def wanted(self) -> list[Wanted]:
        """What the hub's accepted requests may get and have not been promised, in pieces of parts."""
        return [
            Wanted(line.line_id, part_id, missing, line.needed_by, line.tier, line.grade)
            for line in self.wanted_kits()
            for part_id, missing in line.missing(line.kits).items()
            if missing > 0
        ]

    def wanted_kits(self) -> list[WantedKits]:
        """The same, in kits. A facility that is not proved gets no more than its standing allows."""
        lines = (
            select(RequestLine, SupplyRequest.facility_id, Organisation.kind)
            .join(SupplyRequest, col(SupplyRequest.id) == RequestLine.request_id)
            .join(Organisation, col(Organisation.id) == SupplyRequest.facility_id)
            .where(SupplyRequest.hub_id == self.hub_id, SupplyRequest.state == RequestState.ACCEPTED)
        )
        rows = self.session.exec(lines).all()
        facility_of = {line.id: facility for line, facility, _ in rows}
        self._lines |= {line.id: line for line, _, _ in rows}
        self._kinds |= {line.id: OrganisationKind(kind) for line, _, kind in rows}
        promised = delivery.promised_at(self.session, self.hub_id)
        kits = [self._kits_of(line, promised) for line, _, _ in rows]
        return within(kits, facility_of, self._allowances(facility_of))

    def supply(self) -> dict[tuple[UUID, int], int]:
        """Pieces of each part that exist and are promised to nobody, or that are queued or being printed."""
        return self.made() + self._copies_of(JobState.QUEUED)

    def made(self) -> Counter[tuple[UUID, int]]:
        """Pieces of each part that exist or are being printed: nobody can put them into another order any more."""
        pieces = self._copies_of(JobState.ASSIGNED, JobState.HELD)
        for lot in stock.lots_in(self.session, LotState.PASSED, self.hub_id):
            pieces[lot.part_id, self._grade_of(lot)] += delivery.unpromised(self.session, lot)
        for lot in stock.lots_in(self.session, LotState.AT_MAKER, self.hub_id):
            pieces[lot.part_id, self._grade_of(lot)] += lot.quantity
        return pieces

    def available(self) -> list[Available]:
        """What may be given away; what was withdrawn stays where it is."""
        lots = [(lot, self._grade_of(lot)) for lot in stock.lots_in(self.session, LotState.PASSED, self.hub_id)]
        return [
            Available(lot.id, lot.part_id, quantity, lot.made_at, grade)
            for lot, grade in lots
            if grade >= 0 and (quantity := delivery.unpromised(self.session, lot)) > 0
        ]

    def queued(self) -> list[PrintJob]:
        """The hub's jobs that no printer has, the oldest first."""
        return [job for job in jobs_in(self.session, JobState.QUEUED) if job.hub_id == self.hub_id]

    def grade_of_job(self, job: PrintJob) -> int:
        """What its pieces will be good for at the least: it is printed in a material that its line may have."""
        return self._needed(self.line(job.line_id))

    def line(self, line_id: UUID) -> RequestLine:
        """One of the hub's lines."""
        if line_id not in self._lines:
            self._lines[line_id] = self.session.get_one(RequestLine, line_id)
        return self._lines[line_id]

    def materials_for(self, line: RequestLine, part_id: UUID) -> frozenset[str]:
        """The materials of which a part may be printed for a line."""
        kind = self._kind(line)
        if (part_id, kind) not in self._materials:
            part = self.session.get_one(Part, part_id)
            found = approved_materials(self.session, self._policy, part, kind, self.hub_id, self.now)
            self._materials[part_id, kind] = found
        return self._materials[part_id, kind]

    def _allowances(self, facility_of: Mapping[UUID, UUID]) -> dict[UUID, Allowance]:
        """How much those facilities may have that have a limit, and what their lines elsewhere hold of it."""
        found = {}
        for facility, standing in standings(self.session, set(facility_of.values()), self.now).items():
            most = self._limits.most(standing)
            if most is not None:
                found[facility] = Allowance(most, promised_to(self.session, facility, without=facility_of.keys()))
        return found

    def _kits_of(self, line: RequestLine, promised: Mapping[tuple[UUID, UUID], int]) -> WantedKits:
        parts = self._parts_of_kits.get(line.kit_id) or kit_parts(self.session, line.kit_id)
        self._parts_of_kits[line.kit_id] = parts
        return WantedKits(
            line_id=line.id,
            kits=line.quantity,
            pieces={part.id: quantity for part, quantity in parts},
            promised={part.id: promised.get((line.id, part.id), 0) for part, _ in parts},
            needed_by=line.needed_by,
            tier=line.urgency.tier,
            grade=self._needed(line),
        )

    def _needed(self, line: RequestLine) -> int:
        return self._policy.needs(self._kind(line)).rank

    def _kind(self, line: RequestLine) -> OrganisationKind:
        """The kind of the facility that asks."""
        if line.id not in self._kinds:
            request = self.session.get_one(SupplyRequest, line.request_id)
            self._kinds[line.id] = self.session.get_one(Organisation, request.facility_id).kind
        return self._kinds[line.id]

    def _copies_of(self, *states: JobState) -> Counter[tuple[UUID, int]]:
        jobs = select(PrintJob).where(PrintJob.hub_id == self.hub_id, col(PrintJob.state).in_(states))
        pieces: Counter[tuple[UUID, int]] = Counter()
        for job in self.session.exec(jobs):
            pieces[job.part_id, self.grade_of_job(job)] += job.copies
        return pieces

    def _grade_of(self, lot: Lot) -> int:
        printed = select(PlateSlice.material).join(Attempt, col(Attempt.plate_slice_id) == PlateSlice.id)
        material = self.session.exec(printed.where(Attempt.id == lot.attempt_id)).one()
        if (lot.part_id, material) not in self._grades:
            part = self.session.get_one(Part, lot.part_id)
            standing = grade(self.session, self._policy, part, material, self.hub_id, self.now)
            self._grades[lot.part_id, material] = standing.rank
        return self._grades[lot.part_id, material]


def promised_to(session: Session, facility_id: UUID, without: Collection[UUID] = ()) -> int:
    """How many kits are promised to the lines of a facility, at whatever hub, but for some of the lines."""
    lines = select(RequestLine).join(SupplyRequest).where(SupplyRequest.facility_id == facility_id)
    total = 0
    for line in session.exec(lines.where(col(RequestLine.id).not_in(without))):
        parts = kit_parts(session, line.kit_id)
        promised = {part.id: delivery.promised_pieces(session, line.id, part.id) for part, _ in parts}
        total += kits_promised({part.id: quantity for part, quantity in parts}, promised)
    return total


def jobs_in(session: Session, state: JobState) -> Sequence[PrintJob]:
    """The jobs in a state, of all hubs, the oldest first, and of one moment the largest."""
    order = col(PrintJob.created_at), col(PrintJob.copies).desc()
    return session.exec(select(PrintJob).where(PrintJob.state == state).order_by(*order)).all()
