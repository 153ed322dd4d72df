import os
import stat
from pathlib import Path
from uuid import uuid4

import pytest
from builders import World, at_once, failures

from makerhub.key_file import KeyFileUnsafe
from makerhub.printers import service
from makerhub.printers.keys import KeyBox, KeyUnreadable
from makerhub.printers.models import Printer

KEY = "0123456789ABCDEF0123456789ABCDEF"
PRINTER = uuid4()


def test_a_key_comes_back_for_its_own_printer(tmp_path: Path) -> None:
    encrypted = KeyBox(tmp_path / "new" / "hub.key").encrypt(KEY, PRINTER)
    assert KEY.encode() not in encrypted
    assert KeyBox(tmp_path / "new" / "hub.key").decrypt(encrypted, PRINTER) == KEY


def test_a_key_copied_from_another_row_is_refused(key_box: KeyBox) -> None:
    with pytest.raises(KeyUnreadable):
        key_box.decrypt(key_box.encrypt(KEY, PRINTER), uuid4())


def test_a_key_of_another_hub_is_refused(tmp_path: Path, key_box: KeyBox) -> None:
    with pytest.raises(KeyUnreadable):
        KeyBox(tmp_path / "other.key").decrypt(key_box.encrypt(KEY, PRINTER), PRINTER)


@pytest.mark.parametrize("place", [0, 15, -1])
def test_a_key_of_which_one_byte_was_changed_is_refused(key_box: KeyBox, place: int) -> None:
    encrypted = bytearray(key_box.encrypt(KEY, PRINTER))
    encrypted[place] ^= 1
    with pytest.raises(KeyUnreadable):
        key_box.decrypt(bytes(encrypted), PRINTER)


@pytest.mark.parametrize("length", [0, 5, 12, 20])
def test_a_key_that_was_cut_short_is_refused(key_box: KeyBox, length: int) -> None:
    with pytest.raises(KeyUnreadable):
        key_box.decrypt(key_box.encrypt(KEY, PRINTER)[:length], PRINTER)


def test_the_same_key_is_encrypted_differently_each_time(key_box: KeyBox) -> None:
    assert key_box.encrypt(KEY, PRINTER) != key_box.encrypt(KEY, PRINTER)


def test_the_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    KeyBox(tmp_path / "hub.key")
    assert stat.S_IMODE((tmp_path / "hub.key").stat().st_mode) == 0o600
    assert (tmp_path / "hub.key").stat().st_size == 32


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has these permissions")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    KeyBox(tmp_path / "hub.key")
    (tmp_path / "hub.key").chmod(mode)
    with pytest.raises(KeyFileUnsafe):
        KeyBox(tmp_path / "hub.key")


def test_many_who_start_at_once_make_one_key(tmp_path: Path) -> None:
    def encrypt() -> bytes:
        return KeyBox(tmp_path / "hub.key").encrypt(KEY, PRINTER)

    results = at_once(*[encrypt] * 16)
    assert failures(results) == []
    box = KeyBox(tmp_path / "hub.key")
    assert {box.decrypt(encrypted, PRINTER) for encrypted in results if isinstance(encrypted, bytes)} == {KEY}
    assert [file.name for file in tmp_path.iterdir()] == ["hub.key"]


def test_the_database_holds_no_key_in_the_clear(world: World) -> None:
    printer = world.get(Printer, world.printer.id)
    assert KEY.encode() not in printer.encrypted_key
    assert service.connection(printer, world.key_box).key == KEY
    assert KEY not in repr(service.connection(printer, world.key_box))
