"""What people's own programs may ask, as JSON under /api/v1/: with a token, and a browser's sign-in is not looked at.

curl -H "Authorization: Bearer mhp_…" https://hub.example.org/api/v1/requests
"""

from collections.abc import Callable, Collection, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select
from werkzeug.exceptions import HTTPException

from makerhub.demand.models import SupplyRequest
from makerhub.demand.service import lines_of
from makerhub.designs.models import Kit
from makerhub.errors import MakerhubError, NotFound
from makerhub.people import tokens
from makerhub.people.access import visible
from makerhub.people.models import Organisation, Person
from makerhub.people.tokens import Scope
from makerhub.web.hub import hub
from makerhub.web.limits import at_most
from makerhub.web.mistakes import message_of
from makerhub.web.navigation import Audience
from makerhub.web.policy import public
from makerhub.web.typed import uuid_or_none

AT_ONCE = 100

View = TypeVar("View", bound=Callable[..., Any])

pages = Blueprint("api", __name__, url_prefix="/api/v1")
audience = Audience(pages)


def by_token(scope: Scope) -> Callable[[View], View]:
    """Open the route to whoever has a token for `scope`; `asker()` is its owner. Goes next to the function."""

    def wrap(view: View) -> View:
        @wraps(view)
        @public
        @at_most("600 per 5 minutes", per_address="600 per 5 minutes")
        def asked(**names: Any) -> ResponseReturnValue:
            refusal = _refusal(scope)
            return refusal or view(**names)

        return asked  # type: ignore[return-value]

    return wrap


def asker() -> Person:
    """Whose token came with the request."""
    person: Person = g.asker
    return person


@pages.get("/me")
@by_token(Scope.PROFILE)
def me() -> ResponseReturnValue:
    """Whose token this is, and their roles."""
    person = asker()
    with hub().database.reading() as session:
        ids = {membership.organisation_id for membership in person.roles}
        names = dict(
            session.exec(select(Organisation.id, Organisation.name).where(col(Organisation.id).in_(ids))).all()
        )
    roles = [
        {
            "role": one.role.value,
            "organisation": names[one.organisation_id],
            "organisation_id": str(one.organisation_id),
        }
        for one in person.roles
    ]
    return jsonify(name=person.name, email=person.email, roles=roles)


@pages.get("/requests")
@by_token(Scope.REQUESTS)
def requests() -> ResponseReturnValue:
    """The requests that the person sees, a hundred at a time; `next` in the answer is the `after` of the next ones."""
    wanted = visible(asker(), SupplyRequest).order_by(col(SupplyRequest.id)).limit(AT_ONCE)
    after = uuid_or_none(request.args.get("after", ""))
    with hub().database.reading() as session:
        rows = session.exec(wanted.where(col(SupplyRequest.id) > after) if after else wanted).all()
        lines = {row.id: lines_of(session, row.id) for row in rows}
        kits = {line.kit_id for those in lines.values() for line in those}
        kit_names = dict(session.exec(select(Kit.id, Kit.name).where(col(Kit.id).in_(kits))).all())
        places = {key for row in rows for key in (row.facility_id, row.hub_id)}
        place = dict(
            session.exec(select(Organisation.id, Organisation.name).where(col(Organisation.id).in_(places))).all()
        )
    found = [
        {
            "id": str(row.id),
            "state": row.state.value,
            "facility": place[row.facility_id],
            "hub": place[row.hub_id],
            "lines": [
                {
                    "item": kit_names[line.kit_id],
                    "quantity": line.quantity,
                    "needed_by": line.needed_by.isoformat(),
                    "urgency": line.urgency.value,
                }
                for line in lines[row.id]
            ],
        }
        for row in rows
    ]
    return jsonify(requests=found, next=found[-1]["id"] if len(found) == AT_ONCE else None)


@pages.errorhandler(HTTPException)
def _http_error(error: HTTPException) -> ResponseReturnValue:
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return jsonify(error=error.name), error.code or HTTPStatus.INTERNAL_SERVER_ERROR, headers


@pages.errorhandler(MakerhubError)
def _broken_rule(error: MakerhubError) -> ResponseReturnValue:
    status = HTTPStatus.NOT_FOUND if isinstance(error, NotFound) else HTTPStatus.BAD_REQUEST
    return jsonify(error=message_of(error)), status


def _names(session: Session, model: type[Kit] | type[Organisation], ids: Collection[UUID]) -> Mapping[UUID, str]:
    """What kits or organisations are called, by their ids."""
    named: Any = select(model.id, model.name).where(col(model.id).in_(ids))
    return dict(session.exec(named).all())


def _refusal(scope: Scope) -> ResponseReturnValue | None:
    """What is answered to a request without a token for `scope`; None for one that has it, whose owner is kept."""
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    now = hub().clock()
    with hub().database.reading() as session:
        found = tokens.owner(session, text.strip(), now) if kind.lower() == "bearer" else None
    if found is None:
        headers = {"WWW-Authenticate": 'Bearer realm="makerhub"'}
        return jsonify(error="A valid token is needed."), HTTPStatus.UNAUTHORIZED, headers
    person, token = found
    if scope not in token.scopes:
        headers = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'}
        return jsonify(error=f"This token is not for “{scope}”."), HTTPStatus.FORBIDDEN, headers
    if tokens.wants_touch(token, now):
        with hub().database.changing() as session:
            tokens.touch(session, token.id, now)
    g.asker = person
    return None
