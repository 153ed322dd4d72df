"""Connections to addresses that makers typed: resolve the name, judge each address, and take the first that answers.

Names that resolved before don't wait behind those that may not: the resolver of the system holds a thread for seconds
on a name that nobody knows, and a hub may have thousands of printers that are switched off.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, Final, TypeVar

from aiohappyeyeballs import start_connection
from yarl import URL

from makerhub.fleet.addresses import AddressPolicy

P = TypeVar("P", bound=asyncio.Protocol)

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""As `socket.getaddrinfo` gives it."""

RESOLVING_AT_ONCE: Final = 16
NEXT_ADDRESS_AFTER_SECONDS: Final = 0.25
"""After which the next address of a name is tried, too (RFC 8305)."""


class Connector:
    """Makes connections under an address policy, on the running event loop."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        self._known: set[str] = set()
        self._resolvers = {
            known: ThreadPoolExecutor(RESOLVING_AT_ONCE, "names-known" if known else "names-unknown")
            for known in (True, False)
        }

    def close(self) -> None:
        """Resolve no more names."""
        for resolver in self._resolvers.values():
            resolver.shutdown(wait=False, cancel_futures=True)

    async def connect(self, base: URL, protocol: Callable[[], P]) -> P:
        """A `protocol` connected to the server at `base`; raises OSError (ForbiddenAddress among them) or ValueError.

        Without a deadline: that is the caller's.
        """
        loop = asyncio.get_running_loop()
        secure = base.scheme == "https"
        host, port = base.raw_host or "", base.port or 0
        connected = await start_connection(
            _literal(host, port) or await self._resolved(host, port),
            happy_eyeballs_delay=NEXT_ADDRESS_AFTER_SECONDS,
            loop=loop,
            socket_factory=self._policy.socket_factory(secure=secure),
        )
        try:
            _, made = await loop.create_connection(
                protocol, sock=connected, ssl=self._tls if secure else None, server_hostname=host if secure else None
            )
        except BaseException:
            connected.close()
            raise
        return made

    async def _resolved(self, host: str, port: int) -> list[AddressInfo]:
        is_known = host in self._known
        self._known.discard(host)  # until it has resolved again, whatever ends the wait
        found: list[Any] = await asyncio.get_running_loop().run_in_executor(
            self._resolvers[is_known], socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG
        )
        self._known.add(host)
        return found

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return context


def _literal(host: str, port: int) -> list[AddressInfo]:
    """The one address of a host that is written as such; it needs no resolver."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return []
    if address.version == 4:
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]
    return [(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port, 0, 0))]
