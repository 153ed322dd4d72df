"""Letting rows that belonged to one organisation belong to another: the step that all slices share in a merge."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, select


def repoint(
    session: Session, column: Any, source: UUID, target: UUID, only: Collection[UUID] | None = None
) -> list[UUID]:
    """Change `column` of a model from `source` to `target`, in every row or `only` in those with these keys.

    Returns the keys of the rows that were changed, so that it can be taken back.
    """
    model = column.class_
    belonging = select(model.id).where(column == source)
    if only is not None:
        belonging = belonging.where(col(model.id).in_(only))
    keys = list(session.exec(belonging.order_by(model.id)).all())
    session.execute(
        update(model)
        .where(col(model.id).in_(keys))
        .values({column.key: target})
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    return keys
