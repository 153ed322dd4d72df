"""Lots, their inspections, and the double-entry ledger in which every piece stands in exactly one account."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from makerhub.db import state_type


class LotState(StrEnum):
    """Where a lot stands."""

    AT_MAKER = "at_maker"
    PASSED = "passed"
    REJECTED = "rejected"
    RECALLED = "recalled"


class AccountKind(StrEnum):
    """Where pieces can be. `production` is the source: the only account that goes below zero."""

    PRODUCTION = "production"
    MAKER = "maker"
    HUB = "hub"
    SHIPMENT = "shipment"
    FACILITY = "facility"
    SCRAP = "scrap"


class Lot(SQLModel, table=True):
    """The good pieces of one print. `label` is printed on the bag; no person's name stands in the chain."""

    __tablename__ = "lot"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_positive"),)
    MOVES: ClassVar[Mapping[LotState, frozenset[LotState]]] = {
        LotState.AT_MAKER: frozenset({LotState.PASSED, LotState.REJECTED, LotState.RECALLED}),
        LotState.PASSED: frozenset({LotState.RECALLED}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    label: str = Field(max_length=32, unique=True)
    hub_id: UUID = Field(foreign_key="organisation.id", index=True)
    attempt_id: UUID = Field(foreign_key="attempt.id", unique=True)
    part_id: UUID = Field(foreign_key="part.id", index=True)
    maker_reference: UUID
    quantity: int
    state: LotState = Field(default=LotState.AT_MAKER, sa_type=state_type(LotState))
    made_at: datetime


class Entry(SQLModel, table=True):
    """One side of a transfer: the entries of a transfer sum to zero; counts are sums of entries."""

    __tablename__ = "entry"
    __table_args__ = (
        Index("ix_entry_lot_id_account", "lot_id", "account", "account_of"),
        CheckConstraint("quantity <> 0", name="quantity_not_zero"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    transfer_id: UUID = Field(index=True)
    attempt_id: UUID = Field(foreign_key="attempt.id", index=True)
    lot_id: UUID | None = Field(default=None, foreign_key="lot.id")
    account: AccountKind = Field(sa_type=state_type(AccountKind))
    account_of: UUID | None = None
    quantity: int
    at: datetime
    why: str = Field(max_length=100)


class Inspection(SQLModel, table=True):
    """The hub's check of a lot: how many passed, how many did not, and why."""

    __tablename__ = "inspection"
    __table_args__ = (CheckConstraint("passed >= 0 AND rejected >= 0", name="counts_not_negative"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    lot_id: UUID = Field(foreign_key="lot.id", unique=True)
    inspected_by: UUID = Field(foreign_key="person.id")
    passed: int
    rejected: int
    note: str = Field(default="", max_length=500)
    at: datetime
