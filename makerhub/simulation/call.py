"""One request to a simulated printer, by somebody, with what handlers ask of it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from makerhub.simulation.accounts import VISITOR, Account
from makerhub.simulation.job import Refused
from makerhub.simulation.served import ServedPrinter


@dataclass(frozen=True)
class Call:
    """One request to one printer, by somebody."""

    request: web.Request
    printer: ServedPrinter
    account: Account

    def may(self, permission: str) -> bool:
        """Whether the caller has the permission."""
        return permission in self.account.permissions

    def require(self, permission: str) -> None:
        """Raises Refused with 403 without the permission."""
        if not self.may(permission):
            raise Refused(403, "You don't have the permission to access the requested resource.")

    def require_key_for_changes(self) -> None:
        """Raises Refused with 400: who has no valid key is taken for a browser, whose forms carry a token."""
        is_change = self.request.method != "GET" and not self.request.path.endswith("/plugin/appkeys/request")
        if is_change and self.account is VISITOR:
            raise Refused(400, "CSRF validation failed")

    @property
    def path(self) -> str:
        """The path of a file or folder in the address."""
        return self.request.match_info["path"]

    async def command(self, *valid: str) -> dict[str, Any]:
        """The JSON command of the body; raises Refused with 415 or 400."""
        body = await self.json()
        if body.get("command") not in valid:
            raise Refused(400, "command is invalid")
        return body

    async def json(self) -> dict[str, Any]:
        """The JSON object of the body; raises Refused with 415 or 400."""
        if self.request.content_type != "application/json":
            raise Refused(415, "Did not attempt to load JSON data because the Content-Type was not application/json")
        try:
            body = json.loads(await self.request.read())
        except ValueError as error:
            raise Refused(
                400, "The browser (or proxy) sent a request that this server could not understand."
            ) from error
        return body if isinstance(body, dict) else {}


Handler = Callable[[Call], Awaitable[web.StreamResponse]]
Route = tuple[str, str, str | None, Handler]
"""Method, path, the permission needed (None: the handler looks itself) and what answers."""
