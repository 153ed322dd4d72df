"""What a hub says of itself, and the coarse cells in which its makers are."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid4

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from makerhub.db import state_type


class HubState(StrEnum):
    """Whether a hub works now; one that sleeps keeps its people and is woken when it is needed again."""

    PROPOSED = "proposed"
    ACTIVE = "active"
    SLEEPING = "sleeping"
    CLOSED = "closed"
    DECLINED = "declined"
    TAKEN_BACK = "taken_back"


class HubProfile(SQLModel, table=True):
    """What a hub says of itself: the area it serves, how to join, and its own chat groups (for its people alone).

    Its name, place, entrance and opening times are those of the organisation; the address is shown to everybody only
    where it `shows_address`. `languages` are those that its people speak, as they name them. With `joins_freely` makers
    and helpers need not wait for an answer; couriers always do.
    """

    __tablename__ = "hub_profile"
    MOVES: ClassVar[Mapping[HubState, frozenset[HubState]]] = {
        HubState.PROPOSED: frozenset({HubState.ACTIVE, HubState.DECLINED, HubState.TAKEN_BACK}),
        HubState.ACTIVE: frozenset({HubState.SLEEPING, HubState.CLOSED}),
        HubState.SLEEPING: frozenset({HubState.ACTIVE, HubState.CLOSED}),
        HubState.CLOSED: frozenset({HubState.ACTIVE}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    organisation_id: UUID = Field(foreign_key="organisation.id", unique=True)
    area: str = Field(default="", max_length=200)
    about: str = Field(default="", max_length=600)
    languages: str = Field(default="", max_length=200)
    chat_links: list[str] = Field(default_factory=list, sa_type=JSON)
    joins_freely: bool = False
    shows_address: bool = False
    proposed_by: UUID | None = Field(default=None, foreign_key="person.id")
    since: datetime
    state: HubState = Field(default=HubState.PROPOSED, sa_type=state_type(HubState))


class MakerCell(SQLModel, table=True):
    """The cell of the map, 20 km across, in which a maker is; nothing finer is kept of what was typed."""

    __tablename__ = "maker_cell"

    person_id: UUID = Field(foreign_key="person.id", primary_key=True, ondelete="CASCADE")
    cell: str = Field(max_length=16)
