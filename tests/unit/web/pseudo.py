"""A language that nobody speaks: every text of ours in Hebrew letters, one by one, from right to left.

What still stands in Latin letters on a page in it was never given to gettext, and what runs from left to right was
laid out for left to right only.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo

ROOT = Path(__file__).parents[3]
LANGUAGE = "he"
METHODS = [("makerhub/**.py", "python"), ("makerhub/web/templates/**.html", "jinja2")]
LETTERS = dict(zip("abcdefghijklmnopqrstuvwxyz", "אבגדהוזחטיכלמנסעפצקרשתאבגד", strict=True))
KEPT = re.compile(r"(%\([a-z_]+\)[sd]|%%|<[^>]*>|&[a-z]+;)")


def pseudo(text: str) -> str:
    """The text in Hebrew letters; places for values stay."""
    parts = KEPT.split(text)
    return "".join(part if number % 2 else _in_hebrew(part) for number, part in enumerate(parts))


def _in_hebrew(text: str) -> str:
    return "".join(LETTERS.get(letter.lower(), letter) for letter in text)


@cache
def texts() -> Mapping[str | tuple[str, ...], frozenset[str]]:
    """Every text of the code and the templates that is to be translated, and the files in which it stands.

    A text with a plural is the two.
    """
    keywords = {**DEFAULT_KEYWORDS, "translatable": None}
    found: defaultdict[str | tuple[str, ...], set[str]] = defaultdict(set)
    for file, _, message, _, _ in extract_from_dir(ROOT, METHODS, {}, keywords):
        if message:
            found[message].add(file)
    return {message: frozenset(files) for message, files in found.items()}


def write_pseudo(folder: Path) -> Path:
    """A folder of translations with this language alone."""
    catalogue = Catalog(locale=LANGUAGE)
    for message in texts():
        if isinstance(message, tuple):
            catalogue.add(message, tuple([pseudo(message[1])] * catalogue.num_plurals))
        else:
            catalogue.add(message, pseudo(message))
    file = folder / LANGUAGE / "LC_MESSAGES" / "messages.mo"
    file.parent.mkdir(parents=True)
    with file.open("wb") as stream:
        write_mo(stream, catalogue)
    return folder
