"""The floor: bare sockets and epoll fetch `/api/job` over kept connections, and nothing is made of the replies."""

import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from urllib.parse import urlsplit

from makerhub.fleet.loops import open_files

WINDOW = 100
"""Requests under way at once."""


def microseconds_a_fetch(endpoints: Sequence[tuple[str, str]], fetches: int) -> float:
    """Processor time of this process for one fetch, over as many as are asked for."""
    open_files()
    lines = [_connected(url, key) for url, key in endpoints]
    try:
        _fetch(lines, len(lines))
        began = time.process_time()
        _fetch(lines, fetches)
        return (time.process_time() - began) / fetches * 1e6
    finally:
        for line, _ in lines:
            line.close()


def _connected(url: str, key: str) -> tuple[socket.socket, bytes]:
    address = urlsplit(url)
    line = socket.create_connection((address.hostname, address.port))
    line.setblocking(False)
    request = f"GET {address.path}/api/job HTTP/1.1\r\nHost: {address.netloc}\r\nX-Api-Key: {key}\r\n\r\n"
    return line, request.encode()


def _fetch(lines: Sequence[tuple[socket.socket, bytes]], fetches: int) -> None:
    by_number = {line.fileno(): (line, request) for line, request in lines}
    free = deque(by_number)
    asked = answered = 0
    with select.epoll() as events:
        for number in by_number:
            events.register(number, select.EPOLLIN)
        while answered < fetches:
            while free and asked - answered < WINDOW and asked < fetches:
                line, request = by_number[free.popleft()]
                line.send(request)
                asked += 1
            for number, _ in events.poll():
                line, _ = by_number[number]
                reply = line.recv(65536)
                if not reply.endswith(b"}"):
                    raise RuntimeError("not a whole reply; they are short enough to come in one piece")
                free.append(number)
                answered += 1
