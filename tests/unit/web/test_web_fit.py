"""Is it the model that we slice for? Its maker reads it, or compares and answers; and may choose another model."""

import pytest
from builders import MK3S, NOW
from unit.web.browsers import Browser
from unit.web.houses import House

from makerhub.fleet.gateway import NEEDED, Build, KeyReport, Permission
from makerhub.fleet.messages import Pairing
from makerhub.printers import agents
from makerhub.printers import service as printers
from makerhub.printers.agent_models import AgentLink
from makerhub.printers.fit import PrinterFit, ToldBy
from makerhub.printers.models import Link, Printer, PrinterState

QUESTION = "Is it the same there?"
OURS = "bed 250 × 210 mm, nozzle 0.4 mm"


@pytest.fixture
def mona(house: House) -> Browser:
    return house.signed_in("mona")


@pytest.fixture
def address(house: House) -> str:
    return f"/printers/{house.world.printer.id}"


def say(mona: Browser, address: str, said: str, **fields: str) -> int:
    return mona.post(f"{address}/fit", {"said": said, **fields}, form=address).status_code


def read(house: House, build: Build) -> None:
    with house.world.database.changing() as session:
        row = session.get_one(Printer, house.world.printer.id)
        printers.check_again(session, row, by=row.owner_id, now=NOW)
        report = KeyReport(NEEDED | {Permission.CONNECTION}, build)
        printers.key_checked(session, row, report, MK3S, now=NOW)


def state(house: House) -> PrinterState:
    return house.world.get(Printer, house.world.printer.id).state


def test_where_the_key_can_not_read_it_the_maker_compares_two_numbers(
    house: House, mona: Browser, address: str
) -> None:
    page = mona.get(address).text
    assert OURS in page
    assert QUESTION in page
    assert say(mona, address, "same") == 302
    page = mona.get(address).text
    assert QUESTION not in page
    assert "You compared it with OctoPrint, and it was the same." in page
    (told,) = house.world.all(PrinterFit)
    assert (told.told_by, told.fits, told.told_at) == (ToldBy.MAKER, True, NOW)
    assert state(house) is PrinterState.ACTIVE


def test_one_that_differs_gets_no_jobs_and_says_what_to_do(house: House, mona: Browser, address: str) -> None:
    assert say(mona, address, "different") == 302
    assert state(house) is PrinterState.REFUSED
    page = mona.get(address).text
    assert "It gets no jobs until both agree." in page
    assert f"{address}/change" in page
    assert say(mona, address, "same") == 302
    assert state(house) is PrinterState.UNCHECKED, "and then its key is checked again"


def test_octoprints_own_numbers_are_told(house: House, mona: Browser, address: str) -> None:
    read(house, Build(250, 210, 0.4))
    page = mona.get(address).text
    assert f"OctoPrint says the same: {OURS}." in page
    assert QUESTION not in page
    read(house, Build(220, 220, 0.4))
    page = mona.get(address).text
    assert "OctoPrint has another printer: bed 220 × 220 mm, nozzle 0.4 mm." in page
    assert mona.post(f"{address}/state", {"change": "check"}, form=address).status_code == 302
    assert state(house) is PrinterState.UNCHECKED


def test_another_model_is_chosen(house: House, mona: Browser, address: str) -> None:
    """This house knows one model only, so the printer begins as one that is gone."""
    with house.world.database.changing() as session:
        session.get_one(Printer, house.world.printer.id).profile = "prusa-mini"
    say(mona, address, "different")
    fields = {"name": "Mona's", "profile": MK3S.key, "material": "PETG", "url": "http://octopi.local", "key": ""}
    assert mona.post(f"{address}/change", fields, form=address).status_code == 302
    printer = house.world.get(Printer, house.world.printer.id)
    assert (printer.profile, printer.state) == (MK3S.key, PrinterState.UNCHECKED)
    with house.world.database.changing() as session:
        row = session.get_one(Printer, printer.id)
        printers.key_checked(session, row, KeyReport(NEEDED), MK3S, now=NOW)
    assert QUESTION in mona.get(address).text, "the answer was about the other model"


def test_as_another_model_its_agent_is_paired_anew(house: House, mona: Browser, address: str) -> None:
    with house.world.database.changing() as session:
        row = session.get_one(Printer, house.world.printer.id)
        row.profile = "prusa-mini"
        agents.pair(session, Pairing(agents.new_code(session, row, now=NOW), "octopi"), None, now=NOW)
    fields = {"name": "Mona's", "profile": MK3S.key, "material": "PETG"}
    answer = mona.post(f"{address}/change", fields, form=address)
    assert answer.location.endswith(f"{address}/agent")
    assert house.world.all(AgentLink) == []
    assert house.world.get(Printer, house.world.printer.id).link is Link.AGENT


def test_nonsense_and_others_change_nothing(house: House, mona: Browser, address: str) -> None:
    assert say(mona, address, "maybe") == 400
    assert house.signed_in("alice").post(f"{address}/fit", {"said": "different"}, form="/").status_code in (403, 404)
    assert house.world.all(PrinterFit) == []
