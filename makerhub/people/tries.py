"""How often somebody may guess where guessing pays: counted in the database, so that neither a restart nor a second
process gives the guesser a new run.

A guess is counted before it is looked at, so that many at once are many, and taken back when it was right:

    with database.changing() as session:
        count(session, PASSWORD, email, now=now)       # raises TooManyTries: nothing is looked at
    ...
    with database.changing() as session:
        take_back(session, PASSWORD, email)

Of whom it is the SHA-256 is kept, for a day at most. A window begins with its first guess, so in the long run there
are never more than `most` in its time; over a window's edge there may be twice as many at once.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import case, delete, or_, update
from sqlmodel import Session, col

from makerhub.db import IntegrityError
from makerhub.errors import MakerhubError, translatable
from makerhub.people.entry_models import Tries

LONGEST = timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """At most so many wrong guesses within a time."""

    most: int
    within: timedelta


@dataclass(frozen=True)
class Door:
    """Something that is opened by what can be guessed; each window holds."""

    name: str
    windows: tuple[Window, ...]


def _door(name: str, soon: tuple[int, timedelta], a_day: int) -> Door:
    return Door(name, (Window(*soon), Window(a_day, LONGEST)))


QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
PASSWORD = _door("password", (10, QUARTER), 60)
"""Of an account. Its link by mail always works, so nobody is locked out by a guesser."""
MAILED_CODE = _door("mailed code", (25, HOUR), 60)
FIGURES = _door("figures", (10, QUARTER), 30)
HAND_OVER = _door("hand-over code", (5, QUARTER), 20)
HAND_OVER_COURIER = _door("hand-over codes of a courier", (15, HOUR), 40)
ADDRESS = _door("address", (60, HOUR), 300)
"""All doors together, from one address: a ward's computers share one, and right ones do not count."""


class TooManyTries(MakerhubError):
    """So many guesses are no mistyping any more."""

    template = translatable("Too many wrong tries. Wait %(minutes)s min, then try again.")

    def __init__(self, again: timedelta) -> None:
        self.retry_after = max(1, math.ceil(again.total_seconds()))
        super().__init__(minutes=math.ceil(self.retry_after / 60))


def count(session: Session, door: Door, who: str, *, now: datetime) -> None:
    """Count a guess in each window, before it is looked at. Raises `TooManyTries` where one is full."""
    for key, window in _keys(door, who):
        if _add(session, key, window, now):
            continue
        row = session.get(Tries, key, populate_existing=True)
        if row is not None:
            raise TooManyTries(row.since + window.within - now)
        try:
            with session.begin_nested():
                session.add(Tries(id=key, count=1, since=now, ends_at=now + window.within))
                session.flush()
        except IntegrityError:  # somebody else guessed first, at the same moment
            if not _add(session, key, window, now):
                raise TooManyTries(window.within) from None


def take_back(session: Session, door: Door, who: str) -> None:
    """It was right, so it was no guess."""
    keys = [key for key, _ in _keys(door, who)]
    mine = update(Tries).where(col(Tries.id).in_(keys), col(Tries.count) > 0)
    session.execute(mine.values(count=Tries.count - 1).execution_options(synchronize_session=False))


def forget_old_tries(session: Session, now: datetime) -> None:
    """Delete the counts of windows that are over."""
    session.execute(delete(Tries).where(col(Tries.ends_at) <= now))


def _add(session: Session, key: str, window: Window, now: datetime) -> bool:
    is_over = col(Tries.ends_at) <= now
    free = update(Tries).where(col(Tries.id) == key, or_(is_over, col(Tries.count) < window.most))
    one_more = free.values(
        count=case((is_over, 1), else_=col(Tries.count) + 1),
        since=case((is_over, now), else_=col(Tries.since)),
        ends_at=case((is_over, now + window.within), else_=col(Tries.ends_at)),
    )
    result = session.execute(one_more.execution_options(synchronize_session=False))
    return cast("bool", cast("Any", result).rowcount == 1)


def _keys(door: Door, who: str) -> Iterator[tuple[str, Window]]:
    for window in door.windows:
        named = f"{door.name}\n{window.within.total_seconds():.0f}\n{who.strip().lower()}"
        yield hashlib.sha256(named.encode()).hexdigest(), window
