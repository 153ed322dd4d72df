"""The agent's composition root: the owner's file → journal → adapters → loops. It alone knows every part."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from ipaddress import ip_network
from typing import Final

from makerhub.agent.clock import AgentClock
from makerhub.agent.connecting import USUAL, Connector
from makerhub.agent.home import Home
from makerhub.agent.hub import HubLine
from makerhub.agent.journal import Journal
from makerhub.agent.nearby import octoprints_nearby
from makerhub.agent.printing import PrintDesk
from makerhub.agent.reporting import Pace, Reporter
from makerhub.agent.situation import Situation
from makerhub.fleet.addresses import AddressPolicy, Reach
from makerhub.fleet.octoprint import OctoPrint
from makerhub.fleet.poll import PollIntervals, PollLoop
from makerhub.fleet.transport import Transport

log = logging.getLogger(__name__)

HOME_NETWORKS: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
LOOKS: Final = PollIntervals(idle_s=10.0, printing_s=5.0, near_end_s=2.0, unreachable_most_s=60.0, roster_s=2.0)
WATCH_SECONDS: Final = 1.0


class End(StrEnum):
    """Why an agent stopped."""

    STOPPED = "stopped"
    TAKEN_OVER = "taken_over"
    PAIRED_ANEW = "paired_anew"


def _wall() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Tuning:
    """How fast an agent goes about its work, and by which clocks; tests are in a hurry."""

    pace: Pace = field(default_factory=Pace)
    looks: PollIntervals = LOOKS
    tick_s: float = 2.0
    doubt_s: float = 30.0
    usual: Iterable[str] = field(default=USUAL)
    nearby: Callable[[], Awaitable[list[str]]] = field(default=octoprints_nearby)
    wall: Callable[[], datetime] = _wall
    monotonic: Callable[[], float] = time.monotonic


DEFAULT: Final = Tuning()


def address_policy() -> AddressPolicy:
    """Where an agent looks for printers: on its own computer and in the home's networks, nowhere else."""
    networks = tuple(map(ip_network, HOME_NETWORKS))
    return AddressPolicy(Reach.LAN, networks, loopback_allowed=True)


async def run(home: Home, *, tuning: Tuning = DEFAULT, say: Callable[[str], None] = log.info) -> End:
    """Look after the owner's printers until told to stop, or until another agent is started on the same folder."""
    home.take_stop()
    journal = Journal(home.journal, monotonic=tuning.monotonic)
    clock = AgentClock(journal.latest(), wall=tuning.wall, monotonic=tuning.monotonic)
    if clock.is_doubtful:
        log.warning("The clock of this computer is behind the journal's: the agent counts on from there")
        journal.forget_quiet()
    journal.note_time(clock())
    journal.forget_old(clock())
    try:
        async with Transport(address_policy()) as transport:
            gateway = OctoPrint(transport)
            while (end := await _session(home, journal, clock, gateway, tuning, say)) is End.PAIRED_ANEW:
                log.info("The agent was paired anew")
            return end
    finally:
        journal.close()


async def _session(
    home: Home, journal: Journal, clock: AgentClock, gateway: OctoPrint, tuning: Tuning, say: Callable[[str], None]
) -> End:
    """Everything, with one pairing."""
    situation = Situation(home, journal, monotonic=tuning.monotonic)
    state = situation.state
    async with AsyncExitStack() as stack:
        line = await stack.enter_async_context(HubLine(state.hub_url, state.token))
        reporter = Reporter(situation, line, clock, pace=tuning.pace, monotonic=tuning.monotonic)
        desk = PrintDesk(
            situation,
            gateway,
            line,
            clock,
            tick_s=tuning.tick_s,
            doubt_s=tuning.doubt_s,
            monotonic=tuning.monotonic,
        )
        connector = Connector(situation, gateway, usual=tuning.usual, nearby=tuning.nearby, say=say)
        poll = PollLoop(gateway, situation.roster, situation.sink, intervals=tuning.looks, now=clock)
        loops = [poll.run(), connector.run(), desk.run()] + ([reporter.run()] if state.token else [])
        running = [asyncio.create_task(loop) for loop in loops]
        watching = asyncio.create_task(_watch(situation, journal))
        try:
            done, _ = await asyncio.wait([*running, watching], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {watching}:
                task.result()  # none of the loops ends by itself: raise what went wrong
            return await watching
        finally:
            for task in (*running, watching):
                task.cancel()
            await asyncio.gather(*running, watching, return_exceptions=True)


async def _watch(situation: Situation, journal: Journal) -> End:
    """Notice what the owner's commands change, until it ends this session."""
    before = situation.state
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        if situation.home.take_stop():
            return End.STOPPED
        if not journal.is_mine():
            return End.TAKEN_OVER
        situation.refresh()
        if (situation.state.hub_url, situation.state.token) != (before.hub_url, before.token):
            return End.PAIRED_ANEW
