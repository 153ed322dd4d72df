"""Serving the pages with waitress: pure Python, good on a Raspberry Pi and on Windows too."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

from flask import Flask
from waitress import create_server
from waitress.wasyncore import close_all, loop  # type: ignore[import-untyped]

from makerhub.web.agent_reports import Threads, with_replies
from makerhub.web.hub import Hub

THREADS = 8
# poll, for select knows no socket above 1023 and a hub that asks a thousand printers has them.
WAITRESS: dict[str, Any] = {
    "threads": THREADS,
    "connection_limit": 1000,  # those of agents and of browsers that hold them open; each costs some kilobytes
    "ident": "makerhub",
    "asyncore_use_poll": True,
    "max_request_body_size": 64_000_000,  # pages state their own, smaller limits; above this nothing is even kept
}


class AddressTaken(OSError):
    """Something else listens on the address already."""


def serve(web: Flask, host: str, port: int, *, trusted_proxy: str = "") -> None:
    """Serve until the process is told to stop (SystemExit or KeyboardInterrupt).

    Of the proxy at this address it is believed for whom it asks; what others say of that is not even looked at.
    """
    _require_free(host, port)
    _server(web, None, host, port, trusted_proxy).run()


@contextlib.contextmanager
def serving(web: Flask, host: str, port: int = 0, *, trusted_proxy: str = "") -> Iterator[str]:
    """Serve from a thread while the block lasts; gives the address, with a free port for 0."""
    _require_free(host, port)
    sockets: dict[int, Any] = {}
    server = _server(web, sockets, host, port, trusted_proxy)
    stopping = threading.Event()
    thread = threading.Thread(target=_answer, args=(sockets, stopping), name="pages", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.effective_port}"
    finally:
        server.task_dispatcher.shutdown()
        stopping.set()
        server.trigger.pull_trigger()
        thread.join()
        # Only now: closed earlier, sockets vanish under the loop that waits for them or the hand that wakes it.
        close_all(sockets, ignore_all=True)


def _server(web: Flask, sockets: dict[int, Any] | None, host: str, port: int, trusted_proxy: str) -> Any:
    """Waitress for these pages; where they are a hub's, with the quick way for agents' reports."""
    hub: Hub | None = web.extensions.get("makerhub")
    others = {**WAITRESS, **_proxy(trusted_proxy)}
    if hub is not None:
        return create_server(
            with_replies(web), sockets, host=host, port=port, _dispatcher=Threads(hub.agents, THREADS), **others
        )
    return create_server(web, sockets, host=host, port=port, **others)


def _proxy(address: str) -> dict[str, Any]:
    told = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"}
    return {"trusted_proxy": address, "trusted_proxy_count": 1, "trusted_proxy_headers": told} if address else {}


def _answer(sockets: dict[int, Any], stopping: threading.Event) -> None:
    while not stopping.is_set():
        loop(timeout=1, use_poll=True, map=sockets, count=1)


def _require_free(host: str, port: int) -> None:
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise AddressTaken(
                f"Port {port} on {host} is taken. Stop what listens there or choose another port."
            ) from error
