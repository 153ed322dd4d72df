"""Tokens by which people's own programs ask the hub: shown once, kept as a hash, for named things, until a day."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.audit.service import note
from makerhub.errors import Invalid, translatable
from makerhub.people.entry_models import ApiToken
from makerhub.people.models import Person

TOKEN_PREFIX: Final = "mhp_"  # noqa: S105 - for scanners of leaked secrets
SHOWN: Final = len(TOKEN_PREFIX) + 6
"""So many letters are kept to be recognised by; 37 remain, of 222 bits."""
LIFETIME = timedelta(days=365)
TOUCH_AFTER = timedelta(minutes=10)
MOST = 20
LONGEST_NAME = 60


class Scope(StrEnum):
    """What a token is for; everything beyond stays shut to it."""

    PROFILE = "profile"
    REQUESTS = "requests"


def make(
    session: Session, person: Person, name: str, scopes: Collection[str], *, now: datetime
) -> tuple[ApiToken, str]:
    """A new token, and its text, which is not kept. Raises `Invalid` with `fields`."""
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise Invalid(fields={"name": translatable("Give it a short name, such as “Stock list”.")})
    if not scopes or not set(scopes) <= set(Scope):
        raise Invalid(fields={"scopes": translatable("Choose what it is for.")})
    if len(tokens_of(session, person, now)) >= MOST:
        raise Invalid(fields={"name": translatable("You have twenty already. Take one back first.")})
    text = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        person_id=person.id,
        name=name,
        prefix=text[:SHOWN],
        sha256=_hash(text),
        scopes=[scope for scope in Scope if scope in scopes],
        made_at=now,
        expires_at=now + LIFETIME,
    )
    session.add(token)
    note(session, "token made", token, now=now, by=person.id, why=", ".join(token.scopes))
    return token, text


def owner(session: Session, text: str, now: datetime) -> tuple[Person, ApiToken] | None:
    """Whose token this is; None when it opens nothing (any more)."""
    alive = (ApiToken.sha256 == _hash(text), col(ApiToken.revoked_at).is_(None), col(ApiToken.expires_at) > now)
    token = session.exec(select(ApiToken).where(*alive)).one_or_none()
    person = session.get(Person, token.person_id) if token else None
    return (person, token) if token and person and person.active else None


def wants_touch(token: ApiToken, now: datetime) -> bool:
    """Whether it is worth writing that the token was used: not for each request."""
    return token.used_at is None or now - token.used_at >= TOUCH_AFTER


def touch(session: Session, token_id: UUID, now: datetime) -> None:
    """Keep that the token was used."""
    session.get_one(ApiToken, token_id).used_at = now


def tokens_of(session: Session, person: Person, now: datetime) -> list[ApiToken]:
    """The person's tokens that open something, the newest first."""
    mine = (ApiToken.person_id == person.id, col(ApiToken.revoked_at).is_(None), col(ApiToken.expires_at) > now)
    return list(session.exec(select(ApiToken).where(*mine).order_by(col(ApiToken.made_at).desc(), col(ApiToken.id))))


def revoke(session: Session, person: Person, key: UUID, *, now: datetime) -> None:
    """Let one of the person's tokens open nothing any more; one that does not already is no mistake."""
    token = session.exec(select(ApiToken).where(ApiToken.person_id == person.id, ApiToken.id == key)).one_or_none()
    if token is not None and token.revoked_at is None:
        token.revoked_at = now
        note(session, "token taken back", token, now=now, by=person.id)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
