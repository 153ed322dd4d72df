"""The trace of a lot: back to printer, print, G-code, design and material, and on to everybody who got pieces of it.

No person's name stands in the chain: a maker is a random reference.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.delivery.models import Allocation, AllocationState, Receipt, Shipment
from makerhub.demand.models import RequestLine, SupplyRequest
from makerhub.designs.models import Design, DesignVersion, Part, PlateSlice
from makerhub.errors import NotFound, translatable
from makerhub.people.models import Organisation
from makerhub.printers.models import Printer, Spool
from makerhub.production.models import Attempt, PrintJob
from makerhub.stock import service as stock
from makerhub.stock.ledger import balances
from makerhub.stock.models import Inspection, Lot


class NoSuchLot(NotFound):
    """No lot has this label."""

    template = translatable(
        "There is no lot with the label “%(label)s”. Look at the bag again: ten letters and figures."
    )


@dataclass(frozen=True)
class Recipient:
    """Pieces of the lot that were promised to a facility, and how far they have come."""

    request_id: UUID
    facility: str
    quantity: int
    state: AllocationState
    reason: str
    shipment_id: UUID | None
    received_at: datetime | None


@dataclass(frozen=True)
class Trace:
    """Everything that is known of a lot, in both directions. Hashes are hexadecimal; quantities are pieces.

    `filament` says brand, lot and colour of the spool that was on the printer, as far as its maker told.
    """

    label: str
    quantity: int
    made_at: datetime
    part: str
    design: str
    design_key: str
    design_version: str
    design_hash: str
    mesh_sha256: str
    gcode_sha256: str
    slicer: str
    milligrams: int
    print_job_id: UUID
    planned_for_request: UUID
    attempt_id: UUID
    attempt_number: int
    file_name: str
    started_at: datetime | None
    ended_at: datetime | None
    good: int
    bad: int
    printer_id: UUID
    printer_model: str
    material: str
    filament: str
    maker_reference: UUID
    passed: int | None
    rejected: int | None
    inspected_at: datetime | None
    recipients: Sequence[Recipient]
    whereabouts: dict[str, int]

    @property
    def is_complete(self) -> bool:
        """Whether every link is there, from a received item back to its G-code."""
        return bool(self.gcode_sha256 and self.design_hash) and any(to.received_at for to in self.recipients)


def trace(session: Session, label: str) -> Trace:
    """The trace of the lot with this label; raises `NoSuchLot`."""
    lot = stock.lot_by_label(session, label)
    if lot is None:
        raise NoSuchLot(label=label[:32])
    attempt = session.get_one(Attempt, lot.attempt_id)
    job = session.get_one(PrintJob, attempt.job_id)
    part = session.get_one(Part, lot.part_id)
    version = session.get_one(DesignVersion, part.version_id)
    plate = session.exec(select(PlateSlice).where(PlateSlice.id == attempt.plate_slice_id)).one()
    printer = session.get_one(Printer, attempt.printer_id)
    inspection = session.exec(select(Inspection).where(Inspection.lot_id == lot.id)).first()
    return Trace(
        label=lot.label,
        quantity=lot.quantity,
        made_at=lot.made_at,
        part=part.name,
        design=version.name,
        design_key=session.get_one(Design, version.design_id).key,
        design_version=version.version,
        design_hash=version.content_hash,
        mesh_sha256=part.mesh_sha256,
        gcode_sha256=plate.gcode_sha256,
        slicer=plate.slicer_version,
        milligrams=plate.milligrams,
        print_job_id=job.id,
        planned_for_request=session.get_one(RequestLine, job.line_id).request_id,
        attempt_id=attempt.id,
        attempt_number=attempt.number,
        file_name=attempt.file_name,
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        good=attempt.good or 0,
        bad=attempt.bad or 0,
        printer_id=printer.id,
        printer_model=plate.profile,
        material=plate.material,
        filament=_filament(session, attempt),
        maker_reference=lot.maker_reference,
        passed=inspection.passed if inspection else None,
        rejected=inspection.rejected if inspection else None,
        inspected_at=inspection.at if inspection else None,
        recipients=_recipients(session, lot),
        whereabouts=_whereabouts(session, lot),
    )


def lots_of_request(session: Session, request_id: UUID) -> Sequence[Lot]:
    """The lots of which pieces went, or will go, to a request."""
    mine = (
        select(Lot)
        .join(Allocation, col(Allocation.lot_id) == Lot.id)
        .join(RequestLine, col(RequestLine.id) == Allocation.line_id)
        .where(RequestLine.request_id == request_id, Allocation.state != AllocationState.RELEASED)
    )
    return session.exec(mine.distinct().order_by(col(Lot.made_at))).all()


def _filament(session: Session, attempt: Attempt) -> str:
    spool = session.get(Spool, attempt.spool_id) if attempt.spool_id else None
    return ", ".join(word for word in (spool.brand, spool.lot, spool.colour) if word) if spool else ""


def _whereabouts(session: Session, lot: Lot) -> dict[str, int]:
    """Pieces by kind of place: those of two facilities or shipments are added up."""
    places: Counter[str] = Counter()
    for account, pieces in balances(session, lot.id).items():
        places[account.kind.value] += pieces
    return dict(places)


def _recipients(session: Session, lot: Lot) -> list[Recipient]:
    rows = session.exec(
        select(Allocation, SupplyRequest, Organisation)
        .join(RequestLine, col(RequestLine.id) == Allocation.line_id)
        .join(SupplyRequest, col(SupplyRequest.id) == RequestLine.request_id)
        .join(Organisation, col(Organisation.id) == SupplyRequest.facility_id)
        .where(Allocation.lot_id == lot.id)
        .order_by(col(Allocation.allocated_at))
    )
    return [_recipient(session, allocation, request, facility) for allocation, request, facility in rows]


def _recipient(session: Session, allocation: Allocation, request: SupplyRequest, facility: Organisation) -> Recipient:
    received = (
        select(Receipt.at)
        .join(Shipment, col(Shipment.id) == Receipt.shipment_id)
        .where(Shipment.id == allocation.shipment_id)
    )
    return Recipient(
        request_id=request.id,
        facility=facility.name,
        quantity=allocation.quantity,
        state=allocation.state,
        reason=allocation.reason,
        shipment_id=allocation.shipment_id,
        received_at=session.exec(received).first(),
    )
