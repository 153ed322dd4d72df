"""The dispatcher's pages: what waits, what stands still, and that nobody acts at a hub that is not theirs."""

import re
from datetime import timedelta

import pytest
from builders import NOW, POLICY, World, later
from unit.web.browsers import Browser
from unit.web.houses import House
from werkzeug.test import TestResponse

from makerhub.delivery.models import Shipment, ShipmentState
from makerhub.demand import service as demand
from makerhub.demand.models import RequestState, SupplyRequest
from makerhub.designs.models import Component, KitComponent
from makerhub.fleet.gateway import KeyReport, Trouble
from makerhub.fleet.verdict import Reason
from makerhub.lifecycle import Transition
from makerhub.people.models import Role
from makerhub.printers import service as printers
from makerhub.printers.models import Consent, Printer
from makerhub.production import service as production
from makerhub.production.models import Attempt, AttemptState, JobState, PrintJob
from makerhub.stock.models import Inspection, Lot, LotState


def send(browser: Browser, address: str, **fields: str) -> TestResponse:
    return browser.post(address, fields, form="/")


def changes(world: World) -> int:
    return len(world.all(Transition))


def submitted(world: World) -> SupplyRequest:
    with world.database.changing() as session:
        return demand.submit(session, world.new_request(), largest=1000, policy=POLICY, now=NOW)


def held(world: World) -> PrintJob:
    """A job that failed three times in a row."""
    job = world.job()
    for _ in range(production.TRIES_BEFORE_HOLD):
        attempt = world.attempt(AttemptState.PRINTING, job=job)
        with world.database.changing() as session:
            row = session.get_one(Attempt, attempt.id)
            production.end(session, row, production.Outcome(AttemptState.FAILED, "print_failed"), now=NOW)
        world.clear_plate(world.printer)
    return world.get(PrintJob, job.id)


@pytest.fixture
def dan(house: House) -> Browser:
    """The dispatcher, Alice of these pages."""
    return house.signed_in("dan")


@pytest.fixture(params=["dispatcher elsewhere", "with every other role here", "administrator"])
def outsider(house: House, world: World, request: pytest.FixtureRequest) -> Browser:
    """Charlie dispatches for another hub, and may besides see everything of this one, in other roles."""
    elsewhere = house.add_hub("Elsewhere Hub")
    roles = {
        "dispatcher elsewhere": [],
        "with every other role here": [
            (world.hub, Role.MAKER),
            (world.hub, Role.COURIER),
            (world.care_home, Role.REQUESTER),
        ],
        "administrator": [(world.hub, Role.ADMIN)],
    }[request.param]
    house.add_person("Outsider", (elsewhere, Role.DISPATCHER), *roles)
    return house.signed_in("outsider")


# The board


def test_an_empty_board_says_what_will_come(house: House) -> None:
    hub = house.add_hub("New Hub")
    house.add_person("Nora", (hub, Role.DISPATCHER))
    text = house.signed_in("nora").get("/dispatch").text
    assert "Nothing waits" in text
    assert "No printer yet" in text
    assert "Needs a look" not in text


def test_the_board_shows_everything_that_goes_on(world: World, dan: Browser) -> None:
    asked = submitted(world)
    world.attempt(AttemptState.PRINTING, job=world.job(3))
    text = dan.get("/dispatch").text
    for words in ("Requests to answer", "Requests in work", "Queue", "Printers", "Rosewood", "3 × band"):
        assert words in text
    assert f'href="/dispatch/requests/{asked.id}"' in text
    part = dan.get("/dispatch/now").text
    assert "<html" not in part
    assert "Rosewood" in part


def test_a_long_queue_is_cut_and_says_so(world: World, dan: Browser) -> None:
    request = world.request(1000)
    with world.database.changing() as session:
        line, part = world.line(request), world.part(world.headband)
        for _ in range(52):
            production.plan_job(session, line, hub_id=world.hub.id, part_id=part.id, copies=1, now=NOW)
    text = dan.get("/dispatch").text
    assert text.count('data-label="Needed by"') == 50
    assert "2 more jobs wait behind these" in text


def test_many_requests_and_printers_are_cut_and_those_first_on_which_something_goes_on(
    world: World, dan: Browser
) -> None:
    world.reserve(world.request(1), world.lot(), 1)
    for number in range(51):
        world.request(1)
        world.add_printer(f"Printer {number:02}")
    busy = world.add_printer("Zoe's")
    world.attempt(AttemptState.PRINTING, printer=busy)
    text = dan.get("/dispatch").text
    assert text.index("Zoe&#39;s") < text.index("Printer 00")
    assert "Printer 49" not in text
    assert "3 more printers have nothing of ours on them" in text
    assert text.count("Pack what is reserved") == 1
    assert "more requests are in work" in text


def test_a_colleague_of_the_hub_may_act_too(house: House, world: World) -> None:
    house.add_person("Bea", (world.hub, Role.DISPATCHER))
    asked = submitted(world)
    assert send(house.signed_in("bea"), f"/dispatch/requests/{asked.id}/accept").status_code == 302
    assert world.get(SupplyRequest, asked.id).state is RequestState.ACCEPTED


# What stands still


def overdue(browser: Browser) -> list[tuple[str, str]]:
    """What the board says that stands still, and what about it."""
    found = re.findall(r"<li><strong>(.*?)</strong>.*?<p>(.*?)</p></li>", browser.get("/dispatch").text, re.DOTALL)
    return [(re.sub("<[^>]+>", "", what), re.sub("<[^>]+>", "", text)) for what, text in found]


def test_nothing_stands_still_at_first(world: World, dan: Browser) -> None:
    world.seen(world.printer)
    submitted(world)
    world.lot_at_maker()
    world.attempt(AttemptState.PRINTING)
    assert overdue(dan) == []


def test_a_request_without_an_answer_stands_out_after_a_day(house: House, world: World) -> None:
    asked = submitted(world)
    house.time.now = later(hours=23)
    assert not [what for what, _ in overdue(house.signed_in("dan")) if what == "Rosewood"]
    house.time.now = later(hours=25)
    browser = house.signed_in("dan")
    assert ("Rosewood", "The request waits for an answer.") in overdue(browser)
    assert f'<a href="/dispatch/requests/{asked.id}">Rosewood</a>' in browser.get("/dispatch").text


def test_a_late_request_stands_out(house: House, world: World) -> None:
    world.request(needed_by=later(hours=2))
    house.time.now = later(hours=3)
    assert ("Rosewood", "Not everything has arrived, and it was needed by then.") in overdue(house.signed_in("dan"))


@pytest.mark.parametrize(
    ("state", "hours", "words"),
    [
        (AttemptState.OFFERED, 2, "Its maker has not answered the offer."),
        (AttemptState.PREPARING, 1, "It is still being prepared."),
        (AttemptState.READY, 1, "It is ready and does not start: is the plate clear and the printer on?"),
        (AttemptState.SENDING, 1, "It is still being sent to the printer."),
        (AttemptState.PRINTING, 3, "It prints for much longer than was estimated."),
        (
            AttemptState.IN_DOUBT,
            0,
            "Its maker is asked what became of this print. " + Reason.NO_HISTORY.message,
        ),
        (AttemptState.FINISHED, 13, "Its maker has not counted the pieces."),
    ],
)
def test_an_attempt_that_stands_still_stands_out(
    house: House, world: World, state: AttemptState, hours: int, words: str
) -> None:
    if state is AttemptState.OFFERED:
        with world.database.changing() as session:
            session.get_one(Printer, world.printer.id).consent = Consent.ASK
    world.attempt(state)
    house.time.now = later(hours=hours)
    world.seen(world.printer, at=house.time.now)
    assert ("4 × band, Mona&#39;s", words) in overdue(house.signed_in("dan"))


def test_a_held_job_says_why_and_can_be_tried_again_once(house: House, world: World, dan: Browser) -> None:
    job = held(world)
    assert job.state is JobState.HELD
    [(what, text)] = [one for one in overdue(dan) if "held" in one[1]]
    assert what == "4 × band, Headband"
    assert text == "The job is held. The print was cancelled or ended with an error."
    assert "print_failed" not in dan.get("/dispatch").text
    address = f"/dispatch/jobs/{job.id}/release"
    assert send(dan, address).status_code == 302
    assert world.get(PrintJob, job.id).state is JobState.QUEUED
    assert house.nudged == ["plan_jobs"]
    before = changes(world)
    again = send(dan, address)
    assert again.status_code == 409
    assert "This has been done already: it is “Queued” now." in again.text
    assert changes(world) == before


def test_a_printer_that_does_not_answer_stands_out_at_once_only_with_a_print_of_ours(
    house: House, world: World, dan: Browser
) -> None:
    name = "Mona&#39;s"
    world.seen(world.printer)
    house.time.now = later(minutes=10)
    assert overdue(dan) == []
    house.time.now = later(minutes=61)
    world.seen(world.printer, Trouble.UNREACHABLE, at=house.time.now)
    silent = "It is to be used and does not answer. Nothing answers at the printer&#39;s address. Is it switched on?"
    assert overdue(dan) == [(name, silent)]
    house.time.now = later(minutes=10)
    world.attempt(AttemptState.PRINTING)
    assert next(text for what, text in overdue(dan) if what == name).startswith("It does not answer, and a print")


@pytest.mark.parametrize(
    ("report", "reason"),
    [(Trouble.KEY_REFUSED, Trouble.KEY_REFUSED.message), (KeyReport(frozenset()), "may not do all that is needed")],
)
def test_a_refused_printer_stands_out_with_its_reason(
    world: World, dan: Browser, report: KeyReport | Trouble, reason: str
) -> None:
    world.seen(world.printer)
    with world.database.changing() as session:
        row = session.get_one(Printer, world.printer.id)
        printers.check_again(session, row, by=world.maker.id, now=NOW)
        printers.key_checked(session, row, report, now=NOW)
    [(_, text)] = overdue(dan)
    assert "its maker has to mend something" in text
    assert reason in text


def test_lots_and_shipments_that_lie_about_stand_out(house: House, world: World) -> None:
    request = world.request()
    made = world.lot_at_maker(2)
    world.reserve(request, world.lot(4), 4)
    shipment = world.pack(request)
    house.time.now = later(days=4)
    browser = house.signed_in("dan")
    assert (f"{made.label}, 2 × band", "Its maker has not brought it to the hub.") in overdue(browser)
    assert ("Rosewood", "No courier has taken it.") in overdue(browser)
    world.depart(shipment)
    house.time.now += timedelta(days=1)
    assert ("Rosewood", "The courier has it, and nobody has confirmed its arrival.") in overdue(browser)


def test_what_stands_still_at_another_hub_is_none_of_ones_business(house: House, world: World) -> None:
    submitted(world)
    held(world)
    world.lot_at_maker()
    house.time.now = later(days=9)
    hub = house.add_hub("Elsewhere Hub")
    house.add_person("Nora", (hub, Role.DISPATCHER), (world.hub, Role.ADMIN))
    text = house.signed_in("nora").get("/dispatch").text
    assert "Needs a look" not in text
    assert "Nothing waits" in text


# Requests


def test_a_request_is_accepted_once(house: House, world: World, dan: Browser) -> None:
    asked = submitted(world)
    address = f"/dispatch/requests/{asked.id}"
    assert send(dan, f"{address}/accept").status_code == 302
    assert world.get(SupplyRequest, asked.id).state is RequestState.ACCEPTED
    assert house.nudged == ["plan_jobs"]
    before = changes(world)
    again = send(dan, f"{address}/accept")
    assert again.status_code == 409
    assert "it is “Accepted” now" in again.text
    for why in ("", "too late"):
        assert send(dan, f"{address}/decline", why=why).status_code == 409
    assert changes(world) == before


def test_a_request_is_declined_with_a_reason_and_once(world: World, dan: Browser) -> None:
    asked = submitted(world)
    address = f"/dispatch/requests/{asked.id}/decline"
    for nothing in ("", "  \n "):
        refused = send(dan, address, why=nothing)
        assert refused.status_code == 400
        assert 'id="why-error"' in refused.text
        assert '<details class="confirm" open>' in refused.text
    assert send(dan, address, why=" We have no <b>TPU</b>. ").headers["Location"] == "/dispatch"
    assert world.get(SupplyRequest, asked.id).state is RequestState.DECLINED
    assert "We have no &lt;b&gt;TPU&lt;/b&gt;." in dan.get(f"/dispatch/requests/{asked.id}").text
    before = changes(world)
    for why in ("", "again"):
        assert send(dan, address, why=why).status_code == 409
    assert send(dan, f"/dispatch/requests/{asked.id}/accept").status_code == 409
    assert changes(world) == before


def test_a_reason_as_long_as_a_novel_is_cut(world: World, dan: Browser) -> None:
    asked = submitted(world)
    assert send(dan, f"/dispatch/requests/{asked.id}/decline", why="no " * 5000).status_code == 302


def test_what_is_reserved_is_packed_once(world: World, dan: Browser) -> None:
    request = world.request()
    address = f"/dispatch/requests/{request.id}"
    assert "Pack what is reserved" not in dan.get(address).text
    assert send(dan, f"{address}/pack").status_code == 400
    world.reserve(request, world.lot(4), 4)
    assert "Pack what is reserved" in dan.get(address).text
    assert "Pack what is reserved" in dan.get("/dispatch").text
    assert send(dan, f"{address}/pack").status_code == 302
    before = changes(world)
    again = send(dan, f"{address}/pack")
    assert again.status_code == 400
    assert "Nothing is reserved for this request yet." in again.text
    assert changes(world) == before
    assert len(world.all(Shipment)) == 1


def test_nothing_is_packed_for_a_request_that_was_cancelled(world: World, dan: Browser) -> None:
    request = world.request()
    world.reserve(request, world.lot(4), 4)
    world.cancel(request)
    address = f"/dispatch/requests/{request.id}"
    assert "Pack what is reserved" not in dan.get(address).text
    refused = send(dan, f"{address}/pack")
    assert refused.status_code == 400
    assert "nobody waits for it any more" in refused.text
    assert world.all(Shipment) == []


# Lots


def test_a_lot_is_checked_once(house: House, world: World, dan: Browser) -> None:
    lot = world.lot_at_maker(4)
    address = f"/dispatch/lots/{lot.id}"
    assert "How many passed the check?" in dan.get(address).text
    assert send(dan, f"{address}/inspect", passed="3", note="one is cracked").headers["Location"] == "/dispatch"
    assert world.get(Lot, lot.id).state is LotState.PASSED
    assert "3 pieces passed." in dan.get("/dispatch").text
    assert house.nudged == ["allocate_lots", "plan_jobs"]
    text = dan.get(address).text
    assert "one is cracked" in text
    assert "How many passed" not in text
    before = changes(world)
    for typed in ("3", "nonsense"):
        again = send(dan, f"{address}/inspect", passed=typed)
        assert again.status_code == 409
        assert "has been checked by now" in again.text
    assert changes(world) == before
    assert len(world.all(Inspection)) == 1


@pytest.mark.parametrize("typed", ["", "-1", "5", "all", "3.5", "9" * 5000])
def test_a_check_that_can_not_be_is_refused_and_kept(world: World, dan: Browser, typed: str) -> None:
    lot = world.lot_at_maker(4)
    refused = send(dan, f"/dispatch/lots/{lot.id}/inspect", passed=typed, note="one is cracked")
    assert refused.status_code == 400
    assert 'id="passed-error"' in refused.text
    assert f'value="{typed}"' in refused.text
    assert "one is cracked</textarea>" in refused.text
    assert world.get(Lot, lot.id).state is LotState.AT_MAKER


def test_a_lot_of_which_nothing_passed_is_rejected(world: World, dan: Browser) -> None:
    lot = world.lot_at_maker(4)
    send(dan, f"/dispatch/lots/{lot.id}/inspect", passed="0", note="x" * 5000)
    assert world.get(Lot, lot.id).state is LotState.REJECTED
    assert "0 pieces passed." in dan.get("/dispatch").text


# Others


def test_nobody_acts_at_a_hub_that_is_not_theirs(world: World, outsider: Browser) -> None:
    asked, request, lot, job = submitted(world), world.request(), world.lot_at_maker(4), held(world)
    world.reserve(request, world.lot(4), 4)
    before = changes(world)
    for address in (f"requests/{asked.id}", f"lots/{lot.id}"):
        assert outsider.get(f"/dispatch/{address}").status_code == 404
    for address in (
        f"requests/{asked.id}/accept",
        f"requests/{asked.id}/decline",
        f"requests/{request.id}/pack",
        f"lots/{lot.id}/inspect",
        f"jobs/{job.id}/release",
    ):
        for fields in ({}, {"why": "no", "passed": "4"}):
            assert send(outsider, f"/dispatch/{address}", **fields).status_code == 404
    assert changes(world) == before
    text = outsider.get("/dispatch").text
    assert "Nothing waits" in text
    assert world.printer.name not in text


def test_a_maker_does_not_check_the_own_lot_at_a_hub_where_others_do(house: House, world: World) -> None:
    house.add_person("Self", (house.add_hub("Elsewhere Hub"), Role.DISPATCHER), (world.hub, Role.MAKER))
    lot = world.lot_at_maker(4)
    with world.database.changing() as session:
        session.get_one(Lot, lot.id).maker_reference = house.people["self"].maker_reference
    browser = house.signed_in("self")
    assert browser.get(f"/trace/{lot.label}").status_code == 200
    assert send(browser, f"/dispatch/lots/{lot.id}/inspect", passed="4").status_code == 404
    assert world.get(Lot, lot.id).state is LotState.AT_MAKER


def test_a_packed_shipment_lists_its_kits_and_can_be_unpacked(house: House, world: World) -> None:
    with world.database.changing() as session:
        elastic = Component(version_id=world.headband.id, name="Elastic", unit="mm")
        session.add(elastic)
        session.flush()
        session.add(KitComponent(kit_id=world.kit_of(world.headband).id, component_id=elastic.id, quantity=350))
    request = world.request(3)
    world.reserve(request, world.lot(4), 3)
    shipment = world.pack(request)
    dan = house.signed_in("dan")
    shown = " ".join(re.sub("<[^>]+>", " ", dan.get(f"/dispatch/requests/{request.id}").text).split())
    assert "3 × Headband" in shown
    assert "3 × Elastic 350 mm each" in shown
    assert send(dan, f"/dispatch/shipments/{shipment.id}/unpack").status_code == 302
    assert world.get(Shipment, shipment.id).state is ShipmentState.UNPACKED
    assert send(dan, f"/dispatch/shipments/{shipment.id}/unpack").status_code == 409
