"""Secrets and addresses are planted, everybody asks every route, and nothing of them is where it must not be."""

import io
import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import ADDRESS, later
from sqlmodel import SQLModel
from unit.web.houses import House
from unit.web.permissions import OWNERS, Walk, people_of, walking

from makerhub.cli.redaction import RedactingFormatter
from makerhub.notices.tasks import send_mails
from makerhub.people.models import Role
from makerhub.people.tasks import answer_sign_in_requests

KEY = "0123456789ABCDEF0123456789ABCDEF"
STREET = ADDRESS.splitlines()[1]
SEES_ADDRESS = {("mona", "GET", "/my-home/address"), ("kim", "POST", "/pickups/<pickup_id>/address")}
"""The only answers in which the address stands: the maker's own form, and the courier's after the button."""


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    with walking(tmp_path_factory.mktemp("canaries")) as walked:
        yield walked


def everybody() -> list[str]:
    return ["visitor", "charlie", *{name: None for role in Role for name in people_of(role)}]


def stored(house: House) -> str:
    """Every table as text, bytes as they are."""
    with house.database.reading() as session:
        rows = [row for table in SQLModel.metadata.sorted_tables for row in session.execute(table.select()).all()]
    return "\n".join(map(repr, rows))


def test_no_page_shows_a_printers_key_and_two_show_the_address(walk: Walk, caplog: pytest.LogCaptureFixture) -> None:
    secret = {somebody.fs_uniquifier for somebody in walk.house.people.values()} | {KEY}
    shown = set()
    with caplog.at_level(logging.DEBUG):
        for who in everybody():
            for route, answer in walk.answers(who).items():
                assert not [one for one in secret if one in answer.text], f"{who} {route.method} {route.written}"
                if STREET in answer.text:
                    shown.add((who, route.method, route.written))
    assert shown == SEES_ADDRESS
    assert STREET not in caplog.text
    assert KEY not in caplog.text


def test_nothing_of_them_stands_in_the_database_or_beside_it(walk: Walk) -> None:
    house = walk.house
    browser = house.signed_in("mona")
    cookie = browser.cookie
    assert cookie
    text = stored(house)
    assert [word for word in (KEY, STREET, cookie) if word in text] == []
    folder = house.app.extensions["makerhub"].settings.data_directory
    files = [file for file in folder.rglob("*") if file.is_file() and file.name != "hub.key"]
    assert [file for file in files for word in (KEY, STREET, cookie) if word.encode() in file.read_bytes()] == []
    assert cookie not in browser.get("/account").text


def test_an_export_tells_no_secret_and_the_address_to_its_owner_alone(walk: Walk) -> None:
    for who in OWNERS.values():
        with zipfile.ZipFile(io.BytesIO(walk.house.signed_in(who).get("/account/data/download").data)) as archive:
            text = archive.read(archive.namelist()[0]).decode()
        assert KEY not in text
        assert walk.house.people[who].fs_uniquifier not in text
        assert (STREET in text) is (who == "mona")


def test_the_code_of_a_mail_is_in_that_mail_and_nowhere_else(
    house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hub = house.app.extensions["makerhub"]
    handler = logging.Handler()
    lines: list[str] = []
    handler.emit = lambda record: lines.append(RedactingFormatter("%(message)s").format(record))  # type: ignore[method-assign]
    with caplog.at_level(logging.DEBUG):
        logging.getLogger().addHandler(handler)
        page = house.browser().post("/sign-in", {"email": "mona@example.org"}, form="/sign-in")
        answer_sign_in_requests.function(house.database, house.world.key_box, hub.settings, later, lambda _: None)
        send_mails.function(house.database, hub.channel, hub.translator, house.world.key_box, later)
        logging.getLogger().removeHandler(handler)
    assert page.status_code in (200, 302)
    (mail,) = [file for file in (tmp_path / "mail").rglob("*") if file.is_file()]
    letter = mail.read_text(encoding="utf-8", errors="replace").replace("=\n", "")
    tokens = [word.strip("<>.") for word in letter.split() if "/sign-in/" in word]
    assert tokens, letter
    token = tokens[0].rpartition("/")[2]
    assert len(token) > 20
    assert token not in stored(house)
    assert token not in caplog.text
    assert "mona@example.org" not in "\n".join(lines)
