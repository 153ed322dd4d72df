import os
import stat
from pathlib import Path
from uuid import uuid4

import pytest
from builders import World, at_once, failures
from hypothesis import given
from hypothesis import strategies as some

from makerhub.key_file import KeyFileUnsafe
from makerhub.keys.box import KeyBox, KeyMissing, NotGenuine, Place, place
from makerhub.keys.ring import KeyFileBroken, KeyRing, new_key, read_ring, write_ring
from makerhub.printers import service
from makerhub.printers.models import Printer

KEY = "0123456789ABCDEF0123456789ABCDEF"
HERE = place(Printer, uuid4(), "encrypted_key")


def test_a_text_comes_back_from_its_own_place(tmp_path: Path) -> None:
    sealed = KeyBox(tmp_path / "new" / "hub.key").seal(KEY, HERE)
    assert KEY.encode() not in sealed
    assert KeyBox(tmp_path / "new" / "hub.key").open(sealed, HERE) == KEY


@given(text=some.text())
def test_every_text_comes_back(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    box = KeyBox(tmp_path_factory.getbasetemp() / "one.key")
    assert box.open(box.seal(text, HERE), HERE) == text


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place("printer", uuid4(), "encrypted_key"),
        Place("maker_address", HERE.row, "encrypted_key"),
        Place("printer", HERE.row, "name"),
    ],
    ids=["row", "table", "column"],
)
def test_what_was_copied_from_another_place_is_refused(key_box: KeyBox, elsewhere: Place) -> None:
    with pytest.raises(NotGenuine):
        key_box.open(key_box.seal(KEY, elsewhere), HERE)


def test_what_another_hub_sealed_is_refused_and_both_keys_are_named(tmp_path: Path, key_box: KeyBox) -> None:
    other = KeyBox(tmp_path / "other.key")
    with pytest.raises(KeyMissing) as refused:
        other.open(key_box.seal(KEY, HERE), HERE)
    assert key_box.ring.newest.id.hex() in str(refused.value)
    assert other.ring.newest.id.hex() in str(refused.value)


@pytest.mark.parametrize("at", [4, 15, 16, -1])
def test_what_was_changed_by_one_byte_is_refused(key_box: KeyBox, at: int) -> None:
    sealed = bytearray(key_box.seal(KEY, HERE))
    sealed[at] ^= 1
    with pytest.raises(NotGenuine):
        key_box.open(bytes(sealed), HERE)


@pytest.mark.parametrize("length", [0, 5, 12, 20])
def test_what_was_cut_short_is_refused(key_box: KeyBox, length: int) -> None:
    with pytest.raises(NotGenuine):
        key_box.open(key_box.seal(KEY, HERE)[:length], HERE)


def test_the_same_text_is_sealed_differently_each_time(key_box: KeyBox) -> None:
    assert key_box.seal(KEY, HERE) != key_box.seal(KEY, HERE)


def test_the_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    KeyBox(tmp_path / "hub.key")
    assert stat.S_IMODE((tmp_path / "hub.key").stat().st_mode) == 0o600
    write_ring(tmp_path / "hub.key", KeyRing((new_key(),)))
    assert stat.S_IMODE((tmp_path / "hub.key").stat().st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has these permissions")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    KeyBox(tmp_path / "hub.key")
    (tmp_path / "hub.key").chmod(mode)
    with pytest.raises(KeyFileUnsafe, match="chmod 600"):
        KeyBox(tmp_path / "hub.key")


@pytest.mark.parametrize("content", [b"", b"# only words\n", b"abcd\n", b"\xff" * 32, b"00" * 31 + b"\n"])
def test_a_key_file_that_is_none_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "hub.key"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(KeyFileBroken):
        KeyBox(file)
    assert file.read_bytes() == content


def test_many_who_start_at_once_make_one_key(tmp_path: Path) -> None:
    def seal() -> bytes:
        return KeyBox(tmp_path / "hub.key").seal(KEY, HERE)

    results = at_once(*[seal] * 16)
    assert failures(results) == []
    box = KeyBox(tmp_path / "hub.key")
    assert {box.open(sealed, HERE) for sealed in results if isinstance(sealed, bytes)} == {KEY}
    assert [file.name for file in tmp_path.iterdir()] == ["hub.key"]


def test_a_box_in_use_seals_with_a_key_that_came_later_and_opens_what_is_older(tmp_path: Path) -> None:
    box = KeyBox(tmp_path / "hub.key")
    before, old = box.seal(KEY, HERE), box.ring
    write_ring(box.file, KeyRing((new_key(), *old.keys)))
    after = box.seal(KEY, HERE)
    assert after[:4] == read_ring(box.file).newest.id != before[:4]
    assert box.open(before, HERE) == box.open(after, HERE) == KEY


def test_a_box_in_use_opens_what_another_process_sealed_with_a_newer_key(tmp_path: Path) -> None:
    box = KeyBox(tmp_path / "hub.key")
    write_ring(box.file, KeyRing((new_key(), *box.ring.keys)))
    assert box.open(KeyBox(box.file).seal(KEY, HERE), HERE) == KEY


def test_a_box_in_use_goes_on_when_its_file_is_gone(tmp_path: Path) -> None:
    box = KeyBox(tmp_path / "hub.key")
    box.file.unlink()
    assert box.open(box.seal(KEY, HERE), HERE) == KEY
    assert not box.file.exists()


def test_no_key_stands_in_what_is_written_of_a_ring(key_box: KeyBox) -> None:
    assert key_box.ring.newest.secret.hex() not in repr(key_box.ring)
    assert repr(key_box.ring.newest.secret) not in repr(key_box.ring)


def test_the_database_holds_no_printers_key_in_the_clear(world: World) -> None:
    printer = world.get(Printer, world.printer.id)
    assert KEY.encode() not in printer.encrypted_key
    assert service.connection(printer, world.key_box).key == KEY
    assert KEY not in repr(service.connection(printer, world.key_box))
