"""Recalls of what was made of a design, and the notices that tell each facility which got pieces of it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from makerhub.db import state_type


class NoticeState(StrEnum):
    """Whether a facility has answered."""

    OPEN = "open"
    ANSWERED = "answered"


class Recall(SQLModel, table=True):
    """What was made of a version is not to be used any more.

    With a `material` only what was printed of that, with a `hub_id` only what belongs to that hub; "" and nobody mean
    all. A recall holds for ever: lots that come later, from prints that were under way, fall under it too.
    """

    __tablename__ = "recall"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    version_id: UUID = Field(foreign_key="design_version.id", index=True)
    material: str = Field(default="", max_length=32)
    hub_id: UUID | None = Field(default=None, foreign_key="organisation.id")
    why: str = Field(max_length=500)
    started_by: UUID = Field(foreign_key="person.id")
    started_at: datetime


class RecallNotice(SQLModel, table=True):
    """What one facility is told: so many `pieces` went there; it answers how many it has `set_aside`."""

    __tablename__ = "recall_notice"
    __table_args__ = (
        UniqueConstraint("recall_id", "facility_id"),
        CheckConstraint("pieces > 0", name="pieces_positive"),
        CheckConstraint("set_aside >= 0", name="set_aside_not_negative"),
    )
    MOVES: ClassVar[Mapping[NoticeState, frozenset[NoticeState]]] = {
        NoticeState.OPEN: frozenset({NoticeState.ANSWERED}),
        NoticeState.ANSWERED: frozenset({NoticeState.OPEN}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    recall_id: UUID = Field(foreign_key="recall.id")
    facility_id: UUID = Field(foreign_key="organisation.id", index=True)
    pieces: int
    set_aside: int | None = None
    state: NoticeState = Field(default=NoticeState.OPEN, sa_type=state_type(NoticeState))
    told_at: datetime
