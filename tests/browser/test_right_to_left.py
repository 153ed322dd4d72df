"""Pages from right to left, in a language that nobody speaks: mirrored, and nothing runs out of a small phone."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.conftest import DESK, PHONE, Open, Town
from builders import World
from playwright.sync_api import Page
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


def sign_in(page: Page, town: Town, who: str) -> None:
    """Without typing, and in that language."""
    cookies = {COOKIE: town.house.signed_in(who).cookie or "", LANGUAGE_COOKIE: LANGUAGE}
    page.context.add_cookies([{"name": name, "value": value, "url": town.address} for name, value in cookies.items()])


FIGURES = """() => {
  const text = document.querySelector(".hand-over-code").firstChild, range = document.createRange();
  const figures = [...text.data].map((figure, place) => [figure, place]).filter(([figure]) => /[0-9]/.test(figure));
  const seen = figures.map(([figure, place]) => {
    range.setStart(text, place); range.setEnd(text, place + 1);
    return [range.getBoundingClientRect().left, figure];
  });
  return seen.sort((one, other) => one[0] - other[0]).map(([, figure]) => figure).join("");
}"""


def test_a_hand_over_code_is_read_in_the_order_in_which_it_is_typed(hebrew_town: Town, open_page: Open) -> None:
    """Its two groups of figures would change places: whoever reads it out at the door would say another code."""
    world, page = hebrew_town.world, open_page(PHONE)
    request, lot = world.request(), world.lot(4)
    world.reserve(request, lot, 4)
    shipment = world.pack(request)
    world.depart(shipment)
    sign_in(page, hebrew_town, "ruth")
    page.goto(f"{hebrew_town.address}/requests/{request.id}")
    assert page.evaluate(FIGURES) == shipment.hand_over_code


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_pages_are_mirrored_and_fit(hebrew_town: Town, open_page: Open, size: tuple[int, int]) -> None:
    page = open_page(size)
    sign_in(page, hebrew_town, "mona")
    for address in ADDRESSES:
        page.goto(hebrew_town.address + address.format(printer=hebrew_town.world.printer.id))
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address
        name, account = page.locator("header .name").bounding_box(), page.locator(".account").bounding_box()
        assert name is not None
        assert account is not None
        assert name["x"] > account["x"], address
        assert page.evaluate("getComputedStyle(document.querySelector('h1')).textAlign") in ("start", "right"), address
