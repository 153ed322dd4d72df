"""How often one person, and one address, may send forms: whoever presses a button by hand never meets it.

    @pages.post("/requests")
    @allowed(Role.REQUESTER)
    @at_most("30 per hour", per_address="120 per hour")
    def submit() -> ResponseReturnValue: ...

What states nothing has the limits of every form; a route that only reads has none unless it states some. An address
may send more than a person: a ward's computers share one. Of IPv6 the network of a household counts as one address.
"""

import ipaddress
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, current_app, request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from makerhub.web.safety import SAFE_METHODS
from makerhub.web.viewer import viewer_or_none

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Limits:
    """How often a person who is signed in, and an address, may ask for one route."""

    per_person: RateLimitItem
    per_address: RateLimitItem


ANY_FORM = Limits(parse("60 per minute"), parse("600 per minute"))


def at_most(per_person: str, *, per_address: str) -> Callable[[View], View]:
    """Limit the route to so much, as in “30 per hour”. The limits of a visitor are those of the address."""
    limits = Limits(parse(per_person), parse(per_address))

    def state(view: View) -> View:
        view.at_most = limits  # type: ignore[attr-defined]
        return view

    return state


def at_will(view: View) -> View:
    """Let the route be asked without limits: by programs that carry a token of their own, many behind one address."""
    view.at_most = None  # type: ignore[attr-defined]
    return view


def limits_of(app: Flask, endpoint: str, method: str) -> Limits | None:
    """The limits of a route; None for one that may be asked at will."""
    usual = None if method in SAFE_METHODS else ANY_FORM
    stated: Limits | None = getattr(app.view_functions.get(endpoint), "at_most", usual)
    return stated


def limit_requests(app: Flask) -> None:
    """Refuse what comes too often, telling when to try again. Counts are kept in memory, by this process."""
    app.extensions["makerhub.limits"] = MovingWindowRateLimiter(MemoryStorage())
    app.before_request(_refuse_too_many)


def _refuse_too_many() -> None:
    limits = limits_of(current_app, request.endpoint, request.method) if request.endpoint else None
    if limits is None:
        return
    limiter: MovingWindowRateLimiter = current_app.extensions["makerhub.limits"]
    for limit, who in _counted(limits):
        if not limiter.hit(limit, request.endpoint or "", who):
            again = limiter.get_window_stats(limit, request.endpoint or "", who).reset_time
            raise TooManyRequests(retry_after=max(1, math.ceil(again - time.time())))


def _counted(limits: Limits) -> Iterator[tuple[RateLimitItem, str]]:
    person = viewer_or_none()
    if person is not None:
        yield limits.per_person, person.id.hex
    yield limits.per_address, network_of(request.remote_addr or "")


def network_of(address: str) -> str:
    """The address itself, or of IPv6 the /64 in which one household has all of its own."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return address
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
