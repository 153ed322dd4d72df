"""What pages show of requests: their lines with designs and pictures, and how far each has come."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from makerhub.delivery.models import Shipment, ShipmentState
from makerhub.demand.access import FOLLOW
from makerhub.demand.models import RUNNING, RequestLine, SupplyRequest
from makerhub.designs.models import Design, DesignVersion, Kit
from makerhub.designs.service import kit_name
from makerhub.people.access import find, permitted
from makerhub.people.models import Person
from makerhub.web.catalogue import pictures_of
from makerhub.web.progress import Progress, progress_of, total

UNDER_WAY = (ShipmentState.PACKED, ShipmentState.IN_TRANSIT)
"""Deliveries that may still arrive."""


@dataclass(frozen=True)
class ShownLine:
    """A line with what it asks for and what people call that; `picture` is a SHA-256, or empty."""

    line: RequestLine
    version: DesignVersion
    name: str
    key: str
    picture: str
    progress: Progress


@dataclass(frozen=True)
class ShownRequest:
    """A request with its lines, in the order in which they are needed."""

    request: SupplyRequest
    lines: Sequence[ShownLine]

    @property
    def total(self) -> Progress:
        """The progress of all lines together, in items."""
        return total(shown.progress for shown in self.lines)

    @property
    def is_running(self) -> bool:
        """Whether the facility still waits for something, and may cancel."""
        return self.request.state in RUNNING

    @property
    def reference(self) -> str:
        """What people say on the telephone to name the request."""
        return self.request.id.hex[:8].upper()


def my_requests(person: Person) -> SelectOfScalar[SupplyRequest]:
    """The requests of the facilities for which `person` asks; not those that he or she sees in another role."""
    return permitted(person, FOLLOW)


def find_mine(session: Session, person: Person, request_id: UUID) -> SupplyRequest:
    """One of them; raises `NotFound`."""
    return find(session, person, FOLLOW, request_id)


def show(session: Session, requests: Sequence[SupplyRequest]) -> list[ShownRequest]:
    """The requests with their lines; the number of queries does not grow with them."""
    wanted = col(RequestLine.request_id).in_([request.id for request in requests])
    rows = session.exec(
        select(RequestLine, Kit, DesignVersion, Design.key)
        .join(Kit, col(Kit.id) == RequestLine.kit_id)
        .join(DesignVersion, col(DesignVersion.id) == Kit.version_id)
        .join(Design, col(Design.id) == DesignVersion.design_id)
        .where(wanted)
        .order_by(col(RequestLine.needed_by), col(DesignVersion.name), col(Kit.position))
    ).all()
    progress = progress_of(session, [line for line, _, _, _ in rows])
    pictures = pictures_of(session, [version for _, _, version, _ in rows])
    lines: dict[UUID, list[ShownLine]] = {}
    for line, kit, version, key in rows:
        name, picture = kit_name(version, kit), pictures.get(version.id, "")
        shown = ShownLine(line, version, name, key, picture, progress[line.id])
        lines.setdefault(line.request_id, []).append(shown)
    return [ShownRequest(request, lines.get(request.id, [])) for request in requests]


def is_live(request: SupplyRequest, shipments: Sequence[Shipment]) -> bool:
    """Whether anything may still happen: the request runs, or something of it is under way."""
    return request.state in RUNNING or any(shipment.state in UNDER_WAY for shipment in shipments)


def asked_already(session: Session, facility_id: UUID, designs: Collection[str]) -> list[ShownRequest]:
    """The running requests of a facility that ask for one of these designs, by key."""
    same = (
        select(SupplyRequest)
        .join(RequestLine, col(RequestLine.request_id) == SupplyRequest.id)
        .join(Kit, col(Kit.id) == RequestLine.kit_id)
        .join(DesignVersion, col(DesignVersion.id) == Kit.version_id)
        .join(Design, col(Design.id) == DesignVersion.design_id)
        .where(
            SupplyRequest.facility_id == facility_id,
            col(SupplyRequest.state).in_(RUNNING),
            col(Design.key).in_(designs),
        )
    )
    return show(session, session.exec(same.distinct().order_by(col(SupplyRequest.submitted_at))).all())
