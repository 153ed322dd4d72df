"""What makers say about their homes, and where these are."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from makerhub.db import state_type
from makerhub.keys.box import SEALED


class HandingOver(StrEnum):
    """How what a maker printed leaves the maker's home."""

    DROP_OFF = "drop_off"
    PICKUP = "pickup"


class MakerSettings(SQLModel, table=True):
    """What a maker has said about the own home; without a row nothing was said.

    Nothing starts and nothing is asked in the quiet hours, which go from one minute of the day to another, in the
    maker's time zone. Whoever is hidden since some moment is on no map and in no pickup.
    """

    __tablename__ = "maker_settings"
    __table_args__ = (
        CheckConstraint("quiet_from BETWEEN 0 AND 1439", name="quiet_from_in_day"),
        CheckConstraint("quiet_until BETWEEN 0 AND 1439", name="quiet_until_in_day"),
        CheckConstraint("(quiet_from IS NULL) = (quiet_until IS NULL)", name="quiet_both_or_none"),
        CheckConstraint("quiet_from <> quiet_until", name="quiet_not_empty"),
    )

    person_id: UUID = Field(foreign_key="person.id", primary_key=True, ondelete="CASCADE")
    handing_over: HandingOver = Field(default=HandingOver.DROP_OFF, sa_type=state_type(HandingOver))
    quiet_from: int | None = None
    quiet_until: int | None = None
    hidden_since: datetime | None = None


class MakerAddress(SQLModel, table=True):
    """Where a maker lives, sealed for this row; kept apart from all else, and only while pickups need it."""

    __tablename__ = "maker_address"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", unique=True, ondelete="CASCADE")
    sealed_address: bytes = Field(sa_column_kwargs={"info": SEALED})
    entered_at: datetime
