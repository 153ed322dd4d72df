"""Sign-ins kept by the hub, not by the browser: a row for each, found by the SHA-256 of its cookie.

What Flask ships lives in the cookie, where a copy outlives the sign-out, and what Flask-Session ships lets a slow
request revive a session that was ended. Here a row is written with UPDATE only, so a deleted one never comes back;
it gets a new name at each sign-in; it is gone after a sign-out; and all rows of a person go with a password change.
Visitors have no row and no cookie until a form is shown to them or something is remembered for them.
"""

import hashlib
import json
import secrets
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from flask import Flask, Request, Response, request, session
from flask.sessions import SessionInterface, SessionMixin
from flask_login import user_logged_out  # type: ignore[import-untyped]
from flask_security import user_authenticated
from sqlalchemy import delete, update
from sqlmodel import Session, col, select
from werkzeug.datastructures import CallbackDict

from makerhub.db import Clock, Database
from makerhub.people.models import BrowserSession, Person

COOKIE = "makerhub"
FOR_PROGRAMS = "/api/"
"""Below this address nobody is signed in by a cookie: a token and a cookie in one request could be two people."""
VISITOR_HOURS = 2
TOUCH_AFTER = timedelta(minutes=10)


class ServerSession(CallbackDict[str, Any], SessionMixin):
    """What is remembered for one browser. `token` is its cookie; None until there is something to remember."""

    def __init__(self, token: str | None = None, row: BrowserSession | None = None) -> None:
        def changed(_: object) -> None:
            self.modified = True

        super().__init__(json.loads(row.content) if row else {}, changed)
        self.token = token if row else None
        self.person_id: UUID | None = row.person_id if row else None
        self.seen_at: datetime | None = row.seen_at if row else None
        self.modified = False
        self.accessed = False
        self.renewed = False
        self.ended = False

    @property
    def row_id(self) -> str:
        """The name of its row; "" while it has none."""
        return _name(self.token) if self.token else ""

    def renew(self, person_id: UUID) -> None:
        """Belong to this person from now on, under a new name."""
        self.person_id = person_id
        self.renewed = True

    def end(self) -> None:
        """Be forgotten, here and in the browser."""
        self.clear()
        self.ended = True


class ServerSessions(SessionInterface):
    """Flask's sessions in the table `browser_session`."""

    def __init__(self, database: Database, clock: Clock, sign_in_hours: int, *, secure: bool) -> None:
        self._database = database
        self._clock = clock
        self._sign_in_hours = sign_in_hours
        self._secure = secure

    def open_session(self, app: Flask, request: Request) -> ServerSession:  # noqa: ARG002 – Flask's signature
        """The session that the cookie names; an empty one when it names none that still holds."""
        token = request.cookies.get(COOKIE)
        if not token or request.path.startswith(FOR_PROGRAMS):
            return ServerSession()
        with self._database.reading() as database:
            alive = (BrowserSession.id == _name(token), col(BrowserSession.expires_at) > self._clock())
            return ServerSession(token, database.exec(select(BrowserSession).where(*alive)).one_or_none())

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:  # noqa: ARG002
        """Write what the request changed, and tell the browser the session's name when it is a new one."""
        session = cast("ServerSession", session)
        if request.path.startswith(FOR_PROGRAMS):
            return
        if session.accessed:
            response.vary.add("Cookie")
        if session.ended:
            self._forget(session, response)
        elif session.renewed or (session.token is None and session):
            self._begin(session, response)
        elif session.token and (session.modified or self._is_stale(session)):
            self._update(session)

    def _begin(self, session: ServerSession, response: Response) -> None:
        before, session.token = session.token, secrets.token_urlsafe(32)
        with self._database.changing() as database:
            _delete(database, before)
            now = self._clock()
            row = {"id": _name(session.token), "created_at": now, **self._columns(session, now)}
            database.add(BrowserSession(**row))
        response.set_cookie(
            COOKIE,
            session.token,
            max_age=self._sign_in_hours * 3600 if session.person_id else None,
            httponly=True,
            secure=self._secure,
            samesite="Lax",
        )

    def _update(self, session: ServerSession) -> None:
        """Never an INSERT: a row that was deleted while this request ran stays deleted."""
        mine = update(BrowserSession).where(col(BrowserSession.id) == _name(session.token or ""))
        with self._database.changing() as database:
            database.execute(mine.values(**self._columns(session, self._clock())))

    def _forget(self, session: ServerSession, response: Response) -> None:
        with self._database.changing() as database:
            _delete(database, session.token)
        response.delete_cookie(COOKIE, httponly=True, secure=self._secure, samesite="Lax")

    def _columns(self, session: ServerSession, now: datetime) -> dict[str, Any]:
        hours = self._sign_in_hours if session.person_id else VISITOR_HOURS
        return {
            "person_id": session.person_id,
            "content": json.dumps(session),
            "agent": request.user_agent.string[:200],
            "address": (request.remote_addr or "")[:45],
            "seen_at": now,
            "expires_at": now + timedelta(hours=hours),
        }

    def _is_stale(self, session: ServerSession) -> bool:
        """Whether the row's time is so old that a sign-in in daily use could run out; not each request writes."""
        return session.seen_at is not None and self._clock() - session.seen_at > TOUCH_AFTER


def this_session() -> ServerSession:
    """The session of the current request."""
    return cast("ServerSession", session._get_current_object())  # type: ignore[attr-defined]


@user_authenticated.connect
def _renew(_app: Flask, user: Person, **_: object) -> None:
    this_session().renew(user.id)


@user_logged_out.connect  # type: ignore[untyped-decorator]
def _end(_app: Flask, **_: object) -> None:
    this_session().end()


def _name(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _delete(database: Session, token: str | None) -> None:
    if token:
        database.execute(delete(BrowserSession).where(col(BrowserSession.id) == _name(token)))
