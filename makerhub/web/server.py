"""Serving the pages with waitress: pure Python, good on a Raspberry Pi and on Windows too."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

from flask import Flask
from waitress import create_server
from waitress.wasyncore import close_all  # type: ignore[import-untyped]

THREADS = 8


class AddressTaken(OSError):
    """Something else listens on the address already."""


def serve(web: Flask, host: str, port: int) -> None:
    """Serve until the process is told to stop (SystemExit or KeyboardInterrupt)."""
    _require_free(host, port)
    create_server(web, host=host, port=port, threads=THREADS, ident="makerhub").run()


@contextlib.contextmanager
def serving(web: Flask, host: str, port: int = 0) -> Iterator[str]:
    """Serve from a thread while the block lasts; gives the address, with a free port for 0."""
    _require_free(host, port)
    sockets: dict[int, Any] = {}
    server = create_server(web, sockets, host=host, port=port, threads=THREADS, ident="makerhub")
    thread = threading.Thread(target=server.run, name="pages", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.effective_port}"
    finally:
        server.task_dispatcher.shutdown()
        # In its own thread: closed from here, sockets vanish under the loop that waits for them.
        server.trigger.pull_trigger(lambda: close_all(sockets, ignore_all=True))
        thread.join(timeout=5)


def _require_free(host: str, port: int) -> None:
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise AddressTaken(
                f"Port {port} on {host} is taken. Stop what listens there or choose another port."
            ) from error
