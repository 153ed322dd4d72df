"""Where guessing pays: each guess is counted for what it is about and for the address that it came from.

    with guess((PASSWORD, email)) as guessed:
        guessed.was_right = is_password_of(person, typed)

Raises `TooManyTries`, which is answered with when to try again, before anything is looked at.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import request

from makerhub.people.tries import ADDRESS, Door, count, take_back
from makerhub.web.hub import hub
from makerhub.web.limits import network_of


@dataclass
class Guess:
    """What somebody typed; `was_right` is for whoever looks at it to say."""

    was_right: bool = False


@contextmanager
def guess(*doors: tuple[Door, str]) -> Iterator[Guess]:
    """Count a guess, and take it back where it was right. Of an IPv6 address the household's /64 counts."""
    counted = (*doors, (ADDRESS, network_of(request.remote_addr or "")))
    with hub().database.changing() as session:
        for door, who in counted:
            count(session, door, who, now=hub().clock())
    guessed = Guess()
    yield guessed
    if guessed.was_right:
        with hub().database.changing() as session:
            for door, who in counted:
                take_back(session, door, who)
