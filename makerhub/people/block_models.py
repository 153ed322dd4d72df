"""Keeping people apart: a person is kept out of a hub, or does not want to be brought together with another one."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid4

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from makerhub.db import state_type


class SuspensionState(StrEnum):
    """Whether somebody is kept out of a hub."""

    HOLDS = "holds"
    LIFTED = "lifted"


_holds_in_sql = text("state = 'holds'")


class Suspension(SQLModel, table=True):
    """A person is kept out of a hub, until a moment or until somebody lifts it; the person reads `why`."""

    __tablename__ = "suspension"
    __table_args__ = (
        Index(
            "uq_suspension_holds",
            "person_id",
            "hub_id",
            unique=True,
            sqlite_where=_holds_in_sql,
            postgresql_where=_holds_in_sql,
        ),
    )
    MOVES: ClassVar[Mapping[SuspensionState, frozenset[SuspensionState]]] = {
        SuspensionState.HOLDS: frozenset({SuspensionState.LIFTED}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True, ondelete="CASCADE")
    hub_id: UUID = Field(foreign_key="organisation.id", index=True)
    why: str = Field(max_length=300)
    until: datetime | None = None
    begun_at: datetime
    ended_at: datetime | None = None
    state: SuspensionState = Field(default=SuspensionState.HOLDS, sa_type=state_type(SuspensionState))


class PersonalBlock(SQLModel, table=True):
    """Somebody does not want to be brought together with another person, whom they met in `met_in` (a pickup, say)."""

    __tablename__ = "personal_block"
    __table_args__ = (UniqueConstraint("blocker_id", "blocked_id"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    blocker_id: UUID = Field(foreign_key="person.id", ondelete="CASCADE")
    blocked_id: UUID = Field(foreign_key="person.id", index=True, ondelete="CASCADE")
    met_in: str = Field(max_length=32)
    met_id: UUID
    at: datetime
