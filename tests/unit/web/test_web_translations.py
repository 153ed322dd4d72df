"""German, Spanish and French: whole where requesters, makers and couriers read, and true to their places for values."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from unit.web.houses import House
from unit.web.pseudo import texts

TRANSLATIONS = Path(__file__).parents[3] / "makerhub/web/translations"
LANGUAGES = ("de", "es", "fr")
VALUES = re.compile(r"%\([a-z_]+\)[sd]|%%")

OF_OTHERS = (
    "agent/",
    "cli/",
    "designs/bundle.py",
    "designs/formats.py",
    "designs/manifest.py",
    "designs/own_ini.py",
    "designs/prusa_slicer.py",
    "designs/submission.py",
    "gcode/",
    "web/admin.py",
    "web/board.py",
    "web/clocks.py",
    "web/moderation.py",
    "web/dispatcher.py",
    "web/exports.py",
    "web/hub_people.py",
    "web/facility_merges.py",
    "web/ladder_shown.py",
    "web/mails.py",
    "web/person_page.py",
    "web/own_hub.py",
    "web/overdue.py",
    "web/reviewer.py",
    "web/telephone.py",
    "web/telephone_form.py",
    "web/verification.py",
    "web/templates/admin/",
    "web/templates/dispatcher/",
    "web/templates/exports/",
    "web/templates/mails/",
    "web/templates/moderation/",
    "web/templates/own_hub/",
    "web/templates/proposing/proposal.html",
    "web/templates/proposing/waiting.html",
    "web/templates/recalls/overview",
    "web/templates/recalls/recall",
    "web/templates/recalls/withdraw",
    "web/templates/reviewer/",
    "web/templates/telephone/",
    "web/templates/uploads/",
    "web/templates/verification/",
)
"""Where only dispatchers, reviewers, designers and operators read, or programs."""


def catalogue(language: str) -> Catalog:
    with (TRANSLATIONS / language / "LC_MESSAGES/messages.po").open("rb") as stream:
        return read_po(stream, locale=language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_requesters_makers_and_couriers_read_is_translated(language: str) -> None:
    """After a change of a text: `make translations`, and fill in what is new."""
    translated = catalogue(language)
    met = [one for one, files in texts().items() if any(not is_of_others(file) for file in files)]
    assert len(met) > 1000
    missing = [one for one in met if not is_translated(translated, one if isinstance(one, str) else one[0])]
    assert missing == []


def is_of_others(file: str) -> bool:
    return any(file.removeprefix("makerhub/").startswith(start) for start in OF_OTHERS)


def is_translated(translated: Catalog, text: str) -> bool:
    message = translated.get(text)
    strings = message.string if message else ""
    return all(strings) if isinstance(strings, tuple) else bool(strings)


def all_of(text: object) -> list[str]:
    return [str(one) for one in text] if isinstance(text, list | tuple) else [str(text or "")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_translation_has_the_places_for_values_of_its_text(language: str) -> None:
    wrong = []
    for message in catalogue(language):
        originals, strings = all_of(message.id), all_of(message.string)
        wanted = set(VALUES.findall(originals[-1]))
        wrong += [text for text in strings if text and not set(VALUES.findall(text)) <= wanted]
        if len(originals) == 1 and strings[0] and set(VALUES.findall(strings[0])) != wanted:
            wrong.append(strings[0])
    assert wrong == []


@pytest.mark.parametrize(
    ("language", "said"), [("de", "Anmelden"), ("es", "Iniciar sesión"), ("fr", "Se connecter"), ("en", "Sign in")]
)
def test_the_pages_speak_it(house: House, language: str, said: str) -> None:
    visitor = house.browser()
    visitor.get(f"/language/{language}")
    assert said in visitor.get("/").text
