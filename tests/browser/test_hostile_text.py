"""Text that wants to be a program, typed by a real browser into every text field, and looked at afterwards.

Nothing may open a dialog, and nothing may even try what the content policy forbids.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from browser.conftest import Town
from builders import NOW, POLICY, World
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page
from playwright.sync_api import TimeoutError as TookTooLong
from unit.web.permissions import OWNERS, Walk

from makerhub.demand import service as demand
from makerhub.demand.models import SupplyRequest
from makerhub.web.safety import CONTENT_POLICY

LONG = (
    "jaVasCript:/*-/*`/*\\`/*'/*\"/**/(/* */oNcliCk=alert() )//%0D%0A%0d%0a//"
    "</stYle/</titLe/</teXtarEa/</scRipt/--!>\\x3csVg/<sVg/oNloAd=alert()//>\\x3e"
)
"""Becomes a program in attributes of either quote, scripts, styles, titles, text areas, comments and addresses."""

SHORT = '"><img src=x onerror=alert()>'

FIELDS = ":is(input:not([type=hidden], [type=radio], [type=checkbox], [type=file], [type=submit]), textarea)"

FILL = """(form, [long, short, fields, isPolite]) => {
  const names = [];
  form.noValidate = true;
  for (const field of form.elements) {
    if (!field.matches(fields)) continue;
    const room = field.maxLength > 0 ? field.maxLength : Infinity;
    if (field.type !== "textarea") field.type = "text";
    const isNumber = field.inputMode === "numeric";
    field.value = isPolite && isNumber ? "1" : room < long.length ? short.slice(0, room) : long;
    names.push(field.name);
  }
  for (const choice of form.querySelectorAll("select")) choice.selectedIndex = choice.options.length - 1;
  const choices = [...form.querySelectorAll("[type=radio]")];
  for (const choice of isPolite ? choices.reverse() : choices) choice.checked = true;
  return names;
}"""

SEND = """form => new Promise(done => {
  window.addEventListener("submit", event => done(!event.defaultPrevented), { once: true });
  form.requestSubmit();
})"""
"""Send the form; true if the browser does so itself, and no script of the page instead."""

MOST_SCREENS = 6
NO_NEW_PAGE_MS = 10_000

Filled = set[tuple[str, str]]


ENDS_MUCH = re.compile(r"/withdraw$|/moderation/[0-9a-f]|/admin/people/")
"""Pages whose forms end the sign-ins of others, or what others have under way."""


class TakenByScript(Exception):
    """No new page will come."""


@dataclass
class Watch:
    """What a browser noticed."""

    seen: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        """Notice dialogs, and what the content policy stopped."""
        page.on("dialog", self._dialog)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.seen.append(f"{page.url}: {error}"))

    def _dialog(self, dialog: Dialog) -> None:
        self.seen.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def _said(self, said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text:
            self.seen.append(said.text)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def open_as(chromium: Browser, town: Town, watch: Watch) -> Iterator[Callable[[str], Page]]:
    """A page of a browser in which somebody is signed in."""
    contexts = []

    def opened(who: str) -> Page:
        context = chromium.new_context()
        contexts.append(context)
        if who != "visitor":
            cookie = town.house.signed_in(who).cookie
            context.add_cookies([{"name": "makerhub", "value": cookie or "", "url": town.address}])
        page = context.new_page()
        watch.over(page)
        return page

    yield opened
    for context in contexts:
        context.close()


def pages_of(walk: Walk, who: str) -> list[str]:
    """The addresses of all pages that somebody may open: of single things first, before somebody's account changes."""
    pages = [route for route, answer in walk.answers(who).items() if answer.status == 200 and "<main" in answer.text]
    addresses = [route.address for route in pages if route.method == "GET"]
    return sorted(addresses, key=lambda address: not re.search("[0-9a-f]{8}-", address))


def text_fields(walk: Walk, who: str) -> Filled:
    """The text fields of the forms that the pages of somebody have, read from their HTML."""
    found: Filled = set()
    for route, answer in walk.answers(who).items():
        main = answer.text.partition("<main")[2] if answer.status == 200 and route.method == "GET" else ""
        for action, form in re.findall(r'<form[^>]* action="([^"]*)"[^>]*>(.*?)</form>', main, re.DOTALL):
            for kind, attributes in re.findall(r"<(input|textarea)([^>]*)>", form):
                if kind == "textarea" or not re.search(r'type="(hidden|radio|checkbox|file|submit)"', attributes):
                    found.add((action, re.findall(r' name="([^"]*)"', attributes)[0]))
    return found


def submitted(world: World) -> SupplyRequest:
    """A request that waits for its answer."""
    with world.database.changing() as session:
        return demand.submit(session, world.new_request(), largest=100, policy=POLICY, now=NOW)


def fill(page: Page, number: int, *, is_polite: bool) -> Filled:
    """Fill in and send one form of the page that is open, and each that this leads to; gives form and field names."""
    filled: Filled = set()
    for _ in range(MOST_SCREENS):
        form = page.locator("main form").nth(number)
        if form.count() == 0:
            break
        action = (form.evaluate("form => form.getAttribute('action')") or page.url).partition("?")[0]
        new = {(action, name) for name in form.evaluate(FILL, [LONG, SHORT, FIELDS, is_polite])} - filled
        if not new and filled:
            break
        filled |= new
        try:
            with page.expect_navigation(timeout=NO_NEW_PAGE_MS):
                if not form.evaluate(SEND):
                    raise TakenByScript
        except (TookTooLong, TakenByScript):  # a file came instead, or a script asks for a passkey
            break
        number = 0
    return filled


def attack(page: Page, addresses: list[str], *, is_polite: bool) -> Filled:
    """Go through the forms with text of each page, and of each page that is reached by a link with a choice in it.

    Who is polite enters numbers where numbers are asked for, and makes the first choices instead of the last ones: so
    other pages are reached.
    """
    filled: Filled = set()
    waiting, known = list(addresses), set(addresses)
    while waiting:
        address = waiting.pop(0)
        page.goto(address)
        links = page.locator("main a[href*='?']").evaluate_all("links => links.map(link => link.href)")
        waiting += [link for link in dict.fromkeys(links) if link not in known]
        known |= set(links)
        for number in range(page.locator("main form").count()):
            page.goto(address)
            form = page.locator("main form").nth(number)
            if not form.count():  # what was sent before took this form away
                continue
            leads_on = form.get_attribute("method") == "get"
            if leads_on or form.locator(FIELDS).count():
                filled |= fill(page, number, is_polite=is_polite)
    return filled


def test_text_that_wants_to_be_a_program_stays_text(town: Town, open_as: Callable[[str], Page], watch: Watch) -> None:
    walk, to_answer = Walk(town.house), submitted(town.world)
    walks = {who: [town.address + address for address in pages_of(walk, who)] for who in OWNERS.values()}
    walks["dan"].append(f"{town.address}/dispatch/requests/{to_answer.id}")
    walks["visitor"] = [f"{town.address}/sign-in"]
    opened = {who: open_as(who) for who in walks}
    filled: Filled = set()
    for is_polite in (False, True):
        for who, addresses in walks.items():
            harmless = [address for address in addresses if not ENDS_MUCH.search(address)]
            filled |= attack(opened[who], harmless, is_polite=is_polite)
    shown = 0
    for who, addresses in walks.items():
        for address in addresses:
            opened[who].goto(address)
            shown += "oNcliCk=alert()" in opened[who].content() or "onerror=alert()" in opened[who].content()
    for who, addresses in walks.items():  # the last of all
        filled |= attack(opened[who], [address for address in addresses if ENDS_MUCH.search(address)], is_polite=False)
    print(f"{len(filled)} fields of {len({action for action, _ in filled})} forms; shown later on {shown} pages")
    assert watch.seen == []
    assert filled >= {one for who in OWNERS.values() for one in text_fields(walk, who)}
    assert len(filled) >= 50
    assert shown > 5


@pytest.mark.parametrize("policy", [CONTENT_POLICY, ""])
def test_it_would_be_noticed(open_as: Callable[[str], Page], watch: Watch, policy: str) -> None:
    """The same texts on a page that does not escape them: stopped by the policy, and without it a dialog."""
    page = open_as("mona")
    headers = {"Content-Security-Policy": policy} if policy else {}
    body = f"<!doctype html><title>{LONG}</title><p>{SHORT}"
    page.route("**/unescaped", lambda route: route.fulfill(body=body, content_type="text/html", headers=headers))
    page.goto("http://127.0.0.1/unescaped")
    page.wait_for_timeout(500)
    assert watch.seen
