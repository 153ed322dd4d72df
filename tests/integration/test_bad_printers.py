"""Printers that are away, slow, closed or lie: their makers read why, others go on, and nothing starts twice."""

import html
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web
from hubs import FastTime, Place, prints, quick_settings, running_hub, wait_until
from visitor import Visitor

from makerhub.designs.slicer import Slicer
from makerhub.fleet.gateway import Trouble
from makerhub.fleet.verdict import Reason
from makerhub.people.models import Person
from makerhub.printers.models import Printer, PrinterState
from makerhub.production.models import Attempt, AttemptState, JobState, PrintJob
from makerhub.simulation.faults import Answers, Fault, HugeBody, LostReply, Proceed, Redirect, Slow, Unreachable
from makerhub.simulation.network import PASSWORD
from makerhub.simulation.octoprint import SimulatedPrinters
from makerhub.simulation.real_octoprint import RealOctoPrint
from makerhub.simulation.served import ServedPrinter
from makerhub.simulation.shortened import ShortenedSlicer
from makerhub.trace.invariants import breaches
from makerhub.web.server import serving

DWELL_SECONDS = 3
TIME_SPEED = 15.0
"""Doubts are asked about after minutes; nobody wants to wait for that."""


class Lies:
    """Says that the print has begun, and does nothing."""

    async def answer(self, _request: web.Request, _proceed: Proceed, /) -> web.StreamResponse:
        """See Fault."""
        return web.json_response({"done": True, "effectiveSelect": True, "effectivePrint": True}, status=201)


class SaysAnything:
    """Answers 200 with JSON that is no answer to what was asked."""

    async def answer(self, _request: web.Request, _proceed: Proceed, /) -> web.StreamResponse:
        """See Fault."""
        return web.Response(text=json.dumps(["Operational"]), content_type="application/json")


FAULTS: Mapping[Trouble, Fault] = {
    Trouble.UNREACHABLE: Unreachable(),
    Trouble.TIMED_OUT: Slow(7),
    Trouble.KEY_REFUSED: Answers(403),
    Trouble.SERVER_ERROR: Answers(500),
    Trouble.NOT_OCTOPRINT: Answers(404),
    Trouble.REDIRECTED: Redirect("http://127.0.0.1:9"),
    Trouble.REPLY_TOO_LARGE: HugeBody(10**6),
    Trouble.BAD_REPLY: SaysAnything(),
}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with running_hub(quick_settings(tmp_path), slicer=shortened, clock=FastTime(TIME_SPEED)) as place:
        yield place


@pytest.fixture
def farm() -> Iterator[SimulatedPrinters]:
    with SimulatedPrinters(len(FAULTS)) as farm:
        yield farm


def test_the_good_one_makes_it_all_among_bad_ones(
    place: Place, farm: SimulatedPrinters, real_octoprint: RealOctoPrint
) -> None:
    bad = {
        reason: place.add_printer(one.url, one.key, maker=1) for reason, one in zip(FAULTS, farm.printers, strict=True)
    }
    wait_until(lambda: all_active(place, len(bad)), "the keys to be checked")
    for one, fault in zip(farm.printers, FAULTS.values(), strict=True):
        one.faults.add(fault)
    with at_home(place, place.network.makers[1]) as read:
        for reason, printer in bad.items():
            wait_until(lambda: reason.message in read(printer), f"the page to say {reason}")  # noqa: B023
    place.add_printer(real_octoprint.url, real_octoprint.key)
    request = place.ask(3)

    def everything_is_made() -> bool:
        place.makers_act()
        place.check_lots()
        return place.reserved(request) == 3

    wait_until(everything_is_made, "the good printer to make everything", seconds=60)
    assert [one.prints for one in farm.printers] == [[] for _ in farm.printers]
    assert sorted(prints(real_octoprint).values()) == [(1, 0)] * 3
    assert_in_order(place)


@pytest.mark.parametrize(
    "fault",
    [LostReply(), Unreachable(), Answers(500), Answers(200), HugeBody(10**6)],
    ids=lambda fault: type(fault).__name__,
)
def test_whatever_the_upload_is_answered_it_is_printed_once(
    place: Place, farm: SimulatedPrinters, fault: Fault
) -> None:
    printer = farm.printers[0]
    printer.faults.add(fault, method="POST", path="/api/files", times=1)
    place.add_printer(printer.url, printer.key)
    place.ask(1)
    finish(place)
    assert_printed_once(place, printer)


def test_a_start_that_was_a_lie_ends_in_a_question(place: Place, farm: SimulatedPrinters) -> None:
    """A print that nobody began is not begun again before its maker has said so."""
    printer = farm.printers[0]
    printer.faults.add(Lies(), method="POST", path="/api/files", times=1)
    ours = place.add_printer(printer.url, printer.key)
    place.ask(1)
    wait_until(lambda: place.all(Attempt, Attempt.state == AttemptState.IN_DOUBT), "the hub to ask", seconds=60)
    assert (printer.prints, len(place.all(Attempt))) == ([], 1)
    with at_home(place, place.network.makers[0]) as read:
        assert Reason.FILE_GONE.message in read(ours)
        answer(place, "never")
    finish(place)
    assert_printed_once(place, printer)


def test_a_key_that_is_wrong_is_told_at_once(place: Place, real_octoprint: RealOctoPrint) -> None:
    ours = place.add_printer(real_octoprint.url, "0123456789ABCDEF0123456789ABCDEF")
    wait_until(lambda: place.get(Printer, ours.id).state is PrinterState.REFUSED, "the key to be refused")
    with at_home(place, place.network.makers[0]) as read:
        assert Trouble.KEY_REFUSED.message in read(ours)
    place.ask(1)
    place.sweep()
    assert place.all(Attempt) == []


def test_an_octoprint_that_goes_away_in_its_print(place: Place, two_octoprints: Sequence[RealOctoPrint]) -> None:
    lost, good = two_octoprints
    ours = place.add_printer(lost.url, lost.key)
    place.ask(1)
    [attempt] = wait_until(lambda: place.all(Attempt, Attempt.state == AttemptState.PRINTING), "the print to begin")
    lost.kill()
    place.add_printer(good.url, good.key, maker=1)
    request = place.ask(2)
    wait_until(lambda: made_elsewhere(place) == 2, "the other printer to go on", seconds=60)
    with at_home(place, place.network.makers[0]) as read:
        wait_until(lambda: Trouble.UNREACHABLE.message in read(ours), "the page to say that it is away")
        assert place.get(Attempt, attempt.id).state is AttemptState.PRINTING, "nothing is concluded from silence"
        lost.start()
        wait_until(lambda: Reason.NO_HISTORY.message in read(ours), "the page to ask", seconds=60)
        answer(place, "failed")
    place.clear_plates()
    finish(place)
    assert request
    assert prints(lost).get(attempt.file_name, (0, 0)) == (0, 0), "it was never begun again"
    histories = [*prints(lost).values(), *prints(good).values()]
    assert sorted(histories) == [(0, 0), (1, 0), (1, 0), (1, 0)]
    assert_in_order(place)


def finish(place: Place) -> None:
    """Makers act until every job is done."""

    def everything_is_done() -> bool:
        place.makers_act()
        jobs = place.all(PrintJob)
        return bool(jobs) and all(job.state is JobState.DONE for job in jobs)

    wait_until(everything_is_done, "every job to be done", seconds=60)


def made_elsewhere(place: Place) -> int:
    """The other maker acts; gives how many of his or her prints were counted."""
    place.makers_act()
    return len(place.all(Attempt, Attempt.state == AttemptState.COUNTED))


def answer(place: Place, what: str) -> None:
    """The maker of the print in doubt says what became of it, on the page."""
    with serving(place.hub.web, "127.0.0.1") as address:
        maker = signed_in(address, place.network.makers[0])
        [printer] = maker.get("/printers").links_to("/printers/[0-9a-f-]{36}")
        form = maker.get(printer).form("/question$")
        assert form is not None
        assert maker.send(form.filled_in(answer=what)).status == 302


@contextmanager
def at_home(place: Place, maker: Person) -> Iterator[Callable[[Printer], str]]:
    """The maker reads the pages of printers."""
    with serving(place.hub.web, "127.0.0.1") as address:
        visitor = signed_in(address, maker)
        yield lambda printer: html.unescape(visitor.get(f"/printers/{printer.id}").text)


def signed_in(address: str, person: Person) -> Visitor:
    visitor = Visitor(lambda: address.removeprefix("http://"))
    visitor.sign_in(person.email, PASSWORD)
    return visitor


def all_active(place: Place, count: int) -> bool:
    return len(place.all(Printer, Printer.state == PrinterState.ACTIVE)) == count


def assert_printed_once(place: Place, printer: ServedPrinter) -> None:
    [counted] = place.all(Attempt, Attempt.state == AttemptState.COUNTED)
    assert [one.path for one in printer.prints] == [f"makerhub/{counted.file_name}"]
    assert_in_order(place)


def assert_in_order(place: Place) -> None:
    with place.hub.database.reading() as session:
        assert breaches(session) == []


def shortened(slicer: Slicer) -> Slicer:
    return ShortenedSlicer(slicer, DWELL_SECONDS)
