"""The address policy: a table, and a canary on loopback that must hear nothing."""

import ipaddress
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

from makerhub.fleet.addresses import AddressPolicy, Reach, printer_url
from makerhub.fleet.gateway import PrinterTrouble, Trouble
from makerhub.fleet.transport import Transport

INTERNET = AddressPolicy(Reach.INTERNET)
LAN = AddressPolicy(Reach.LAN, (ipaddress.ip_network("192.168.1.0/24"), ipaddress.ip_network("fd12::/16")))
EVERYTHING = AddressPolicy(Reach.LAN, (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")))
AGENTS_ONLY = AddressPolicy(Reach.AGENTS_ONLY, (ipaddress.ip_network("192.168.1.0/24"),), loopback_allowed=True)

NEVER = [
    "127.0.0.1",
    "127.8.8.8",
    "::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::1",
    "0.0.0.0",  # noqa: S104 (nothing is bound to it)
    "::",
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.8",
    "192.88.99.1",
    "224.0.0.1",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
]
PRIVATE = [
    "10.0.0.1",
    "100.64.0.1",
    "172.16.0.1",
    "198.18.0.1",
    "192.168.2.1",
    "64:ff9b::a00:1",
    "2002:a00:1::1",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "2001:0:7f00:1::1",
    "64:ff9b:1::7f00:1",
    "fd00::1",
    "2001:db8::1",
    "5f00::1",
]


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_allowed(address: str, secure: bool) -> None:
    assert not any(policy.allows(address, secure=secure) for policy in (INTERNET, LAN, EVERYTHING))


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_allowed_only_where_the_operator_lists_it(address: str) -> None:
    assert not INTERNET.allows(address, secure=True)
    assert not LAN.allows(address, secure=True)


@pytest.mark.parametrize(
    ("policy", "address", "secure", "allowed"),
    [
        (INTERNET, "93.184.216.34", True, True),
        (INTERNET, "93.184.216.34", False, False),
        (INTERNET, "2606:2800:220:1::1", True, True),
        (INTERNET, "::ffff:93.184.216.34", True, True),
        (INTERNET, "64:ff9b::5db8:d822", True, True),
        (INTERNET, "192.168.1.7", True, False),
        (LAN, "192.168.1.7", True, True),
        (LAN, "192.168.1.7", False, True),
        (LAN, "::ffff:192.168.1.7", False, True),
        (LAN, "fd12::7", False, True),
        (LAN, "93.184.216.34", True, True),
        (LAN, "93.184.216.34", False, False),
        (AGENTS_ONLY, "192.168.1.7", True, False),
        (AGENTS_ONLY, "127.0.0.1", False, False),
        (AGENTS_ONLY, "93.184.216.34", True, False),
        (AddressPolicy(Reach.INTERNET, loopback_allowed=True), "127.0.0.1", False, True),
        (AddressPolicy(Reach.INTERNET, loopback_allowed=True), "::1", False, True),
        (AddressPolicy(Reach.INTERNET, loopback_allowed=True), "169.254.169.254", True, False),
    ],
)
def test_the_reach_decides(policy: AddressPolicy, address: str, secure: bool, allowed: bool) -> None:
    assert policy.allows(address, secure=secure) is allowed


def test_the_machines_own_addresses_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.1 stands for any own address: loopback is judged before, so that rule is taken away here."""
    monkeypatch.setattr("makerhub.fleet.addresses._LOOPBACK", ())
    assert not EVERYTHING.allows("127.0.0.1", secure=True)
    assert EVERYTHING.allows("192.0.2.1", secure=True)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://octopi.local", "http://octopi.local"),
        ("  http://octopi.local/ ", "http://octopi.local"),
        ("http://octopi.local/octoprint/", "http://octopi.local/octoprint"),
        ("http://octopi.local/a/%2e%2e/octoprint", "http://octopi.local/octoprint"),
        ("http://octopi.local/home/octo_2", "http://octopi.local/home/octo_2"),
        ("HTTPS://Printer.Example:8443", "https://printer.example:8443"),
        ("http://[fd12::7]:5000/", "http://[fd12::7]:5000"),
    ],
)
def test_the_address_of_a_server_is_scheme_host_port_and_folder(text: str, url: str) -> None:
    assert str(printer_url(text)).rstrip("/") == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "octopi.local",
        "ftp://octopi.local",
        "file:///etc/passwd",
        "http://",
        "http://maker:secret@octopi.local",
        "http://octopi.local/%2561",
        "http://octopi.local/a%2fb%3fc",
        "http://octopi.local/a/b/c/d",
        "http://octopi.local//evil.example",
        "http://octopi.local/?x=",
        "http://octopi.local/#x",
        "http://octopi.local:99999",
        "http://[::1",
        "http://octo pi.local",
        "http://octopi.local%0d%0aX-Evil:1",
        "http://octopi.local\\@evil.example",
        "http://[fe80::1%25lo]",
        "http://" + "a" * 300,
    ],
)
def test_anything_else_is_no_address(text: str) -> None:
    with pytest.raises(PrinterTrouble) as caught:
        printer_url(text)
    assert caught.value.trouble is Trouble.BAD_ADDRESS


class Canary:
    """A server on loopback that counts who came."""

    def __init__(self) -> None:
        self.hits = 0
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._sing)
        self.server = TestServer(application)

    async def _sing(self, _: web.Request) -> web.Response:
        self.hits += 1
        return web.json_response({"state": "Operational"})


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    bird = Canary()
    await bird.server.start_server()
    yield bird
    await bird.server.close()


class Rebinding(AbstractResolver):
    """Every name leads to loopback."""

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:  # noqa: ARG002 (as the base class names it)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=0)
            for kind, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
        ]

    async def close(self) -> None: ...


HOSTS = [
    "127.0.0.1",
    "localhost",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "127.1",
    "0177.0.0.1",
    "0.0.0.0",  # noqa: S104 (nothing is bound to it)
    "0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
]


@pytest.mark.parametrize("policy", [INTERNET, EVERYTHING, AGENTS_ONLY], ids=["internet", "lan", "agents_only"])
@pytest.mark.parametrize("host", HOSTS)
async def test_no_spelling_of_loopback_reaches_it(canary: Canary, host: str, policy: AddressPolicy) -> None:
    async with Transport(policy) as transport:
        with pytest.raises(PrinterTrouble) as caught:
            await transport.exchange("GET", f"http://{host}:{canary.server.port}", "/api/job", seconds=5)
    assert caught.value.trouble in (Trouble.FORBIDDEN_ADDRESS, Trouble.UNREACHABLE, Trouble.BAD_ADDRESS)
    assert canary.hits == 0


async def test_a_plain_loopback_address_is_called_forbidden(canary: Canary) -> None:
    async with Transport(EVERYTHING) as transport:
        with pytest.raises(PrinterTrouble) as caught:
            await transport.exchange("GET", f"http://127.0.0.1:{canary.server.port}", "/api/job", seconds=5)
    assert caught.value.trouble is Trouble.FORBIDDEN_ADDRESS


async def test_a_name_that_is_bound_to_loopback_does_not_reach_it(canary: Canary) -> None:
    connector = aiohttp.TCPConnector(
        resolver=Rebinding(), socket_factory=EVERYTHING.socket_factory(secure=False), use_dns_cache=False
    )
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"http://printer.example:{canary.server.port}/api/job")
    assert canary.hits == 0


async def test_the_canary_sings_where_loopback_is_allowed(canary: Canary) -> None:
    async with Transport(AddressPolicy(Reach.LAN, loopback_allowed=True)) as transport:
        await transport.exchange("GET", f"http://localhost:{canary.server.port}", "/api/job", seconds=5)
    assert canary.hits == 1
