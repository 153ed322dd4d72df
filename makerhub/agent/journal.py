"""The agent's journal: what it was given, what it promised to itself before each sending, and what the hub knows of it.

SQLite with a rollback journal and full syncs, so that every call is durable when it returns. Each change of an attempt
takes the next revision; what is above the acknowledged one is told to the hub, again and again, until it says so.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from makerhub.fleet.gateway import Connection
from makerhub.fleet.messages import MOST_ATTEMPTS, AttemptNews, Wanted
from makerhub.fleet.verdict import SEND_WINDOW, Attempt, Outcome, Reason, Verdict

KEPT: Final = timedelta(days=30)
"""How long an attempt is remembered that is over and that the hub knows of."""

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS attempt (
    id TEXT PRIMARY KEY, printer_id TEXT NOT NULL, file_name TEXT NOT NULL, size INTEGER NOT NULL, sha1 TEXT NOT NULL,
    sha256 TEXT NOT NULL, seconds INTEGER NOT NULL, accepted INTEGER NOT NULL, may_send INTEGER NOT NULL,
    given_at TEXT NOT NULL, sent_at TEXT, sent_monotonic REAL, sends INTEGER NOT NULL DEFAULT 0,
    file_seen INTEGER NOT NULL DEFAULT 0, quiet_since TEXT, started_at TEXT, outcome TEXT, reason TEXT, ended_at TEXT,
    revision INTEGER NOT NULL DEFAULT 0, acknowledged INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS moment (name TEXT PRIMARY KEY, at TEXT NOT NULL);
"""

OVER: Final = frozenset({Outcome.NOT_STARTED, Outcome.DONE, Outcome.FAILED})
Permit = Callable[[UUID], bool]
"""Whether an attempt may be begun now: the hub's word is fresh, and the owner's rules allow it."""


@dataclass(frozen=True)
class Entry:
    """One attempt as the journal has it; `wanted` is what the hub said of it, `may_send` whether it was given to us."""

    wanted: Wanted
    sent_at: datetime | None
    sends: int
    file_seen: bool
    quiet_since: datetime | None
    given_at: datetime
    started_at: datetime | None
    outcome: Outcome | None
    is_dropped: bool

    @property
    def is_live(self) -> bool:
        """Whether something may still become of it, and the hub wants to know."""
        return self.outcome not in OVER and not self.is_dropped

    def attempt(self, connection: Connection) -> Attempt:
        """What the start protocol wants to know of it."""
        wanted = self.wanted
        return Attempt(
            id=wanted.attempt_id,
            connection=connection,
            file_name=wanted.file_name,
            size=wanted.size,
            sha1=wanted.sha1,
            sent_at=self.sent_at,
            sends=self.sends,
            file_seen=self.file_seen,
            quiet_since=self.quiet_since,
        )


class Journal:
    """A `StartJournal` in a file; `permit` is asked in the same breath in which a sending is claimed.

    Opening it takes the next boot number: an agent that was started before this one claims nothing any more.
    """

    def __init__(
        self,
        file: Path,
        *,
        permit: Permit = lambda _id: False,
        opens: bool = True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=15)
        self._connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = TRUNCATE", "synchronous = FULL"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(_TABLES)
        self.permit = permit
        self._monotonic = monotonic
        self.boot = self._next("boot") if opens else self._counter("boot")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def is_mine(self) -> bool:
        """Whether no other agent was started on this journal since."""
        return self._counter("boot") == self.boot

    def boot_above(self, boot: int) -> None:
        """The hub knows of later starts than this one (the journal came from a backup): go on above them."""
        with self._change() as connection:
            connection.execute("UPDATE counter SET value = ? WHERE name = 'boot'", (max(self.boot, boot) + 1,))
            self.boot = max(self.boot, boot) + 1

    def latest(self) -> datetime | None:
        """The last time that was written down."""
        row = self._connection.execute("SELECT at FROM moment WHERE name = 'latest'").fetchone()
        return datetime.fromisoformat(row["at"]) if row else None

    def note_time(self, now: datetime) -> None:
        """Write the time down, for the clock of the next start."""
        with self._change() as connection:
            connection.execute("REPLACE INTO moment VALUES ('latest', ?)", (now.isoformat(),))

    def forget_quiet(self) -> None:
        """Nobody knows how long nothing was heard: begin to count anew."""
        with self._change() as connection:
            connection.execute("UPDATE attempt SET quiet_since = NULL")

    def take(self, wanted: Sequence[Wanted], now: datetime) -> None:
        """Write down all that the hub wants looked after; everything else is begun no more and told no more.

        What was given to another agent counts as sent by that one. Where the hub still asks for what it has confirmed
        to know, it has forgotten (it may live on from a backup), and is told again.
        """
        with self._lock:
            known = {entry.wanted.attempt_id: entry for entry in self.entries(live=False)}
            mine = {one.attempt_id for one in wanted}
            fresh = [one for one in wanted if one.attempt_id not in known]
            forgotten = [
                known[one] for one in mine & known.keys() if known[one].is_dropped or known[one].outcome in OVER
            ]
            dropped = [one for one, entry in known.items() if one not in mine and not entry.is_dropped]
            if not (fresh or forgotten or dropped):
                return
            with self._change() as connection:
                for one in fresh:
                    self._insert(one, now)
                again = [(str(entry.wanted.attempt_id),) for entry in forgotten]
                connection.executemany("UPDATE attempt SET dropped = 0, acknowledged = 0 WHERE id = ?", again)
                connection.executemany("UPDATE attempt SET dropped = 1 WHERE id = ?", [(str(one),) for one in dropped])

    def _insert(self, wanted: Wanted, now: datetime) -> None:
        sent_at = None if wanted.may_send else (now - timedelta(seconds=wanted.sent_age_s)).isoformat()
        self._connection.execute(
            "INSERT INTO attempt (id, printer_id, file_name, size, sha1, sha256, seconds, accepted, may_send,"
            " given_at, sent_at, sends) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                str(wanted.attempt_id),
                str(wanted.printer_id),
                wanted.file_name,
                wanted.size,
                wanted.sha1,
                wanted.sha256,
                wanted.seconds,
                wanted.accepted,
                wanted.may_send,
                now.isoformat(),
                sent_at,
                0 if wanted.may_send else 1,
            ),
        )

    def entries(self, *, live: bool = True) -> list[Entry]:
        """The attempts, the oldest first; only those of which something may still become, or all."""
        with self._lock:
            found = [_entry(row) for row in self._connection.execute("SELECT * FROM attempt ORDER BY given_at")]
        return [entry for entry in found if entry.is_live or not live]

    def sending(self, attempt: Attempt, now: datetime) -> bool:
        """Claim the next sending, if it was given to us, nothing forbids it, and no later agent runs."""
        with self._change() as connection:
            row = self._row(attempt.id)
            if row["sends"] != attempt.sends or row["dropped"] or not row["may_send"] or row["outcome"]:
                return False
            if not self.is_mine() or not (self._is_recent(row) if row["sends"] else self.permit(attempt.id)):
                return False
            first = (
                (now.isoformat(), self._monotonic()) if not row["sends"] else (row["sent_at"], row["sent_monotonic"])
            )
            connection.execute(
                "UPDATE attempt SET sends = sends + 1, sent_at = ?, sent_monotonic = ? WHERE id = ?",
                (*first, str(attempt.id)),
            )
            self._revise(attempt.id)
            return True

    def file_seen(self, attempt_id: UUID) -> None:
        """Remember for ever that the file was seen."""
        self._set(attempt_id, file_seen=1)

    def quiet(self, attempt_id: UUID, since: datetime | None) -> None:
        """Remember since when nothing has been heard of the print."""
        self._set(attempt_id, quiet_since=since.isoformat() if since else None, tells=False)

    def conclude(self, attempt_id: UUID, verdict: Verdict, now: datetime) -> None:
        """Record what became of the attempt; what comes too late, or says nothing new, changes nothing."""
        with self._change():
            row = self._row(attempt_id)
            before = Outcome(row["outcome"]) if row["outcome"] else None
            if before in OVER or (before is verdict.outcome and row["reason"] == verdict.reason):
                return
            if verdict.outcome is Outcome.STARTED and not row["started_at"]:
                self._set(attempt_id, tells=False, started_at=now.isoformat())
            self._set(attempt_id, outcome=verdict.outcome, reason=verdict.reason, ended_at=now.isoformat())

    def news(self, now: datetime) -> tuple[list[AttemptNews], Mapping[UUID, int]]:
        """What the hub does not know yet, and which revision of each attempt that is."""
        untold = "SELECT * FROM attempt WHERE revision > acknowledged AND dropped = 0 ORDER BY given_at LIMIT ?"
        with self._lock:
            rows = self._connection.execute(untold, (MOST_ATTEMPTS,)).fetchall()
        return [_news(row, now) for row in rows], {UUID(row["id"]): row["revision"] for row in rows}

    def acknowledge(self, revisions: Mapping[UUID, int]) -> None:
        """The hub has committed these revisions."""
        if not revisions:
            return
        with self._change() as connection:
            connection.executemany(
                "UPDATE attempt SET acknowledged = max(acknowledged, ?) WHERE id = ?",
                [(revision, str(attempt_id)) for attempt_id, revision in revisions.items()],
            )

    def forget_old(self, now: datetime) -> None:
        """Forget what has long been over and dropped by the hub."""
        with self._change() as connection:
            connection.execute("DELETE FROM attempt WHERE dropped = 1 AND given_at < ?", ((now - KEPT).isoformat(),))

    def _set(self, attempt_id: UUID, *, tells: bool = True, **columns: object) -> None:
        names = ", ".join(f"{name} = ?" for name in columns)
        with self._change() as connection:
            connection.execute(
                f"UPDATE attempt SET {names} WHERE id = ?",  # noqa: S608 - the names are ours
                (*columns.values(), str(attempt_id)),
            )
            if tells:
                self._revise(attempt_id)

    def _revise(self, attempt_id: UUID) -> None:
        self._connection.execute(
            "UPDATE attempt SET revision = ? WHERE id = ?", (self._next("revision"), str(attempt_id))
        )

    def _is_recent(self, row: sqlite3.Row) -> bool:
        """Whether the first sending was in this very run of the computer and not long ago: wall clocks may lie."""
        passed = self._monotonic() - (row["sent_monotonic"] or float("inf"))
        return 0 <= passed <= SEND_WINDOW.total_seconds()

    def _row(self, attempt_id: UUID) -> sqlite3.Row:
        row: sqlite3.Row = self._connection.execute("SELECT * FROM attempt WHERE id = ?", (str(attempt_id),)).fetchone()
        return row

    def _counter(self, name: str) -> int:
        row = self._connection.execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()
        return int(row["value"]) if row else 0

    def _next(self, name: str) -> int:
        with self._change() as connection:
            connection.execute(
                "INSERT INTO counter VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1", (name,)
            )
            return self._counter(name)

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """One durable transaction; a call within another belongs to that one."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        wanted=Wanted(
            attempt_id=UUID(row["id"]),
            printer_id=UUID(row["printer_id"]),
            file_name=row["file_name"],
            size=row["size"],
            sha1=row["sha1"],
            sha256=row["sha256"],
            seconds=row["seconds"],
            sent_age_s=0.0,
            may_send=bool(row["may_send"]),
            accepted=bool(row["accepted"]),
        ),
        sent_at=_time(row["sent_at"]),
        sends=row["sends"],
        file_seen=bool(row["file_seen"]),
        quiet_since=_time(row["quiet_since"]),
        given_at=datetime.fromisoformat(row["given_at"]),
        started_at=_time(row["started_at"]),
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        is_dropped=bool(row["dropped"]),
    )


def _news(row: sqlite3.Row, now: datetime) -> AttemptNews:
    return AttemptNews(
        attempt_id=UUID(row["id"]),
        sends=row["sends"],
        file_seen=bool(row["file_seen"]),
        started_age_s=_age(row["started_at"], now),
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        reason=Reason(row["reason"]) if row["reason"] else None,
        outcome_age_s=_age(row["ended_at"], now) or 0.0,
    )


def _age(text: str | None, now: datetime) -> float | None:
    at = _time(text)
    return None if at is None else max(0.0, (now - at).total_seconds())


def _time(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
