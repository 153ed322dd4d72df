"""The start protocol under SIGKILL: a hub of its own process, a real OctoPrint, every job printed exactly once."""

import asyncio
import hashlib
import os
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from makerhub.fleet.addresses import AddressPolicy, Reach
from makerhub.fleet.gateway import Connection, UploadResult
from makerhub.fleet.octoprint import OctoPrint
from makerhub.fleet.start import reconcile, start
from makerhub.fleet.transport import Transport
from makerhub.fleet.verdict import Attempt, Outcome, Verdict
from makerhub.gcode.print_file import PrintFile
from makerhub.simulation.real_octoprint import RealOctoPrint

GCODE = b"G4 P300\nM104 S0\nM140 S0\n"
SHA1 = hashlib.sha1(GCODE, usedforsecurity=False).hexdigest()
POLICY = AddressPolicy(Reach.LAN, loopback_allowed=True)


def file_name(number: int) -> str:
    return f"job{number}-1.gcode"


class Database:
    """A journal on SQLite: one row an attempt, one transaction a call."""

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def create(self) -> None:
        self._database.execute(
            "CREATE TABLE attempt (number INTEGER PRIMARY KEY, sent_at TEXT, sends INTEGER DEFAULT 0, "
            "file_seen INTEGER DEFAULT 0, quiet_since TEXT, outcome TEXT)"
        )

    def plan(self, number: int) -> None:
        self._database.execute("INSERT INTO attempt (number) VALUES (?)", (number,))

    def close(self) -> None:
        self._database.close()

    def next(self, connection: Connection) -> Attempt | None:
        """The first attempt that is not over."""
        over = (Outcome.DONE, Outcome.FAILED, Outcome.NOT_STARTED, Outcome.ASK_HUMAN)
        row = self._database.execute(
            "SELECT number, sent_at, sends, file_seen, quiet_since FROM attempt "
            "WHERE outcome IS NULL OR outcome NOT IN (?, ?, ?, ?) ORDER BY number LIMIT 1",
            over,
        ).fetchone()
        if row is None:
            return None
        number, sent_at, sends, file_seen, quiet_since = row
        moments = [moment and datetime.fromisoformat(moment) for moment in (sent_at, quiet_since)]
        attempt_id, name = UUID(int=number), file_name(number)
        return Attempt(attempt_id, connection, name, len(GCODE), SHA1, moments[0], sends, bool(file_seen), moments[1])

    def outcomes(self) -> list[str]:
        return [outcome for (outcome,) in self._database.execute("SELECT outcome FROM attempt ORDER BY number")]

    def sending(self, attempt: Attempt, now: datetime) -> bool:
        changed = self._database.execute(
            "UPDATE attempt SET sends = sends + 1, sent_at = COALESCE(sent_at, ?) WHERE number = ? AND sends = ?",
            (now.isoformat(), attempt.id.int, attempt.sends),
        )
        return changed.rowcount == 1

    def file_seen(self, attempt_id: UUID) -> None:
        self._set("file_seen", 1, attempt_id)

    def quiet(self, attempt_id: UUID, since: datetime | None) -> None:
        self._set("quiet_since", since and since.isoformat(), attempt_id)

    def conclude(self, attempt_id: UUID, verdict: Verdict, now: datetime) -> None:
        assert now.tzinfo
        self._set("outcome", verdict.outcome, attempt_id)

    def _set(self, column: str, value: object, attempt_id: UUID) -> None:
        self._database.execute(f"UPDATE attempt SET {column} = ? WHERE number = ?", (value, attempt_id.int))  # noqa: S608


class Mortal:
    """Ends the process by SIGKILL at the step of the given number, or some milliseconds into the upload."""

    def __init__(self, last_step: int, upload_ms: int) -> None:
        self._steps_left = last_step
        self._upload_ms = upload_ms

    @contextmanager
    def around(self) -> Iterator[None]:
        """One step before what is done, one after it."""
        self._step()
        yield
        self._step()

    def begin_upload(self) -> None:
        if self._upload_ms:
            asyncio.get_running_loop().call_later(self._upload_ms / 1000, self._die)

    def _step(self) -> None:
        self._steps_left -= 1
        if self._steps_left == 0:
            self._die()

    def _die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class MortalDatabase(Database):
    def __init__(self, path: str, mortal: Mortal) -> None:
        super().__init__(path)
        self._mortal = mortal

    def sending(self, attempt: Attempt, now: datetime) -> bool:
        with self._mortal.around():
            return super().sending(attempt, now)

    def _set(self, column: str, value: object, attempt_id: UUID) -> None:
        with self._mortal.around():
            super()._set(column, value, attempt_id)


class MortalOctoPrint(OctoPrint):
    def __init__(self, transport: Transport, mortal: Mortal) -> None:
        super().__init__(transport)
        self._mortal = mortal

    async def upload_and_print(self, connection: Connection, name: str, gcode: PrintFile) -> UploadResult:
        with self._mortal.around():
            self._mortal.begin_upload()
            return await super().upload_and_print(connection, name, gcode)


async def run_hub(path: str, connection: Connection, mortal: Mortal) -> None:
    """Bring the attempts to their end, one after the other."""
    database = MortalDatabase(path, mortal)
    async with Transport(POLICY) as transport:
        gateway = MortalOctoPrint(transport, mortal)
        while (attempt := database.next(connection)) is not None:
            if attempt.sent_at is not None:
                verdict = await reconcile(gateway, database, attempt, datetime.now(UTC))
            if attempt.sent_at is None or verdict.outcome is Outcome.SEND_AGAIN:
                await start(gateway, database, attempt, GCODE, datetime.now(UTC))
            await asyncio.sleep(0.05)


async def spawn_hub(path: Path, connection: Connection, last_step: int = 0, upload_ms: int = 0) -> int:
    """Run the hub in a process of its own; returns how it ended."""
    arguments = (__file__, str(path), connection.url, connection.key, str(last_step), str(upload_ms))
    hub = await asyncio.create_subprocess_exec(sys.executable, *arguments)
    return await asyncio.wait_for(hub.wait(), 30)


# The steps of a start are: before and after the claim, the request, the record of the file and that of the verdict.
KILLS = [*((step, 0) for step in range(1, 9)), (0, 1), (0, 4), (0, 10)]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")
async def test_a_hub_that_is_killed_at_any_point_prints_once(real_octoprint: RealOctoPrint, tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    connection = Connection(real_octoprint.url, real_octoprint.key)
    database = Database(str(path))
    database.create()
    ends = []
    for number, (last_step, upload_ms) in enumerate(KILLS, 1):
        database.plan(number)
        ends.append(await spawn_hub(path, connection, last_step, upload_ms))
        assert await spawn_hub(path, connection) == 0
    outcomes = database.outcomes()
    database.close()
    assert outcomes == [Outcome.DONE] * len(KILLS)
    assert ends[:9] == [-signal.SIGKILL] * 9
    async with Transport(POLICY) as transport:
        files = [await OctoPrint(transport).file(connection, file_name(n)) for n in range(1, len(KILLS) + 1)]
    assert [(file.successes, file.failures) for file in files if file] == [(1, 0)] * len(KILLS)


if __name__ == "__main__":
    asyncio.run(run_hub(sys.argv[1], Connection(sys.argv[2], sys.argv[3]), Mortal(int(sys.argv[4]), int(sys.argv[5]))))
