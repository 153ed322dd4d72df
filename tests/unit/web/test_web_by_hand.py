"""The pages of a printer without OctoPrint: register it, fetch the file, and tell how it went."""

from uuid import UUID

import pytest
from builders import World
from unit.web.houses import House

from makerhub.designs.models import PlateSlice
from makerhub.people.models import Role
from makerhub.printers.models import Printer
from makerhub.production.models import Attempt, AttemptState

REGISTRATION = {
    "link": "by_hand",
    "name": "Old faithful",
    "profile": "prusa-mk3s",
    "material": "PETG",
    "clear": "yes",
}


@pytest.fixture
def printer(house: House, world: World) -> Printer:
    form = "/printers/new?link=by_hand"
    assert house.signed_in("mona").post("/printers/new", REGISTRATION, form=form).status_code == 302
    return next(one for one in world.all(Printer) if one.name == "Old faithful")


@pytest.fixture
def attempt(house: House, world: World, printer: Printer) -> Attempt:
    """One that is ready, with a file in the store."""
    ready = world.attempt(AttemptState.READY, printer=printer)
    with world.database.changing() as session:
        plate = session.get_one(PlateSlice, ready.plate_slice_id)
        plate.gcode_sha256 = house.files.put(b"G28 ; a print\n")
        session.add(plate)
    return ready


def tell(house: House, who: str, attempt: Attempt, said: str) -> int:
    return house.signed_in(who).post(f"/printers/attempts/{attempt.id}/by-hand", {"said": said}, form="/").status_code


def state(world: World, attempt_id: UUID) -> AttemptState:
    return world.get(Attempt, attempt_id).state


def test_one_first_says_how_prints_get_to_the_printer(house: House) -> None:
    page = house.signed_in("mona").get("/printers/new").text
    assert "By hand" in page
    assert 'name="key"' not in house.signed_in("mona").get("/printers/new?link=by_hand").text
    assert 'name="key"' in house.signed_in("mona").get("/printers/new?link=direct").text


def test_its_pages_say_that_nobody_hears_of_it(house: House, printer: Printer) -> None:
    page = house.signed_in("mona").get(f"/printers/{printer.id}").text
    assert "Worked by hand" in page
    assert "Ready. The next job" in page
    assert 'name="url"' not in house.signed_in("mona").get(f"/printers/{printer.id}/change").text


def test_it_is_renamed_without_an_address(house: House, world: World, printer: Printer) -> None:
    address = f"/printers/{printer.id}/change"
    typed = {"name": "Older", "material": "PETG"}
    assert house.signed_in("mona").post(address, typed, form=address).status_code == 302
    assert world.get(Printer, printer.id).name == "Older"


def test_the_file_is_fetched_started_and_told(house: House, world: World, printer: Printer, attempt: Attempt) -> None:
    mona = house.signed_in("mona")
    page = mona.get(f"/printers/{printer.id}").text
    assert f'href="/printers/attempts/{attempt.id}/gcode"' in page
    file = mona.get(f"/printers/attempts/{attempt.id}/gcode")
    assert file.data == b"G28 ; a print\n"
    assert attempt.file_name in file.headers["Content-Disposition"]
    assert tell(house, "mona", attempt, "started") == 302
    assert "It should be done by" in mona.get(f"/printers/{printer.id}").text
    assert tell(house, "mona", attempt, "finished") == 302
    assert state(world, attempt.id) is AttemptState.FINISHED
    assert "How many pieces are good?" in mona.get(f"/printers/{printer.id}").text
    assert mona.get(f"/printers/attempts/{attempt.id}/gcode").status_code == 400


def test_nonsense_changes_nothing(house: House, world: World, attempt: Attempt) -> None:
    assert tell(house, "mona", attempt, "exploded") == 400
    assert state(world, attempt.id) is AttemptState.READY


def test_nobody_else_fetches_or_tells(house: House, world: World, attempt: Attempt) -> None:
    house.add_person("Max", (world.hub, Role.MAKER))
    assert house.signed_in("max").get(f"/printers/attempts/{attempt.id}/gcode").status_code == 404
    assert tell(house, "max", attempt, "started") == 404
    assert tell(house, "dan", attempt, "started") == 404
    assert state(world, attempt.id) is AttemptState.READY


def test_what_the_hub_sends_itself_is_not_given_out(house: House, world: World) -> None:
    ready = world.attempt(AttemptState.READY)
    assert house.signed_in("mona").get(f"/printers/attempts/{ready.id}/gcode").status_code == 400
