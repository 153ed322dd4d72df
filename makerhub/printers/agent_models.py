"""Agents at makers' homes, the printers that they look after, and the codes that pair them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid4

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from makerhub.db import state_type


class AgentState(StrEnum):
    """Whether the hub still listens to an agent."""

    PAIRED = "paired"
    REVOKED = "revoked"


class Agent(SQLModel, table=True):
    """A program at a maker's home that dials out and looks after printers there; `token_sha256` is its secret's hash.

    `boot` and `sequence` are those of the last report that was applied: older ones are late and change nothing.
    """

    __tablename__ = "agent"
    MOVES: ClassVar[Mapping[AgentState, frozenset[AgentState]]] = {
        AgentState.PAIRED: frozenset({AgentState.REVOKED}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    owner_id: UUID = Field(foreign_key="person.id", index=True)
    host: str = Field(max_length=64)
    system: str = Field(default="", max_length=64)
    version: str = Field(default="", max_length=64)
    token_sha256: str = Field(max_length=64, unique=True)
    boot: int = Field(default=0, sa_type=BigInteger)
    sequence: int = Field(default=0, sa_type=BigInteger)
    heard_at: datetime
    state: AgentState = Field(default=AgentState.PAIRED, sa_type=state_type(AgentState))
    paired_at: datetime


class AgentLink(SQLModel, table=True):
    """Which agent looks after a printer, and what it last said of it beside the observation.

    `stage`, `willing` and `unwilling` are words of `fleet.messages`: how far the connection has come, what the agent
    would begin now, and why nothing; `longest_seconds` bounds the prints that may begin by themselves.
    """

    __tablename__ = "agent_link"

    printer_id: UUID = Field(foreign_key="printer.id", primary_key=True)
    agent_id: UUID = Field(foreign_key="agent.id", index=True)
    stage: str = Field(default="paired", max_length=32)
    willing: str = Field(default="nothing", max_length=32)
    unwilling: str = Field(default="", max_length=32)
    longest_seconds: int | None = None


class PairingCode(SQLModel, table=True):
    """A code that pairs one agent with one printer, once and soon; only its hash is kept."""

    __tablename__ = "pairing_code"

    code_sha256: str = Field(primary_key=True, max_length=64)
    printer_id: UUID = Field(foreign_key="printer.id", index=True)
    expires_at: datetime
    used_at: datetime | None = None
