"""Find OctoPrint and get a key for it: on this computer, at its usual name, and by asking the home's network.

Where nobody answers the question the network is searched address by address, if its owner allows that.

The owner clicks “Allow” in OctoPrint; nobody copies a key. Each step is told to the hub, whose page shows it.
"""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol

import msgspec

from makerhub.agent.home import OwnPrinter
from makerhub.agent.nearby import octoprints_nearby, without_own
from makerhub.agent.situation import Situation
from makerhub.fleet.gateway import Connection, KeyAnswer, KeyDecision, KeyReport, KeyRequest, PrinterTrouble, Trouble
from makerhub.fleet.messages import Key, Stage

log = logging.getLogger(__name__)

APP: Final = "makerhub"
USUAL: Final = ("http://127.0.0.1", "http://127.0.0.1:5000", "http://octopi.local")
USUAL_PORTS: Final = (80, 5000)
AT_ONCE: Final = 64
HOMES: Final = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
WAITING: Final = (Stage.NOT_FOUND, Stage.SEVERAL, Stage.DENIED)
"""Here the owner has to do something first."""


class Finder(Protocol):
    """The part of the OctoPrint adapter that connecting needs."""

    async def takes_key_requests(self, url: str) -> bool:
        """Whether an OctoPrint answers there."""

    async def version(self, connection: Connection) -> str:
        """The server's version."""

    async def key_report(self, connection: Connection) -> KeyReport:
        """What the key can do."""

    async def request_key(self, url: str, app: str, user: str | None = None) -> KeyRequest:
        """Ask the owner for a key."""

    async def poll_key(self, url: str, token: str) -> KeyAnswer:
        """The owner's answer so far."""


class Connector:
    """Brings each printer of the owner's file to its connection, step by step, and looks at keys when the hub asks."""

    def __init__(
        self,
        situation: Situation,
        finder: Finder,
        *,
        usual: Iterable[str] = USUAL,
        nearby: Callable[[], Awaitable[list[str]]] = octoprints_nearby,
        poll_s: float = 2.0,
        say: Callable[[str], None] = log.info,
    ) -> None:
        self._situation = situation
        self._finder = finder
        self._usual = tuple(usual)
        self._nearby = nearby
        self._poll_s = poll_s
        self._say = say

    async def run(self) -> None:
        """Look after connections until cancelled."""
        while True:
            await self.look_once()
            await asyncio.sleep(self._poll_s)

    async def look_once(self) -> None:
        """Take each printer a step further, if there is one to take."""
        for printer in self._situation.state.printers:
            if printer.connection is None and printer.stage not in WAITING:
                await self._connect(printer)
            elif printer.connection is not None and printer.id not in self._situation.keys:
                await self._check(printer, printer.connection)

    async def _connect(self, printer: OwnPrinter) -> None:
        if not printer.url:
            printer = await self._find(printer)
        if printer.url and printer.stage not in WAITING:
            await self._ask_for_key(printer)

    async def _find(self, printer: OwnPrinter) -> OwnPrinter:
        printer = self._step(printer, Stage.SEARCHING)
        taken = {other.url for other in self._situation.state.printers if other.id != printer.id}
        found = await self._answering([url for url in self._usual if url not in taken])
        if not found:
            told = without_own(await self._nearby(), own_addresses())
            found = await self._answering([url for url in told if url not in taken])
        if not found and self._situation.state.searches_network:
            self._say("Looking for OctoPrint in the home's network …")
            found = await self._answering([url for url in network_urls(own_addresses()) if url not in taken])
        if len(found) == 1:
            return self._step(printer, Stage.FOUND, url=found[0])
        for url in found:
            self._say(f"OctoPrint answers at {url}")
        return self._step(printer, Stage.SEVERAL if found else Stage.NOT_FOUND)

    async def _answering(self, urls: Iterable[str]) -> list[str]:
        """Those of the addresses at which an OctoPrint answers; this computer's own twice-named one counts once."""
        room = asyncio.Semaphore(AT_ONCE)

        async def asked(url: str) -> str | None:
            async with room:
                return url if await self._finder.takes_key_requests(url) else None

        answers = await asyncio.gather(*(asked(url) for url in urls))
        return [url for url in answers if url]

    async def _ask_for_key(self, printer: OwnPrinter) -> None:
        try:
            request = await self._finder.request_key(printer.url, APP)
        except PrinterTrouble as trouble:
            self._say(f"{printer.url}: {trouble}")
            self._step(printer, Stage.NOT_FOUND, url="")
            return
        printer = self._step(printer, Stage.ASKING_KEY)
        self._say(f"Open {printer.url} now and click “Allow” for {APP}.")
        answer = await self._answer(printer, request)
        if answer.decision is KeyDecision.GRANTED and answer.key:
            self._situation.keep(msgspec.structs.replace(printer, key=answer.key, stage=Stage.CONNECTED))
            self._say("OctoPrint gave a key.")
        else:
            self._step(printer, Stage.DENIED)

    async def _answer(self, printer: OwnPrinter, request: KeyRequest) -> KeyAnswer:
        """Ask more often than every 5 s, or OctoPrint takes the request back; a question that failed is asked again."""
        failures = 0
        while True:
            try:
                answer = await self._finder.poll_key(printer.url, request.token)
            except PrinterTrouble:
                failures += 1
                if failures == 3:
                    return KeyAnswer(KeyDecision.DENIED)
            else:
                failures = 0
                if answer.decision is not KeyDecision.PENDING:
                    return answer
            await asyncio.sleep(self._poll_s)

    async def _check(self, printer: OwnPrinter, connection: Connection) -> None:
        """What the key can do, and whether it is OctoPrint at all that answers."""
        try:
            await self._finder.version(connection)
            report: KeyReport | Trouble = await self._finder.key_report(connection)
        except PrinterTrouble as trouble:
            report = trouble.trouble
        self._situation.keys[printer.id] = Key.of(report)
        self._situation.changed.set()

    def _step(self, printer: OwnPrinter, stage: Stage, **changes: str) -> OwnPrinter:
        changed = msgspec.structs.replace(printer, stage=stage, **changes)
        if changed != printer:
            self._say(stage.message)
            self._situation.keep(changed)
        return changed


def network_urls(addresses: Iterable[str]) -> list[str]:
    """The addresses at which OctoPrint may answer beside these: the 254 neighbours of each private one."""
    found: list[str] = []
    for address in addresses:
        own = ipaddress.ip_address(address)
        if any(own in network for network in HOMES):  # `is_private` says so of much more
            neighbours = ipaddress.ip_network(f"{address}/24", strict=False).hosts()
            found += [_url(str(host), port) for host in neighbours for port in USUAL_PORTS if str(host) != address]
    return found


def own_addresses() -> list[str]:
    """This computer's address in the home's network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return [str(probe.getsockname()[0])]
        except OSError:
            return []


def _url(host: str, port: int) -> str:
    return f"http://{host}" if port == 80 else f"http://{host}:{port}"
