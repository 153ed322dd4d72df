"""Allocations of lots to request lines, shipments with a hand-over code, receipts, and pickups from makers' homes."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from makerhub.db import state_type
from makerhub.people.models import Role


class AllocationState(StrEnum):
    """Where an allocation stands."""

    RESERVED = "reserved"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    RELEASED = "released"


class ShipmentState(StrEnum):
    """Where a shipment stands."""

    PACKED = "packed"
    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"
    UNPACKED = "unpacked"


class PickupState(StrEnum):
    """Where a pickup from a maker's home stands."""

    ASKED = "asked"
    GIVEN = "given"
    UNDER_WAY = "under_way"
    COLLECTED = "collected"
    CANCELLED = "cancelled"


class Shipment(SQLModel, table=True):
    """What goes from a hub to a facility for one request. The facility tells `hand_over_code` at the door.

    A courier may bring it back to the hub; and it may arrive without anybody having noted that a courier took it.
    """

    __tablename__ = "shipment"
    MOVES: ClassVar[Mapping[ShipmentState, frozenset[ShipmentState]]] = {
        ShipmentState.PACKED: frozenset({ShipmentState.IN_TRANSIT, ShipmentState.UNPACKED, ShipmentState.DELIVERED}),
        ShipmentState.IN_TRANSIT: frozenset({ShipmentState.DELIVERED, ShipmentState.PACKED}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    request_id: UUID = Field(foreign_key="supply_request.id", index=True)
    hub_id: UUID = Field(foreign_key="organisation.id", index=True)
    facility_id: UUID = Field(foreign_key="organisation.id", index=True)
    courier_id: UUID | None = Field(default=None, foreign_key="person.id", index=True)
    hand_over_code: str = Field(max_length=16)
    state: ShipmentState = Field(default=ShipmentState.PACKED, sa_type=state_type(ShipmentState))
    packed_at: datetime


class Allocation(SQLModel, table=True):
    """So many pieces of a lot for a request line, and why this line got them."""

    __tablename__ = "allocation"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_positive"),)
    MOVES: ClassVar[Mapping[AllocationState, frozenset[AllocationState]]] = {
        AllocationState.RESERVED: frozenset({AllocationState.SHIPPED, AllocationState.RELEASED}),
        AllocationState.SHIPPED: frozenset({AllocationState.DELIVERED, AllocationState.RELEASED}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    line_id: UUID = Field(foreign_key="request_line.id", index=True)
    lot_id: UUID = Field(foreign_key="lot.id", index=True)
    shipment_id: UUID | None = Field(default=None, foreign_key="shipment.id", index=True)
    quantity: int
    reason: str = Field(max_length=200)
    state: AllocationState = Field(default=AllocationState.RESERVED, sa_type=state_type(AllocationState))
    allocated_at: datetime


class Receipt(SQLModel, table=True):
    """The facility has it: who confirmed, how, and when."""

    __tablename__ = "receipt"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    shipment_id: UUID = Field(foreign_key="shipment.id", unique=True)
    confirmed_by: UUID = Field(foreign_key="person.id")
    by_hand_over_code: bool
    at: datetime


OPEN_PICKUPS = frozenset({PickupState.ASKED, PickupState.GIVEN, PickupState.UNDER_WAY})
"""Pickups that may still happen."""

_open_in_sql = text(f"state IN ({', '.join(repr(state.value) for state in sorted(OPEN_PICKUPS))})")


class Pickup(SQLModel, table=True):
    """A maker asks that a courier comes for lots between two moments; the maker has one open pickup at the most.

    The courier sees the address only while the pickup is under way, and within that time.
    """

    __tablename__ = "pickup"
    __table_args__ = (
        CheckConstraint("begins < ends", name="begins_before_its_end"),
        Index(
            "uq_pickup_open_maker", "maker_id", unique=True, sqlite_where=_open_in_sql, postgresql_where=_open_in_sql
        ),
    )
    MOVES: ClassVar[Mapping[PickupState, frozenset[PickupState]]] = {
        PickupState.ASKED: frozenset({PickupState.GIVEN, PickupState.CANCELLED}),
        PickupState.GIVEN: frozenset({PickupState.UNDER_WAY, PickupState.ASKED, PickupState.CANCELLED}),
        PickupState.UNDER_WAY: frozenset({PickupState.COLLECTED, PickupState.ASKED, PickupState.CANCELLED}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    maker_id: UUID = Field(foreign_key="person.id", index=True)
    hub_id: UUID = Field(foreign_key="organisation.id", index=True)
    courier_id: UUID | None = Field(default=None, foreign_key="person.id", index=True)
    begins: datetime
    ends: datetime
    state: PickupState = Field(default=PickupState.ASKED, sa_type=state_type(PickupState), index=True)
    asked_at: datetime
    ended_at: datetime | None = None


class PickupLot(SQLModel, table=True):
    """A lot that is fetched with a pickup."""

    __tablename__ = "pickup_lot"

    pickup_id: UUID = Field(foreign_key="pickup.id", primary_key=True, ondelete="CASCADE")
    lot_id: UUID = Field(foreign_key="lot.id", primary_key=True, index=True)


class AddressView(SQLModel, table=True):
    """Somebody was shown a maker's address: written before it is opened, and shown to the maker.

    `role` and `hub_id` say as much of the viewer as the maker needs to know; `viewer_id` is for whoever looks into a
    complaint.
    """

    __tablename__ = "address_view"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    maker_id: UUID = Field(foreign_key="person.id", index=True, ondelete="CASCADE")
    viewer_id: UUID | None = Field(default=None, foreign_key="person.id", index=True)
    role: Role = Field(sa_type=state_type(Role))
    hub_id: UUID = Field(foreign_key="organisation.id")
    pickup_id: UUID | None = Field(default=None, foreign_key="pickup.id", index=True, ondelete="SET NULL")
    at: datetime = Field(index=True)
