"""A printer like no other: a model that its maker describes, and own code for one printer."""

import pytest
from builders import MK3S, World
from unit.web.houses import House, fill

from makerhub.designs.generic_profile import Drive
from makerhub.printers.models import Printer
from makerhub.printers.own import profile_of, with_described

DESCRIBED = {
    "name": "The blue one",
    "profile": "other",
    "material": "PLA",
    "url": "http://192.168.1.20",
    "key": "0123456789abcdef",
    "own_name": "Vyper",
    "own_bed_width_mm": "245",
    "own_bed_depth_mm": "245",
    "own_height_mm": "260,5",
    "own_nozzle_mm": "0.4",
    "own_drive": "direct",
    "own_max_nozzle_celsius": "250",
    "own_max_bed_celsius": "100",
    "own_materials": "PLA",
    "own_power_watts": "350",
}
END = "G1 E-2 F1800\nM104 S0\nM140 S0\nM84"


def test_a_model_that_nobody_knows_is_described_and_sliced_for(house: House, world: World) -> None:
    mona = house.signed_in("mona")
    assert mona.post("/printers/new", DESCRIBED, form="/printers/new?link=direct").status_code == 302
    printer = next(one for one in world.all(Printer) if one.name == "The blue one")
    profile = profile_of(printer, {})
    assert (profile.name, profile.bed_width_mm, profile.height_mm) == ("Vyper", 245, 260.5)
    assert profile.presets.overrides["retract_length"] == "1"
    assert printer.own_model["drive"] == Drive.DIRECT
    assert with_described(world.all(Printer), {MK3S.key: MK3S}).keys() == {MK3S.key, printer.profile}
    assert "Vyper" in mona.get(f"/printers/{printer.id}").text
    assert mona.get(f"/printers/{printer.id}/change").status_code == 200


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("own_bed_width_mm", "wide", "between 80 and 500"),
        ("own_height_mm", "10", "between 50 and 600"),
        ("own_max_nozzle_celsius", "900", "between 200 and 300"),
        ("own_materials", "", "Choose at least one material"),
        ("own_name", "", "2 to 60 characters"),
    ],
)
def test_what_can_not_be_right_is_said_at_its_field(
    house: House, world: World, field: str, typed: str, said: str
) -> None:
    mona, before = house.signed_in("mona"), len(world.all(Printer))
    answer = mona.post("/printers/new", {**DESCRIBED, field: typed}, form="/printers/new?link=direct")
    assert answer.status_code == 400
    assert said in answer.text
    assert f'href="#{field}"' in answer.text
    assert len(world.all(Printer)) == before


def test_own_code_is_linted_and_used_for_this_printer_only(house: House, world: World) -> None:
    mona, address = house.signed_in("mona"), f"/printers/{world.printer.id}/own"
    other = world.add_printer("Another")
    assert (
        fill(mona, mona.get(address), end_gcode=END, ini="perimeter_speed = 40\nlayer_height = 0.1").status_code == 302
    )
    assert "layer_height" in mona.get(f"/printers/{world.printer.id}").text
    profile = profile_of(world.get(Printer, world.printer.id), {MK3S.key: MK3S})
    assert profile.presets.overrides == {"perimeter_speed": "40", "end_gcode": END.replace("\n", "\\n")}
    assert profile_of(world.get(Printer, other.id), {MK3S.key: MK3S}) == MK3S
    assert fill(mona, mona.get(address), end_gcode="", ini="").status_code == 302
    assert profile_of(world.get(Printer, world.printer.id), {MK3S.key: MK3S}) == MK3S


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("start_gcode", "G28\nM500"),
        ("start_gcode", "G28\nG1 X-50 F3000"),
        ("end_gcode", "M104 S200"),
        ("ini", "post_process = rm -rf /"),
        ("ini", "perimeter_speed = very fast"),
    ],
)
def test_what_would_hurt_is_refused_with_the_line(house: House, world: World, field: str, text: str) -> None:
    mona, address = house.signed_in("mona"), f"/printers/{world.printer.id}/own"
    answer = fill(mona, mona.get(address), **{field: text})
    assert answer.status_code == 400
    assert f'href="#{field}"' in answer.text
    assert world.get(Printer, world.printer.id).own_code == {}


def test_nobody_else_sees_or_changes_it(house: House, world: World) -> None:
    bob = house.signed_in("bob")
    assert bob.get(f"/printers/{world.printer.id}/own").status_code == 404
    assert bob.post(f"/printers/{world.printer.id}/own", {"ini": ""}, form="/").status_code == 404
