"""The poll loop: how often, and that one printer or one fault never stops the rest."""

import asyncio
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from makerhub.fleet.gateway import Connection, JobReport, PrinterState, PrinterTrouble, Trouble
from makerhub.fleet.poll import DEFAULT_INTERVALS, Observation, PollIntervals, PollLoop, delay_s

NOW = datetime(2030, 5, 1, 12, 0, tzinfo=UTC)
QUICK = DEFAULT_INTERVALS.faster(500)  # a tick is 2 ms, an idle printer is seen every 60 ms
IDLE = JobReport(PrinterState.OPERATIONAL)
PRINTING = JobReport(PrinterState.PRINTING, 50.0, "a.gcode", print_time_left_s=600)


@pytest.mark.parametrize(
    ("report", "failures", "expected"),
    [
        (IDLE, 0, 30.0),
        (JobReport(PrinterState.OFFLINE), 0, 30.0),
        (JobReport(PrinterState.OPERATIONAL, 100.0, "a.gcode"), 0, 30.0),
        (PRINTING, 0, 10.0),
        (JobReport(PrinterState.PAUSED, 50.0), 0, 10.0),
        (JobReport(PrinterState.PRINTING, 50.0, print_time_left_s=9), 0, 2.0),
        (JobReport(PrinterState.PRINTING, 99.5), 0, 2.0),
        (JobReport(PrinterState.FINISHING, 100.0), 0, 2.0),
        (Trouble.UNREACHABLE, 1, 15.0),
        (Trouble.TIMED_OUT, 2, 30.0),
        (Trouble.UNREACHABLE, 5, 240.0),
        (Trouble.UNREACHABLE, 6, 300.0),
        (Trouble.UNREACHABLE, 100_000, 300.0),
    ],
)
def test_the_next_look_depends_on_the_last(report: JobReport | Trouble, failures: int, expected: float) -> None:
    assert delay_s(DEFAULT_INTERVALS, report, failures) == expected


def test_a_faster_clock_shortens_every_interval() -> None:
    assert DEFAULT_INTERVALS.faster(10) == PollIntervals(3.0, 1.0, 0.2, 1.5, 30.0, 1.0, 0.1, 0.01)


@dataclass
class Printers:
    """Printers by address: what each answers, who was asked how often, and how many at once."""

    answers: dict[str, JobReport | Exception] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    takes_s: float = 0.0
    at_once: int = 0
    most_at_once: int = 0

    async def job(self, connection: Connection) -> JobReport:
        self.asked[connection.url] += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.at_once -= 1
        answer = self.answers.get(connection.url, IDLE)
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Batches:
    """A sink that keeps what it got."""

    batches: list[list[Observation]] = field(default_factory=list)

    def __call__(self, seen: list[Observation]) -> None:
        self.batches.append(seen)

    def reports(self, printer: int) -> list[JobReport | Trouble]:
        return [seen.report for batch in self.batches for seen in batch if seen.printer_id == UUID(int=printer)]


def roster(count: int) -> dict[UUID, Connection]:
    return {UUID(int=number): Connection(str(number), "key") for number in range(count)}


def loop_over(
    printers: Printers,
    sink: Callable[[list[Observation]], None],
    listed: Callable[[], Mapping[UUID, Connection]],
    concurrency: int = 100,
) -> PollLoop:
    rng = random.Random(7)  # noqa: S311 (repeatable, no secret)
    return PollLoop(printers, listed, sink, intervals=QUICK, concurrency=concurrency, now=lambda: NOW, rng=rng)


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds, at most five seconds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 (what is waited for tells nobody)
            await asyncio.sleep(0.001)


async def run_until(loop: PollLoop, condition: Callable[[], bool]) -> None:
    """Run the loop until the condition holds."""
    running = asyncio.create_task(loop.run())
    try:
        await eventually(condition)
    finally:
        loop.stop()
        await running


async def test_every_printer_is_seen_again_and_again() -> None:
    sink = Batches()
    await run_until(loop_over(Printers(), sink, lambda: roster(20)), lambda: len(sink.reports(19)) >= 3)
    assert all(len(sink.reports(number)) >= 2 for number in range(20))
    assert {seen.seen_at for batch in sink.batches for seen in batch} == {NOW}


async def test_what_prints_is_seen_more_often_and_what_fails_less_often() -> None:
    printers, sink = Printers({"0": PRINTING, "2": PrinterTrouble(Trouble.UNREACHABLE)}), Batches()
    await run_until(loop_over(printers, sink, lambda: roster(3)), lambda: printers.asked["0"] >= 40)
    assert printers.asked["0"] > printers.asked["1"] > printers.asked["2"] > 0


async def test_a_failure_is_a_value_and_the_sweep_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "makerhub.fleet.poll")
    printers = Printers({"0": PrinterTrouble(Trouble.TIMED_OUT), "1": RuntimeError("a mistake of ours")})
    sink = Batches()
    await run_until(loop_over(printers, sink, lambda: roster(3)), lambda: len(sink.reports(2)) >= 2)
    assert sink.reports(0)[0] is Trouble.TIMED_OUT
    assert sink.reports(1)[0] is Trouble.UNEXPECTED
    assert sink.reports(2)[0] == IDLE


async def test_no_more_looks_go_on_at_once_than_allowed() -> None:
    printers, sink = Printers(takes_s=0.005), Batches()
    looping = loop_over(printers, sink, lambda: roster(30), concurrency=4)
    await run_until(looping, lambda: sum(printers.asked.values()) >= 60)
    assert printers.most_at_once == 4


async def test_a_slow_printer_holds_up_no_other() -> None:
    class OneHangs(Printers):
        async def job(self, connection: Connection) -> JobReport:
            await asyncio.sleep(60 if connection.url == "0" else 0)
            return await super().job(connection)

    sink = Batches()
    await run_until(loop_over(OneHangs(), sink, lambda: roster(2)), lambda: len(sink.reports(1)) >= 3)
    assert sink.reports(0) == []


async def test_printers_that_hang_do_not_use_up_the_slots_for_ever() -> None:
    """More hang than there are slots; each ends at the gateway's deadline, and the sweep goes on."""

    class SomeHang(Printers):
        async def job(self, connection: Connection) -> JobReport:
            if int(connection.url) < 8:
                await asyncio.sleep(0.02)
                raise PrinterTrouble(Trouble.TIMED_OUT)
            return await super().job(connection)

    sink = Batches()
    looping = loop_over(SomeHang(), sink, lambda: roster(10), concurrency=2)
    await run_until(looping, lambda: all(map(sink.reports, range(10))))


async def test_a_sink_that_is_slow_does_not_hold_up_the_looks() -> None:
    printers, wrote = Printers(), threading.Event()

    def sink(_seen: list[Observation]) -> None:
        wrote.wait(5)

    looping = loop_over(printers, sink, lambda: roster(3))
    running = asyncio.create_task(looping.run())
    try:
        await eventually(lambda: min(printers.asked[str(number)] for number in range(3)) >= 3)
    finally:
        wrote.set()
        looping.stop()
        await running


async def test_what_changes_is_handed_over_at_once_and_the_rest_waits_for_the_tick() -> None:
    printers, sink = Printers({"0": PRINTING}), Batches()
    intervals = replace(QUICK, tick_s=60.0)
    looping = PollLoop(printers, lambda: roster(2), sink, intervals=intervals, now=lambda: NOW)
    running = asyncio.create_task(looping.run())
    try:
        await eventually(lambda: printers.asked["0"] >= 20)
        assert [len(sink.reports(number)) for number in range(2)] == [1, 1], "the first look, and nothing new since"
        printers.answers["0"] = IDLE
        await eventually(lambda: IDLE in sink.reports(0))
    finally:
        looping.stop()
        await running


async def test_the_sink_is_called_once_at_a_time_also_while_the_loop_ends() -> None:
    inside = most = 0

    def sink(_seen: list[Observation]) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.02)
        inside -= 1

    running = asyncio.create_task(loop_over(Printers(), sink, lambda: roster(30)).run())
    await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (inside, most) == (0, 1)


async def test_printers_come_and_go_and_a_new_address_is_tried_at_once() -> None:
    listed = roster(2)
    printers, sink = Printers({"1": PrinterTrouble(Trouble.UNREACHABLE)}), Batches()
    looping = loop_over(printers, sink, lambda: dict(listed))
    running = asyncio.create_task(looping.run())
    await eventually(lambda: printers.asked["1"] >= 6)  # by now it is asked seldom
    listed[UUID(int=1)] = Connection("moved", "key")
    del listed[UUID(int=0)]
    await eventually(lambda: printers.asked["moved"] >= 1)
    before = printers.asked["0"]
    await eventually(lambda: printers.asked["moved"] >= 4)
    looping.stop()
    await running
    assert printers.asked["0"] == before
    assert sink.reports(1)[-1] == IDLE


async def test_a_roster_or_a_sink_that_fails_does_not_end_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "makerhub.fleet.poll")
    batches = Batches()
    faulty_listings, faulty_sinkings = [OSError("database away")] * 2, [OSError("disk full")] * 2

    def listed() -> Mapping[UUID, Connection]:
        if faulty_listings:
            raise faulty_listings.pop()
        return roster(2)

    def sink(seen: list[Observation]) -> None:
        if faulty_sinkings:
            raise faulty_sinkings.pop()
        batches(seen)

    await run_until(loop_over(Printers(), sink, listed), lambda: all(map(batches.reports, range(2))))
    assert faulty_listings == faulty_sinkings == []


async def test_stopping_drops_looks_under_way_and_hands_over_what_was_seen() -> None:
    sink = Batches()
    looping = loop_over(Printers(takes_s=60), sink, lambda: roster(3))
    running = asyncio.create_task(looping.run())
    await asyncio.sleep(0.02)
    looping.stop()
    await asyncio.wait_for(running, 1)
    assert sink.batches == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_cancelling_the_task_stops_too() -> None:
    running = asyncio.create_task(loop_over(Printers(takes_s=60), Batches(), lambda: roster(3)).run())
    await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert asyncio.all_tasks() == {asyncio.current_task()}
