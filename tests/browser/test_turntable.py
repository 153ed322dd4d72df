"""A design turned in 3D: in a browser that can draw it, in one that can not, and without JavaScript."""

import io
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import trimesh
from browser.conftest import CHROMIUM, PATIENCE_MS, PHONE, Open, Town
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from makerhub.designs.geometry import write_stl
from makerhub.designs.models import Part
from makerhub.designs.pictures import thumbnail

WITH_GRAPHICS = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
WITHOUT_GRAPHICS = ("--disable-3d-apis",)

Visit = Callable[..., Page]


@pytest.fixture
def address(town: Town) -> str:
    """The headband's page; its mesh is an upright bar."""
    mesh = write_stl(np.asarray(trimesh.creation.box(extents=(20, 8, 60)).triangles, dtype=np.float64))
    with town.house.database.changing() as session:
        part = session.get_one(Part, town.world.part(town.world.headband).id)
        part.mesh_sha256 = town.house.files.put(mesh)
        part.picture_sha256 = town.house.files.put(thumbnail(mesh))
    return f"{town.address}/designs/headband"


@pytest.fixture
def visit(chromium: Browser, address: str) -> Iterator[Visit]:
    """Opens the page in a browser of its own, with or without graphics; complaints fail the test when it ends."""
    browsers: list[Browser] = []
    complaints: list[str] = []

    def visited(graphics: tuple[str, ...] = WITH_GRAPHICS, **context: object) -> Page:
        arguments = ("--no-sandbox", "--disable-dev-shm-usage", "--no-first-run", "--no-proxy-server", *graphics)
        browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=arguments)
        browsers.append(browser)
        width, height = PHONE
        context = {"viewport": {"width": width, "height": height}, "locale": "en-GB", "has_touch": True} | context
        page = browser.new_context(**context).new_page()  # type: ignore[arg-type] # what a test asks for
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        return page

    yield visited
    for browser in browsers:
        browser.close()
    assert complaints == []


def press_turn(page: Page) -> None:
    button = page.get_by_role("button", name="Turn it in 3D")
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    button.click()


def plastic(shot: bytes) -> np.ndarray:
    """Where the design is on a picture of the screen: it has far less red than green, the ground has a little more."""
    pixels = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), dtype=int)
    where: np.ndarray = pixels[..., 1] - pixels[..., 0] > 25
    return where


def first_seen(page: Page) -> np.ndarray:
    """The design on the canvas as soon as it is there."""
    for _ in range(PATIENCE_MS // 20):
        where = plastic(page.locator("canvas").screenshot())
        if where.any():
            return where
        page.wait_for_timeout(20)
    pytest.fail("nothing was drawn")


def seen(page: Page) -> np.ndarray:
    """The design on the canvas when it has come to rest."""
    before = first_seen(page)
    for _ in range(PATIENCE_MS // 200):
        page.wait_for_timeout(200)
        now = plastic(page.locator("canvas").screenshot())
        if (now == before).all():
            return now
        before = now
    pytest.fail("it never came to rest")


def test_it_is_drawn_as_in_its_picture_and_turns(visit: Visit) -> None:
    page = visit()
    flat = plastic(page.locator(".stage img").screenshot())
    press_turn(page)
    expect(page.locator("canvas")).to_be_focused()
    first = seen(page)
    assert 0.05 < first.mean() < 0.6
    assert (first & flat).sum() / (first | flat).sum() > 0.9

    for _ in range(6):
        page.keyboard.press("ArrowRight")
    assert (seen(page) ^ first).mean() > 0.02
    page.keyboard.press("0")
    assert (seen(page) ^ first).mean() < 0.002
    page.keyboard.press("+")
    assert seen(page).sum() > 1.3 * first.sum()

    page.keyboard.press("Escape")
    expect(page.locator("canvas")).to_be_hidden()
    expect(page.get_by_role("button", name="Turn it in 3D")).to_be_focused()


def test_it_is_turned_by_dragging(visit: Visit) -> None:
    page = visit(reduced_motion="reduce")
    press_turn(page)
    first = seen(page)
    box = page.locator("canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y, steps=5)
    page.mouse.up()
    assert (seen(page) ^ first).mean() > 0.02
    page.get_by_role("button", name="Back to the picture").click()
    expect(page.locator(".stage img")).to_be_visible()


def test_nothing_for_3d_is_fetched_before_it_is_wanted(visit: Visit) -> None:
    page = visit()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url.partition("?")[0].rpartition("/")[2]))
    page.reload()
    expect(page.get_by_role("button", name="Turn it in 3D")).to_be_visible()
    assert not {"turntable.js", "model.glb"} & set(fetched)
    press_turn(page)
    seen(page)
    assert {"turntable.js", "model.glb"} <= set(fetched)


def test_who_wants_less_motion_gets_none(visit: Visit) -> None:
    page = visit(reduced_motion="reduce")
    press_turn(page)
    assert (first_seen(page) ^ seen(page)).mean() < 0.002


def test_without_graphics_the_picture_stays_and_a_sentence_says_why(visit: Visit) -> None:
    page = visit(WITHOUT_GRAPHICS)
    press_turn(page)
    expect(page.get_by_role("status").filter(has_text="can not show it in 3D")).to_be_visible()
    expect(page.locator("canvas")).to_be_hidden()
    expect(page.locator(".stage img")).to_be_visible()
    expect(page.get_by_role("button", name="Turn it in 3D")).to_be_hidden()


def test_without_javascript_there_is_the_picture_alone(address: str, open_page: Open) -> None:
    page = open_page(javascript=False)
    page.goto(address)
    expect(page.locator(".stage img")).to_be_visible()
    expect(page.get_by_role("button", name="Turn it in 3D")).to_be_hidden()
