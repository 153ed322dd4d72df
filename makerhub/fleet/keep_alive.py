"""The one GET that is asked thousands of times a minute, over connections that are kept open, one for each printer.

A general client spends 290 µs of a core on it, this one a tenth; everything else that is asked of a printer goes
through `Transport`. The bounds are the same: the address is judged where it is connected, no redirections, no
compression, a bounded head and body, and one deadline from the resolution of the name to the last byte.
"""

import asyncio
import contextlib
import ssl
from types import TracebackType
from typing import Final, Self

from yarl import URL

from makerhub.fleet.addresses import AddressPolicy, ForbiddenAddress, printer_url
from makerhub.fleet.connecting import Connector
from makerhub.fleet.gateway import Connection, PrinterTrouble, Trouble
from makerhub.fleet.line import Line, Stale
from makerhub.fleet.transport import HEADERS, Reply, key_header

KEPT_SECONDS: Final = 900.0
"""How long a connection that nobody uses is kept: more than the longest time between two looks at a printer."""

TIDYING_SECONDS: Final = 60.0


class KeepAlive:
    """Asks each printer for `path`; an asynchronous context manager, for one event loop.

    At most `most_kept` connections stay open between two questions: those that were used last.
    """

    def __init__(self, policy: AddressPolicy, path: str, *, most_kept: int = 20_000) -> None:
        self._connector = Connector(policy)
        self._path = path
        self._most_kept = most_kept
        self._kept: dict[Connection, Line] = {}  # in the order of their last use
        self._tidied_at = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in self._kept.values():
            line.close()
        self._kept.clear()
        self._connector.close()
        await asyncio.sleep(0)  # transports close in the loop's next round

    async def get(self, connection: Connection, *, seconds: float) -> Reply:
        """The printer's answer within `seconds`; raises PrinterTrouble."""
        deadline = asyncio.get_running_loop().time() + seconds
        if (kept := self._kept.pop(connection, None)) is not None:
            with contextlib.suppress(Stale):  # it has ended meanwhile; a new one is asked, once
                return await self._ask(connection, kept, deadline)
        return await self._ask(connection, await self._connected(connection, deadline), deadline)

    async def _ask(self, connection: Connection, line: Line, deadline: float) -> Reply:
        reply = await line.ask(deadline)
        if line.is_open:
            self._keep(connection, line)
        return reply

    async def _connected(self, connection: Connection, deadline: float) -> Line:
        base = printer_url(connection.url)
        request = self._request(base, connection.key)
        try:
            async with asyncio.timeout_at(deadline):
                return await self._connector.connect(base, lambda: Line(request))
        except (OSError, ValueError, RuntimeError) as error:
            raise PrinterTrouble(_trouble_of(error)) from error

    def _request(self, base: URL, key: str) -> bytes:
        headers = {"Host": base.host_port_subcomponent, **HEADERS, **key_header(key or None)}
        first = f"GET {base.path.rstrip('/')}{self._path} HTTP/1.1"
        return "\r\n".join([first, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode("ascii")

    def _keep(self, connection: Connection, line: Line) -> None:
        """One for each printer: of two questions at once only one connection stays."""
        if (other := self._kept.pop(connection, None)) is not None:
            other.close()
        self._kept[connection] = line
        if len(self._kept) > self._most_kept:
            self._kept.pop(next(iter(self._kept))).close()
        now = line.used_at or 0.0
        if now > self._tidied_at + TIDYING_SECONDS:
            self._tidy(now)

    def _tidy(self, now: float) -> None:
        """Let go of what nobody uses any more, such as the connection to a printer that was taken back."""
        self._tidied_at = now
        for connection, line in list(self._kept.items()):
            if not line.is_open or now - (line.used_at or 0.0) > KEPT_SECONDS:
                del self._kept[connection]
                line.close()


def _trouble_of(error: Exception) -> Trouble:
    """The fixed set's word for an error; in the order of the classes, since they inherit from each other."""
    match error:
        case TimeoutError():
            return Trouble.TIMED_OUT
        case ssl.SSLError():
            return Trouble.UNTRUSTED_CERTIFICATE
        case ForbiddenAddress():
            return Trouble.FORBIDDEN_ADDRESS
        case OSError() | RuntimeError():  # uvloop says RuntimeError of some addresses that can't be connected
            return Trouble.UNREACHABLE
        case _:
            return Trouble.BAD_ADDRESS
