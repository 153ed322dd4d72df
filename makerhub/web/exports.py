"""What a dispatcher takes home as a table: requests, stock and shipments of the own hubs, with a fixed list of fields.

No names and no addresses of people, no notes, no hand-over codes. Who took what is logged.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, render_template
from sqlmodel import Session, col, func, select

from makerhub.audit.service import note
from makerhub.delivery import access as delivery_access
from makerhub.delivery.models import Allocation, Shipment
from makerhub.demand import access as demand_access
from makerhub.demand.models import RequestLine, SupplyRequest
from makerhub.designs.models import DesignVersion, Kit, Part
from makerhub.designs.service import kit_name
from makerhub.errors import translatable
from makerhub.people.access import permitted
from makerhub.people.models import Organisation, Role
from makerhub.stock import access as stock_access
from makerhub.stock import service as stock
from makerhub.stock.models import Lot
from makerhub.web.csv_file import Cell, csv_file
from makerhub.web.hub import hub
from makerhub.web.limits import at_most
from makerhub.web.navigation import Audience
from makerhub.web.policy import allowed, fresh
from makerhub.web.viewer import viewer

pages = Blueprint("exports", __name__, url_prefix="/exports")
audience = Audience(pages)


@dataclass(frozen=True)
class Export:
    """A table: what it is called, what its columns are, and where its rows come from."""

    name: str
    about: str
    columns: Sequence[str]
    rows: Callable[[Session], Iterator[Sequence[Cell]]]


@pages.get("")
@allowed(Role.DISPATCHER)
@fresh
def overview() -> str:
    """What can be taken home."""
    return render_template("exports/overview.html", exports=EXPORTS)


@pages.post("/<any(requests, stock, shipments):table>")
@allowed(Role.DISPATCHER)
@fresh
@at_most("30 per hour", per_address="120 per hour")
def download(table: str) -> Response:
    """One table, as it is now."""
    export, now = EXPORTS[table], hub().clock()
    with hub().database.changing() as session:
        rows = list(export.rows(session))
        note(session, f"exported {table}", viewer(), now=now, by=viewer().id, why=f"{len(rows)} rows")
    answer = Response(csv_file(export.columns, rows), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f"attachment; filename={table}-{now:%Y-%m-%d}.csv"
    return answer


def _requests(session: Session) -> Iterator[Sequence[Cell]]:
    mine = permitted(viewer(), demand_access.DISPATCH).with_only_columns(col(SupplyRequest.id))
    rows = session.exec(
        select(SupplyRequest, RequestLine, Organisation, Kit)
        .join(RequestLine, col(RequestLine.request_id) == SupplyRequest.id)
        .join(Organisation, col(Organisation.id) == SupplyRequest.facility_id)
        .join(Kit, col(Kit.id) == RequestLine.kit_id)
        .where(col(SupplyRequest.id).in_(mine))
        .order_by(col(SupplyRequest.submitted_at), col(RequestLine.id))
    )
    for asked, line, facility, kit in rows:
        version = session.get_one(DesignVersion, kit.version_id)
        of_request = asked.id.hex[:8].upper(), asked.state, asked.submitted_at, facility.name
        yield *of_request, kit_name(version, kit), line.quantity, line.needed_by, line.urgency


def _stock(session: Session) -> Iterator[Sequence[Cell]]:
    mine = permitted(viewer(), stock_access.DISPATCH).with_only_columns(col(Lot.id))
    rows = session.exec(
        select(Lot, Part, DesignVersion)
        .join(Part, col(Part.id) == Lot.part_id)
        .join(DesignVersion, col(DesignVersion.id) == Part.version_id)
        .where(col(Lot.id).in_(mine))
        .order_by(col(Lot.made_at), col(Lot.label))
    )
    for lot, part, version in rows:
        what = lot.label, lot.state, version.name, version.version, part.name
        yield *what, lot.made_at, lot.quantity, stock.at_hub(session, lot)


def _shipments(session: Session) -> Iterator[Sequence[Cell]]:
    mine = permitted(viewer(), delivery_access.DISPATCH).with_only_columns(col(Shipment.id))
    pieces = func.coalesce(func.sum(Allocation.quantity), 0)
    rows = session.exec(
        select(Shipment, Organisation.name, pieces)
        .join(Organisation, col(Organisation.id) == Shipment.facility_id)
        .outerjoin(Allocation, col(Allocation.shipment_id) == Shipment.id)
        .where(col(Shipment.id).in_(mine))
        .group_by(col(Shipment.id), col(Organisation.name))
        .order_by(col(Shipment.packed_at), col(Shipment.id))
    )
    for shipment, facility, quantity in rows:
        yield shipment.request_id.hex[:8].upper(), shipment.state, facility, shipment.packed_at, int(quantity)


EXPORTS: Mapping[str, Export] = {
    "requests": Export(
        translatable("Requests"),
        translatable("Each line of each request: who asks, what, how many, and by when."),
        ("request", "state", "submitted at", "facility", "item", "quantity", "needed by", "urgency"),
        _requests,
    ),
    "stock": Export(
        translatable("Stock"),
        translatable("Each lot: what it is, when it was made, and how many of it lie at the hub."),
        ("label", "state", "design", "version", "part", "made at", "made", "at the hub"),
        _stock,
    ),
    "shipments": Export(
        translatable("Shipments"),
        translatable("Each shipment: for which request, where to, when it was packed, and how many pieces."),
        ("request", "state", "facility", "packed at", "pieces"),
        _shipments,
    ),
}
"""The columns are in English in every language, so that what reads them keeps working."""
