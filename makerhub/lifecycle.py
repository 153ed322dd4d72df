"""The one way to begin and to change a state, and the append-only log of every change.

A state machine is a table: a model has a `state` column, and `MOVES` maps each state to the states that may
follow. `move()` is a conditional UPDATE, so of two people who act at once exactly one succeeds.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol, cast
from uuid import UUID

from sqlalchemy import CursorResult, Index, update
from sqlmodel import Field, Session, SQLModel, col, select

from makerhub.errors import IllegalMove, MovedMeanwhile

Moves = Mapping[Any, frozenset[Any]]


class Stateful(Protocol):
    """A row with a state machine."""

    MOVES: ClassVar[Moves]
    __tablename__: ClassVar[Any]
    id: UUID
    state: Any


class Transition(SQLModel, table=True):
    """One change of a state: what, from where to where, when, by whom (nobody: the hub itself) and why."""

    __tablename__ = "transition"
    __table_args__ = (Index("ix_transition_entity_entity_id", "entity", "entity_id"),)

    number: int | None = Field(default=None, primary_key=True)
    entity: str = Field(max_length=64)
    entity_id: UUID
    before: str | None = Field(default=None, max_length=32)
    after: str = Field(max_length=32)
    at: datetime
    by: UUID | None = None
    why: str = Field(default="", max_length=500)


def begin(session: Session, row: Stateful, *, now: datetime, by: UUID | None = None, why: str = "") -> None:
    """Add `row` in its first state and write the log."""
    session.add(row)
    _log(session, row, None, row.state, now, by, why)
    session.flush()


def move(
    session: Session,
    row: Stateful,
    after: StrEnum,
    *,
    now: datetime,
    by: UUID | None = None,
    why: str = "",
    **changes: object,
) -> None:
    """Move `row` to the state `after`, with `changes` to other columns in the same UPDATE, and write the log.

    Raises `IllegalMove` when `MOVES` has no such move and `MovedMeanwhile` when the row has left the state in
    which the caller saw it.
    """
    before = row.state
    if after not in row.MOVES.get(before, frozenset()):
        raise IllegalMove(before=str(before), after=str(after))
    model = cast("Any", type(row))
    session.flush()
    statement = update(model).where(model.id == row.id, model.state == before).values(state=after, **changes)
    result = cast("CursorResult[Any]", session.execute(statement.execution_options(synchronize_session=False)))
    if result.rowcount != 1:
        raise MovedMeanwhile
    session.refresh(row)
    _log(session, row, before, after, now, by, why)
    session.flush()


def history(session: Session, row: Stateful) -> list[Transition]:
    """All changes of the row's state, the oldest first."""
    mine = select(Transition).where(Transition.entity == row.__tablename__, Transition.entity_id == row.id)
    return list(session.exec(mine.order_by(col(Transition.number))))


def _log(
    session: Session, row: Stateful, before: StrEnum | None, after: StrEnum, now: datetime, by: UUID | None, why: str
) -> None:
    session.add(
        Transition(entity=row.__tablename__, entity_id=row.id, before=before, after=after, at=now, by=by, why=why[:500])
    )
