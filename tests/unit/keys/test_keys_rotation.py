"""Rotating keys while a hub runs, and after being broken off anywhere."""

from pathlib import Path

import pytest
from builders import NOW, World, at_once, failures
from sqlmodel import SQLModel

from makerhub.db import Database
from makerhub.keys import rotation
from makerhub.keys.box import KeyBox, KeyMissing, NotGenuine
from makerhub.keys.models import KeyProof
from makerhub.keys.proof import check, has_proof, prove
from makerhub.keys.ring import read_ring
from makerhub.keys.rotation import open_all, rotate, sealed_columns
from makerhub.printers import service
from makerhub.printers.models import Printer


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def sealed(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A hub with six printers' keys, sealed anew two at a time."""
    for number in range(5):
        world.add_printer(f"Printer {number}")
    prove(world.database, world.key_box, NOW)
    monkeypatch.setattr(rotation, "AT_ONCE", 2)
    return world


def keys_of(world: World, key_box: KeyBox | None = None) -> set[str]:
    return {service.connection(printer, key_box or world.key_box).key for printer in world.all(Printer)}


def key_ids(world: World) -> set[bytes]:
    return {printer.encrypted_key[:4] for printer in world.all(Printer)} | {
        proof.sealed_word[:4] for proof in world.all(KeyProof)
    }


def test_everything_is_sealed_with_the_new_key_and_the_old_one_is_gone(sealed: World) -> None:
    old = sealed.key_box.ring.newest
    rotated = rotate(sealed.database, sealed.key_box, grace_seconds=0)
    ring = read_ring(sealed.key_box.file)
    assert rotated.values == 7
    assert len(ring.keys) == 1
    assert ring.newest != old
    assert key_ids(sealed) == {ring.newest.id}
    assert keys_of(sealed, KeyBox(sealed.key_box.file)) == {"0123456789ABCDEF0123456789ABCDEF"}


def test_a_hub_that_runs_meanwhile_goes_on(sealed: World) -> None:
    running = KeyBox(sealed.key_box.file)
    rotate(sealed.database, KeyBox(sealed.key_box.file), grace_seconds=0)
    assert keys_of(sealed, running) == {"0123456789ABCDEF0123456789ABCDEF"}
    with sealed.database.changing() as session:
        service.register(session, sealed.new_printer(name="New"), running, now=NOW)
    assert open_all(sealed.database, KeyBox(sealed.key_box.file)) == 8


def test_what_a_page_had_sealed_just_before_is_sealed_anew_after_the_time_of_grace(sealed: World) -> None:
    late = sealed.get(Printer, sealed.printer.id).encrypted_key

    def a_page_commits(seconds: float) -> None:
        if seconds:
            with sealed.database.changing() as session:
                session.get_one(Printer, sealed.printer.id).encrypted_key = late

    rotate(sealed.database, sealed.key_box, grace_seconds=9, wait=a_page_commits)
    assert len(read_ring(sealed.key_box.file).keys) == 1
    assert open_all(sealed.database, KeyBox(sealed.key_box.file)) == 7


@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_a_rotation_that_was_killed_is_finished_by_the_next_with_the_same_new_key(sealed: World, after: int) -> None:
    steps = iter(range(1, 99))

    def step(_: object) -> None:
        if next(steps) == after:
            raise Killed

    with pytest.raises(Killed):
        rotate(sealed.database, sealed.key_box, grace_seconds=0, wait=step, progress=step)
    half = read_ring(sealed.key_box.file)
    assert len(half.keys) == 2
    assert open_all(sealed.database, KeyBox(sealed.key_box.file)) == 7
    rotate(sealed.database, KeyBox(sealed.key_box.file), grace_seconds=0)
    assert read_ring(sealed.key_box.file).keys == half.keys[:1]
    assert open_all(sealed.database, KeyBox(sealed.key_box.file)) == 7


def test_two_who_rotate_at_once_lose_nothing(sealed: World) -> None:
    boxes = [KeyBox(sealed.key_box.file) for _ in range(4)]
    results = at_once(*(lambda box=box: rotate(sealed.database, box, grace_seconds=0) for box in boxes))
    assert failures(results) == []
    assert len(read_ring(sealed.key_box.file).keys) == 1
    assert open_all(sealed.database, KeyBox(sealed.key_box.file)) == 7


def test_a_value_that_can_not_be_opened_stops_the_rotation_and_keeps_the_old_key(sealed: World) -> None:
    with sealed.database.changing() as session:
        broken = session.get_one(Printer, sealed.printer.id)
        broken.encrypted_key = broken.encrypted_key[:-1] + bytes([broken.encrypted_key[-1] ^ 1])
    with pytest.raises(NotGenuine, match=str(sealed.printer.id)):
        rotate(sealed.database, sealed.key_box, grace_seconds=0)
    assert len(read_ring(sealed.key_box.file).keys) == 2


def test_a_retired_printer_has_nothing_to_be_sealed(sealed: World) -> None:
    with sealed.database.changing() as session:
        service.retire(session, session.get_one(Printer, sealed.printer.id), by=sealed.maker.id, now=NOW)
    assert rotate(sealed.database, sealed.key_box, grace_seconds=0).values == 6


def test_a_key_file_of_another_hub_is_told_before_anything_is_changed(sealed: World, tmp_path: Path) -> None:
    other = KeyBox(tmp_path / "other.key")
    for refused in (check, lambda database, box: rotate(database, box, grace_seconds=0)):
        with pytest.raises(KeyMissing, match="do not belong together"):
            refused(sealed.database, other)
    with pytest.raises(KeyMissing):
        prove(sealed.database, other, NOW)
    assert len(read_ring(other.file).keys) == 1
    assert open_all(sealed.database, sealed.key_box) == 7


def test_many_who_start_at_once_make_one_proof(database: Database, key_box: KeyBox) -> None:
    assert not has_proof(database)
    results = at_once(*[lambda: prove(database, key_box, NOW)] * 8)
    assert failures(results) == []
    check(database, key_box)


def test_every_column_of_bytes_is_known_as_sealed() -> None:
    """A new column of bytes that is not sealed takes its place in the set below, with its reason."""
    in_the_clear = {"passkey.credential_id", "passkey.public_key"}  # what any site may know of a passkey
    of_bytes = {
        f"{table.name}.{column.name}"
        for table in SQLModel.metadata.sorted_tables
        for column in table.columns
        if column.type.python_type is bytes
    }
    assert of_bytes - in_the_clear == {f"{table.name}.{column.name}" for table, column in sealed_columns()}


def test_every_table_with_something_sealed_is_found_by_its_id() -> None:
    assert {column.name for table, _ in sealed_columns() for column in table.primary_key} == {"id"}
