"""Allocations of lots to request lines, shipments with a hand-over code, and receipts."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from makerhub.db import state_type


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


class Shipment(SQLModel, table=True):
    """What goes from a hub to a facility for one request. The facility tells `hand_over_code` at the door."""

    __tablename__ = "shipment"
    MOVES: ClassVar[Mapping[ShipmentState, frozenset[ShipmentState]]] = {
        ShipmentState.PACKED: frozenset({ShipmentState.IN_TRANSIT, ShipmentState.UNPACKED}),
        ShipmentState.IN_TRANSIT: frozenset({ShipmentState.DELIVERED}),
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
