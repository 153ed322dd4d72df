import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from makerhub.background import Engine, Nudge, Task, task
from makerhub.background.embedded import EmbeddedEngine

SELDOM = 3600.0
LONG_ENOUGH = 10.0


class Sweep:
    """A task whose runs a test lets begin and end."""

    def __init__(self) -> None:
        self.runs = 0
        self.at_once = 0
        self.most_at_once = 0
        self.began = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)

    def __call__(self) -> None:
        self.runs += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.began.release()
        assert self.may_end.acquire(timeout=LONG_ENOUGH)
        self.at_once -= 1


@contextmanager
def running(*tasks: Task, seconds: float = SELDOM, **dependencies: object) -> Iterator[Engine]:
    engine = EmbeddedEngine(tasks, dependencies, seconds)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


def named(function: Callable[..., Any], name: str = "sweep") -> Task:
    return Task(name, function)


def releasing(semaphore: threading.Semaphore, name: str = "sweep") -> Task:
    return Task(name, lambda: semaphore.release())


def wait_for(signal: threading.Semaphore) -> None:
    assert signal.acquire(timeout=LONG_ENOUGH)


def test_a_task_runs_at_once_and_again_every_period() -> None:
    ran = threading.Semaphore(0)
    with running(releasing(ran), seconds=0.05):
        for _ in range(3):
            wait_for(ran)


def test_a_task_is_given_what_it_wants_by_name() -> None:
    given: list[object] = []
    ran = threading.Event()

    @task
    def sweep(colour: str, number: int) -> None:
        given.append((colour, number))
        ran.set()

    assert sweep.name == f"{__name__}.sweep"
    with running(sweep, number=3, colour="blue", unused=None):
        assert ran.wait(LONG_ENOUGH)
    assert given == [("blue", 3)]


def test_a_missing_dependency_is_an_error_at_start() -> None:
    def sweep(database: object, clock: object) -> None:
        raise AssertionError((database, clock))

    with pytest.raises(TypeError, match="task sweep wants clock, which nobody provides"):
        EmbeddedEngine([named(sweep)], {"database": None}, SELDOM)


def test_a_nudge_runs_the_task_at_once() -> None:
    ran = threading.Semaphore(0)
    sweep = releasing(ran)
    with running(sweep) as engine:
        wait_for(ran)
        engine.soon(sweep)
        wait_for(ran)


def test_many_nudges_during_a_run_make_one_more_run() -> None:
    sweep = Sweep()
    nudged = named(sweep)
    with running(nudged) as engine:
        wait_for(sweep.began)
        for _ in range(20):
            engine.soon(nudged)
        sweep.may_end.release()
        wait_for(sweep.began)
        sweep.may_end.release(2)
    assert sweep.runs == 2


def test_a_nudge_during_the_run_that_answers_another_is_answered_too() -> None:
    sweep = Sweep()
    nudged = named(sweep)
    with running(nudged) as engine:
        for _ in range(5):
            wait_for(sweep.began)
            engine.soon(nudged)
            sweep.may_end.release()
        wait_for(sweep.began)
        sweep.may_end.release()
    assert sweep.runs == 6


def test_a_task_never_runs_twice_at_once() -> None:
    sweep = Sweep()
    nudged = named(sweep)
    with running(nudged, seconds=0.02) as engine:
        wait_for(sweep.began)
        for _ in range(5):
            engine.soon(nudged)
            sweep.may_end.release()
            wait_for(sweep.began)
        sweep.may_end.release(100)
    assert sweep.runs >= 6
    assert sweep.most_at_once == 1


def test_two_tasks_run_beside_each_other() -> None:
    first, second = Sweep(), Sweep()
    with running(named(first, "first"), named(second, "second")):
        wait_for(first.began)
        wait_for(second.began)
        first.may_end.release()
        second.may_end.release()


def test_a_task_that_fails_is_logged_runs_again_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    failed, ran = threading.Semaphore(0), threading.Semaphore(0)

    def fail() -> None:
        failed.release()
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR), running(named(fail, "failing"), releasing(ran, "other"), seconds=0.05):
        for _ in range(2):
            wait_for(failed)
            wait_for(ran)
    assert "Task failing failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_stop_waits_for_the_run_under_way_and_begins_no_other() -> None:
    sweep = Sweep()
    nudged = named(sweep)
    engine = EmbeddedEngine([nudged], {}, SELDOM)
    engine.start()
    wait_for(sweep.began)
    engine.soon(nudged)
    stopper = threading.Thread(target=engine.stop)
    stopper.start()
    stopper.join(timeout=0.2)
    assert stopper.is_alive()
    sweep.may_end.release(2)
    stopper.join(timeout=LONG_ENOUGH)
    assert not stopper.is_alive()
    assert sweep.runs == 1


def test_a_task_that_nudges_another_while_the_engine_stops_holds_nothing_up() -> None:
    sweep = Sweep()

    def sweep_and_nudge(soon: Nudge) -> None:
        sweep()
        soon(other)

    other = named(lambda: None, "other")
    engine = EmbeddedEngine([named(sweep_and_nudge), other], {}, SELDOM)
    engine.start()
    wait_for(sweep.began)
    stopper = threading.Thread(target=engine.stop, daemon=True)
    stopper.start()
    stopper.join(timeout=0.2)
    sweep.may_end.release()
    stopper.join(timeout=LONG_ENOUGH)
    assert not stopper.is_alive()


def test_a_nudge_before_the_start_and_after_the_stop_does_no_harm() -> None:
    ran = threading.Semaphore(0)
    sweep = releasing(ran)
    engine = EmbeddedEngine([sweep], {}, SELDOM)
    engine.soon(sweep)
    engine.start()
    wait_for(ran)
    engine.stop()
    engine.soon(sweep)
