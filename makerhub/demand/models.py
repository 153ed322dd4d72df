"""Supply requests of hospitals and care homes, and their lines."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from makerhub.db import state_type


class RequestState(StrEnum):
    """Where a supply request stands."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    HELD = "held"


RUNNING = (RequestState.SUBMITTED, RequestState.ACCEPTED, RequestState.HELD)
"""The facility still waits for something, and may cancel."""


class Urgency(StrEnum):
    """How badly a line is needed; the order is the order of service."""

    CRITICAL = "critical"
    SOON = "soon"
    ROUTINE = "routine"

    @property
    def tier(self) -> int:
        """0 for the most urgent."""
        return list(Urgency).index(self)


class SupplyRequest(SQLModel, table=True):
    """What a facility asks of a hub. `form_key` makes sending the same form twice one request."""

    __tablename__ = "supply_request"
    MOVES: ClassVar[Mapping[RequestState, frozenset[RequestState]]] = {
        RequestState.SUBMITTED: frozenset(
            {RequestState.ACCEPTED, RequestState.DECLINED, RequestState.CANCELLED, RequestState.HELD}
        ),
        RequestState.ACCEPTED: frozenset({RequestState.FULFILLED, RequestState.CANCELLED, RequestState.HELD}),
        RequestState.HELD: frozenset({RequestState.SUBMITTED, RequestState.ACCEPTED, RequestState.CANCELLED}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    facility_id: UUID = Field(foreign_key="organisation.id", index=True)
    hub_id: UUID = Field(foreign_key="organisation.id", index=True)
    requested_by: UUID = Field(foreign_key="person.id")
    form_key: UUID = Field(unique=True)
    note: str = Field(default="", max_length=500)
    state: RequestState = Field(default=RequestState.SUBMITTED, sa_type=state_type(RequestState))
    submitted_at: datetime


class CallState(StrEnum):
    """Whether who called has seen what was written down, and said that it is right."""

    NOTED = "noted"
    CONFIRMED = "confirmed"


class TelephoneCall(SQLModel, table=True):
    """Who asked on the telephone, kept until some time after the request ended; `requested_by` there took the call.

    Whoever has the secret of which this is the SHA-256 sees the request, confirms and cancels it.
    """

    __tablename__ = "telephone_call"
    MOVES: ClassVar[Mapping[CallState, frozenset[CallState]]] = {
        CallState.NOTED: frozenset({CallState.CONFIRMED}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    request_id: UUID = Field(foreign_key="supply_request.id", unique=True)
    caller: str = Field(max_length=100)
    number: str = Field(max_length=40)
    email: str = Field(default="", max_length=254, index=True)
    language: str = Field(max_length=16)
    secret_sha256: str = Field(max_length=64, unique=True)
    called_at: datetime
    state: CallState = Field(default=CallState.NOTED, sa_type=state_type(CallState))


class RequestLine(SQLModel, table=True):
    """So many kits of one design version, by a time; `stock_left` is what the facility still has."""

    __tablename__ = "request_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("stock_left >= 0", name="stock_left_not_negative"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    request_id: UUID = Field(foreign_key="supply_request.id", index=True)
    kit_id: UUID = Field(foreign_key="kit.id", index=True)
    quantity: int
    needed_by: datetime
    urgency: Urgency = Field(sa_type=state_type(Urgency))
    stock_left: int = 0
