"""The one way to log what changes no state. What changes one is logged by `lifecycle.move()`."""

from datetime import datetime
from typing import Any, ClassVar, Protocol
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.audit.models import Deed


class Kept(Protocol):
    """A row that has an id."""

    __tablename__: ClassVar[Any]
    id: UUID


def note(session: Session, what: str, row: Kept, *, now: datetime, by: UUID | None = None, why: str = "") -> None:
    """Log that `what` was done with `row`, in the same transaction; `why` holds nothing personal."""
    session.flush()  # so that a new row has its place before it is spoken of
    session.add(Deed(what=what, entity=row.__tablename__, entity_id=row.id, at=now, by=by, why=why[:500]))
    session.flush()


def deeds_with(session: Session, row: Kept) -> list[Deed]:
    """All that was done with the row, the oldest first."""
    mine = select(Deed).where(Deed.entity == row.__tablename__, Deed.entity_id == row.id)
    return list(session.exec(mine.order_by(col(Deed.number))))
