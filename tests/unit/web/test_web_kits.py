"""Designs that come in several kits: each is asked for by its own name."""

from datetime import timedelta

from builders import NOW, World, design_version
from sqlmodel import select
from unit.web.houses import House, fill

from makerhub.demand.models import RequestLine
from makerhub.designs.models import Kit, KitPart


def three_sizes(world: World) -> list[Kit]:
    with world.database.changing() as session:
        version = design_version(session, "ear-saver", strap=1)
        whole = session.exec(select(Kit).where(Kit.version_id == version.id)).one()
        member = session.exec(select(KitPart).where(KitPart.kit_id == whole.id)).one()
        whole.name, whole.fits = "Small", "Heads of 50 to 54 cm"
        others = [Kit(version_id=version.id, position=n, name=name) for n, name in ((1, "Medium"), (2, "Extra large"))]
        session.add_all(others)
        session.flush()
        session.add_all(KitPart(kit_id=kit.id, part_id=member.part_id, quantity=1) for kit in others)
        return [whole, *others]


def test_each_kit_of_a_design_has_a_field_of_its_own(house: House, world: World) -> None:
    _, _, large = three_sizes(world)
    alice = house.signed_in("alice")
    first = alice.get("/ask?design=ear-saver")
    assert first.text.index("Ear-Saver") < first.text.index("Headband")
    assert "Heads of 50 to 54 cm" in first.text
    second = fill(alice, first, **{"quantity__ear__saver.extra__large": "4"})
    assert "Ear-Saver, Extra large" in second.text
    day = (NOW + timedelta(days=9)).date().isoformat()
    third = fill(alice, second, needed_by=day, urgency="soon")
    assert "Ear-Saver, Extra large" in third.text
    sent = fill(alice, third)
    assert sent.status_code == 302
    [line] = world.all(RequestLine)
    assert (line.kit_id, line.quantity) == (large.id, 4)
    assert "4 × Ear-Saver, Extra large" in alice.get("/requests").text


def test_the_page_of_a_design_lists_what_each_kit_holds(house: House, world: World) -> None:
    three_sizes(world)
    shown = house.browser().get("/designs/ear-saver").text
    assert all(f"<h3>{name}</h3>" in shown for name in ("Small", "Medium", "Extra large"))
    assert "Heads of 50 to 54 cm" in shown
    assert "<h3>" not in house.browser().get("/designs/headband").text
