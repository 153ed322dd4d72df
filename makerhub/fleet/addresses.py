"""Which addresses may be connected to, given that makers type them.

The rule is applied where a socket is made, to the address that it will connect to: names, redirects, odd spellings and
rebinding all end there. A filter on names alone was bypassed by plain IP addresses. `ipaddress` is no policy either:
it calls NAT64 and 6to4 forms of 127.0.0.1, multicast and 192.0.0.8 global.
"""

import errno
import ipaddress
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Final

from yarl import URL

from makerhub.fleet.gateway import PrinterTrouble, Trouble

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
SocketFactory = Callable[[tuple[Any, ...]], socket.socket]

_EMBEDDING: Final = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "64:ff9b::/96",  # NAT64
            "::ffff:0:0:0/96",  # translated
            "::/96",  # compatible, withdrawn; but :: and ::1 are themselves
        ),
    )
)
"""Networks whose last 32 bits are an IPv4 address."""
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_LOOPBACK: Final = tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "::1/128")))

_NEVER: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8",  # “this network”; Linux connects 0.0.0.0 to itself
            "169.254.0.0/16",  # link-local, and the metadata of most clouds
            "192.0.0.0/24",  # protocol assignments, and metadata at Oracle
            "192.88.99.0/24",  # the old 6to4 relays
            "100.100.100.200/32",  # metadata at Alibaba
            "168.63.129.16/32",  # the wire server at Azure, a global address
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved and broadcast
            "::/128",
            "fe80::/10",  # link-local
            "fec0::/10",  # site-local, withdrawn
            "ff00::/8",  # multicast
            "fd00:ec2::254/128",  # metadata at AWS
            "fd20:ce::254/128",  # metadata at Google
        ),
    )
)

_HOST: Final = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
_FOLDER: Final = re.compile(r"(/[A-Za-z0-9_-]{1,40}){0,3}/?")


class Reach(StrEnum):
    """How far a hub's own connections go."""

    INTERNET = "internet"  # global addresses, over https only; homes use the agent
    LAN = "lan"  # besides, the networks that the operator lists, also over http
    AGENTS_ONLY = "agents_only"  # none at all


class ForbiddenAddress(OSError):
    """A socket was asked for that the policy refuses; one text for all, so that it tells nothing."""

    def __init__(self) -> None:
        super().__init__(errno.EACCES, "address not allowed")


@dataclass(frozen=True)
class AddressPolicy:
    """Which addresses may be connected to.

    `networks` are the operator's, and count in LAN only. `loopback_allowed` is for tests, for the demo, and for an
    agent that lives on the printer's own computer: it also admits this machine's other addresses in `networks`.
    """

    reach: Reach
    networks: tuple[Network, ...] = ()
    loopback_allowed: bool = False

    def allows(self, address: str, *, secure: bool) -> bool:
        """Whether a connection to the numeric `address` may be made; `secure` means over TLS."""
        target = _unwrapped(ipaddress.ip_address(address))
        if self.reach is Reach.AGENTS_ONLY or _in_any(target, _NEVER):
            return False
        if _in_any(target, _LOOPBACK):
            return self.loopback_allowed
        if not self.loopback_allowed and _is_own(target):
            return False
        if self.reach is Reach.LAN and _in_any(target, self.networks):
            return True
        return secure and _is_global(target)

    def socket_factory(self, *, secure: bool) -> SocketFactory:
        """What aiohttp's connector makes its sockets with; it raises ForbiddenAddress."""
        return partial(_make_socket, self, secure)


def printer_url(text: str) -> URL:
    """The base URL of a printer's server from what a maker typed; raises BAD_ADDRESS.

    Scheme, host and port, and the folder under which a reverse proxy serves it: never a query or a fragment.
    """
    try:
        url = URL(text.strip())
        plain = url.user is None and url.password is None and not url.query_string and not url.fragment
        named = _HOST.fullmatch(url.raw_host or "") and _FOLDER.fullmatch(url.path)
        if len(text) <= 255 and url.scheme in ("http", "https") and plain and named:
            return url.with_path(url.path.rstrip("/"))
    except ValueError:
        pass
    raise PrinterTrouble(Trouble.BAD_ADDRESS)


def _make_socket(policy: AddressPolicy, secure: bool, address_info: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol, _, target = address_info
    if family not in (socket.AF_INET, socket.AF_INET6) or not policy.allows(target[0], secure=secure):
        raise ForbiddenAddress
    return socket.socket(family, kind, protocol)


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if _in_any(address, _EMBEDDING) and int(address) > 1:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _in_any(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


def _is_global(address: Address) -> bool:
    return address.is_global and (address.version == 4 or address in _GLOBAL_UNICAST)


def _is_own(address: Address) -> bool:
    """Only an address of this machine can be bound to."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True
