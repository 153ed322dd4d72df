"""What is in shipments, as couriers and facilities read it: design, part, pieces and the label of the bag."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.delivery.models import Allocation
from makerhub.designs.models import DesignVersion, Part
from makerhub.people.models import Organisation
from makerhub.stock.models import Lot


@dataclass(frozen=True)
class Bag:
    """So many pieces of one lot in a shipment."""

    design: str
    part: str
    quantity: int
    label: str


def bags(session: Session, shipments: Sequence[UUID]) -> dict[UUID, list[Bag]]:
    """The bags of each shipment, by its id."""
    rows = session.exec(
        select(Allocation, Lot.label, Part.name, DesignVersion.name)
        .join(Lot, col(Lot.id) == Allocation.lot_id)
        .join(Part, col(Part.id) == Lot.part_id)
        .join(DesignVersion, col(DesignVersion.id) == Part.version_id)
        .where(col(Allocation.shipment_id).in_(shipments))
        .order_by(col(DesignVersion.name), col(Part.name), col(Lot.label))
    )
    found: dict[UUID, list[Bag]] = {shipment: [] for shipment in shipments}
    for allocation, label, part, design in rows:
        if allocation.shipment_id is not None:
            found[allocation.shipment_id].append(Bag(design, part, allocation.quantity, label))
    return found


def organisations(session: Session, keys: Sequence[UUID]) -> dict[UUID, Organisation]:
    """The two ends of shipments, by id: whoever sees a shipment may know where it comes from and goes to."""
    return {place.id: place for place in session.exec(select(Organisation).where(col(Organisation.id).in_(keys)))}
