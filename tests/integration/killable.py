"""Processes to be killed at any moment and begun again at once: forked from one that has everything imported.

What begins from nothing imports for some seconds of a processor first, twenty times in a test of twenty kills.
"""

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Mapping
from functools import cache
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["integration.killable_hub", "integration.killable_agent"])

Main = Callable[..., None]


class KillableProcess:
    """One process after the other, each running `main(line, *arguments)` with its output in the same log.

    It is killed as a power cut does it, and ends with its parent. What it sends on its line is read with `told()`.
    """

    def __init__(self, log: Path, main: Main, *arguments: Any, environment: Mapping[str, str] | None = None) -> None:
        self.starts = 0
        self._log = log
        self._main = main
        self._arguments = arguments
        self._environment = environment or {}
        self._process: BaseProcess | None = None
        self._line: Connection | None = None

    def start(self) -> None:
        """Begin, and return at once."""
        _prepare()
        self._line, theirs = _forks.Pipe()
        arguments = (self._log, dict(self._environment), theirs, self._main, self._arguments)
        self._process = _forks.Process(target=_run, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        self.starts += 1

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is not None and self._line is not None:
            self._process.kill()
            self._process.join()
            self._line.close()
            self._process = self._line = None

    def told(self) -> Any:
        """The next thing that the present process has sent; None if there is nothing yet."""
        try:
            return self._line.recv() if self._line is not None and self._line.poll() else None
        except EOFError:
            return None

    def log(self) -> str:
        """What all processes wrote."""
        return self._log.read_text() if self._log.exists() else ""


@cache
def _prepare() -> None:
    """Start the process that is forked, which knows our modules; what else is started here must not know them."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    try:
        forkserver.ensure_running()
    finally:
        del os.environ["PYTHONPATH"]
        if before is not None:
            os.environ["PYTHONPATH"] = before


def _run(
    log: Path, environment: Mapping[str, str], line: Connection, main: Main, arguments: tuple[object, ...]
) -> None:
    with log.open("a") as stream:
        os.dup2(stream.fileno(), sys.stdout.fileno())
        os.dup2(stream.fileno(), sys.stderr.fileno())
    os.environ.update(environment)
    threading.Thread(target=_end_with_parent, args=[line], daemon=True).start()
    main(line, *arguments)


def _end_with_parent(line: Connection) -> None:
    try:
        line.recv()
    except (EOFError, OSError):
        os._exit(0)
