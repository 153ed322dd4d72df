"""Agents that report to a hub over HTTP, all of them from one other process: what one report costs the hub.

Each report says that a printer's progress has moved on, as that of a printing agent does; it is acknowledged after the
commit of the transaction in which it was applied, and only then does its agent send the next.
"""

import http.client
import itertools
import multiprocessing
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

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
LINES = 8
"""Connections over which the agents take turns: as many as the hub has threads for pages."""


def updates_over_http(directory: Path, agents: int, seconds: float) -> float:
    """Acknowledged reports for each second of the hub's processor time, over so many seconds."""
    looked_after = seed(directory, agents)
    hub = assemble(settings_of(directory))
    spawning = multiprocessing.get_context("spawn")
    with serving(hub.web, "127.0.0.1") as address, ProcessPoolExecutor(1, mp_context=spawning) as elsewhere:
        server = address.removeprefix("http://")
        elsewhere.submit(report, server, looked_after, 2.0).result()
        cpu = time.process_time()
        acknowledged = elsewhere.submit(report, server, looked_after, seconds).result()
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


def report(server: str, looked_after: Sequence[tuple[str, UUID]], seconds: float) -> int:
    """Let the agents report in turn, over a few connections at once; gives how many reports were acknowledged."""
    boot, deadline = time.time_ns() // 1000, time.monotonic() + seconds
    counts = [0] * LINES
    threads = [
        threading.Thread(target=_take_turns, args=(server, looked_after[number::LINES], boot, deadline, counts, number))
        for number in range(LINES)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def _take_turns(
    server: str,
    looked_after: Sequence[tuple[str, UUID]],
    boot: int,
    deadline: float,
    counts: list[int],
    number: int,
) -> None:
    line = http.client.HTTPConnection(server, timeout=30)
    for sequence, (token, printer_id) in enumerate(itertools.cycle(looked_after)):
        if time.monotonic() > deadline:
            line.close()
            return
        told = _report(boot, sequence, printer_id)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        line.request("POST", "/agents/report", encode(told), headers)
        answer = line.getresponse()
        reply = decode(answer.read(), Reply) if answer.status == http.client.OK else None
        if reply is None or (reply.boot, reply.sequence) != (boot, sequence):
            sys.exit(f"a report was not acknowledged: {answer.status}")
        counts[number] += 1


def _report(boot: int, sequence: int, printer_id: UUID) -> Report:
    seen = Seen(0.0, Doing.PRINTING, float(sequence % 100), "makerhub/a.gcode", 600)
    return Report(boot, sequence, [PrinterNews(printer_id, seen=seen)])
