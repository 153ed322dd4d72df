"""The main job by clicking alone: every role signs in on a phone and does its part, with and without JavaScript.

The hub is whole: its engine runs, the slicer slices, and printers behind an OctoPrint interface print on a fast clock.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from browser.conftest import PHONE
from hubs import MATERIAL, MODEL, Place, quick_settings, running_hub
from playwright.sync_api import Browser, Dialog, Locator, Page, Request, expect

from makerhub.demand.models import RequestState, SupplyRequest
from makerhub.people.models import Person
from makerhub.simulation.network import PASSWORD
from makerhub.simulation.octoprint import SimulatedPrinters
from makerhub.simulation.served import ServedPrinter
from makerhub.trace.invariants import breaches
from makerhub.web.server import serving

PIECES = 2
SPEED = 1200.0
PATIENCE_MS = 40_000


@pytest.fixture
def printer() -> Iterator[ServedPrinter]:
    with SimulatedPrinters(1, speed=SPEED) as farm:
        yield farm.printers[0]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with running_hub(quick_settings(tmp_path)) as place:
        yield place


@dataclass
class Street:
    """Opens a browser of their own for each person, signed in; what any of them complains about is collected."""

    chromium: Browser
    address: str
    javascript: bool
    complaints: list[str] = field(default_factory=list)

    def sign_in(self, person: Person) -> Page:
        """From the first page on, by its links and its form."""
        page = self._open()
        page.goto(self.address)
        page.locator("header").get_by_role("link", name="Sign in").click()
        page.get_by_role("link", name="Sign in with a password instead").click()
        page.get_by_label("E-mail address").fill(person.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.locator("main").get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="What do you want to do?")).to_be_visible()
        return page

    def see(self, page: Page, wanted: Locator) -> None:
        """Wait for something to come up: by itself, or by loading the page again where there is no JavaScript."""
        if not self.javascript:
            for _ in range(PATIENCE_MS // 500):
                if wanted.is_visible():
                    break
                page.wait_for_timeout(500)
                page.reload()
        expect(wanted).to_be_visible(timeout=PATIENCE_MS)

    def _open(self) -> Page:
        width, height = PHONE
        context = self.chromium.new_context(
            viewport={"width": width, "height": height},
            java_script_enabled=self.javascript,
            locale="en-GB",
            is_mobile=True,
            has_touch=True,
        )
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("console", lambda said: self._complain(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self._complain(str(error)))
        page.on("requestfailed", self._failed)
        page.on("dialog", self._dismiss)
        return page

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a look at a page that was left meanwhile
            self._complain(f"{request.url}: {request.failure}")

    def _dismiss(self, dialog: Dialog) -> None:
        self._complain(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _complain(self, what: str) -> None:
        self.complaints.append(what)


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def street(request: pytest.FixtureRequest, chromium: Browser, place: Place) -> Iterator[Street]:
    with serving(place.hub.web, "127.0.0.1") as address:
        street = Street(chromium, address, request.param)
        yield street
        for context in chromium.contexts:
            context.close()
    assert street.complaints == []


def test_everybody_does_their_part(place: Place, street: Street, printer: ServedPrinter) -> None:
    network = place.network
    maker = street.sign_in(network.makers[0])
    register_printer(street, maker, printer)
    nurse = street.sign_in(network.nurse)
    ask(nurse)
    dispatcher = street.sign_in(network.dispatcher)
    accept(dispatcher, network.hospital.name)
    print_one(street, maker, clear_at_once=True)
    check_one(street, dispatcher)
    print_one(street, maker, clear_at_once=False)
    check_one(street, dispatcher)
    pack(street, dispatcher)
    courier = street.sign_in(network.courier)
    take(courier, network.hospital.name)
    if street.javascript:
        hand_over(courier, read_code(street, nurse))
    else:
        confirm_arrival(street, nurse)
    look_at_the_trace(street, nurse)
    for page in (maker, nurse, dispatcher, courier):
        sign_out(page)

    assert [request.state for request in place.all(SupplyRequest)] == [RequestState.FULFILLED]
    assert len(printer.prints) == PIECES
    with place.hub.database.reading() as session:
        assert breaches(session) == []


def register_printer(street: Street, page: Page, printer: ServedPrinter) -> None:
    page.get_by_role("link", name="Look after my printers").click()
    page.locator("main").get_by_role("link", name="Register a printer").first.click()
    page.get_by_role("link", name="By OctoPrint on the hub’s own network").click()
    page.get_by_label("What do you call it?").fill("Cellar")
    page.get_by_label("Model", exact=True).select_option(MODEL)
    page.get_by_label("Material that is on it").select_option(MATERIAL)
    page.get_by_label("Address of OctoPrint").fill(printer.url)
    page.get_by_label("Application key").fill(printer.key)
    page.get_by_label("The build plate is clear now").check()
    page.get_by_role("button", name="Register").click()
    street.see(page, page.get_by_text("Ready. The next job that fits comes by itself."))


def ask(page: Page) -> None:
    page.get_by_role("link", name="Ask for equipment").click()
    page.get_by_label("Ear saver, Small").fill(str(PIECES))
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Needed by the end of").fill(f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}")
    page.get_by_label("Critical").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Send the request").click()
    expect(page.get_by_role("heading", name="Your request is sent")).to_be_visible()
    page.get_by_role("link", name="See how it goes").click()


def accept(page: Page, facility: str) -> None:
    page.get_by_role("link", name="Keep production going").click()
    page.get_by_role("link", name=facility).click()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Accepted. It is being planned now.")).to_be_visible()
    page.locator("main").get_by_role("link", name="Production").click()


def print_one(street: Street, page: Page, *, clear_at_once: bool) -> None:
    """Take the job that is offered, count what came of it, and clear the plate with the count or afterwards."""
    yes = page.get_by_role("button", name="Yes, print it")
    street.see(page, yes)
    yes.click()
    count = page.get_by_role("button", name="Count")
    street.see(page, count)
    expect(page.get_by_label("How many pieces are good?")).to_have_value("1")
    page.get_by_label("I have cleared the build plate").set_checked(clear_at_once)
    count.click()
    expect(page.get_by_text("Thank you! Write")).to_be_visible()
    if not clear_at_once:
        page.get_by_role("button", name="The plate is clear").click()
        expect(page.get_by_text("Thank you. The next print can start on the clear plate.")).to_be_visible()


def check_one(street: Street, page: Page) -> None:
    lots = page.get_by_role("table").filter(has=page.get_by_role("columnheader", name="Label")).get_by_role("link")
    street.see(page, lots.first)
    lots.first.click()
    page.get_by_role("button", name="Record the check").click()
    expect(page.get_by_text("1 piece passed.")).to_be_visible()


def pack(street: Street, page: Page) -> None:
    """Not before everything is reserved."""
    street.see(page, page.get_by_text(f"{PIECES} of {PIECES} pieces reserved or sent"))
    page.get_by_role("button", name="Pack what is reserved").click()
    expect(page.get_by_text("Packed. A courier can take it now.")).to_be_visible()


def take(page: Page, facility: str) -> None:
    page.get_by_role("link", name="Bring a delivery").click()
    page.locator("main").get_by_role("link", name=facility).click()
    page.locator("summary").click()
    page.get_by_role("button", name="I have taken it").click()
    expect(page.get_by_label("Hand-over code")).to_be_visible()


def read_code(street: Street, page: Page) -> str:
    """The nurse's page brings the code by itself."""
    code = page.locator(".hand-over-code")
    street.see(page, code)
    return re.sub(r"\D", "", code.inner_text())


def hand_over(page: Page, code: str) -> None:
    page.get_by_label("Hand-over code").fill(code)
    page.get_by_role("button", name="Delivered").click()
    expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()


def confirm_arrival(street: Street, page: Page) -> None:
    arrived = page.get_by_role("link", name="It has arrived")
    street.see(page, arrived)
    arrived.click()
    page.get_by_role("button", name="Yes, we have it").click()
    expect(page.get_by_text("Thank you. The courier and the makers can see that it has arrived.")).to_be_visible()


def look_at_the_trace(street: Street, page: Page) -> None:
    street.see(page, page.get_by_role("heading", name="What has arrived"))
    page.locator(".bags a").first.click()
    expect(page.get_by_role("heading", name="How it was made")).to_be_visible()
    expect(page.locator("main")).to_contain_text(MATERIAL)


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("header").get_by_role("link", name="Sign in")).to_be_visible()
