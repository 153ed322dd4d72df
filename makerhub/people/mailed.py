"""Signing in by mail: a link that works once, and a code of six digits for the browser that asked.

The page that takes an address does the same work in the same time whether somebody has it or not: it writes a request.
A background task looks the address up and writes the mail.
"""

import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, delete, func, update
from sqlmodel import Session, col, select

from makerhub.errors import MakerhubError, translatable
from makerhub.keys.box import KeyBox, place
from makerhub.notices.service import tell
from makerhub.people.letters import SIGN_IN, WELCOME
from makerhub.people.models import Person, SignInRequest
from makerhub.people.service import create_person, find_by_email
from makerhub.people.tries import MAILED_CODE, count, take_back

LIFETIME = timedelta(hours=1)
MOST_TRIES = 5
MOST_REQUESTS = 5
"""For one address in an hour; `tries.MAILED_CODE` bounds the codes that are typed for it, whoever asked."""


class OutOfUse(MakerhubError):
    """The link or the code was used already, ran out, or was guessed at too often."""

    template = translatable("This link or code was used already, or it ran out. Ask for a new one.")


class WrongCode(MakerhubError):
    """It is not the code of the mail; some tries are left."""

    template = translatable("This is not the code of the mail.")


def ask(session: Session, email: str, *, language: str, next_page: str, now: datetime, name: str = "") -> UUID:
    """Ask for a mail to this address; gives what the browser has to remember to type the code.

    With a `name` whoever has the address may be new, and gets a mail all the same.

    Where too many were asked for already nothing is kept, and the links of the earlier mails still work.
    """
    lately = select(func.count()).where(SignInRequest.email == email, SignInRequest.asked_at > now - LIFETIME)
    if session.exec(lately).one() >= MOST_REQUESTS:
        return uuid4()
    request = SignInRequest(
        email=email, language=language, name=name, next_page=next_page, asked_at=now, expires_at=now + LIFETIME
    )
    session.add(request)
    return request.id


def unanswered(session: Session, now: datetime) -> list[SignInRequest]:
    """Requests that wait for their mail, the oldest first."""
    waiting = select(SignInRequest).where(col(SignInRequest.answered_at).is_(None), SignInRequest.expires_at > now)
    return list(session.exec(waiting.order_by(col(SignInRequest.asked_at), col(SignInRequest.id))))


def answer(session: Session, request: SignInRequest, *, key_box: KeyBox, pages: str, now: datetime) -> bool:
    """Write the mail, where somebody has this address and may sign in, or is new; says whether.

    `pages` is the hub's address. The mail to somebody new does not repeat the name that was typed: anybody may have
    typed anything, beside anybody's address.
    """
    request.answered_at = now
    session.add(request)
    person = find_by_email(session, request.email)
    if (person is None and not request.name) or (person is not None and not person.active):
        return False
    token, code = secrets.token_urlsafe(32), f"{secrets.randbelow(1_000_000):06}"
    request.person_id = person.id if person else None
    request.link_sha256 = _hash(token)
    request.sealed_code = key_box.seal(code, place(SignInRequest, request.id, "sealed_code"))
    tell(
        session,
        SIGN_IN if person else WELCOME,
        to=request.email,
        values={"link": f"{pages}/sign-in/link/{token}", "code": f"{code[:3]} {code[3:]}"}
        | ({"name": person.name} if person else {}),
        language=(person.language if person else "") or request.language,
        now=now,
        useful_until=request.expires_at,
        key_box=key_box,
    )
    return True


def is_open(session: Session, token: str, now: datetime) -> bool:
    """Whether the link still works; looking changes nothing."""
    return session.exec(select(SignInRequest.id).where(*_by_link(token, now))).one_or_none() is not None


def use_link(session: Session, token: str, *, now: datetime) -> tuple[Person, str]:
    """Who has the link, and the page to go to; of many who use it at once one gets it. Raises `OutOfUse`."""
    return _use(session, _by_link(token, now), now)


def use_code(session: Session, request_id: UUID, typed: str, *, key_box: KeyBox, now: datetime) -> tuple[Person, str]:
    """Who has the code, and the page to go to. Raises `OutOfUse`, `WrongCode`, `TooManyTries`.

    All have to be committed: they count.
    """
    alive = (
        col(SignInRequest.id) == request_id,
        col(SignInRequest.expires_at) > now,
        col(SignInRequest.tries) < MOST_TRIES,
    )
    counted = session.execute(update(SignInRequest).where(*alive).values(tries=SignInRequest.tries + 1))
    if cast("Any", counted).rowcount != 1:
        raise OutOfUse
    request = session.get_one(SignInRequest, request_id, populate_existing=True)
    count(session, MAILED_CODE, request.email, now=now)
    sealed = request.sealed_code
    code = key_box.open(sealed, place(SignInRequest, request.id, "sealed_code")) if sealed else ""
    if not hmac.compare_digest(code.encode(), re.sub(r"\D", "", typed).encode()) or not code:
        raise OutOfUse if request.tries >= MOST_TRIES else WrongCode
    take_back(session, MAILED_CODE, request.email)
    return _use(session, alive, now)


def forget_expired(session: Session, now: datetime) -> None:
    """Delete requests that ran out."""
    session.execute(delete(SignInRequest).where(col(SignInRequest.expires_at) <= now))


def _use(session: Session, which: tuple[ColumnElement[bool], ...], now: datetime) -> tuple[Person, str]:
    """Delete the request: whose DELETE finds it gets in. The person's other links and codes are dead as well."""
    ended = delete(SignInRequest).where(*which).returning(SignInRequest)
    used = session.execute(ended, execution_options={"synchronize_session": False}).scalar_one_or_none()
    if used is None:
        raise OutOfUse
    person = session.get(Person, used.person_id) if used.person_id else find_by_email(session, used.email)
    if person is None and used.name:
        person = create_person(session, email=used.email, name=used.name, language=used.language, now=now)
    if person is None or not person.active:
        raise OutOfUse
    session.execute(delete(SignInRequest).where(col(SignInRequest.email) == used.email))
    return person, used.next_page


def _by_link(token: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return col(SignInRequest.link_sha256) == _hash(token), col(SignInRequest.expires_at) > now


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
