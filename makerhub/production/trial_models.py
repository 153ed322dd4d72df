"""Test prints of nothing: ten seconds in which a printer shows that it can be reached, started and followed."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid4

from sqlalchemy import Index, text
from sqlmodel import Field, Session, SQLModel, col, select

from makerhub.db import state_type


class TrialState(StrEnum):
    """Where a test print stands."""

    WAITING = "waiting"
    SENDING = "sending"
    PRINTING = "printing"
    FINISHED = "finished"
    FAILED = "failed"
    NOT_STARTED = "not_started"


SENT = frozenset({TrialState.SENDING, TrialState.PRINTING})
"""The printer may have been told to print, and how it ended is not known."""

LIVE = SENT | {TrialState.WAITING}
_live_in_sql = text(f"state IN ({', '.join(repr(state.value) for state in sorted(LIVE))})")


class TrialPrint(SQLModel, table=True):
    """One test print that its maker agreed to. It is no attempt: it makes no piece, fills no plate and uses no spool.

    `sends`, `file_seen` and `quiet_since` are the start protocol's memory, as those of an attempt are, and `agent_id`
    is the only agent that was given it. `reason` is a word of `fleet` for why it ended as it did, and `trouble` for why
    the printer could not be asked. `tidied`: its file was removed, or the key may not remove it.
    """

    __tablename__ = "trial_print"
    __table_args__ = (
        Index(
            "uq_trial_print_live",
            "printer_id",
            unique=True,
            sqlite_where=_live_in_sql,
            postgresql_where=_live_in_sql,
        ),
    )
    MOVES: ClassVar[Mapping[TrialState, frozenset[TrialState]]] = {
        TrialState.WAITING: frozenset({TrialState.SENDING, TrialState.NOT_STARTED}),
        TrialState.SENDING: frozenset(
            {TrialState.PRINTING, TrialState.FINISHED, TrialState.FAILED, TrialState.NOT_STARTED}
        ),
        TrialState.PRINTING: frozenset({TrialState.FINISHED, TrialState.FAILED}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    printer_id: UUID = Field(foreign_key="printer.id", index=True)
    file_name: str = Field(max_length=100, unique=True)
    agent_id: UUID | None = Field(default=None, foreign_key="agent.id")
    sent_at: datetime | None = None
    sends: int = 0
    file_seen: bool = False
    quiet_since: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = Field(default="", max_length=32)
    trouble: str = Field(default="", max_length=32)
    tidied: bool = False
    state: TrialState = Field(default=TrialState.WAITING, sa_type=state_type(TrialState), index=True)
    asked_at: datetime


def live_trial(session: Session, printer_id: UUID) -> TrialPrint | None:
    """The test print that waits for the printer or may be on it."""
    mine = select(TrialPrint).where(TrialPrint.printer_id == printer_id, col(TrialPrint.state).in_(LIVE))
    return session.exec(mine).first()


def last_trial(session: Session, printer_id: UUID) -> TrialPrint | None:
    """The printer's latest test print."""
    mine = select(TrialPrint).where(TrialPrint.printer_id == printer_id)
    return session.exec(mine.order_by(col(TrialPrint.asked_at).desc()).limit(1)).first()
