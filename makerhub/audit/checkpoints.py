"""Checkpoints: a page of digests for each day, one line a row, in a file outside of the database; pages form a chain.

A page begins with the SHA-256 of the one before. Its own is in the database, and `makerhub doctor --audit` shows it:
whoever has noted it down elsewhere finds out also when both the database and the files were changed. Rows are numbered
when they are written and seen when their transaction ends, so a day is sealed when an hour of the next one is over.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, func, select

from makerhub.audit.models import Checkpoint, Deed
from makerhub.db import Database
from makerhub.key_file import replace_private
from makerhub.lifecycle import Transition

SETTLED = timedelta(hours=1)
AT_ONCE = 1000

FIELDS: Mapping[type[Transition] | type[Deed], Sequence[str]] = {
    Transition: ("number", "entity", "entity_id", "before", "after", "at", "by", "why"),
    Deed: ("number", "what", "entity", "entity_id", "at", "by", "why"),
}
"""What a digest covers. A column that comes later is not covered: digests of old rows have to stay as they are."""


@dataclass(frozen=True)
class Breach:
    """Where the log is not what it was when it was sealed, in words."""

    what: str


def seal(database: Database, folder: Path, now: datetime) -> Checkpoint | None:
    """Seal what was logged up to the last midnight, if that is settled and there is anything; repairs missing files."""
    with database.reading() as session:
        before = _last(session)
        made = _next(session, before, now)
    if made is not None:
        with database.changing() as session:
            session.add(made)
    with database.reading() as session:
        for checkpoint, previous in _chain(session):
            file = page_file(folder, checkpoint)
            if not file.exists():
                page = _page(session, checkpoint, previous)
                if _sha256(page) == checkpoint.sha256:
                    folder.mkdir(parents=True, exist_ok=True)
                    replace_private(file, page)
    return made


def breaches(session: Session, folder: Path) -> Iterator[Breach]:
    """What was changed, removed or slipped in since it was sealed, the first of each day."""
    days = set()
    for checkpoint, previous in _chain(session):
        days.add(page_file(folder, checkpoint).name)
        yield from _breaches_of(session, folder, checkpoint, previous)
    for file in sorted(folder.glob("*.txt")):
        if file.name not in days:
            yield Breach(f"the checkpoint of {file.stem} is gone from the database")


def page_file(folder: Path, checkpoint: Checkpoint) -> Path:
    """Where the page of a checkpoint is kept."""
    return folder / f"{checkpoint.day.isoformat()}.txt"


def last_seal(session: Session) -> str:
    """The digest to note down elsewhere; empty before the first."""
    last = _last(session)
    return f"{last.day.isoformat()} {last.sha256}" if last else ""


def _breaches_of(
    session: Session, folder: Path, checkpoint: Checkpoint, previous: Checkpoint | None
) -> Iterator[Breach]:
    day, file = checkpoint.day.isoformat(), page_file(folder, checkpoint)
    page = _page(session, checkpoint, previous)
    kept = file.read_bytes() if file.exists() else None
    is_whole = _sha256(page) == checkpoint.sha256
    if kept is None:
        rows = "" if is_whole else f", and a row of {day} was changed"
        yield Breach(f"{file.name} is gone{rows}")
    elif _sha256(kept) != checkpoint.sha256:
        yield Breach(f"{file.name} and the checkpoint of {day} in the database do not fit together")
        if not is_whole:
            yield from _difference(kept, page, day)
    elif not is_whole:
        yield from _difference(kept, page, day)


def _difference(kept: bytes, page: bytes, day: str) -> Iterator[Breach]:
    """The first row that differs."""
    then, now = (dict(_rows(text)) for text in (kept, page))
    for row in sorted(then.keys() | now.keys(), key=lambda row: (row[0] != Transition.__tablename__, row[1])):
        if then.get(row) != now.get(row):
            what = "is gone" if row not in now else "was slipped in" if row not in then else "was changed"
            yield Breach(f"row {row[1]} of {row[0]}, sealed on {day}, {what}")
            return
    yield Breach(f"the page of {day} follows another one than it did")


def _rows(page: bytes) -> Iterator[tuple[tuple[str, int], str]]:
    for line in page.decode().splitlines()[1:]:
        table, number, digest = line.split()
        yield (table, int(number)), digest


def _next(session: Session, before: Checkpoint | None, now: datetime) -> Checkpoint | None:
    midnight = datetime.combine((now - SETTLED).astimezone(UTC).date(), time(), UTC)
    transitions, deeds = (before.transitions, before.deeds) if before else (0, 0)
    made = Checkpoint(
        day=(midnight - timedelta(days=1)).date(),
        transitions=max(transitions, _newest(session, Transition, midnight)),
        deeds=max(deeds, _newest(session, Deed, midnight)),
        sha256="",
        at=now,
    )
    if (made.transitions, made.deeds) == (transitions, deeds):
        return None
    made.sha256 = _sha256(_page(session, made, before))
    return made


def _newest(session: Session, log: Any, midnight: datetime) -> int:
    return int(session.exec(select(func.coalesce(func.max(log.number), 0)).where(log.at < midnight)).one())


def _last(session: Session) -> Checkpoint | None:
    return session.exec(select(Checkpoint).order_by(col(Checkpoint.day).desc()).limit(1)).first()


def _chain(session: Session) -> Iterator[tuple[Checkpoint, Checkpoint | None]]:
    previous = None
    for checkpoint in session.exec(select(Checkpoint).order_by(col(Checkpoint.day))).all():
        yield checkpoint, previous
        previous = checkpoint


def _page(session: Session, checkpoint: Checkpoint, previous: Checkpoint | None) -> bytes:
    lines = [f"after {previous.sha256 if previous else '-'}"]
    ranges = {
        Transition: (previous.transitions if previous else 0, checkpoint.transitions),
        Deed: (previous.deeds if previous else 0, checkpoint.deeds),
    }
    for log, (after, until) in ranges.items():
        lines += _lines(session, log, after, until)
    return "".join(f"{line}\n" for line in lines).encode()


def _lines(session: Session, log: Any, after: int, until: int) -> Iterator[str]:
    columns = [getattr(log, name) for name in FIELDS[log]]
    rows = session.exec(select(*columns).where(log.number > after, log.number <= until).order_by(log.number))
    for row in rows.yield_per(AT_ONCE):
        yield f"{log.__tablename__} {row[0]} {_sha256(json.dumps([_written(value) for value in row]).encode())[:32]}"


def _written(value: Any) -> str | int | None:
    """A value in the same words on every database."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat(timespec="microseconds")
    return value if value is None or isinstance(value, int) else str(value)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
