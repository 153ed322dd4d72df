"""Every page, opened by those whom it is for: axe finds nothing serious in it, and no text runs out of its place.

A page is loaded once and looked at on a phone in the dark and at a desk in the light; the long run looks at every
combination, in every language, and at what each form answers when it is sent empty.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from browser.conftest import DESK, PHONE, Town
from playwright.sync_api import Browser, Page
from unit.web.houses import fill
from unit.web.permissions import OWNERS, Walk, nothing_kept

from makerhub.people.models import Role
from makerhub.web.sessions import COOKIE
from makerhub.web.viewer import LANGUAGE_COOKIE

Scheme = Literal["light", "dark"]

NO_PAGE = {
    "agents.gcode": "a file for agents",
    "agents.wheel": "a file",
    "api.me": "JSON",
    "api.requests": "JSON",
    "by_hand.gcode": "a file",
    "language.show": "leads back",
    "my_data.download": "a file",
    "public.model": "a file",
    "public.picture": "a picture",
    "static": "files",
    "uploads.picture": "a picture",
}
"""The addresses behind which there is no page; live parts of pages are seen in their pages."""

AXE = """async ({tags}) => {
  const found = await axe.run(document, {resultTypes: ["violations"], preload: false, runOnly: {type: "tag", values: tags}});
  return found.violations.map(one => [one.id, one.impact, one.nodes.map(node => node.html.slice(0, 200))]);
}"""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
GRAVE = {"serious", "critical"}

RUNS_OUT = """() => {
  const found = [];
  const wide = document.documentElement.scrollWidth;
  if (wide > window.innerWidth) found.push(`the page is ${wide} wide`);
  for (const element of document.querySelectorAll("main *, header *")) {
    const box = element.getBoundingClientRect();
    if (!box.width || element.closest("svg, .hidden, .scroll, pre, table.stack thead, [hidden]")) continue;
    const place = element.parentElement.closest(".card, .alert, main, header");
    const around = place.getBoundingClientRect(), style = getComputedStyle(place);
    const left = around.left + parseFloat(style.paddingLeft), right = around.right - parseFloat(style.paddingRight);
    if (box.right > right + 2 || box.left < left - 2) found.push(element.outerHTML.slice(0, 160));
    if (element.matches("button, .button, .tag") && element.scrollWidth > element.clientWidth + 1)
      found.push(`cut: ${element.outerHTML.slice(0, 160)}`);
  }
  return found;
}"""


@dataclass(frozen=True)
class Look:
    """How somebody looks at a page."""

    size: tuple[int, int]
    scheme: Scheme


QUICK: Sequence[Look] = (Look(DESK, "light"), Look(PHONE, "dark"))
ALL: Sequence[Look] = (*QUICK, Look(PHONE, "light"), Look(DESK, "dark"))


def pages_of(walk: Walk) -> Mapping[str, list[str]]:
    """Every page of the hub once, by one of those whom it is for. Fails for an address that nobody can open."""
    browsers: dict[str, Any] = {who: walk.house.signed_in(who) for who in OWNERS.values()}
    browsers["visitor"] = walk.house.browser()
    found: dict[str, list[str]] = {"visitor": [], **{who: [] for who in OWNERS.values()}}
    missing = []
    for route in walk.routes:
        if route.method != "GET" or route.endpoint in NO_PAGE or route.rule.endswith("/now"):
            continue
        if route.policy.visitors:
            likely = ["visitor"]
        else:
            likely = [OWNERS[role] for role in route.policy.roles or (Role.MAKER,)]
        who = next((one for one in likely if "<main" in _opened(browsers[one], route.address)), None)
        if who is None:
            missing.append(route.endpoint)
        else:
            found[who].append(route.address)
    return found


def _opened(browser: Any, address: str) -> str:
    answer = browser.get(address)
    return str(answer.text) if answer.status_code == 200 and answer.mimetype == "text/html" else ""
