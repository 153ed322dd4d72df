"""The HTTP interface of simulated OctoPrints, for any number of printers behind one port.

Each printer lives under a path of its own, `http://127.0.0.1:<port>/<name>`, to which a client appends
`/api/...`. What it answers was measured on OctoPrint 1.11.8, and the contract tests hold both to it.
"""

import re
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from makerhub.simulation.call import Call, Handler, Route
from makerhub.simulation.faults import Unreachable
from makerhub.simulation.files import SUFFIXES
from makerhub.simulation.job import CLOSED, Refused
from makerhub.simulation.key_routes import KEY_ROUTES
from makerhub.simulation.replies import job_reply, printer_reply
from makerhub.simulation.served import ServedPrinter

MAXIMUM_UPLOAD = 1024**3
"""OctoPrint's own default in bytes."""


async def version(_: Call) -> web.StreamResponse:
    """The version that the simulation was measured on."""
    return web.json_response({"api": "0.1", "server": "1.11.8", "text": "OctoPrint 1.11.8"})


async def current_user(call: Call) -> web.StreamResponse:
    """Who the key belongs to and what it may do; a wrong key is a visitor's, with 200."""
    account = call.account
    reply = {"groups": account.groups, "name": account.name, "permissions": account.permissions}
    return web.json_response(reply)


async def get_job(call: Call) -> web.StreamResponse:
    """State and progress."""
    return web.json_response(job_reply(call.printer))


async def post_job(call: Call) -> web.StreamResponse:
    """Start, restart, pause or cancel."""
    if call.printer.state in CLOSED:
        raise Refused(409, "Printer is not operational")
    body = await call.command("start", "restart", "pause", "cancel")
    call.require("PRINT")
    match body["command"]:
        case "start":
            call.printer.start(call.account)
        case "restart":
            call.printer.start_again(call.account)
        case "pause":
            call.printer.pause(body.get("action", "toggle"))
        case "cancel":
            call.printer.cancel()
    return web.Response(status=204)


async def get_printer(call: Call) -> web.StreamResponse:
    """Flags and temperatures."""
    reply = printer_reply(call.printer)
    if reply is None:
        raise Refused(409, "Printer is not operational")
    return web.json_response(reply)


async def get_profiles(call: Call) -> web.StreamResponse:
    """The one printer profile, which is in use."""
    printer = call.printer
    volume = {**printer.volume, "custom_box": False, "formFactor": "rectangular", "origin": "lowerleft"}
    extruder = {"count": 1, "nozzleDiameter": printer.nozzle, "offsets": [[0.0, 0.0]], "sharedNozzle": False}
    profile = {"id": "_default", "name": "Default", "current": True, "default": True}
    return web.json_response({"profiles": {"_default": {**profile, "volume": volume, "extruder": extruder}}})


async def patch_profile(call: Call) -> web.StreamResponse:
    """Change the printer profile."""
    changes = (await call.json())["profile"]
    call.printer.volume.update(changes.get("volume", {}))
    call.printer.nozzle = changes.get("extruder", {}).get("nozzleDiameter", call.printer.nozzle)
    return web.json_response({})


async def post_connection(call: Call) -> web.StreamResponse:
    """Connect or disconnect."""
    body = await call.command("connect", "disconnect")
    (call.printer.connect if body["command"] == "connect" else call.printer.disconnect)()
    return web.Response(status=204)


async def post_printer_command(call: Call) -> web.StreamResponse:
    """Commands to the firmware: the simulation knows those of the Virtual Printer that make faults."""
    body = await call.json()
    for command in body.get("commands", [body.get("command")]):
        _firmware(call.printer, str(command))
    return web.Response(status=204)


def _firmware(printer: ServedPrinter, command: str) -> None:
    match command.removeprefix("!!DEBUG:"):
        case "M112":
            printer.fail("Closing serial port due to emergency stop M112.")
        case "maxtemp_error":
            printer.fail("MAXTEMP triggered! - Not SD printing")
        case "trigger_fatal_error_marlin":
            printer.fail("Thermal Runaway, system stopped! Heater_ID: bed")
        case "drop_connection":
            printer.fail("SerialTimeoutException: ")
        case "action_disconnect":
            printer.disconnect()
        case "action_pause":
            printer.pause("pause")
        case "action_custom cancel":
            printer.cancel()


async def get_files(call: Call) -> web.StreamResponse:
    """All files, and the space on the disk in bytes."""
    printer = call.printer
    recursive = call.request.query.get("recursive") == "true"
    with printer.at_present() as now:
        files = printer.files.listed("", printer.url, now, recursive=recursive)
        free = 0 if printer.disk_full else printer.files.free
        return web.json_response({"files": files, "free": free, "total": printer.files.capacity})


async def get_file(call: Call) -> web.StreamResponse:
    """A file with its hash and history, or a folder; in a folder that does not exist the real server fails."""
    files = call.printer.files
    with call.printer.at_present() as now:
        if not files.has_folder(call.path.rpartition("/")[0]):
            raise Refused(500, "The server encountered an internal error and was unable to complete your request.")
        described = files.described(call.path, call.printer.url, now)
    if described is None:
        raise Refused(404, "The requested URL was not found on the server.")
    return web.json_response(described)


async def post_file(call: Call) -> web.StreamResponse:
    """Select a file, and print it if so asked."""
    body = await call.command("select")
    call.require("FILES_SELECT")
    call.printer.select(call.path, call.account, start=bool(body.get("print")) and call.may("PRINT"))
    return web.Response(status=204)


async def delete_file(call: Call) -> web.StreamResponse:
    """Remove a file."""
    call.printer.delete(call.path)
    return web.Response(status=204)


async def upload(call: Call) -> web.StreamResponse:
    """Store a file or make a folder; too much is refused before it is read, with a bare 400."""
    if (call.request.content_length or 0) > MAXIMUM_UPLOAD:
        return web.Response(status=400)
    form = await call.request.post()
    file, folder = form.get("file"), form.get("foldername")
    if isinstance(file, web.FileField):
        with file.file:
            return _stored(call, form, file)
    if isinstance(folder, str) and folder:
        return _folder_made(call, f"{form.get('path', '')}/{folder}".strip("/"))
    raise Refused(400, "No file to upload and no folder to create")


def _folder_made(call: Call, path: str) -> web.Response:
    call.printer.make_folder(path)
    resource = f"{call.printer.url}/api/files/local/{path}"
    folder = {"name": path.rpartition("/")[2], "origin": "local", "path": path, "refs": {"resource": resource}}
    return web.json_response({"done": True, "folder": folder}, status=201, headers={"Location": resource})


def _stored(call: Call, form: Mapping[str, object], file: web.FileField) -> web.Response:
    name = re.split(r"[/\\]", file.filename)[-1]
    if not name.lower().endswith(SUFFIXES):
        raise Refused(415, "Could not upload file, invalid type")
    path = f"{form.get('path', '')}/{name}".strip("/")
    selected, started = call.printer.upload(
        path,
        file.file.read(),
        call.account,
        select=_asked(form, "select") and call.may("FILES_SELECT"),
        start=_asked(form, "print") and call.may("PRINT"),
        keep=_asked(form, "noOverwrite"),
    )
    url = call.printer.url
    refs = {"download": f"{url}/downloads/files/local/{path}", "resource": f"{url}/api/files/local/{path}"}
    stored = {"name": name, "origin": "local", "path": path, "refs": refs}
    reply = {"done": True, "effectivePrint": started, "effectiveSelect": selected, "files": {"local": stored}}
    return web.json_response(reply, status=201, headers={"Location": refs["resource"]})


def _asked(form: Mapping[str, object], name: str) -> bool:
    return str(form.get(name, "")).lower() in ("true", "yes", "y", "1")


async def not_simulated(_: Call) -> web.StreamResponse:
    """What the simulation knows only to refuse to those who may not."""
    raise Refused(501, "This part of OctoPrint is not simulated.")


_FILE = "/api/files/local/{path:.+}"
ROUTES: tuple[Route, ...] = (
    *KEY_ROUTES,
    ("GET", "/api/version", "STATUS", version),
    ("GET", "/api/currentuser", None, current_user),
    ("GET", "/api/job", "STATUS", get_job),
    ("POST", "/api/job", None, post_job),
    ("GET", "/api/printer", "STATUS", get_printer),
    ("POST", "/api/printer/command", "CONTROL", post_printer_command),
    ("POST", "/api/printer/tool", "CONTROL", not_simulated),
    ("POST", "/api/printer/bed", "CONTROL", not_simulated),
    ("POST", "/api/connection", "CONNECTION", post_connection),
    ("GET", "/api/printerprofiles", "CONNECTION", get_profiles),
    ("PATCH", "/api/printerprofiles/_default", "SETTINGS", patch_profile),
    ("GET", "/api/settings", "SETTINGS_READ", not_simulated),
    ("GET", "/api/files", "FILES_LIST", get_files),
    ("GET", "/api/files/local", "FILES_LIST", get_files),
    ("POST", "/api/files/local", "FILES_UPLOAD", upload),
    ("GET", _FILE, "FILES_LIST", get_file),
    ("POST", _FILE, None, post_file),
    ("DELETE", _FILE, "FILES_DELETE", delete_file),
)


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(printers: Mapping[str, ServedPrinter]) -> web.Application:
    """The web application in front of `printers`, which may grow and shrink while it serves."""

    @web.middleware
    async def through_faults(request: web.Request, handler: Answer) -> web.StreamResponse:
        printer = printers.get(request.path.split("/")[1])
        if printer is None:
            return _refusal(Refused(404, "There is no such printer."))
        fault = printer.faults.take(request, _inner_path(request)) if printer.running else Unreachable()
        return await (handler(request) if fault is None else fault.answer(request, lambda: handler(request)))

    app = web.Application(middlewares=[through_faults], client_max_size=MAXIMUM_UPLOAD)
    for method, path, permission, handler in ROUTES:
        app.router.add_route(method, "/{printer}" + path, _answering(printers, permission, handler))
    return app


def _answering(printers: Mapping[str, ServedPrinter], permission: str | None, handler: Handler) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        printer = printers[request.match_info["printer"]]
        call = Call(request, printer, printer.accounts.account(request.headers.get("X-Api-Key")))
        try:
            call.require_key_for_changes()
            if permission is not None:
                call.require(permission)
            return await handler(call)
        except Refused as refused:
            return _refusal(refused)

    return answer


def _inner_path(request: web.Request) -> str:
    return "/" + request.path.split("/", 2)[-1]


def _refusal(refused: Refused) -> web.Response:
    return web.json_response({"error": str(refused)}, status=refused.status)
