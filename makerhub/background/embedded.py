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


class EmbeddedEngine:
    """An `Engine` of a few periodic triggers and a small pool of threads; it provides `soon` to its tasks."""

    def __init__(self, tasks: Iterable[Task], dependencies: Mapping[str, object], sweep_seconds: float) -> None:
        provided = {**dependencies, "soon": self.soon}
        self._sweeps = {task.name: _Sweep(task.name, task.bind(provided)) for task in tasks}
        self._scheduler = BackgroundScheduler(
            timezone=UTC, executors={"default": ThreadPoolExecutor(2 * len(self._sweeps))}
        )
        self._period = sweep_seconds

    def start(self) -> None:
        """Begin to run the tasks, each at once and then every period."""
        for name, sweep in self._sweeps.items():
            self._scheduler.add_job(
                sweep.run, "interval", id=name, seconds=self._period, next_run_time=datetime.now(UTC),
                max_instances=1, coalesce=True, misfire_grace_time=None,
            )  # fmt: skip
        self._scheduler.start()

    def stop(self) -> None:
        """Finish the runs that are under way and run no more."""
        for sweep in self._sweeps.values():
            sweep.stopped = True
        self._scheduler.shutdown(wait=True)

    def soon(self, task: Task, /) -> None:
        """Run `task` at once, or once more if it is running."""
        sweep = self._sweeps[task.name]
        if sweep.ask():
            self._scheduler.add_job(
                sweep.run, id=f"{task.name} soon", replace_existing=True, max_instances=3, misfire_grace_time=None
            )


class _Sweep:
    """One task: runs one at a time, and answers any number of nudges with one run after the last of them."""

    def __init__(self, name: str, function: Callable[[], Any]) -> None:
        self.name = name
        self.stopped = False
        self._function = function
        self._running = threading.Lock()
        self._asking = threading.Lock()
        self._asked = False

    def ask(self) -> bool:
        """Note the nudge; true when no earlier one is still waiting for its run."""
        with self._asking:
            first, self._asked = not self._asked, True
            return first

    def run(self) -> None:
        with self._running:
            with self._asking:
                self._asked = False
            if not self.stopped:
                self._run_once()

    def _run_once(self) -> None:
        try:
            self._function()
        except Exception:
            log.exception("Task %s failed; it runs again at its next period", self.name)
