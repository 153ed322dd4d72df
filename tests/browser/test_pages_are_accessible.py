"""Every page, opened by one of those whom it is for: axe finds nothing serious in it, and no text leaves its place.

Pages are loaded once and looked at from a phone in the dark and from a desk in the light; the long run looks at all
four, in every language, and at what each form answers when it is sent empty.
"""

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from browser.conftest import DESK, PHONE, Town
from builders import World
from passlib.totp import TOTP  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page
from unit.web.browsers import PASSWORD
from unit.web.houses import House
from unit.web.permissions import OWNERS, Walk, nothing_kept
from unit.web.pseudo import LANGUAGE as PSEUDO
from unit.web.pseudo import write_pseudo

from makerhub.db import Database
from makerhub.keys.box import KeyBox
from makerhub.web.server import serving
from makerhub.web.sessions import COOKIE
from makerhub.web.viewer import LANGUAGE_COOKIE

NO_PAGE = {
    "agents.gcode", "agents.wheel", "api.me", "api.requests", "by_hand.gcode", "language.show", "my_data.download",
    "public.model", "public.picture", "static", "uploads.picture",
}  # fmt: skip
"""Files, pictures, answers to programs, and what leads on at once."""

GRAVE = {"serious", "critical"}

OF_THE_LOOK = ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"]
"""The rules whose answer depends on size and colours; all others are asked once a page."""

AXE = """async rules => {
  const only = rules.length ? {runOnly: {type: "rule", values: rules}} : {};
  const found = await axe.run(document, {resultTypes: ["violations"], preload: false, ...only});
  return found.violations.map(one => [one.impact, one.id, one.nodes.map(node => node.html.slice(0, 160))]);
}"""

LEAVES_ITS_PLACE = """() => {
  const found = [], wide = document.documentElement.scrollWidth;
  if (wide > window.innerWidth) found.push(`the page is ${wide} px wide`);
  for (const element of document.querySelectorAll("main *, header *")) {
    const box = element.getBoundingClientRect();
    if (!box.width || element.closest("svg, .hidden, .scroll, pre, thead, .skip, .more-pages ul")) continue;
    const place = element.parentElement.closest(".card, .alert, main, header");
    const around = place.getBoundingClientRect(), style = getComputedStyle(place);
    const left = around.left + parseFloat(style.paddingLeft), right = around.right - parseFloat(style.paddingRight);
    const isCut = element.matches("button, .button, .tag") && element.scrollWidth > element.clientWidth + 1;
    if (box.right > right + 2 || box.left < left - 2 || isCut) found.push(element.outerHTML.slice(0, 160));
  }
  return found;
}"""

SEND = """([action, fields]) => {
  const form = [...document.querySelectorAll("main form")].find(one => one.getAttribute("action").startsWith(action));
  form.noValidate = true;
  for (const [name, value] of Object.entries(fields)) {
    const named = [...form.elements].filter(one => one.name === name);
    for (const one of named) if (one.type === "checkbox" || one.type === "radio") one.checked = one.value === value;
                             else one.value = value;
  }
  form.requestSubmit();
}"""

Scheme = Literal["light", "dark"]


@dataclass(frozen=True)
class Look:
    """How somebody looks at a page."""

    size: tuple[int, int]
    scheme: Scheme


QUICK: Sequence[Look] = (Look(DESK, "light"), Look(PHONE, "dark"))
ALL: Sequence[Look] = (*QUICK, Look(PHONE, "light"), Look(DESK, "dark"))


@dataclass
class Inspector:
    """Looks at pages with axe; `found` says what is wrong, where, and how often it was looked for."""

    looks: Sequence[Look]
    found: dict[str, str] = field(default_factory=dict)
    pages: set[str] = field(default_factory=set)
    count: int = 0

    def look(self, page: Page) -> None:
        """Look at the page that is open, in every way."""
        where = re.sub("[0-9a-f-]{36}|[\\w-]{43}", "…", page.url.partition("//")[2].partition("/")[2])
        self.pages.add(where)
        page.evaluate(AXE_SCRIPT)
        for number, look in enumerate(self.looks):
            self.count += 1
            page.set_viewport_size({"width": look.size[0], "height": look.size[1]})
            page.emulate_media(color_scheme=look.scheme)
            grave = [one for one in page.evaluate(AXE, OF_THE_LOOK if number else []) if one[0] in GRAVE]
            for what in [*grave, *page.evaluate(LEAVES_ITS_PLACE)]:
                self.found.setdefault(str(what), f"/{where} on {look}")


@contextmanager
def browsing(chromium: Browser, town: Town, who: str, language: str) -> Iterator[Page]:
    """A page of a browser in which somebody is signed in, without moving parts."""
    context = chromium.new_context(locale="en-GB", reduced_motion="reduce")
    cookies = {LANGUAGE_COOKIE: language}
    if who != "visitor":
        cookies[COOKIE] = town.house.signed_in(who).cookie or ""
    context.add_cookies([{"name": name, "value": value, "url": town.address} for name, value in cookies.items()])
    try:
        yield context.new_page()
    finally:
        context.close()


def pages_of(walk: Walk) -> Mapping[str, list[str]]:
    """The address of every page once, by somebody whom it is for. Fails where there is nobody.

    What leads on is left out: without a choice, or a proof that is too old; see `inspect`.
    """
    browsers: dict[str, Any] = {who: walk.house.signed_in(who) for who in OWNERS.values()}
    browsers["visitor"] = walk.house.browser()
    found: dict[str, list[str]] = {who: [] for who in browsers}
    closed = []
    for route in walk.routes:
        if route.method != "GET" or route.endpoint in NO_PAGE or route.written.endswith("/now"):
            continue
        anybody = ["visitor"] if route.policy.visitors else ["mona"]
        likely = [OWNERS[role] for role in route.policy.roles] or anybody
        answers = {one: browsers[one].get(route.address) for one in likely}
        who = next((one for one, answer in answers.items() if _is_page(answer)), None)
        if who is not None:
            found[who].append(route.address)
        elif not any(answer.status_code in (302, 303) for answer in answers.values()):
            closed.append(route.endpoint)
    assert closed == []
    return found


def _is_page(answer: Any) -> bool:
    return answer.status_code == 200 and answer.mimetype == "text/html" and "<main" in answer.text


def behind_buttons(walk: Walk) -> Iterable[tuple[str, str, str, Mapping[str, str]]]:
    """Pages that a form answers: by whom, on which page, which form, and what is typed."""
    thing = {name: str(value) for name, value in walk.things.items()}
    yield "visitor", "/sign-in", "/sign-in", {"email": "mona@example.org"}
    yield "visitor", "/sign-in", "/sign-in", {"email": "nobody"}
    yield "visitor", "/sign-in/password", "/sign-in/password", {"email": "mona@example.org", "password": "wrong"}
    yield "ruth", "/ask/where", "/ask", {"facility": str(walk.house.world.care_home.id), "hub": thing["hub_id"]}
    yield "mona", "/account/tokens", "/account/tokens", {"name": "Stock list", "scopes": "profile"}
    yield "mona", "/printers/new?link=by_hand", "/printers/new", {"name": ""}
    yield "mona", f"/printers/{thing['printer_id']}/agent", f"/printers/{thing['printer_id']}/agent/code", {}
    yield "kim", f"/pickups/{thing['pickup_id']}", f"/pickups/{thing['pickup_id']}/address", {}
    yield "kim", f"/deliveries/{thing['shipment_id']}", "/deliveries", {"code": "1"}
    facility = f"/dispatch/facilities/{thing['facility_id']}"
    yield "dan", facility, f"{facility}/letter", {}
    yield "dan", "/invitations", "/invitations", {"email": "x"}
    yield "ada", f"/admin/mails/{thing['mail_id']}", f"/admin/mails/{thing['mail_id']}/read", {}


def send(page: Page, action: str, fields: Mapping[str, str]) -> None:
    """Fill in a form of the page and send it."""
    with page.expect_navigation():
        page.evaluate(SEND, [action, fields])


def ask(page: Page, town: Town, inspector: Inspector) -> None:
    """The screens of asking, one after the other, with a mistake on the first."""
    where = f"facility={town.world.care_home.id}&hub={town.world.hub.id}"
    for address in ("/ask", "/ask/when", "/ask/check"):
        for typed in ("quantity-headband=-3", "quantity-headband=8&needed_by=2020-04-03&urgency=critical"):
            page.goto(f"{town.address}{address}?{where}&{typed}")
            inspector.look(page)


def second_factor(page: Page, visitor: Page, town: Town, inspector: Inspector) -> None:
    """Setting it up, the codes on paper, and being asked for it."""
    page.goto(f"{town.address}/account/second-factor")
    send(page, "/account/second-factor/begin", {})
    inspector.look(page)
    app = TOTP(key=(page.locator("code.key").text_content() or "").replace(" ", ""))
    send(page, "/account/second-factor/finish", {"figures": app.generate(town.house.time.now).token})
    inspector.look(page)
    visitor.goto(f"{town.address}/sign-in/password")
    send(visitor, "/sign-in/password", {"email": "alice@example.org", "password": PASSWORD})
    inspector.look(visitor)


def inspect(chromium: Browser, town: Town, looks: Sequence[Look], language: str = "en") -> Inspector:
    """Everything that somebody can see of the hub."""
    walk, inspector = Walk(town.house), Inspector(looks)
    merge = f"/dispatch/facilities/{town.world.care_home.id}/merge?other={town.world.hospital.id}"
    pages = {**pages_of(walk), "charlie": ["/", "/no-such-page"]}
    pages["dan"] = [*pages["dan"], merge]
    forms = [*behind_buttons(walk)]
    for who, addresses in pages.items():
        with browsing(chromium, town, who, language) as page:
            for address in addresses:
                page.goto(town.address + address)
                inspector.look(page)
            for _, address, action, fields in (one for one in forms if one[0] == who):
                page.goto(town.address + address)
                send(page, action, fields)
                inspector.look(page)
            if who == "ruth":
                ask(page, town, inspector)
    with browsing(chromium, town, "alice", language) as page, browsing(chromium, town, "visitor", language) as visitor:
        second_factor(page, visitor, town, inspector)
        town.house.time.pass_by(minutes=20)
        page.goto(f"{town.address}/account/password")
        assert "/confirm" in page.url
        inspector.look(page)
    return inspector


def test_no_page_shuts_somebody_out(chromium: Browser, town: Town) -> None:
    inspector = inspect(chromium, town, QUICK)
    print(f"{len(inspector.pages)} pages, looked at {inspector.count} times")
    assert inspector.found == {}
    assert len(inspector.pages) >= 80


def test_it_would_be_noticed(chromium: Browser, town: Town) -> None:
    inspector = Inspector(QUICK)
    with browsing(chromium, town, "mona", "en") as page:
        page.goto(f"{town.address}/printers")
        page.evaluate("""() => {
          document.querySelector("h1").innerHTML = '<button></button><span style="color: #999">pale</span>';
          document.querySelector(".card").append("x".repeat(400));
          document.querySelector(".card").lastChild.replaceWith(Object.assign(document.createElement("nobr"),
            {textContent: "wide ".repeat(60)}));
        }""")
        inspector.look(page)
    text = "\n".join(inspector.found)
    assert "button-name" in text
    assert "px wide" in text
    assert "<nobr>" in text


@pytest.fixture
def pseudo_town(sqlite_file: Path, tmp_path: Path) -> Iterator[Town]:
    """The pages in a language that runs from right to left."""
    database = Database(f"sqlite:///{shutil.copy(sqlite_file, tmp_path / 'town.sqlite')}")
    house = House(World(database, KeyBox(tmp_path / "hub.key")), tmp_path, languages=(PSEUDO, "en"))
    house.app.extensions["babel"].translation_directories.insert(0, str(write_pseudo(tmp_path / "pseudo")))
    with serving(house.app, "127.0.0.1") as address:
        yield Town(house, address)
    database.dispose()


SAMPLE = {"visitor": ("/", "/sign-in", "/hubs"), "ruth": ("/requests", "/account"), "mona": ("/my-home", "/workshop")}


def test_pages_from_right_to_left_shut_nobody_out(chromium: Browser, pseudo_town: Town) -> None:
    inspector = Inspector(QUICK)
    for who, addresses in SAMPLE.items():
        with browsing(chromium, pseudo_town, who, PSEUDO) as page:
            for address in addresses:
                page.goto(pseudo_town.address + address)
                assert page.evaluate("document.dir") == "rtl"
                inspector.look(page)
    assert inspector.found == {}


@pytest.mark.soak
@pytest.mark.parametrize("language", ["en", "de", "es", "fr"])
def test_every_look_in_every_language(chromium: Browser, town: Town, language: str) -> None:
    assert inspect(chromium, town, ALL, language).found == {}


@pytest.mark.soak
def test_what_an_empty_form_answers(chromium: Browser, town: Town) -> None:
    """Each form is sent as empty as it can be; nothing of it is kept."""
    walk, inspector = Walk(town.house), Inspector(QUICK)
    for who, addresses in pages_of(walk).items():
        with nothing_kept(town.house.database), browsing(chromium, town, who, "en") as page:
            for address in addresses:
                page.goto(town.address + address)
                for action in forms_to_type_in(page):
                    page.goto(town.address + address)
                    send(page, action, {})
                    if page.locator("main").count():
                        inspector.look(page)
    assert inspector.found == {}


def forms_to_type_in(page: Page) -> list[str]:
    """Where the forms of a page go that ask for something."""
    forms = page.locator("main form:has(input:not([type=hidden]), textarea, select)")
    actions = cast("list[str | None]", forms.evaluate_all("forms => forms.map(form => form.getAttribute('action'))"))
    return [action for action in dict.fromkeys(actions) if action and not action.endswith("passkeys")]
