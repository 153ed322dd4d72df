"""A maker's workshop: spools, maintenance, and the household's breaker."""

import pytest
from builders import NOW, World, later
from unit.web.houses import House

from makerhub.people.models import Role
from makerhub.printers.models import PowerLimit, Printer, Spool, SpoolState, Upkeep, UpkeepKind
from makerhub.production import material
from makerhub.production.models import Attempt, AttemptState


def test_a_spool_is_entered_put_on_a_printer_and_used_up(house: House, world: World) -> None:
    mona = house.signed_in("mona")
    assert "No spool entered yet" in mona.get("/workshop").text
    typed = {"material": "PLA", "grams": "750", "colour": "white", "brand": "Prusament", "lot": "4711"}
    assert mona.post("/workshop/spools", typed, form="/workshop").status_code == 302
    page = mona.get("/workshop").text
    assert "750 g of 750 g" in page
    assert "4711" in page
    spool = world.all(Spool)[0]
    mona.post(f"/workshop/spools/{spool.id}/load", {"printer": str(world.printer.id)}, form="/workshop")
    assert world.get(Printer, world.printer.id).material == "PLA"
    assert "about 750 g left" in mona.get(f"/printers/{world.printer.id}").text
    mona.post(f"/workshop/spools/{spool.id}/weigh", {f"grams-{spool.id}": "0"}, form="/workshop")
    assert world.get(Spool, spool.id).state is SpoolState.USED_UP
    assert "not told" in mona.get(f"/printers/{world.printer.id}").text


@pytest.mark.parametrize(
    ("field", "typed", "said"), [("material", "", "Choose the material"), ("grams", "much", "in grams: from 1")]
)
def test_what_can_not_be_is_said_at_its_field(house: House, world: World, field: str, typed: str, said: str) -> None:
    mona = house.signed_in("mona")
    answer = mona.post("/workshop/spools", {"material": "PLA", "grams": "750", field: typed}, form="/workshop")
    assert answer.status_code == 400
    assert said in answer.text
    assert f'href="#{field}"' in answer.text
    assert world.all(Spool) == []


def test_a_nonsensical_weight_changes_nothing(house: House, world: World) -> None:
    mona, spool = house.signed_in("mona"), world.spool()
    answer = mona.post(f"/workshop/spools/{spool.id}/weigh", {f"grams-{spool.id}": "-5"}, form="/workshop")
    assert answer.status_code == 400
    assert "what is left in grams" in answer.text
    assert f'href="#grams-{spool.id}"' in answer.text


def test_a_material_is_not_changed_under_a_print_that_waits(house: House, world: World) -> None:
    world.attempt(AttemptState.READY)
    mona, spool = house.signed_in("mona"), world.spool(material="PLA")
    answer = mona.post(f"/workshop/spools/{spool.id}/load", {"printer": str(world.printer.id)}, form="/workshop")
    assert answer.status_code >= 400
    assert world.get(Printer, world.printer.id).material == "PETG"


def test_the_maker_is_asked_before_a_print_for_which_the_spool_is_not_enough(house: House, world: World) -> None:
    world.spool(1, on=world.printer)
    attempt = world.attempt(AttemptState.READY)
    with world.database.changing() as session:
        plate = material._plate(session, session.get_one(Attempt, attempt.id))
        assert plate is not None
        plate.milligrams = 40_000
        session.add(plate)
    mona = house.signed_in("mona")
    page = mona.get(f"/printers/{world.printer.id}")
    assert "This print needs 40 g, and 1 g are left" in page.text
    answer = mona.post(f"/printers/attempts/{attempt.id}/spool", {}, form=f"/printers/{world.printer.id}")
    assert answer.status_code == 302
    assert world.get(Attempt, attempt.id).spool_confirmed
    assert "start_attempts" in house.nudged
    assert "not enough on the spool" not in mona.get(f"/printers/{world.printer.id}").text


def test_maintenance_is_written_down_with_the_hours(house: House, world: World) -> None:
    address = f"/printers/{world.printer.id}/upkeep"
    mona = house.signed_in("mona")
    assert "Nothing written down yet" in mona.get(address).text
    assert mona.post(address, {"kind": "nozzle", "note": "0.4 mm, brass"}, form=address).status_code == 302
    assert "0.4 mm, brass" in mona.get(address).text
    assert mona.post(address, {"kind": "", "note": ""}, form=address).status_code == 400
    assert [done.kind for done in world.all(Upkeep)] == [UpkeepKind.NOZZLE]


def test_a_long_run_without_a_look_is_told(house: House, world: World) -> None:
    attempt = world.attempt(AttemptState.COUNTED)
    with world.database.changing() as session:
        row = session.get_one(Attempt, attempt.id)
        row.started_at, row.ended_at = NOW, later(hours=201)
        session.add(row)
    mona = house.signed_in("mona")
    assert "200 hours or more" in mona.get(f"/printers/{world.printer.id}").text
    assert "201 hours" in mona.get(f"/printers/{world.printer.id}/upkeep").text


def test_the_breaker_is_told_once_and_kept(house: House, world: World) -> None:
    mona = house.signed_in("mona")
    assert mona.post("/workshop/power", {"watts": "2300"}, form="/workshop").status_code == 302
    assert mona.post("/workshop/power", {"watts": "5"}, form="/workshop").status_code == 400
    assert [limit.watts for limit in world.all(PowerLimit)] == [2300]


def test_nobody_else_sees_or_changes_it(house: House, world: World) -> None:
    spool = world.spool()
    house.add_person("Max", (world.hub, Role.MAKER))
    other = house.signed_in("max")
    assert spool.material not in other.get("/workshop").text.partition("<h2>Enter a spool")[0]
    for address in (f"/workshop/spools/{spool.id}/load", f"/workshop/spools/{spool.id}/weigh"):
        assert other.post(address, {"grams": "1"}, form="/workshop").status_code == 404
    assert other.get(f"/printers/{world.printer.id}/upkeep").status_code == 404
