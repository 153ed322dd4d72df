"""Application Keys: how a program gets a key without anybody copying one."""

from typing import Any

from aiohttp import web

from makerhub.simulation.accounts import GRANT, KeyRequest
from makerhub.simulation.call import Call, Route
from makerhub.simulation.job import Refused


async def probe(_: Call) -> web.StreamResponse:
    """Whether Application Keys are there."""
    return web.Response(status=204)


async def request_key(call: Call) -> web.StreamResponse:
    """Ask for an application key."""
    body = await call.json()
    if not body.get("app"):
        raise Refused(400, "No app name provided")
    request = call.printer.accounts.ask(body["app"], body.get("user"))
    if request is None:
        raise Refused(429, "You have made too many app key requests. Please try again later.")
    base = f"{call.printer.url}/plugin/appkeys"
    dialog = f"{base}/auth/{request.app_token}" + (f"?user={request.user}" if request.user else "")
    reply = {"app_token": request.app_token, "auth_dialog": dialog}
    return web.json_response(reply, status=201, headers={"Location": f"{base}/request/{request.app_token}"})


async def poll_key(call: Call) -> web.StreamResponse:
    """The key once it is granted; it is told a single time."""
    accounts = call.printer.accounts
    request = accounts.poll(call.request.match_info["token"])
    if request is None:
        raise Refused(404, "The requested URL was not found on the server.")
    if request.granted_by is None:
        return web.json_response({"message": "Awaiting decision"}, status=202)
    return web.json_response({"api_key": accounts.collect(request)})


async def pending_keys(call: Call) -> web.StreamResponse:
    """The requests that wait for this user's decision."""
    if call.account.name is None:
        raise Refused(403, "You don't have the permission to access the requested resource.")
    pending = call.printer.accounts.pending(call.account.name)
    return web.json_response({"keys": [], "pending": {request.user_token: _described(request) for request in pending}})


def _described(request: KeyRequest) -> dict[str, Any]:
    return {
        "app_id": request.app,
        "remote_address": "127.0.0.1",
        "user_id": request.user,
        "user_token": request.user_token,
    }


async def decide_key(call: Call) -> web.StreamResponse:
    """Grant or deny a request."""
    call.require(GRANT)
    body, token = await call.json(), call.request.match_info["token"]
    if not call.printer.accounts.decide(token, call.account.name or "", allow=body.get("decision") is True):
        raise Refused(404, "The requested URL was not found on the server.")
    return web.Response(status=204)


KEY_ROUTES: tuple[Route, ...] = (
    ("GET", "/plugin/appkeys/probe", None, probe),
    ("POST", "/plugin/appkeys/request", None, request_key),
    ("GET", "/plugin/appkeys/request/{token}", None, poll_key),
    ("POST", "/plugin/appkeys/decision/{token}", None, decide_key),
    ("GET", "/api/plugin/appkeys", None, pending_keys),
)
