"""Ask the home's network who is an OctoPrint, by multicast DNS: one small question, and answers within two seconds.

OctoPrint's own discovery plug-in, which is on unless somebody switches it off, answers with its address and port, so
that nobody has to know either and no network is searched. The question wants its answers sent to itself (RFC 6762,
5.4), so nothing listens. Whatever answers is untrusted: it is only an address at which the agent then looks.
"""

import asyncio
import contextlib
import ipaddress
import socket
import struct
from collections.abc import Iterable, Iterator
from typing import Final

GROUP: Final = ("224.0.0.251", 5353)
SERVICE: Final = "_octoprint._tcp.local"
WAIT_SECONDS: Final = 2.0
MOST_FOUND: Final = 20
_LONGEST_NAME: Final = 255
_POINTER, _A, _PTR, _SRV = 0xC0, 1, 12, 33
_ANSWER_TO_ME: Final = 0x8001  # class IN, and the bit that asks for a unicast answer


def question() -> bytes:
    """The question as it goes over the wire."""
    name = b"".join(bytes([len(label)]) + label.encode() for label in SERVICE.split("."))
    return struct.pack("!6H", 0, 0, 1, 0, 0, 0) + name + b"\0" + struct.pack("!2H", _PTR, _ANSWER_TO_ME)


def addresses_in(answer: bytes, sender: str) -> list[str]:
    """The addresses of the OctoPrints that an answer from `sender` speaks of; nothing for what is no answer.

    The server's own address counts, and else the sender's: names ending in .local are not known to every system.
    """
    try:
        records = list(_records(answer))
    except (struct.error, IndexError, ValueError):
        return []
    mine = {target for kind, name, target in records if kind == _PTR and name.lower() == SERVICE}
    hosts: dict[str, list[str]] = {}
    for kind, name, address in records:
        if kind == _A:
            hosts.setdefault(name, []).append(address)
    found = []
    for kind, name, server in records:
        if kind == _SRV and name in mine:
            port, _, host = server.partition(" ")
            at = [one for one in hosts.get(host, []) if one == sender] or hosts.get(host, []) or [sender]
            found += [_url(one, int(port)) for one in at[:1]]
    return found


async def octoprints_nearby(seconds: float = WAIT_SECONDS) -> list[str]:
    """The addresses of the OctoPrints that answer within `seconds`; none where there is no network to ask."""
    loop = asyncio.get_running_loop()
    found: dict[str, None] = {}
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.setblocking(False)
        line.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)  # not beyond the home's network
        line.bind(("", 0))
        await loop.sock_sendto(line, question(), GROUP)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(found) < MOST_FOUND:
                    answer, (sender, _port) = await loop.sock_recvfrom(line, 9000)
                    found |= dict.fromkeys(addresses_in(answer, sender))
    return list(found)


def _records(message: bytes) -> Iterator[tuple[int, str, str]]:
    """Each record of an answer that is of use: its kind, its name, and a name, `port host` or address."""
    _id, flags, questions, *counts = struct.unpack_from("!6H", message)
    if not flags & 0x8000:
        return
    at = struct.calcsize("!6H")
    for _ in range(questions):
        _name, at = _read_name(message, at)
        at += 4
    for _ in range(sum(counts)):
        name, at = _read_name(message, at)
        kind, _class, _ttl, length = struct.unpack_from("!2HIH", message, at)
        at += 10
        if kind == _PTR:
            yield kind, name, _read_name(message, at)[0]
        elif kind == _SRV:
            yield kind, name, f"{struct.unpack_from('!H', message, at + 4)[0]} {_read_name(message, at + 6)[0]}"
        elif kind == _A and length == 4:
            yield kind, name, str(ipaddress.IPv4Address(message[at : at + 4]))
        at += length


def _read_name(message: bytes, at: int) -> tuple[str, int]:
    """The name that begins at `at`, and where the next field begins; raises `ValueError` for one without an end."""
    labels: list[str] = []
    after = None
    for _ in range(_LONGEST_NAME):
        length = message[at]
        if length >= _POINTER:
            after = after or at + 2
            at = (length & 0x3F) << 8 | message[at + 1]
        elif length == 0:
            return ".".join(labels), after or at + 1
        else:
            labels.append(message[at + 1 : at + 1 + length].decode("utf-8", "replace"))
            at += 1 + length
    raise ValueError("a name without an end")


def _url(host: str, port: int) -> str:
    return f"http://{host}" if port == 80 else f"http://{host}:{port}"


def without_own(urls: Iterable[str], own: Iterable[str]) -> list[str]:
    """The addresses with this computer's own ones written as its loopback, where everything else knows it by."""
    mine = tuple(f"http://{address}" for address in own)
    return [_at_home(url, mine) for url in urls]


def _at_home(url: str, mine: tuple[str, ...]) -> str:
    for one in mine:
        if url == one or url.startswith(f"{one}:"):
            return "http://127.0.0.1" + url.removeprefix(one)
    return url
