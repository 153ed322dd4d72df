"""Languages: chosen by anybody, kept by persons; every text can be translated, and pages run from right to left too."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from builders import World
from unit.web.houses import House
from unit.web.pseudo import LANGUAGE, pseudo, write_pseudo

from makerhub.people.models import Person
from makerhub.production.models import AttemptState

OURS = {"makerhub", "octoprint", "petg", "pla", "html", "code", "css", "gcode", "http", "octopi", "local", "english"}
"""Names, and the English name of English."""


@pytest.fixture
def hebrew(world: World, tmp_path: Path) -> House:
    """The house in the language that nobody speaks."""
    house = House(world, tmp_path, languages=(LANGUAGE, "en"))
    house.app.extensions["babel"].translation_directories.insert(0, str(write_pseudo(tmp_path / "pseudo")))
    return house


class _Words(HTMLParser):
    """What a reader sees or hears of a page, but for what people typed themselves."""

    SKIPPED = frozenset({"script", "style", "option", "code"})
    HEARD = frozenset({"alt", "aria-label", "placeholder", "title"})

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._skips = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._skips += tag in self.SKIPPED
        self.found += [value or "" for name, value in attributes if name in self.HEARD]

    def handle_endtag(self, tag: str) -> None:
        self._skips -= tag in self.SKIPPED

    def handle_data(self, data: str) -> None:
        if not self._skips:
            self.found.append(data)


def latin(page: str, names: set[str]) -> set[str]:
    """The words in Latin letters that are neither names nor values."""
    words = _Words()
    words.feed(page)
    found = {word.lower() for text in words.found for word in re.findall(r"[A-Za-z]{3,}", text)}
    return found - OURS - names


def names_of(world: World, house: House) -> set[str]:
    """The words that people typed."""
    typed = [place.name for place in (world.hub, world.care_home, world.hospital, house.elsewhere)]
    typed += [somebody.name for somebody in house.people.values()] + [world.printer.name, world.printer.url]
    typed += ["band clip headband kit face shield headbands", "keeps droplets away", "Original Prusa i3 MK3S"]
    return {word.lower() for text in typed for word in re.findall(r"[A-Za-z]{3,}", text)}


def test_a_visitor_chooses_a_language_and_the_browser_remembers_it(house: House) -> None:
    visitor = house.browser()
    assert '<html lang="en" dir="ltr">' in visitor.get("/").text
    assert 'hreflang="de"' in visitor.get("/").text
    answer = visitor.get("/language/de?next=/designs")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/designs")
    assert '<html lang="de" dir="ltr">' in visitor.get("/").text


@pytest.mark.parametrize("address", ["//evil.example", "https://evil.example", "/\\evil.example", "", "evil"])
def test_the_choice_leads_to_no_other_site(house: House, address: str) -> None:
    assert house.browser().get("/language/de", query_string={"next": address}).headers["Location"] == "/"


def test_there_is_no_language_that_the_hub_does_not_offer(house: House) -> None:
    assert house.browser().get("/language/tlh").status_code == 404


def test_a_person_keeps_the_choice_on_every_browser(house: House, world: World) -> None:
    house.signed_in("ruth").post("/language", {"language": "es", "next": "/requests"}, form="/")
    assert world.get(Person, world.requester.id).language == "es"
    assert '<html lang="es"' in house.signed_in("ruth").get("/").text


def test_values_keep_their_places() -> None:
    assert pseudo("%(count)s of <b>all</b>") == "%(count)s סו <b>אלל</b>"


@pytest.mark.parametrize(
    ("who", "address"),
    [
        ("", "/"),
        ("", "/designs"),
        ("", "/sign-in"),
        ("ruth", "/"),
        ("ruth", "/ask"),
        ("ruth", "/ask/where"),
        ("ruth", "/requests"),
        ("ruth", "/requests/{request}"),
        ("mona", "/"),
        ("mona", "/printers"),
        ("mona", "/printers/{printer}"),
        ("mona", "/printers/new"),
        ("mona", "/printers/new?link=by_hand"),
        ("mona", "/printers/{printer}/change"),
        ("mona", "/printers/{printer}/own"),
        ("mona", "/printers/{printer}/upkeep"),
        ("mona", "/workshop"),
        ("kim", "/deliveries"),
    ],
)
def test_every_text_is_translated_and_the_page_runs_from_right_to_left(
    hebrew: House, world: World, who: str, address: str
) -> None:
    request = world.request()
    world.attempt(AttemptState.OFFERED)
    browser = hebrew.signed_in(who) if who else hebrew.browser()
    answer = browser.get(address.format(request=request.id, printer=world.printer.id))
    assert answer.status_code == 200
    assert f'<html lang="{LANGUAGE}" dir="rtl">' in answer.text
    assert latin(answer.text, names_of(world, hebrew)) == set()
