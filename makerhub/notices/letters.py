"""Letters: what a mail says, as templates that are filled in and translated when it is sent.

The room that tells something states its letter beside its rules, as visibility is stated:

    SIGN_IN = letter("sign_in", title=translatable("Sign-in link"), subject=…, text=…, secret=True)

Texts are plain, in English, with `%(name)s` places, and marked with `translatable()`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.support import NullTranslations, Translations

from makerhub.errors import MakerhubError, translatable

Values = Mapping[str, str | int]


class UnknownLetter(MakerhubError):
    """The mail is of a letter that this version of makerhub does not have."""

    template = translatable("This version of makerhub has no letter “%(name)s”.")


@dataclass(frozen=True)
class Letter:
    """One kind of mail. `title` says to the operator what it is; of a `secret` one nothing is kept once it is sent."""

    name: str
    title: str
    subject: str
    text: str
    secret: bool = False


@dataclass(frozen=True)
class Post:
    """What mails need to know of the installation: the address of its pages, and the language of who chose none."""

    pages: str
    language: str


_letters: dict[str, Letter] = {}


def letter(name: str, *, title: str, subject: str, text: str, secret: bool = False) -> Letter:
    """State a letter. Raises `ValueError` for a name that is taken: what waits in the outbox is found by it."""
    if name in _letters:
        raise ValueError(f"there is a letter {name} already")
    _letters[name] = Letter(name, title, subject, text, secret)
    return _letters[name]


def letter_named(name: str) -> Letter:
    """The letter of this name. Raises `UnknownLetter`."""
    if name not in _letters:
        raise UnknownLetter(name=name)
    return _letters[name]


class Translator:
    """The message catalogues in `folder`; a language without one speaks English."""

    def __init__(self, folder: Path) -> None:
        self._catalogue = cache(lambda language: Translations.load(folder, [language]))

    def translate(self, text: str, language: str) -> str:
        """`text` in `language`."""
        catalogue: NullTranslations = self._catalogue(language)
        return catalogue.ugettext(text)

    def written(self, letter: Letter, values: Values, language: str) -> tuple[str, str]:
        """Subject, on one line, and text of a letter."""
        subject = self.translate(letter.subject, language) % values
        return " ".join(subject.split()), self.translate(letter.text, language) % values
