"""A real Chromium on the real pages; whatever it complains about fails the test."""

import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from builders import World
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright
from unit.web.browsers import PASSWORD, hashed_password
from unit.web.houses import House

from makerhub.db import Database
from makerhub.designs.models import Part
from makerhub.keys.box import KeyBox
from makerhub.people.models import Person
from makerhub.web.server import serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--no-proxy-server",
)
PATIENCE_MS = 15_000
"""Three times as long as a live part of a page waits before it looks again."""

PHONE, DESK = (360, 740), (1280, 800)

Open = Callable[..., Page]


class Town:
    """The house of pages, served, and those who look at it."""

    def __init__(self, house: House, address: str) -> None:
        self.house = house
        self.world = house.world
        self.address = address

    def sign_in(self, page: Page, who: str, address: str = "") -> None:
        """Type address and password, as one does, on the pages under another address where one is given."""
        self.type_password(page, who, address)
        page.wait_for_url(f"{address or self.address}/")

    def type_password(self, page: Page, who: str, address: str = "") -> None:
        """The first factor alone."""
        page.goto(f"{address or self.address}/sign-in/password")
        page.get_by_label("E-mail").fill(self.house.people[who].email)
        page.get_by_label("Password").fill(PASSWORD)
        page.locator("main").get_by_role("button", name="Sign in").click()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of a module: while it is open, no other event loop can run in this thread."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here; “make test” installs it")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def town(sqlite_file: Path, tmp_path: Path) -> Iterator[Town]:
    """The pages on a port of their own; everybody has a password, and the headband a picture."""
    database = Database(f"sqlite:///{shutil.copy(sqlite_file, tmp_path / 'town.sqlite')}")
    house = House(World(database, KeyBox(tmp_path / "hub.key")), tmp_path)
    with database.changing() as session:
        for somebody in house.people.values():
            session.get_one(Person, somebody.id).password = hashed_password()
        part = session.get_one(Part, house.world.part(house.world.headband).id)
        part.picture_sha256 = house.files.put(_picture())
    with serving(house.app, "127.0.0.1") as address:
        yield Town(house, address)
    database.dispose()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Open]:
    """Opens a page in a browser of its own; complaints of any of them fail the test when it ends."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(size: tuple[int, int] = PHONE, *, javascript: bool = True) -> Page:
        width, height = size
        context = chromium.new_context(
            viewport={"width": width, "height": height}, java_script_enabled=javascript, locale="en-GB"
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda lost: complaints.extend(_failure(lost)))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def _failure(lost: Request) -> list[str]:
    """What failed and how; nothing where a page was left while it loaded its icon."""
    return [] if lost.failure == "net::ERR_ABORTED" else [f"{lost.url}: {lost.failure}"]


def _picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGBA", (512, 512), (13, 97, 102, 255)).save(stream, "WEBP")
    return stream.getvalue()
