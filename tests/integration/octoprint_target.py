"""One client for two printers: the contract tests say the same to a real OctoPrint and to a simulated one."""

import asyncio
import contextlib
import json
import os
import resource
import signal
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp

from makerhub.simulation.faults import Slow
from makerhub.simulation.real_octoprint import RealOctoPrint
from makerhub.simulation.served import ServedPrinter

ACTIVE = ("Starting", "Printing", "Pausing", "Paused", "Resuming", "Cancelling", "Finishing")
START = {"select": "true", "print": "true", "noOverwrite": "true"}


def dwells(tenths: int) -> bytes:
    """A print of `tenths` of a second."""
    return b"; a print of nothing\n" + b"G4 P100\n" * tenths + b"M104 S0\nM140 S0\n"


LONG = dwells(300)


class Machine(Protocol):
    """What happens to a printer other than by requests."""

    url: str
    key: str
    maker_key: str
    admin_key: str

    def restart(self) -> None:
        """The server is stopped and started."""

    def power_cut(self) -> None:
        """The server is killed and started."""

    def decide(self, app: str, *, allow: bool) -> None:
        """The maker answers a request for an application key."""

    def full_disk(self) -> AbstractContextManager[None]:
        """No byte more can be stored."""

    def gone(self) -> AbstractContextManager[None]:
        """The computer is off, and then on again."""

    def slow(self, seconds: float) -> AbstractContextManager[None]:
        """The computer is too busy to answer for so long, from now on."""


class RealMachine:
    """A real OctoPrint."""

    def __init__(self, server: RealOctoPrint) -> None:
        self._server = server
        self.url, self.key = server.url, server.key
        self.maker_key, self.admin_key = server.maker.key, server.admin_key
        self.restart, self.decide = server.restart, server.decide

    def power_cut(self) -> None:
        self._server.kill()
        self._server.start()

    @contextlib.contextmanager
    def full_disk(self) -> Iterator[None]:
        """The kernel refuses the server's writes to files, as far as a test without a disk of its own can go."""
        soft, hard = resource.prlimit(self._server.process_id, resource.RLIMIT_FSIZE)
        resource.prlimit(self._server.process_id, resource.RLIMIT_FSIZE, (0, hard))
        try:
            yield
        finally:
            resource.prlimit(self._server.process_id, resource.RLIMIT_FSIZE, (soft, hard))

    @contextlib.contextmanager
    def gone(self) -> Iterator[None]:
        self._server.kill()
        try:
            yield
        finally:
            self._server.start()

    @contextlib.contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """The kernel lets the server do nothing meanwhile."""
        os.kill(self._server.process_id, signal.SIGSTOP)
        waking = threading.Timer(seconds, os.kill, (self._server.process_id, signal.SIGCONT))
        waking.start()
        try:
            yield
        finally:
            waking.join()


class SimulatedMachine:
    """A simulated printer."""

    def __init__(self, printer: ServedPrinter) -> None:
        self._printer = printer
        self.url, self.key = printer.url, printer.key
        self.maker_key, self.admin_key = printer.maker_key, printer.admin_key
        self.restart, self.decide = printer.restart, printer.decide

    def power_cut(self) -> None:
        self._printer.power_off()
        self._printer.power_on()

    @contextlib.contextmanager
    def full_disk(self) -> Iterator[None]:
        self._printer.disk_full = True
        try:
            yield
        finally:
            self._printer.disk_full = False

    @contextlib.contextmanager
    def gone(self) -> Iterator[None]:
        self._printer.power_off()
        try:
            yield
        finally:
            self._printer.power_on()

    @contextlib.contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        self._printer.faults.add(Slow(seconds))
        try:
            yield
        finally:
            self._printer.faults.clear()


@dataclass(frozen=True)
class Reply:
    """A status and the parsed body: None if it is empty, text if it is no JSON."""

    status: int
    body: Any


class Target:
    """A printer under contract; requests carry the key with the five permissions unless another is given."""

    def __init__(self, session: aiohttp.ClientSession, machine: Machine) -> None:
        self._session = session
        self.machine = machine

    async def request(self, method: str, path: str, *, key: str | None = "", **arguments: Any) -> Reply:
        """One request; `key` None sends none."""
        headers = {} if key is None else {"X-Api-Key": key or self.machine.key}
        async with self._session.request(method, self.machine.url + path, headers=headers, **arguments) as reply:
            text = await reply.text()
            is_json = reply.content_type == "application/json"
            return Reply(reply.status, json.loads(text) if is_json else text or None)

    async def get(self, path: str, *, key: str | None = "") -> Reply:
        return await self.request("GET", path, key=key)

    async def post(self, path: str, body: object, *, key: str | None = "") -> Reply:
        return await self.request("POST", path, key=key, json=body)

    async def upload(self, name: str, content: bytes, *, key: str | None = "", **fields: str) -> Reply:
        """Upload into the folder makerhub."""
        form = aiohttp.FormData({"path": "makerhub", **fields})
        form.add_field("file", content, filename=name, content_type="application/octet-stream")
        return await self.request("POST", "/api/files/local", key=key, data=form)

    async def make_folder(self, name: str) -> Reply:
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("foldername", name, content_type="text/plain")
        return await self.request("POST", "/api/files/local", data=form)

    async def start(self, name: str, content: bytes = LONG) -> None:
        """Upload and print a file, and wait until it is Printing with some progress."""
        reply = await self.upload(name, content, **START)
        assert (reply.status, reply.body["effectivePrint"]) == (201, True)
        if content == LONG:
            await self.until("Printing")

    async def job(self) -> dict[str, Any]:
        reply = await self.get("/api/job")
        assert reply.status == 200
        return dict(reply.body)

    async def until(self, *states: str, seconds: float = 12) -> dict[str, Any]:
        """Poll until the state is one of `states`; the job then."""
        deadline = time.monotonic() + seconds
        while (job := await self.job())["state"] not in states:
            assert time.monotonic() < deadline, f"waited for {states}, it is at {job['state']}"
            await asyncio.sleep(0.02)
        return job

    async def until_finished(self) -> dict[str, Any]:
        """Poll until Operational; the job then."""
        return await self.until("Operational")

    async def file(self, name: str) -> Reply:
        return await self.get(f"/api/files/local/makerhub/{name}")

    async def history(self, name: str, *, within: float = 1.0) -> dict[str, Any] | None:
        """The `prints` of a file, waiting a moment for its record; None if there is none."""
        for _ in range(1 + round(within / 0.05)):
            if (prints := (await self.file(name)).body.get("prints")) is not None:
                return dict(prints)
            await asyncio.sleep(0.05)
        return None

    async def counts(self, name: str) -> tuple[int, int]:
        """(successes, failures) of a file."""
        prints = await self.history(name) or {"success": 0, "failure": 0}
        return prints["success"], prints["failure"]

    async def firmware(self, command: str) -> None:
        """Something happens at the printer itself, such as `!!DEBUG:maxtemp_error`."""
        reply = await self.post("/api/printer/command", {"commands": [command]}, key=self.machine.admin_key)
        assert reply.status == 204

    async def connection(self, command: str) -> None:
        reply = await self.post("/api/connection", {"command": command}, key=self.machine.admin_key)
        assert reply.status == 204

    async def reshape(self, **profile: Any) -> None:
        """The maker corrects OctoPrint's printer profile."""
        admin = self.machine.admin_key
        reply = await self.request("PATCH", "/api/printerprofiles/_default", key=admin, json={"profile": profile})
        assert reply.status == 200

    async def command(self, command: str, **more: str) -> int:
        """A job command's status."""
        return (await self.post("/api/job", {"command": command, **more})).status

    async def pause(self) -> dict[str, Any]:
        assert await self.command("pause", action="pause") == 204
        return await self.until("Paused")


@contextlib.asynccontextmanager
async def target_of(machine: Machine) -> AsyncIterator[Target]:
    """A target with a session of its own."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session:
        yield Target(session, machine)
