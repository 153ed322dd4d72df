"""Answers of the home's network: those of an OctoPrint, of other things, and of somebody who means harm."""

import random
import struct

import pytest

from makerhub.agent.nearby import SERVICE, addresses_in, question, without_own

INSTANCE = f"OctoPrint on pi.{SERVICE}"


def name(text: str) -> bytes:
    labels = [label.encode() for label in text.split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(owner: str, kind: int, data: bytes) -> bytes:
    return name(owner) + struct.pack("!2HIH", kind, 1, 120, len(data)) + data


def answer(*records: bytes, flags: int = 0x8400) -> bytes:
    return struct.pack("!6H", 0, flags, 0, len(records), 0, 0) + b"".join(records)


def octoprint(port: int = 5000, *addresses: str) -> bytes:
    server = struct.pack("!3H", 0, 0, port) + name("pi.local")
    at = [record("pi.local", 1, bytes(map(int, address.split(".")))) for address in addresses]
    return answer(record(SERVICE, 12, name(INSTANCE)), record(INSTANCE, 33, server), *at)


def test_its_address_and_port() -> None:
    assert addresses_in(octoprint(5000, "192.168.1.20"), "192.168.1.20") == ["http://192.168.1.20:5000"]
    assert addresses_in(octoprint(80, "192.168.1.20"), "192.168.1.20") == ["http://192.168.1.20"]


def test_of_several_addresses_the_one_that_answered() -> None:
    told = octoprint(80, "10.8.0.2", "192.168.1.20")
    assert addresses_in(told, "192.168.1.20") == ["http://192.168.1.20"]
    assert addresses_in(octoprint(80), "192.168.1.20") == ["http://192.168.1.20"]


def test_names_that_point_back_are_read() -> None:
    """As every responder writes them: a name that came before is a pointer to it."""
    head = struct.pack("!6H", 0, 0x8400, 0, 2, 0, 0)
    pointer = struct.pack("!H", 0xC000 | len(head))
    first = name(SERVICE) + struct.pack("!2HIH", 12, 1, 120, 5) + b"\x02pi" + pointer
    instance = struct.pack("!H", 0xC000 | len(head) + len(name(SERVICE)) + 10)
    second = instance + struct.pack("!2HIH", 33, 1, 120, 9) + struct.pack("!3H", 0, 0, 5000) + b"\x01h\0"
    assert addresses_in(head + first + second, "192.168.1.20") == ["http://192.168.1.20:5000"]


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\0",
        question(),
        answer(record("_http._tcp.local", 12, name("Other._http._tcp.local"))),
        octoprint(5000, "192.168.1.20")[:-3],
        struct.pack("!6H", 0, 0x8400, 0, 1, 0, 0) + b"\xc0\x0c",  # a name that points to itself
        struct.pack("!6H", 0, 0x8400, 0, 65535, 65535, 65535),
    ],
)
def test_what_is_no_answer_of_an_octoprint_is_nothing(message: bytes) -> None:
    assert addresses_in(message, "192.168.1.20") == []


def test_noise_breaks_nothing() -> None:
    rng = random.Random(1)  # noqa: S311 - a test has to be repeatable
    whole = octoprint(5000, "192.168.1.20")
    for _ in range(3000):
        noisy = bytearray(whole)
        for _ in range(rng.randint(1, 6)):
            noisy[rng.randrange(len(noisy))] = rng.randrange(256)
        for url in addresses_in(bytes(noisy), "192.168.1.20"):
            assert url.startswith("http://")


def test_this_computer_is_its_loopback() -> None:
    urls = ["http://192.168.1.20:5000", "http://192.168.1.20", "http://192.168.1.200"]
    mine = ["http://127.0.0.1:5000", "http://127.0.0.1", "http://192.168.1.200"]
    assert without_own(urls, ["192.168.1.20"]) == mine
