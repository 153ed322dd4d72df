"""The audiences of the hub: each brings its pages, and what it offers on the home page and in the menu."""

from dataclasses import dataclass

from flask import Blueprint

from makerhub.people.access import has_role
from makerhub.people.models import Person, Role


@dataclass(frozen=True)
class Entry:
    """One thing that somebody comes to do: a page, its name in the menu, and the words of the home page.

    The three texts are English and marked with `translatable()`. Without `roles` it is for everybody.
    """

    endpoint: str
    name: str
    task: str
    about: str = ""
    roles: tuple[Role, ...] = ()

    def is_for(self, person: Person | None) -> bool:
        """Whether the entry is shown to this person, or to a visitor."""
        return not self.roles or (person is not None and has_role(person, *self.roles))


@dataclass(frozen=True)
class Audience:
    """The pages of one audience and its entries, in the order in which they are shown."""

    blueprint: Blueprint
    entries: tuple[Entry, ...] = ()
