"""An administrator looks after one person: a lost second factor, and whether they may sign in."""

import pytest
from builders import NOW, World, later
from passlib.totp import TOTP  # type: ignore[import-untyped]
from sqlmodel import select
from unit.web.browsers import Browser
from unit.web.houses import House

from makerhub.audit.models import Deed
from makerhub.notices.models import Mail
from makerhub.people import second_factor
from makerhub.people.models import Person, Role


@pytest.fixture
def ada(house: House, world: World) -> Browser:
    house.add_person("Ada", (world.hub, Role.ADMIN))
    return house.signed_in("ada")


def with_second_factor(world: World) -> None:
    with world.database.changing() as session:
        factor = second_factor.begin(session, world.dispatcher, key_box=world.key_box, now=NOW)
        app = TOTP(key=second_factor.key_to_type(factor, world.key_box).replace(" ", ""))
        second_factor.finish(session, factor, app.generate(NOW).token, key_box=world.key_box, now=NOW)


def deeds(world: World, person: Person) -> list[tuple[str, str]]:
    with world.database.reading() as session:
        mine = select(Deed).where(Deed.entity_id == person.id, Deed.entity == "person")
        return [(deed.what, deed.why) for deed in session.exec(mine.order_by(Deed.number))]  # type: ignore[arg-type]


def test_a_lost_second_factor_is_taken_away_and_told(house: House, world: World, ada: Browser) -> None:
    with_second_factor(world)
    dan = house.signed_in("dan")
    assert dan.get("/dispatch").status_code == 200
    address = f"/admin/people/{world.dispatcher.id}"
    assert address in ada.get("/admin").text
    assert ada.post(f"{address}/second-factor", {"why": " "}, form=address).status_code == 400
    assert ada.post(f"{address}/second-factor", {"why": "called her"}, form=address).status_code == 302
    assert dan.get("/dispatch").headers["Location"].startswith("/sign-in")
    with world.database.reading() as session:
        assert not second_factor.is_in_use(session, world.dispatcher)
    assert [mail.letter for mail in world.all(Mail) if mail.address == world.dispatcher.email] == ["second_factor_gone"]
    assert ("second factor reset", "called her") in deeds(world, world.dispatcher)
    assert "no second factor" in ada.post(f"{address}/second-factor", {"why": "again"}, form=address).text


def test_nobody_is_looked_after_without_a_fresh_proof_or_by_oneself(house: House, world: World, ada: Browser) -> None:
    address = f"/admin/people/{house.people['ada'].id}"
    assert ada.post(f"{address}/sign-in", {"may": "no", "why": "tired"}, form=address).status_code == 400
    assert world.get(Person, house.people["ada"].id).active
    house.time.now = later(minutes=20)
    other = f"/admin/people/{world.maker.id}"
    assert ada.get(other).headers["Location"].startswith("/confirm")
    assert ada.post(f"{other}/sign-in", {"may": "no", "why": "no"}, form="/admin").headers["Location"] == "/confirm"
    assert world.get(Person, world.maker.id).active


def test_somebody_is_disabled_and_enabled_again(house: House, world: World, ada: Browser) -> None:
    mona, address = house.signed_in("mona"), f"/admin/people/{world.maker.id}"
    assert ada.post(f"{address}/sign-in", {"may": "no", "why": "cheats"}, form=address).status_code == 302
    assert mona.get("/printers").headers["Location"].startswith("/sign-in")
    assert ada.post(f"{address}/sign-in", {"may": "yes", "why": "was wrong"}, form=address).status_code == 302
    assert world.get(Person, world.maker.id).active
    assert deeds(world, world.maker)[-2:] == [("disabled", "cheats"), ("enabled", "was wrong")]
    assert house.signed_in("dan").get(address).status_code == 404


def test_where_nobody_needs_a_second_factor_whoever_would_is_told(house: House, ada: Browser) -> None:
    assert "Second factors are switched off" in ada.get("/").text
    assert "Second factors are switched off" not in house.signed_in("mona").get("/").text
