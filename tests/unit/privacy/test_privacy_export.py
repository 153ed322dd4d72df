import io
import json
import zipfile
from typing import Any

from builders import ADDRESS, NOW, World, later
from unit.privacy.test_privacy_erasure import lived_in

from makerhub.people.models import Person
from makerhub.privacy.export import FILE_NAME, count, export
from makerhub.privacy.register import REGISTER


def exported(world: World, person: Person) -> dict[str, Any]:
    with world.database.changing() as session:
        packed = export(session, session.get_one(Person, person.id), world.key_box, by=person.id, now=NOW)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == [FILE_NAME]
        found: dict[str, Any] = json.loads(archive.read(FILE_NAME))
    return found


def rows(found: dict[str, Any], table: str) -> list[dict[str, Any]]:
    return [row for record in found["records"] if record["table"] == table for row in record["rows"]]


def test_a_maker_gets_all_that_is_held_with_the_own_address_to_be_read(world: World) -> None:
    lot, _ = lived_in(world)
    found = exported(world, world.maker)
    assert found["about"] == "mona@example.org"
    assert rows(found, "maker_address")[0]["sealed_address"] == ADDRESS
    assert rows(found, "person")[0]["name"] == "Mona"
    assert rows(found, "printer")[0]["url"] == "http://octopi.local"
    assert lot.label in {row["label"] for row in rows(found, "lot")}
    assert [row["at"] for row in rows(found, "address_view")] == [later(hours=1).isoformat()]
    assert rows(found, "maker_settings")[0]["quiet_until"] == 60


def test_no_secret_and_nobody_else_is_in_it(world: World) -> None:
    lived_in(world)
    text = json.dumps(exported(world, world.maker))
    for word in (
        "a hash",
        "0123456789ABCDEF",
        "Kim",
        "Dan",
        "Ruth",
        str(world.courier.id),
        str(world.maker.fs_uniquifier),
    ):
        assert word not in text, word


def test_somebody_else_gets_nothing_of_it(world: World) -> None:
    lived_in(world)
    found = exported(world, world.dispatcher)
    assert rows(found, "maker_address") == rows(found, "printer") == rows(found, "lot") == []
    assert "Larch Lane" not in json.dumps(found)
    assert "mona" not in json.dumps(found)


def test_every_kind_is_told_even_where_there_is_none(world: World) -> None:
    assert len(exported(world, world.requester)["records"]) == len(REGISTER)
    with world.database.reading() as session:
        counted = {held.table for held, _ in count(session, session.get_one(Person, world.requester.id))}
    assert counted == {"membership", "person", "deed"}
