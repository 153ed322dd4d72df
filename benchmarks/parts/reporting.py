"""Agents that report to a hub over HTTP, all of them from one other process: what one report costs the hub.

Each report says that a printer's progress has moved on, as that of a printing agent does; it is acknowledged after the
commit of the transaction in which it was applied, and only then does its agent send the next.
"""

import asyncio
import itertools
import multiprocessing
import re
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import uvloop
from sqlalchemy import insert

from benchmarks.parts.looking import settings_of
from makerhub.app import assemble, utc_now
from makerhub.db import Database
from makerhub.fleet.gateway import PrinterState as Doing
from makerhub.fleet.messages import PrinterNews, Reply, Report, Seen, Stage, decode, encode
from makerhub.migrations import migrate
from makerhub.printers.agent_models import Agent, AgentLink
from makerhub.printers.agents import token_hash
from makerhub.printers.models import Link, Printer, PrinterState
from makerhub.production.agents import AgentDesk, Received
from makerhub.simulation.network import settle
from makerhub.web.server import serving

BATCH = 100
LINES = 150
"""Reports on their way at once: as many as ten thousand agents have that report every ten seconds and wait for 0.15."""


def updates_over_http(directory: Path, agents: int, seconds: float, *, is_kept: bool) -> float:
    """Acknowledged reports for each second of the hub's processor time, over so many seconds.

    `is_kept`: over connections that are kept open, as a proxy does; else each report has one of its own.
    """
    looked_after = seed(directory, agents)
    hub = assemble(settings_of(directory))
    spawning = multiprocessing.get_context("spawn")
    with serving(hub.web, "127.0.0.1") as address, ProcessPoolExecutor(1, mp_context=spawning) as elsewhere:
        server = address.removeprefix("http://")
        elsewhere.submit(report, server, looked_after, 2.0, is_kept).result()
        cpu = time.process_time()
        acknowledged = elsewhere.submit(report, server, looked_after, seconds, is_kept).result()
        cpu = time.process_time() - cpu
    hub.database.dispose()
    return acknowledged / cpu


def updates_at_the_desk(directory: Path, agents: int) -> float:
    """The same where reports come a hundred at once and no HTTP is between, which is what batches can gain at most."""
    looked_after = seed(directory, agents)
    hub = assemble(settings_of(directory))
    desk: AgentDesk = hub.web.extensions["makerhub"].agents
    batches = [looked_after[start : start + BATCH] for start in range(0, agents, BATCH)]
    cpu = time.process_time()
    for sequence, batch in enumerate(batches):
        told = [Received(token_hash(token), _report(1, sequence, printer_id)) for token, printer_id in batch]
        if not all(desk.apply(told)):
            raise RuntimeError("a report was not acknowledged")
    cpu = time.process_time() - cpu
    hub.database.dispose()
    return agents / cpu


def seed(directory: Path, count: int) -> list[tuple[str, UUID]]:
    """A database with so many agents, each with a printer; gives their tokens and printers."""
    settings = settings_of(directory)
    directory.mkdir(parents=True)
    database, now = Database(settings.database), utc_now()
    migrate(database)
    looked_after = [(f"mha_{number:040}", uuid4()) for number in range(count)]
    agents = [uuid4() for _ in looked_after]
    with database.changing() as session:
        network = settle(session, settings.time_zone, now)
        owner, hub = network.makers[0].id, network.hub.id
        printer = {"owner_id": owner, "hub_id": hub, "profile": "prusa-mk3s", "material": "PETG", "link": Link.AGENT}
        printer |= {"name": "Printer", "state": PrinterState.ACTIVE, "registered_at": now, "consent": "automatic"}
        session.execute(insert(Printer), [printer | {"id": printer_id} for _, printer_id in looked_after])
        agent = {"owner_id": owner, "host": "pi", "heard_at": now, "paired_at": now, "boot": 0, "sequence": 0}
        rows = [
            agent | {"id": agent_id, "token_sha256": token_hash(token)}
            for agent_id, (token, _) in zip(agents, looked_after, strict=True)
        ]
        session.execute(insert(Agent), rows)
        links = [
            {"printer_id": printer_id, "agent_id": agent_id, "stage": Stage.CONNECTED}
            for agent_id, (_, printer_id) in zip(agents, looked_after, strict=True)
        ]
        session.execute(insert(AgentLink), links)
    database.dispose()
    return looked_after


def report(server: str, looked_after: Sequence[tuple[str, UUID]], seconds: float, is_kept: bool) -> int:
    """Let the agents report in turn, so many at once; gives how many reports were acknowledged.

    A connection is kept for as long as the hub keeps it, or each report has one of its own.
    """
    return uvloop.run(_report_in_turn(server, looked_after, seconds, is_kept))


async def _report_in_turn(server: str, looked_after: Sequence[tuple[str, UUID]], seconds: float, is_kept: bool) -> int:
    boot, deadline = time.time_ns() // 1000, time.monotonic() + seconds
    told = _told(looked_after, boot, is_kept)
    counts = await asyncio.gather(*(_take_turns(server, told, boot, deadline) for _ in range(LINES)))
    return sum(counts)


def _told(looked_after: Sequence[tuple[str, UUID]], boot: int, is_kept: bool) -> Iterator[tuple[int, bytes]]:
    """The requests of all agents, one after the other and again, each with its sequence."""
    connection = "keep-alive" if is_kept else "close"
    for sequence in itertools.count():
        for token, printer_id in looked_after:
            body = encode(_report(boot, sequence, printer_id))
            yield (
                sequence,
                (
                    f"POST /agents/report HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {token}\r\n"
                    f"Content-Type: application/json\r\nUser-Agent: makerhub-agent\r\nAccept: */*\r\n"
                    f"Accept-Encoding: identity\r\nConnection: {connection}\r\nContent-Length: {len(body)}\r\n\r\n"
                ).encode()
                + body,
            )


async def _take_turns(server: str, told: Iterator[tuple[int, bytes]], boot: int, deadline: float) -> int:
    line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    count = 0
    host, _, port = server.rpartition(":")
    while time.monotonic() < deadline:
        reader, writer = line or await asyncio.open_connection(host, int(port))
        sequence, message = next(told)
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: ([0-9]+)", head, re.IGNORECASE)
        reply = decode(await reader.readexactly(int(length[1])), Reply) if length and b" 200 OK" in head else None
        if reply is None or (reply.boot, reply.sequence) != (boot, sequence):
            sys.exit(f"a report was not acknowledged: {head!r}")
        count += 1
        line = reader, writer
        if b"Connection: close" in head:
            writer.close()
            line = None
    if line:
        line[1].close()
    return count


def _report(boot: int, sequence: int, printer_id: UUID) -> Report:
    seen = Seen(0.0, Doing.PRINTING, float(sequence % 100), "makerhub/a.gcode", 600)
    return Report(boot, sequence, [PrinterNews(printer_id, seen=seen)])
