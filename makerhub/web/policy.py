"""Who may open which page: every route states its policy, and a route without one is refused.

    @blueprint.get("/requests")
    @allowed(Role.REQUESTER)
    def requests() -> str: ...

The policy goes under the route. A visitor is sent to sign in and comes back afterwards; a signed-in person without
the role gets the answer of a page that does not exist. Which rows a page shows is another matter: `people.access`.

A page that hurts in the wrong hands wants a proof within the last quarter of an hour that it is still the same person,
besides its policy: `@fresh`, under the route as well. Whoever has none is asked and comes back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from makerhub.people.access import has_role
from makerhub.people.blocks import resting_roles
from makerhub.people.models import Person, Role
from makerhub.people.second_factor import is_required
from makerhub.web.hub import hub
from makerhub.web.viewer import viewer_or_none

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Policy:
    """Who may open a page: `visitors` everybody; else whoever has one of `roles`, or simply is signed in if none.

    `largest_body` is in bytes, for pages that take files from those who may open them.
    """

    visitors: bool = False
    roles: tuple[Role, ...] = ()
    largest_body: int | None = None

    def admits(self, person: Person) -> bool:
        """Whether a signed-in person may open the page."""
        return self.visitors or not self.roles or has_role(person, *self.roles)


CONFIRMED_AT = "confirmed_at"
"""Where a session keeps when its person last proved who they are."""
HAS_SECOND = "has_second"
"""Where a session keeps whether its person gave a second factor."""
WITHOUT_SECOND = frozenset({"second_factor", "passkeys", "account", "confirm", "sign_in", "security", None})
"""Blueprints of pages that are open to somebody who has yet to set up a second factor, besides static files."""
FRESH_FOR = timedelta(minutes=15)

PUBLIC = Policy(visitors=True)
SIGNED_IN = Policy()


def public(view: View) -> View:
    """Let everybody open this page."""
    return _state(view, PUBLIC)


def signed_in(view: View) -> View:
    """Let everybody who is signed in open this page."""
    return _state(view, SIGNED_IN)


def allowed(*roles: Role, largest_body: int | None = None) -> Callable[[View], View]:
    """Let whoever has one of `roles`, in any organisation, open this page and send it up to `largest_body` bytes."""
    if not roles:
        raise ValueError("name the roles, or say signed_in")
    return lambda view: _state(view, Policy(roles=roles, largest_body=largest_body))


def fresh(view: View) -> View:
    """Want the person to have proved who they are within the last 15 minutes: by a password, passkey, code or mail.

    For what an unattended computer or a stolen cookie must not open: addresses, exports, proofs of facilities.

        @pages.get("/requests/export")
        @allowed(Role.DISPATCHER)
        @fresh
        def export() -> Response: ...

    A form that leads to a fresh page should stand on a fresh page: what a stale one sends is not kept.
    """
    view.wants_fresh = True  # type: ignore[attr-defined]
    return view


def is_fresh(now: datetime) -> bool:
    """Whether whoever is signed in proved it within the last 15 minutes, on this browser."""
    kept = session.get(CONFIRMED_AT)
    return kept is not None and now - datetime.fromisoformat(kept) < FRESH_FOR


def guard(app: Flask, others: Mapping[str, Policy]) -> None:
    """Refuse every request that no policy admits; `others` are the policies of endpoints that libraries bring."""
    app.extensions["makerhub.policies"] = dict(others)
    app.before_request(_refuse)


def policy_of(app: Flask, endpoint: str) -> Policy | None:
    """The policy of an endpoint; None when nobody stated one."""
    stated = getattr(app.view_functions.get(endpoint), "policy", None)
    policies: dict[str, Policy] = app.extensions["makerhub.policies"]
    return stated or policies.get(endpoint)


def _state(view: View, policy: Policy) -> View:
    view.policy = policy  # type: ignore[attr-defined]
    return view


def _refuse() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None  # no such page: routing has its own answer
    policy = policy_of(current_app, request.endpoint)
    if policy is None:
        current_app.logger.error("endpoint %s has no policy and is refused", request.endpoint)
        abort(404)
    person = None if request.endpoint == "static" else viewer_or_none()
    if person is not None and _lacks_second(person) and request.blueprint not in WITHOUT_SECOND:
        return _elsewhere("second_factor.overview")
    if policy.visitors:
        return None
    if person is None:
        return _elsewhere("sign_in.ask")
    if not policy.admits(person):
        return _because_blocked(person, policy) or abort(404)
    if getattr(current_app.view_functions[request.endpoint], "wants_fresh", False) and not is_fresh(hub().clock()):
        return _elsewhere("confirm.confirm")
    request.max_content_length = policy.largest_body or request.max_content_length
    return None


def _because_blocked(person: Person, policy: Policy) -> ResponseReturnValue | None:
    """To somebody whose role for the page only rests, why; to others the page does not exist."""
    with hub().database.reading() as session:
        rests = resting_roles(session, person.id)
    return redirect(url_for("reporting.blocked")) if rests & set(policy.roles) else None


def _lacks_second(person: Person) -> bool:
    """Whether a role of theirs needs a second factor that was not given at this sign-in."""
    return not session.get(HAS_SECOND) and is_required(person, hub().settings)


def _elsewhere(endpoint: str) -> ResponseReturnValue:
    """Ask for a sign-in or a proof first; a live fragment asks for it in the whole window instead of in its own place.

    Afterwards it goes on to the page; after a form to the page that the form stood on.
    """
    if "HX-Request" in request.headers:
        return "", HTTPStatus.NO_CONTENT, {"HX-Redirect": url_for(endpoint)}
    return redirect(url_for(endpoint, next=_page_to_come_back_to()))


def _page_to_come_back_to() -> str | None:
    if request.method in ("GET", "HEAD"):
        return request.full_path.rstrip("?")
    before = urlsplit(request.referrer or "")
    return before.path if before.netloc == request.host else None
