"""What is in shipments, as people read it: bags of printed parts, the kits they make, and what is bought for these."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.delivery.models import Allocation
from makerhub.demand.models import RequestLine
from makerhub.designs.models import Component, DesignVersion, Kit, Part
from makerhub.designs.service import kit_components, kit_name, kit_parts
from makerhub.people.models import Organisation
from makerhub.stock.models import Lot


@dataclass(frozen=True)
class Bag:
    """So many pieces of one lot in a shipment."""

    design: str
    part: str
    quantity: int
    label: str


@dataclass(frozen=True)
class Bought:
    """A component for so many kits, `each` in its own unit for one of them."""

    component: Component
    kits: int
    each: int


@dataclass
class Contents:
    """What lies in a shipment: bags of printed parts, the whole kits that they make, and what goes with these."""

    bags: list[Bag] = field(default_factory=list)
    kits: list[tuple[str, int]] = field(default_factory=list)
    bought: list[Bought] = field(default_factory=list)

    @property
    def pieces(self) -> int:
        """How many printed pieces."""
        return sum(bag.quantity for bag in self.bags)


def contents(session: Session, shipments: Sequence[UUID]) -> dict[UUID, Contents]:
    """What each shipment holds, by its id."""
    rows = session.exec(
        select(Allocation, Lot, Part, RequestLine.kit_id)
        .join(Lot, col(Lot.id) == Allocation.lot_id)
        .join(Part, col(Part.id) == Lot.part_id)
        .join(RequestLine, col(RequestLine.id) == Allocation.line_id)
        .where(col(Allocation.shipment_id).in_(shipments))
        .order_by(col(Part.name), col(Lot.label))
    ).all()
    of_versions = col(DesignVersion.id).in_({part.version_id for _, _, part, _ in rows})
    names = dict(session.exec(select(DesignVersion.id, DesignVersion.name).where(of_versions)).all())
    found = {shipment: Contents() for shipment in shipments}
    pieces: dict[UUID, dict[UUID, dict[UUID, int]]] = {}
    for allocation, lot, part, kit_id in sorted(rows, key=lambda row: names[row[2].version_id]):
        if allocation.shipment_id is not None:
            found[allocation.shipment_id].bags.append(
                Bag(names[part.version_id], part.name, allocation.quantity, lot.label)
            )
            of_kit = pieces.setdefault(allocation.shipment_id, {}).setdefault(kit_id, {})
            of_kit[part.id] = of_kit.get(part.id, 0) + allocation.quantity
    for shipment, kits in pieces.items():
        for kit_id, of_kit in kits.items():
            _add_kits(session, found[shipment], session.get_one(Kit, kit_id), of_kit)
    return found


def _add_kits(session: Session, packed: Contents, kit: Kit, pieces: dict[UUID, int]) -> None:
    """Note how many whole kits the pieces make, and what is bought for these."""
    whole = min(pieces.get(part.id, 0) // quantity for part, quantity in kit_parts(session, kit.id))
    if whole:
        packed.kits.append((kit_name(session.get_one(DesignVersion, kit.version_id), kit), whole))
        packed.bought += [Bought(component, whole, each) for component, each in kit_components(session, kit.id)]


def organisations(session: Session, keys: Sequence[UUID]) -> dict[UUID, Organisation]:
    """The two ends of shipments, by id: whoever sees a shipment may know where it comes from and goes to."""
    return {place.id: place for place in session.exec(select(Organisation).where(col(Organisation.id).in_(keys)))}
