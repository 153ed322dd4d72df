"""Deeds beside the changes of states, and the checkpoints of both. The database lets nobody change or delete them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class Deed(SQLModel, table=True):
    """Something that was done and changed no state: what, with which row, when, by whom (nobody: the hub itself), why.

    It names people by their ids alone, so whoever erases a person erases who that was. `why` says nothing personal.
    """

    __tablename__ = "deed"
    __table_args__ = (Index("ix_deed_entity_entity_id", "entity", "entity_id"),)

    number: int | None = Field(default=None, primary_key=True)
    what: str = Field(max_length=64)
    entity: str = Field(max_length=64)
    entity_id: UUID
    at: datetime
    by: UUID | None = None
    why: str = Field(default="", max_length=500)


class Checkpoint(SQLModel, table=True):
    """The SHA-256 of all that was logged up to the end of a day (UTC) and after the checkpoint before.

    `transitions` and `deeds` are the numbers of the last rows that it covers.
    """

    __tablename__ = "checkpoint"

    day: date = Field(primary_key=True)
    transitions: int
    deeds: int
    sha256: str = Field(max_length=64)
    at: datetime
