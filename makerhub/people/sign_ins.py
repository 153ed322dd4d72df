"""A person's sign-ins: where they are open, and ending them one by one or all but this one."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import Session, col, select

from makerhub.people.models import BrowserSession, Person


def open_sign_ins(session: Session, person: Person, now: datetime) -> list[BrowserSession]:
    """The person's sign-ins that still hold, the last seen first."""
    mine = select(BrowserSession).where(BrowserSession.person_id == person.id, col(BrowserSession.expires_at) > now)
    return list(session.exec(mine.order_by(col(BrowserSession.seen_at).desc(), col(BrowserSession.key))))


def end_sign_in(session: Session, person: Person, key: UUID) -> bool:
    """End one of the person's sign-ins; says whether there was this one."""
    mine = delete(BrowserSession).where(col(BrowserSession.person_id) == person.id, col(BrowserSession.key) == key)
    return cast("bool", cast("Any", session.execute(mine)).rowcount == 1)


def end_other_sign_ins(session: Session, person: Person, keep: str) -> int:
    """End all of the person's sign-ins but the one whose row is named `keep`; returns how many."""
    others = (col(BrowserSession.person_id) == person.id, col(BrowserSession.id) != keep)
    return cast("int", cast("Any", session.execute(delete(BrowserSession).where(*others))).rowcount)
