"""What a maker may type and the hub never calls, by every way in which it calls printers: a table, and a canary.

The canary is on loopback and counts who connects, whatever they say then. Names are resolved by a resolver of our own,
so that a name may lead anywhere, and elsewhere the next time.
"""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable
from itertools import cycle
from typing import Any

import pytest

from makerhub.fleet.addresses import AddressPolicy, Reach
from makerhub.fleet.gateway import Connection, PrinterTrouble, Trouble
from makerhub.fleet.keep_alive import KeepAlive
from makerhub.fleet.transport import Transport

EVERYWHERE = tuple(map(ipaddress.ip_network, ("0.0.0.0/0", "::/0")))
MODES = {
    "internet": AddressPolicy(Reach.INTERNET),
    "lan": AddressPolicy(Reach.LAN, EVERYWHERE),
    "agents only": AddressPolicy(Reach.AGENTS_ONLY, EVERYWHERE, loopback_allowed=True),
}
"""Each as wide open as an operator can make it."""

LOOPBACK = {
    "dotted": "127.0.0.1",
    "another of the network": "127.8.8.8",
    "decimal": "2130706433",
    "hexadecimal": "0x7f000001",
    "hexadecimal parts": "0x7f.0x0.0x0.0x1",
    "mixed": "0x7f.1",
    "octal": "017700000001",
    "octal part": "0177.0.0.1",
    "short": "127.1",
    "padded": "127.000.000.001",
    "full width": "１２７.0.0.1",
    "ideographic stops": "127。0。0。1",
    "unspecified": "0.0.0.0",  # noqa: S104 (nothing is bound to it)
    "zero": "0",
    "name": "localhost",
    "name in capitals": "LOCALHOST",
    "name with a dot": "localhost.",
    "IPv6": "[::1]",
    "IPv6, unspecified": "[::]",
    "IPv6, long": "[0:0:0:0:0:0:0:1]",
    "mapped": "[::ffff:127.0.0.1]",
    "mapped, hexadecimal": "[::ffff:7f00:1]",
    "compatible": "[::127.0.0.1]",
    "translated": "[::ffff:0:127.0.0.1]",
    "NAT64": "[64:ff9b::7f00:1]",
    "6to4": "[2002:7f00:1::1]",
    "with a zone": "[fe80::1%25lo]",
}
"""Spellings that lead, or might lead, to this machine."""

ELSEWHERE = {
    "metadata": "169.254.169.254",
    "metadata, mapped": "::ffff:169.254.169.254",
    "metadata, NAT64": "64:ff9b::a9fe:a9fe",
    "metadata at Alibaba": "100.100.100.200",
    "metadata at Azure": "168.63.129.16",
    "metadata at Oracle": "192.0.0.192",
    "metadata at AWS, IPv6": "fd00:ec2::254",
    "metadata at Google, IPv6": "fd20:ce::254",
    "dummy of IPv4 over IPv6": "192.0.0.8",
    "relays of 6to4": "192.88.99.1",
    "multicast": "224.0.0.1",
    "multicast, IPv6": "ff02::1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "link-local": "fe80::1",
    "site-local": "fec0::1",
}
"""What a name may lead to and nobody prints at, in any mode."""

PRIVATE = {
    "carrier's network": "100.64.0.1",
    "private": "10.0.0.1",
    "private, 6to4": "2002:a00:1::1",
    "private, IPv6": "fd00::1",
    "benchmarks": "198.18.0.1",
    "documentation": "2001:db8::1",
}
"""What only a network that the operator lists makes allowed."""

Ask = Callable[[AddressPolicy, str], Any]


async def by_transport(policy: AddressPolicy, url: str) -> None:
    async with Transport(policy) as transport:
        await transport.exchange("GET", url, "/api/job", seconds=2)


async def by_kept_connection(policy: AddressPolicy, url: str) -> None:
    async with KeepAlive(policy, "/api/job") as kept:
        await kept.get(Connection(url, "0123456789ABCDEF"), seconds=2)


WAYS: dict[str, Ask] = {"transport": by_transport, "kept connections": by_kept_connection}
"""Every way in which the hub calls an address that somebody typed. A new one has its place here."""

every_way = pytest.mark.parametrize("ask", WAYS.values(), ids=WAYS)
every_mode = pytest.mark.parametrize("policy", MODES.values(), ids=MODES)


class Canary:
    """Counts the connections to one port of this machine's loopback addresses."""

    def __init__(self) -> None:
        self.hits = 0
        self.port = 0
        self._servers: list[asyncio.Server] = []

    async def sit_down(self) -> None:
        for address in ("127.0.0.1", "::1"):
            try:
                server = await asyncio.start_server(self._sing, address, self.port)
            except OSError:
                continue  # no IPv6 here
            self._servers.append(server)
            self.port = self.port or server.sockets[0].getsockname()[1]

    async def fly_away(self) -> None:
        for server in self._servers:
            server.close()
            await server.wait_closed()

    def _sing(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hits += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        writer.close()


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    bird = Canary()
    await bird.sit_down()
    yield bird
    await bird.fly_away()


@pytest.fixture
def lead(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have every name under “.example” lead to these addresses, one after the other, or to all of them at once."""
    by_the_system = socket.getaddrinfo

    def lead_to(*addresses: str, at_once: bool = False) -> None:
        turns = cycle([list(addresses)] if at_once else [[address] for address in addresses])

        def resolve(host: Any, port: Any, *rest: Any, **named: Any) -> list[Any]:
            name = host.decode() if isinstance(host, bytes) else host
            if not str(name).endswith(".example"):
                return by_the_system(host, port, *rest, **named)
            return [_info(address, int(port)) for address in next(turns)]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)

    return lead_to


def _info(address: str, port: int) -> tuple[Any, ...]:
    if ipaddress.ip_address(address).version == 4:
        return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)
    return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0)


async def refusal(ask: Ask, policy: AddressPolicy, url: str) -> Trouble:
    with pytest.raises(PrinterTrouble) as caught:
        await ask(policy, url)
    return caught.value.trouble


@every_mode
@every_way
async def test_no_spelling_of_this_machine_is_called(canary: Canary, ask: Ask, policy: AddressPolicy) -> None:
    for said, host in LOOPBACK.items():
        for scheme in ("http", "https"):
            trouble = await refusal(ask, policy, f"{scheme}://{host}:{canary.port}")
            assert trouble in (Trouble.FORBIDDEN_ADDRESS, Trouble.UNREACHABLE, Trouble.BAD_ADDRESS), f"{said} {scheme}"
            assert canary.hits == 0, f"{said} {scheme}"


@every_mode
@every_way
async def test_no_name_leads_to_what_is_never_called(
    lead: Callable[..., None], ask: Ask, policy: AddressPolicy
) -> None:
    for said, address in ELSEWHERE.items():
        lead(address)
        for scheme in ("http", "https"):
            assert await refusal(ask, policy, f"{scheme}://printer.example") is Trouble.FORBIDDEN_ADDRESS, said


@every_way
async def test_private_networks_that_nobody_listed_are_not_called(lead: Callable[..., None], ask: Ask) -> None:
    narrow = AddressPolicy(Reach.LAN, (ipaddress.ip_network("192.168.1.0/24"),))
    for policy in (MODES["internet"], narrow):
        for said, address in PRIVATE.items():
            lead(address)
            assert await refusal(ask, policy, "https://printer.example") is Trouble.FORBIDDEN_ADDRESS, said


@every_way
@pytest.mark.parametrize("at_once", [False, True])
async def test_a_name_that_changes_its_mind_gains_nothing(
    canary: Canary, lead: Callable[..., None], ask: Ask, at_once: bool
) -> None:
    lead("240.0.0.1", "127.0.0.1", "::1", at_once=at_once)
    for _ in range(6):
        for scheme in ("http", "https"):
            await refusal(ask, MODES["lan"], f"{scheme}://printer.example:{canary.port}")
    assert canary.hits == 0


@every_way
async def test_plain_http_is_for_listed_networks_only(lead: Callable[..., None], ask: Ask) -> None:
    lead("93.184.216.34")
    assert await refusal(ask, MODES["internet"], "http://printer.example") is Trouble.FORBIDDEN_ADDRESS


@every_way
async def test_the_canary_is_heard_where_loopback_is_allowed(
    canary: Canary, lead: Callable[..., None], ask: Ask
) -> None:
    """Else all of the above would prove nothing."""
    lead("127.0.0.1")
    open_to_tests = AddressPolicy(Reach.LAN, loopback_allowed=True)
    for heard, host in enumerate(("127.0.0.1", "printer.example"), start=1):
        await ask(open_to_tests, f"http://{host}:{canary.port}")
        assert canary.hits == heard
