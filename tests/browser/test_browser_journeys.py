"""The way of a request through real browsers, from the wish to the ward, with JavaScript and without."""

import re

import pytest
from browser.conftest import DESK, PHONE, Open, Town
from playwright.sync_api import Page, expect

from makerhub.delivery.models import Shipment, ShipmentState
from makerhub.demand import service as demand
from makerhub.demand.models import RequestState, SupplyRequest

MOST_SCREENS = 5


def check_fit(page: Page) -> None:
    """Nothing hangs out of the screen sideways, and what is to be touched is large enough for a thumb."""
    expect(page.locator("footer.site")).to_be_visible()  # the page is there to its end
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url
    small = page.locator("main").locator("button:visible, a.button:visible, input:visible:not([type=hidden])")
    for box in (element.bounding_box() for element in small.all()):
        assert box is not None
        assert box["height"] >= 44 or box["width"] <= 30, f"{box} on {page.url}"  # a radio's label is its target


def ask(town: Town, page: Page) -> SupplyRequest:
    """From the first screen to the last one, looking at each; gives the request."""
    screens = ["what"]
    page.get_by_role("link", name="Ask for equipment").click()
    check_fit(page)
    page.get_by_label("Headband", exact=True).fill("8")
    for screen in ("when", "check"):
        page.get_by_role("button", name="Continue").click()
        screens.append(screen)
        check_fit(page)
        if screen == "when":
            page.get_by_label("Needed by the end of").fill("2020-04-03")
            page.get_by_label("Critical").check()
    expect(page.locator("main")).to_contain_text("3 Apr 2020")
    page.get_by_role("button", name="Send the request").click()
    screens.append("sent")
    expect(page.get_by_role("heading", name="Your request is sent")).to_be_visible()
    check_fit(page)
    assert len(screens) <= MOST_SCREENS
    [request] = town.world.all(SupplyRequest)
    return request


def make(town: Town, request: SupplyRequest) -> Shipment:
    """The hub takes it on, a maker prints it, and it is packed."""
    world = town.world
    with world.database.changing() as session:
        row = session.get_one(SupplyRequest, request.id)
        demand.accept(session, row, by=world.dispatcher.id, now=town.house.time.now)
    world.reserve(request, world.lot(8, request=request), 8)
    return world.pack(request)


def hand_over(page: Page, code: str) -> None:
    """The courier takes the only delivery that waits and brings it."""
    page.get_by_role("link", name="Bring a delivery").click()
    page.get_by_role("link", name="Kingston Hub to Rosewood").click()
    check_fit(page)
    page.locator("summary").click()
    page.get_by_role("button", name="I have taken it").click()
    check_fit(page)
    page.get_by_label("Hand-over code").fill(code)
    page.get_by_role("button", name="Delivered").click()
    expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
    check_fit(page)


def read_code(page: Page) -> str:
    return re.sub(r"\D", "", page.locator(".hand-over-code").inner_text())


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_from_the_wish_to_the_ward(town: Town, open_page: Open, size: tuple[int, int]) -> None:
    nurse, courier = open_page(size), open_page(size)
    town.sign_in(nurse, "alice")
    request = ask(town, nurse)
    nurse.get_by_role("link", name="See how it goes").click()
    expect(nurse.locator("main")).to_contain_text("Kingston Hub has your request and will answer soon.")
    nurse.evaluate("window.loadedOnce = true")

    make(town, request)
    expect(nurse.locator(".hand-over-code")).to_be_visible()  # the page brings it by itself
    check_fit(nurse)
    town.sign_in(courier, "kim")
    hand_over(courier, read_code(nurse))

    expect(nurse.get_by_role("heading", name="What has arrived")).to_be_visible()
    assert nurse.evaluate("window.loadedOnce")
    assert town.world.get(SupplyRequest, request.id).state is RequestState.FULFILLED
    nurse.locator(".bags a").click()
    expect(nurse.get_by_role("heading", name="How it was made")).to_be_visible()
    check_fit(nurse)


def test_the_same_without_javascript(town: Town, open_page: Open) -> None:
    nurse, courier = open_page(javascript=False), open_page(javascript=False)
    town.sign_in(nurse, "alice")
    request = ask(town, nurse)
    shipment = make(town, request)
    nurse.get_by_role("link", name="See how it goes").click()
    town.sign_in(courier, "kim")
    hand_over(courier, read_code(nurse))
    nurse.reload()
    assert "What has arrived" in nurse.locator("main").inner_text()
    assert town.world.get(Shipment, shipment.id).state is ShipmentState.DELIVERED


def test_an_error_takes_the_focus_and_leads_to_its_field(town: Town, open_page: Open) -> None:
    page = open_page()
    town.sign_in(page, "alice")
    page.goto(f"{town.address}/ask")
    page.get_by_label("Headband", exact=True).fill("-3")
    page.keyboard.press("Enter")
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("Headband: Enter how many you need, at least 1.")
    expect(summary).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    field = page.get_by_label("Headband", exact=True)
    expect(field).to_be_focused()
    expect(field).to_have_value("-3")
    expect(field).to_have_accessible_description(re.compile("at least 1"))


def test_a_visitor_looks_at_the_catalogue(town: Town, open_page: Open) -> None:
    page = open_page((320, 640))
    page.goto(f"{town.address}/designs")
    picture = page.locator("img.picture")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("naturalWidth", 512)
    check_fit(page)
    page.get_by_role("link", name="Headband").click()
    expect(page.locator("main")).to_contain_text("No authority has approved it for clinical use")
    check_fit(page)
    page.get_by_role("link", name="Ask for this").click()
    page.wait_for_url(re.compile(r"/sign-in\?next="))
