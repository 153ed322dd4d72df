"""What runs in the background: plain functions marked with `@task`, and engines that run them.

The truth is in rows: a task finds its own work by a query, may be killed anywhere and run again. A nudge
(`soon`) only makes the next sweep come sooner; a lost nudge costs one period and never an item.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Task:
    """A function that sweeps for work; its positional parameters are dependencies, bound by name."""

    name: str
    function: Callable[..., Any]

    def bind(self, dependencies: Mapping[str, object]) -> Callable[[], Any]:
        """The task with its dependencies filled in; a missing one is an error at start, not at run time."""
        wanted = inspect.signature(self.function).parameters
        missing = wanted.keys() - dependencies.keys()
        if missing:
            raise TypeError(f"task {self.name} wants {', '.join(sorted(missing))}, which nobody provides")
        chosen = {name: dependencies[name] for name in wanted}
        return lambda: self.function(**chosen)


def task(function: Callable[..., Any]) -> Task:
    """Mark `function` as a background task, named after its module and itself."""
    return Task(f"{function.__module__}.{function.__name__}", function)


class Nudge(Protocol):
    """Makes the next sweep of a task come at once."""

    def __call__(self, task: Task, /) -> None:
        """Ask for `task` to run soon; returns without waiting."""


class Engine(Protocol):
    """Runs every task again and again, each one never twice at the same time.

    A nudge that arrives while the task runs makes it run once more afterwards. A task that raises is logged and
    runs again at its next period; it never stops the others.
    """

    def start(self) -> None:
        """Begin to run the tasks."""

    def stop(self) -> None:
        """Finish the runs that are under way and run no more."""

    def soon(self, task: Task, /) -> None:
        """See `Nudge`."""
