"""Pages from right to left, in a language that nobody speaks: mirrored, and nothing runs out of a small phone."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.conftest import DESK, PHONE, Open, Town
from builders import World
from unit.web.houses import House
from unit.web.pseudo import LANGUAGE, write_pseudo

from makerhub.db import Database
from makerhub.keys.box import KeyBox
from makerhub.web.server import serving
from makerhub.web.sessions import COOKIE
from makerhub.web.viewer import LANGUAGE_COOKIE

ADDRESSES = ("/", "/designs", "/printers", "/printers/{printer}", "/workshop", "/printers/new")


@pytest.fixture
def hebrew_town(sqlite_file: Path, tmp_path: Path) -> Iterator[Town]:
    database = Database(f"sqlite:///{shutil.copy(sqlite_file, tmp_path / 'town.sqlite')}")
    house = House(World(database, KeyBox(tmp_path / "hub.key")), tmp_path, languages=(LANGUAGE, "en"))
    house.app.extensions["babel"].translation_directories.insert(0, str(write_pseudo(tmp_path / "pseudo")))
    with serving(house.app, "127.0.0.1") as address:
        yield Town(house, address)
    database.dispose()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_pages_are_mirrored_and_fit(hebrew_town: Town, open_page: Open, size: tuple[int, int]) -> None:
    page = open_page(size)
    browser = hebrew_town.house.signed_in("mona")
    browser.get("/")
    cookie = browser.client.get_cookie(COOKIE)
    assert cookie is not None
    cookies = {COOKIE: cookie.value, LANGUAGE_COOKIE: LANGUAGE}
    page.context.add_cookies(
        [{"name": name, "value": value, "url": hebrew_town.address} for name, value in cookies.items()]
    )
    for address in ADDRESSES:
        page.goto(hebrew_town.address + address.format(printer=hebrew_town.world.printer.id))
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address
        name, account = page.locator("header .name").bounding_box(), page.locator(".account").bounding_box()
        assert name is not None
        assert account is not None
        assert name["x"] > account["x"], address
        assert page.evaluate("getComputedStyle(document.querySelector('h1')).textAlign") in ("start", "right"), address
