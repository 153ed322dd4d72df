"""A test print on its maker's pages: offered, followed, and with a way out where something went wrong."""

from datetime import timedelta

import pytest
from builders import NOW, later
from unit.web.browsers import Browser
from unit.web.houses import House

from makerhub.fleet.gateway import Permission, Trouble
from makerhub.fleet.messages import Unwilling
from makerhub.fleet.verdict import Reason
from makerhub.lifecycle import move
from makerhub.printers.models import Printer, PrinterState
from makerhub.production import trials
from makerhub.production.models import AttemptState
from makerhub.production.trial_models import TrialPrint, TrialState
from makerhub.web.shown_trial import WAYS_OUT

OFFER = "Make a test print of 10 seconds"


@pytest.fixture
def mona(house: House) -> Browser:
    return house.signed_in("mona")


@pytest.fixture
def address(house: House) -> str:
    return f"/printers/{house.world.printer.id}"


def make(mona: Browser, address: str, page: str = "printer") -> str:
    answer = mona.post(f"{address}/test-print", {"page": page}, form=address)
    assert answer.status_code == 302, answer.text
    return answer.location


def the_trial(house: House) -> TrialPrint:
    return max(house.world.all(TrialPrint), key=lambda trial: trial.asked_at)


def begun(house: House, *, seconds_ago: int) -> None:
    with house.world.database.changing() as session:
        trial = session.get_one(TrialPrint, the_trial(house).id)
        assert trials.claim(session, trial, now=NOW)
        trials.started(session, trial, now=NOW - timedelta(seconds=seconds_ago))


def ended(house: House, state: TrialState, reason: str, trouble: str = "") -> None:
    with house.world.database.changing() as session:
        trials.end(session, session.get_one(TrialPrint, the_trial(house).id), state, reason, trouble=trouble, now=NOW)


def test_it_is_offered_asked_for_and_shown_to_its_end(house: House, mona: Browser, address: str) -> None:
    assert OFFER in mona.get(address).text
    assert make(mona, address).endswith(f"{address}#test-print")
    page = mona.get(address).text
    assert "It is about to be sent to the printer." in page
    assert OFFER not in page
    begun(house, seconds_ago=4)
    assert "4 of 10 seconds" in mona.get(f"{address}/now").text
    ended(house, TrialState.FINISHED, Reason.PRINTED)
    page = mona.get(address).text
    assert "The test print went well" in page
    assert f"makerhub/{the_trial(house).file_name}" in page
    assert OFFER in page, "it can be made again"


def test_a_key_that_may_delete_leaves_nothing_to_tell_of(house: House, mona: Browser, address: str) -> None:
    with house.world.database.changing() as session:
        session.get_one(Printer, house.world.printer.id).excess_permissions = [Permission.FILES_DELETE.value]
    make(mona, address)
    begun(house, seconds_ago=10)
    ended(house, TrialState.FINISHED, Reason.PRINTED)
    assert "may not delete" not in mona.get(address).text


def test_every_end_has_words(house: House, mona: Browser, address: str) -> None:
    for reason in (*Reason, *(reason for reason in Unwilling if reason)):
        make(mona, address)
        ended(house, TrialState.NOT_STARTED, reason)
        words = WAYS_OUT.get(reason) or Reason(reason).message
        page = mona.get(address).text
        assert "The test print did not start." in page
        assert words.split(".")[0].split("’")[0] in page
        house.time.pass_by(minutes=1)


def test_trouble_with_the_printer_is_told(house: House, mona: Browser, address: str) -> None:
    make(mona, address)
    ended(house, TrialState.NOT_STARTED, Reason.PRINTER_TROUBLE, Trouble.UNREACHABLE)
    page = mona.get(address).text
    assert "Is it switched on?" in page
    assert "Try again when OctoPrint can be reached." in page


def test_none_is_offered_while_something_of_ours_is_there(house: House, mona: Browser, address: str) -> None:
    house.world.attempt(AttemptState.READY)
    assert OFFER not in mona.get(address).text
    assert mona.post(f"{address}/test-print", form=address).status_code == 400
    assert house.world.all(TrialPrint) == []


def test_none_is_offered_before_the_printer_is_connected(house: House, mona: Browser, address: str) -> None:
    with house.world.database.changing() as session:
        printer = session.get_one(Printer, house.world.printer.id)
        move(session, printer, PrinterState.UNCHECKED, now=later(minutes=1))
    assert OFFER not in mona.get(address).text
    assert mona.post(f"{address}/test-print", form=address).status_code == 400


def test_it_is_the_last_step_of_connecting_an_agent(mona: Browser, address: str) -> None:
    assert make(mona, address, page="agent").endswith(f"{address}/agent#test-print")


def test_nobody_else_makes_one(house: House, address: str) -> None:
    answer = house.signed_in("alice").post(f"{address}/test-print", form="/")
    assert answer.status_code in (403, 404)
    assert house.world.all(TrialPrint) == []
