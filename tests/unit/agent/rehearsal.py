"""An agent and its hub in one process: the real desk on a database, the real journal, and a printer in memory.

Time stands still until it is told. Between the two lies a line that loses, doubles and delays what it is told to.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from builders import MK3S, NOW, POLICY, World
from sqlmodel import select

from makerhub.agent.clock import AgentClock
from makerhub.agent.home import Home, OwnPrinter, Rules, State
from makerhub.agent.hub import HubTrouble, TokenRefused
from makerhub.agent.journal import Journal
from makerhub.agent.printing import PrintDesk
from makerhub.agent.reporting import Pace, Reporter
from makerhub.agent.situation import Situation
from makerhub.designs.models import PlateSlice
from makerhub.fleet.gateway import (
    NEEDED,
    Connection,
    FileReport,
    JobReport,
    KeyReport,
    PrinterGateway,
    PrinterState,
    PrinterTrouble,
    Trouble,
    UploadResult,
)
from makerhub.fleet.messages import Key, Pairing, Reply, Report, Stage, Wanted, decode, encode
from makerhub.fleet.poll import Observation as Seen
from makerhub.printers import agents
from makerhub.printers.agent_models import Agent, AgentLink
from makerhub.printers.models import Printer
from makerhub.production.agents import AgentDesk, Received
from makerhub.production.models import Attempt, AttemptState

GCODE = b"G28\nG90\nM83\nM109 S210\nG1 X10 Y10 Z0.2 F3000\nG1 X20 E1\nM104 S0\nM140 S0\nM84\n"
UNSAFE = GCODE.replace(b"M104 S0\n", b"")


@dataclass
class Time:
    """What all clocks here show; `seconds` is the monotonic one."""

    seconds: float = 1000.0
    wall_offset_s: float = 0.0

    def hub(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def wall(self) -> datetime:
        return self.hub() + timedelta(seconds=self.wall_offset_s)

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class OnePrinter:
    """OctoPrint in memory, as far as the start protocol sees it; `prints` counts how often each file was begun."""

    state: PrinterState = PrinterState.OPERATIONAL
    printing: str | None = None
    files: dict[str, FileReport] = field(default_factory=dict)
    prints: dict[str, int] = field(default_factory=dict)
    answers: bool = True
    loses_upload: str = ""
    may_remove: bool = True
    removed: list[str] = field(default_factory=list)

    async def job(self, _connection: Connection) -> JobReport:
        self._line()
        return JobReport(self.state, 40.0 if self.printing else None, self.printing and f"makerhub/{self.printing}")

    async def file(self, _connection: Connection, name: str) -> FileReport | None:
        self._line()
        return self.files.get(name)

    async def upload_and_print(self, _connection: Connection, name: str, gcode: bytes) -> UploadResult:
        self._line()
        if self.loses_upload == "request":
            raise PrinterTrouble(Trouble.TIMED_OUT)
        if name in self.files:
            raise PrinterTrouble(Trouble.REFUSED)
        self.files[name] = FileReport(len(gcode), hashlib.sha1(gcode, usedforsecurity=False).hexdigest())
        self.state, self.printing = PrinterState.PRINTING, name
        self.prints[name] = self.prints.get(name, 0) + 1
        if self.loses_upload == "answer":
            raise PrinterTrouble(Trouble.TIMED_OUT)
        return UploadResult(effective_print=True)

    async def cancel(self, _connection: Connection) -> None:
        self._line()
        self.finish(succeeded=False)

    async def remove(self, _connection: Connection, name: str) -> None:
        self._line()
        if not self.may_remove:
            raise PrinterTrouble(Trouble.KEY_REFUSED)
        self.removed.append(name)
        self.files.pop(name, None)

    def finish(self, *, succeeded: bool = True, history: bool = True) -> None:
        assert self.printing
        if history:
            file = self.files[self.printing]
            self.files[self.printing] = replace(file, successes=int(succeeded), failures=int(not succeeded))
        self.state, self.printing = PrinterState.OPERATIONAL, None

    def _line(self) -> None:
        if not self.answers:
            raise PrinterTrouble(Trouble.UNREACHABLE)


@dataclass
class Line:
    """The agent's way to the desk; `fault` is what becomes of the next report: lost, unanswered, doubled or held."""

    desk: AgentDesk
    token: str
    gcode: bytes = GCODE
    fault: str = ""
    held: list[bytes] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)

    async def report(self, report: Report) -> Reply:
        body = encode(report)
        self.reports.append(report)
        if self.fault == "lost":
            raise HubTrouble(problem="lost")
        if self.fault == "held":
            self.held.append(body)
            raise HubTrouble(problem="late")
        reply = self.deliver(body)
        if self.fault == "doubled":
            reply = self.deliver(body)
        if self.fault == "unanswered":
            raise HubTrouble(problem="no answer")
        if reply is None:
            raise TokenRefused
        return decode(encode(reply), Reply)

    def deliver(self, body: bytes) -> Reply | None:
        (reply,) = self.desk.apply([Received(agents.token_hash(self.token), decode(body, Report))])
        return reply

    async def fetch(self, wanted: Wanted, _folder: Path) -> bytes:
        if self.fault:
            raise HubTrouble(problem=self.fault)
        assert hashlib.sha256(self.gcode).hexdigest() == wanted.sha256
        return self.gcode


class Rehearsal:
    """One paired agent with one printer; `boot()` starts its process anew on the same folder."""

    def __init__(self, world: World, folder: Path, time: Time | None = None) -> None:
        self.world = world
        self.time = time or Time()
        self.printer = OnePrinter()
        self.desk = AgentDesk(world.database, POLICY, {MK3S.key: MK3S}, self.time.hub)
        self.home = Home(folder / "agent")
        self.row = world.printer
        self.line = Line(self.desk, self.pair())
        self.boot()

    def pair(self) -> str:
        """Show a code on the page and type it at home; gives the token."""
        with self.world.database.changing() as session:
            printer = session.get_one(Printer, self.row.id)
            code = agents.new_code(session, printer, now=self.time.hub())
        with self.world.database.changing() as session:
            agent, _, token = agents.pair(session, Pairing(code, "octopi"), None, now=self.time.hub())
        own = OwnPrinter(self.row.id, "Mona's", MK3S.limits(), "http://printer.invalid", "key", Stage.CONNECTED)
        rules = Rules(automatic=True)
        self.home.write(State("https://hub.invalid", "Hub", agent.id, token, [own], rules))
        return token

    def boot(self) -> None:
        """What a new process does first."""
        self.journal = Journal(self.home.journal, monotonic=self.time.monotonic)
        self.clock = AgentClock(self.journal.latest(), wall=self.time.wall, monotonic=self.time.monotonic)
        self.run(self._assemble)

    async def _assemble(self) -> None:
        self.situation = Situation(self.home, self.journal, monotonic=self.time.monotonic, local=self.time.wall)
        self.reporter = Reporter(self.situation, self.line, self.clock, pace=Pace(), monotonic=self.time.monotonic)
        self.prints = PrintDesk(
            self.situation,
            cast("PrinterGateway", self.printer),
            self.line,
            self.clock,
            monotonic=self.time.monotonic,
        )

    def run(self, act: Callable[[], object]) -> object:
        """One step of the agent."""

        async def acted() -> object:
            result = act()
            return await result if asyncio.iscoroutine(result) else result

        return asyncio.run(acted())

    def look(self) -> None:
        """The agent's poll loop looks at the printer once, and knows what its key can do."""

        async def looked() -> None:
            self.situation._loop = asyncio.get_running_loop()
            try:
                report: JobReport | Trouble = await self.printer.job(Connection("", ""))
            except PrinterTrouble as trouble:
                report = trouble.trouble
            self.situation.sink([Seen(self.row.id, self.clock(), report)])
            self.situation.keys.setdefault(self.row.id, Key.of(KeyReport(NEEDED)))

        self.run(looked)

    def report(self, fault: str = "") -> None:
        """One report, and what becomes of it on its way."""
        self.line.fault = fault

        async def reported() -> None:
            with contextlib.suppress(HubTrouble, TokenRefused):
                await self.reporter.report_once()

        self.run(reported)
        self.line.fault = ""

    def work(self) -> None:
        """The agent looks after its prints once."""
        self.run(self.prints.look_once)

    def pass_by(self, seconds: float) -> None:
        self.time.seconds += seconds

    def ready(self, gcode: bytes = GCODE) -> Attempt:
        """An attempt that waits for its start, with this file; its maker accepted it if she is asked at all."""
        attempt = self.world.attempt(AttemptState.READY, printer=self.row, now=self.time.hub())
        with self.world.database.changing() as session:
            plate = session.exec(select(PlateSlice).where(PlateSlice.id == attempt.plate_slice_id)).one()
            plate.gcode_sha256 = hashlib.sha256(gcode).hexdigest()
            plate.gcode_sha1 = hashlib.sha1(gcode, usedforsecurity=False).hexdigest()
            plate.gcode_bytes = len(gcode)
            session.add(plate)
        self.line.gcode = gcode
        return attempt

    def connect(self) -> None:
        """The first reports, after which the hub knows printer and key."""
        self.look()
        self.report()
        self.look()
        self.report()

    def state(self, attempt: Attempt) -> AttemptState:
        return self.world.get(Attempt, attempt.id).state

    def attempt(self, attempt: Attempt) -> Attempt:
        return self.world.get(Attempt, attempt.id)

    def agent(self) -> Agent:
        (agent,) = (
            agent for agent in self.world.all(Agent) if agent.token_sha256 == agents.token_hash(self.line.token)
        )
        return agent

    def link(self) -> AgentLink:
        with self.world.database.reading() as session:
            return session.get_one(AgentLink, self.row.id)
