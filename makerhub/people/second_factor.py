"""The second factor: figures from an app that change each half minute, and codes on paper for when the phone is gone.

Each figure opens once: its counter is kept, and only a later one is taken. The secret is sealed; of codes on paper the
SHA-256 is kept, which is enough for 80 random bits.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from passlib.exc import TokenError  # type: ignore[import-untyped]
from passlib.totp import TOTP  # type: ignore[import-untyped]
from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from makerhub.audit.service import note
from makerhub.config import BadConfiguration, Settings
from makerhub.errors import Invalid, MakerhubError, translatable
from makerhub.keys.box import KeyBox, Place, place
from makerhub.notices.letters import Post
from makerhub.people.access import has_role
from makerhub.people.entry_models import RecoveryCode, SecondFactor
from makerhub.people.letters import FACTOR_GONE, write
from makerhub.people.models import Person, Role
from makerhub.people.service import end_sign_ins
from makerhub.people.sign_ins import end_other_sign_ins
from makerhub.people.tries import FIGURES, count, take_back

ISSUER = "makerhub"
PERIOD_SECONDS = 30
RECOVERY_CODES = 10
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without those that look alike: 16 of them are 80 bits."""


class WrongFigures(MakerhubError):
    """They are not those of the app now, or were used already, or are none of the codes on paper."""

    template = translatable("These are not the figures of your app now, nor one of your codes on paper.")


def required_roles(settings: Settings) -> frozenset[Role]:
    """The roles whose people need a second factor. Raises `BadConfiguration` for what is no role."""
    try:
        return frozenset(map(Role, settings.second_factor_roles))
    except ValueError as error:
        raise BadConfiguration(name="second_factor_roles", source="the settings", problem=str(error)) from error


def is_required(person: Person, settings: Settings) -> bool:
    """Whether one of the person's roles needs a second factor."""
    return has_role(person, *required_roles(settings))


def factor_of(session: Session, person: Person) -> SecondFactor | None:
    """The person's second factor, in use or being set up."""
    return session.exec(select(SecondFactor).where(SecondFactor.person_id == person.id)).one_or_none()


def is_in_use(session: Session, person: Person) -> bool:
    """Whether the person is asked for figures at each sign-in."""
    factor = factor_of(session, person)
    return factor is not None and factor.confirmed_at is not None


def begin(session: Session, person: Person, *, key_box: KeyBox, now: datetime) -> SecondFactor:
    """Begin to set it up, with a new secret; one that is in use stays."""
    factor = factor_of(session, person)
    if factor is not None and factor.confirmed_at is not None:
        return factor
    factor = factor or SecondFactor(person_id=person.id, begun_at=now)
    factor.sealed_secret = key_box.seal(TOTP.new().base32_key, _where(factor))
    factor.begun_at = now
    session.add(factor)
    session.flush()
    return factor


def app_address(factor: SecondFactor, person: Person, key_box: KeyBox) -> str:
    """What the picture for the app holds: an otpauth address with the secret."""
    return cast("str", _totp(factor, key_box).to_uri(person.email, ISSUER))


def key_to_type(factor: SecondFactor, key_box: KeyBox) -> str:
    """The secret in groups of letters, for an app that takes no picture."""
    return cast("str", _totp(factor, key_box).pretty_key(sep=" "))


def finish(session: Session, factor: SecondFactor, figures: str, *, key_box: KeyBox, now: datetime) -> list[str]:
    """Put it into use with figures of the app; gives the codes for paper. Raises `WrongFigures`, `TooManyTries`.

    Both errors have to be committed: they count.
    """
    count(session, FIGURES, factor.person_id.hex, now=now)
    if not _take_figures(session, factor, figures, key_box, now):
        raise WrongFigures
    take_back(session, FIGURES, factor.person_id.hex)
    factor.confirmed_at = now
    session.add(factor)
    note(session, "second factor set up", factor, now=now, by=factor.person_id)
    return renew_recovery_codes(session, factor)


def check(session: Session, factor: SecondFactor, typed: str, *, key_box: KeyBox, now: datetime) -> None:
    """Take figures of the app or a code on paper, each once.

    Raises `WrongFigures` and `TooManyTries`, which have to be committed: they count.
    """
    count(session, FIGURES, factor.person_id.hex, now=now)
    if not (_take_figures(session, factor, typed, key_box, now) or _take_recovery_code(session, factor, typed)):
        raise WrongFigures
    take_back(session, FIGURES, factor.person_id.hex)


def renew_recovery_codes(session: Session, factor: SecondFactor) -> list[str]:
    """New codes for paper; the earlier ones open nothing any more. They are shown once and not kept."""
    session.execute(delete(RecoveryCode).where(col(RecoveryCode.person_id) == factor.person_id))
    codes = ["".join(secrets.choice(LETTERS) for _ in range(16)) for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(person_id=factor.person_id, code_sha256=_hash(code)) for code in codes)
    return ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in codes]


def codes_left(session: Session, person: Person) -> int:
    """How many codes on paper are unused."""
    return session.exec(select(func.count()).where(RecoveryCode.person_id == person.id)).one()


def remove(session: Session, person: Person, *, now: datetime, by: UUID | None = None, keep: str = "") -> None:
    """Ask the person for no figures any more; every sign-in ends that was opened with them, but for the row `keep`."""
    factor = factor_of(session, person)
    if factor is None:
        return
    note(session, "second factor removed", factor, now=now, by=by, why=f"of {person.id}")
    session.execute(delete(RecoveryCode).where(col(RecoveryCode.person_id) == person.id))
    session.execute(delete(SecondFactor).where(col(SecondFactor.person_id) == person.id))
    end_other_sign_ins(session, person, keep)


def reset(
    session: Session, person: Person, post: Post, *, now: datetime, by: UUID | None = None, why: str = ""
) -> None:
    """Take the second factor of somebody who lost it away, sign them out everywhere, and tell them by mail.

    Raises `Invalid` where there is none.
    """
    if not is_in_use(session, person):
        raise Invalid(translatable("This person has no second factor."))
    remove(session, person, now=now, by=by)
    end_sign_ins(session, person)
    note(session, "second factor reset", person, now=now, by=by, why=why)
    write(session, FACTOR_GONE, person, post, now, link="/sign-in")


def _take_figures(session: Session, factor: SecondFactor, typed: str, key_box: KeyBox, now: datetime) -> bool:
    """Whether these are figures of now, or of half a minute before or after, that nobody used yet."""
    figures = re.sub(r"\s", "", typed)
    if not re.fullmatch(r"[0-9]{6}", figures):
        return False
    try:
        counter: int = _totp(factor, key_box).match(figures, time=now, window=PERIOD_SECONDS).counter
    except TokenError:
        return False
    later = (col(SecondFactor.id) == factor.id, col(SecondFactor.last_counter) < counter)
    taken = update(SecondFactor).where(*later).values(last_counter=counter)
    return cast("bool", cast("Any", session.execute(taken)).rowcount == 1)


def _take_recovery_code(session: Session, factor: SecondFactor, typed: str) -> bool:
    mine = (col(RecoveryCode.person_id) == factor.person_id, col(RecoveryCode.code_sha256) == _hash(typed))
    return cast("bool", cast("Any", session.execute(delete(RecoveryCode).where(*mine))).rowcount == 1)


def _totp(factor: SecondFactor, key_box: KeyBox) -> Any:
    return TOTP(key=key_box.open(factor.sealed_secret, _where(factor)), period=PERIOD_SECONDS)


def _where(factor: SecondFactor) -> Place:
    return place(SecondFactor, factor.id, "sealed_secret")


def _hash(code: str) -> str:
    plain: Iterable[str] = (letter for letter in code.upper() if letter in LETTERS)
    return hashlib.sha256("".join(plain).encode()).hexdigest()
