"""Rotating the hub's keys: a new key seals at once, what is sealed is sealed anew, then the old key goes.

Every step may be killed and is taken up by the next call: while the file holds two keys, a rotation is under way.
The columns are found in the tables' metadata, so that none can be forgotten.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Column, LargeBinary, Table, func, update
from sqlmodel import Session, SQLModel, select

from makerhub.db import Database
from makerhub.keys.box import KeyBox, Place
from makerhub.keys.proof import check, the_proof
from makerhub.keys.ring import ID_BYTES, KeyRing, new_key, write_ring

AT_ONCE = 500
"""Rows that are sealed anew in one transaction: others wait for a fraction of a second at most."""

GRACE_SECONDS = 60.0
"""What a page sealed with the old key just before must be in the database by then: four times the wait for a lock."""


@dataclass(frozen=True)
class Rotated:
    """How many values were sealed anew, and the id of the key that seals now."""

    values: int
    key_id: str


def rotate(
    database: Database,
    key_box: KeyBox,
    *,
    grace_seconds: float = GRACE_SECONDS,
    wait: Callable[[float], object] = time.sleep,
    progress: Callable[[int], object] = lambda _: None,
) -> Rotated:
    """Give the hub a new key, or finish the rotation that was broken off; the hub may run meanwhile.

    1. The new key is put before the old one in the file: from now on everybody seals with it.
    2. All that the old key sealed is sealed anew, some hundred rows in a transaction; `progress` hears how many.
    3. After a time of grace, that again, for what a page had sealed just before step 1.
    4. Where nothing is left of it the old key is dropped.

    Raises `Unreadable` before anything is changed when the key file is not the database's.
    """
    check(database, key_box)
    _add_key(database, key_box)
    count = 0
    for pause in (0.0, grace_seconds):
        wait(pause)
        for done in _seal_anew(database, key_box):
            count += done
            progress(count)
    while not _drop_old_keys(database, key_box):
        count += sum(_seal_anew(database, key_box))
    return Rotated(count, key_box.ring.newest.id.hex())


def open_all(database: Database, key_box: KeyBox) -> int:
    """Open every sealed value and forget it; returns how many there are. Raises `Unreadable` at the first failure."""
    count = 0
    with database.reading() as session:
        for table, column in sealed_columns():
            rows = session.execute(select(table.c.id, column).where(func.length(column) > 0))
            for row_id, sealed in rows:
                count += 1
                key_box.open(sealed, Place(table.name, row_id, column.name))
    return count


def sealed_columns() -> Iterator[tuple[Table, Column[bytes]]]:
    """Every column in any table that holds something sealed."""
    for table in SQLModel.metadata.sorted_tables:
        yield from ((table, column) for column in table.columns if column.info.get("sealed"))


def _add_key(database: Database, key_box: KeyBox) -> None:
    with database.changing() as session:
        the_proof(session, alone=True)
        if len(key_box.ring.keys) == 1:
            write_ring(key_box.file, KeyRing((new_key(), *key_box.ring.keys)))


def _drop_old_keys(database: Database, key_box: KeyBox) -> bool:
    """Only while nothing is sealed with them: a value whose key is gone would be lost for ever."""
    with database.changing() as session:
        the_proof(session, alone=True)
        if any(_old(session, table, column, key_box) for table, column in sealed_columns()):
            return False
        write_ring(key_box.file, KeyRing((key_box.ring.newest,)))
        return True


def _seal_anew(database: Database, key_box: KeyBox) -> Iterator[int]:
    """Each time some rows more have been sealed with the newest key; says how many."""
    for table, column in sealed_columns():
        while True:
            with database.changing() as session:
                rows = _old(session, table, column, key_box)
                for row_id, sealed in rows:
                    where = Place(table.name, row_id, column.name)
                    anew = key_box.seal(key_box.open(sealed, where), where)
                    unchanged = (table.c.id == row_id, column == sealed)
                    session.execute(update(table).where(*unchanged).values({column: anew}))
            if not rows:
                break
            yield len(rows)


def _old(session: Session, table: Table, column: Column[bytes], key_box: KeyBox) -> list[tuple]:  # type: ignore[type-arg]
    """Up to some hundred (id, value) that another key sealed than the newest; empty values hold nothing sealed."""
    key_id = func.substr(column, 1, ID_BYTES, type_=LargeBinary)
    is_old = (func.length(column) > 0, key_id != key_box.ring.newest.id)
    return [tuple(row) for row in session.execute(select(table.c.id, column).where(*is_old).limit(AT_ONCE))]
