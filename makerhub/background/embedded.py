"""The embedded engine: APScheduler inside the one process of `makerhub serve`."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from makerhub.background import Task

log = logging.getLogger(__name__)


INSTANCES = 10
"""More runs of a task than APScheduler can ever see at once: one runs, one waits for it, the others return at once."""


class EmbeddedEngine:
    """An `Engine` of a few periodic triggers and a small pool of threads; it provides `soon` to its tasks."""

    def __init__(self, tasks: Iterable[Task], dependencies: Mapping[str, object], sweep_seconds: float) -> None:
        provided = {**dependencies, "soon": self.soon}
        self._sweeps = {task.name: _Sweep(task.name, task.bind(provided)) for task in tasks}
        self._scheduler = BackgroundScheduler(
            timezone=UTC, executors={"default": ThreadPoolExecutor(2 * len(self._sweeps))}
        )
        self._period = sweep_seconds
        self._nudging = threading.Lock()
        self._takes_nudges = False

    def start(self) -> None:
        """Begin to run the tasks, each at once and then every period."""
        for name, sweep in self._sweeps.items():
            self._scheduler.add_job(
                sweep.run, "interval", id=name, seconds=self._period, next_run_time=datetime.now(UTC),
                max_instances=INSTANCES, coalesce=True, misfire_grace_time=None,
            )  # fmt: skip
        self._scheduler.start()
        self._takes_nudges = True

    def stop(self) -> None:
        """Finish the runs that are under way and run no more."""
        with self._nudging:
            self._takes_nudges = False
        for sweep in self._sweeps.values():
            sweep.stopped = True
        self._scheduler.shutdown(wait=True)

    def soon(self, task: Task, /) -> None:
        """Run `task` at once, or once more if it is running.

        The periodic job comes forward; a job for this once would be another thing that APScheduler can lose while it
        stops. It waits for the last runs with its locks held, so that a run that nudged it then would never end.
        """
        sweep = self._sweeps[task.name]
        with self._nudging:
            if self._takes_nudges and not sweep.is_due:
                self._scheduler.modify_job(task.name, next_run_time=datetime.now(UTC))


class _Sweep:
    """One task: runs one at a time, and at most one more waits, which answers whoever asks until it begins."""

    def __init__(self, name: str, function: Callable[[], Any]) -> None:
        self.name = name
        self.stopped = False
        self._function = function
        self._running = threading.Lock()
        self._waiting = threading.Lock()

    @property
    def is_due(self) -> bool:
        """Whether a run waits for the one under way."""
        return self._waiting.locked()

    def run(self) -> None:
        if not self._waiting.acquire(blocking=False):
            return
        with self._running:
            self._waiting.release()
            if not self.stopped:
                self._run_once()

    def _run_once(self) -> None:
        try:
            self._function()
        except Exception:
            log.exception("Task %s failed; it runs again at its next period", self.name)
