"""The adapter for OctoPrint: a thin typed client of the calls we need, and no other.

No client library on PyPI serves: the official one comes only inside OctoPrint, octorest has no time-outs and silently
drops the arguments of an upload, and none knows application keys. Measured with OctoPrint 1.11.8.
"""

import re
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO, Final
from urllib.parse import quote

import aiohttp

from makerhub.fleet import replies
from makerhub.fleet.addresses import printer_url
from makerhub.fleet.gateway import (
    FOLDER,
    READS_PROFILES,
    Build,
    Connection,
    FileReport,
    JobReport,
    KeyAnswer,
    KeyDecision,
    KeyReport,
    KeyRequest,
    PrinterTrouble,
    Trouble,
    UploadResult,
)
from makerhub.fleet.keep_alive import KeepAlive
from makerhub.fleet.transport import Reply, Transport
from makerhub.gcode.print_file import PrintFile, opened

ANSWER_SECONDS: Final = 5.0
UPLOAD_SECONDS: Final = 100.0
"""Less than the two minutes within which a file may be sent again, so that a sending has ended by then."""

JOB_PATH: Final = "/api/job"
_FILES: Final = "/api/files/local"
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,200}\.gcode")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{8,128}")


class OctoPrint:
    """A `PrinterGateway` over a `Transport` that somebody else opens and closes.

    With `looks`, a `KeepAlive` for JOB_PATH, what polling asks all the time goes there.
    """

    def __init__(
        self,
        transport: Transport,
        looks: KeepAlive | None = None,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        upload_seconds: float = UPLOAD_SECONDS,
    ) -> None:
        self._transport = transport
        self._looks = looks
        self._answer_seconds = answer_seconds
        self._upload_seconds = upload_seconds

    async def job(self, connection: Connection) -> JobReport:
        """What the printer is doing; `/api/job` alone answers also while it is offline."""
        if self._looks is None:
            reply = await self._call(connection, "GET", JOB_PATH)
        else:
            reply = await self._looks.get(connection, seconds=self._answer_seconds)
        return replies.job(_expect(reply, 200))

    async def version(self, connection: Connection) -> str:
        """The server's version; raises NOT_OCTOPRINT for anything else."""
        reply = await self._call(connection, "GET", "/api/version")
        return replies.parse(_expect(reply, 200), replies.VersionReply).version()

    async def key_report(self, connection: Connection) -> KeyReport:
        """What the connection's key can do."""
        reply = await self._call(connection, "GET", "/api/currentuser")
        report = replies.parse(_expect(reply, 200), replies.UserReply).report()
        return replace(report, build=await self._build(connection)) if report.held & READS_PROFILES else report

    async def _build(self, connection: Connection) -> Build | None:
        """Bed and nozzle of the printer profile in use; None if it can't be had, then the maker is asked."""
        try:
            reply = await self._call(connection, "GET", "/api/printerprofiles")
            return replies.parse(_expect(reply, 200), replies.ProfilesReply).build()
        except PrinterTrouble:
            return None

    async def file(self, connection: Connection, name: str) -> FileReport | None:
        """The file in our folder. Trap: before the folder exists the answer is 500, not 404, so that is asked, too."""
        reply = await self._call(connection, "GET", _file_path(name))
        if reply.status == 500:
            folder = await self._call(connection, "GET", f"{_FILES}/{FOLDER}")
            reply = folder if _is_absent(folder) else reply
        if _is_absent(reply):
            return None
        return replies.parse(_expect(reply, 200), replies.FileReply).report()

    async def upload_and_print(self, connection: Connection, name: str, gcode: PrintFile) -> UploadResult:
        """One multipart upload; it creates the folder. Trap: a busy printer also answers 201."""
        _file_path(name)
        with opened(gcode) as content:
            reply = await self._transport.exchange(
                "POST",
                connection.url,
                _FILES,
                seconds=self._upload_seconds,
                key=connection.key,
                form=partial(_upload_form, name, content),
            )
        return UploadResult(replies.parse(_expect(reply, 201), replies.UploadReply).effective_print)

    async def remove(self, connection: Connection, name: str) -> None:
        """Remove a file of ours, which the five permissions don't allow."""
        reply = await self._call(connection, "DELETE", _file_path(name))
        if not _is_absent(reply):
            _expect(reply, 204)

    async def cancel(self, connection: Connection) -> None:
        """Cancel the print under way."""
        _expect(await self._call(connection, "POST", "/api/job", json={"command": "cancel"}), 204)

    async def takes_key_requests(self, url: str) -> bool:
        """Whether an OctoPrint answers at `url` that can be asked for a key; needs none, and asks nobody."""
        try:
            return (await self._call(Connection(url, ""), "GET", "/plugin/appkeys/probe")).status == 204
        except PrinterTrouble:
            return False

    async def request_key(self, url: str, app: str, user: str | None = None) -> KeyRequest:
        """Ask the maker for a key; without the plug-in for that there is NOT_OCTOPRINT."""
        _expect(await self._call(Connection(url, ""), "GET", "/plugin/appkeys/probe"), 204)
        asked = {"app": app, "user": user} if user else {"app": app}
        reply = await self._call(Connection(url, ""), "POST", "/plugin/appkeys/request", json=asked)
        token = _checked_token(replies.parse(_expect(reply, 201), replies.KeyRequestReply).app_token)
        query = f"?user={quote(user, safe='')}" if user else ""
        base = str(printer_url(url)).rstrip("/")
        return KeyRequest(token, f"{base}/plugin/appkeys/auth/{token}{query}")

    async def poll_key(self, url: str, token: str) -> KeyAnswer:
        """The maker's answer so far: 202, then once 200 with the key, or 404."""
        reply = await self._call(Connection(url, ""), "GET", f"/plugin/appkeys/request/{_checked_token(token)}")
        if reply.status == 202:
            return KeyAnswer(KeyDecision.PENDING)
        if _is_absent(reply):
            return KeyAnswer(KeyDecision.DENIED)
        key = replies.parse(_expect(reply, 200), replies.KeyReply).api_key
        return KeyAnswer(KeyDecision.GRANTED, _checked_token(key))

    async def _call(self, connection: Connection, method: str, path: str, json: Any = None) -> Reply:
        return await self._transport.exchange(
            method, connection.url, path, seconds=self._answer_seconds, key=connection.key or None, json=json
        )


def _file_path(name: str) -> str:
    if not _FILE_NAME.fullmatch(name):
        raise ValueError(f"not a file name: {name!r}")
    return f"{_FILES}/{FOLDER}/{name}"


def _upload_form(name: str, content: BinaryIO) -> aiohttp.FormData:
    """The request that starts a print; `noOverwrite` makes the file's name a start token.

    Of 60 races of four such requests in one instant, two had a second one told yes; that one found the printer busy,
    and each file was printed once.
    """
    form = aiohttp.FormData({"path": FOLDER, "select": "true", "print": "true", "noOverwrite": "true"})
    form.add_field("file", content, filename=name, content_type="application/octet-stream")
    return form


def _checked_token(token: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise PrinterTrouble(Trouble.BAD_REPLY)
    return token


def _is_absent(reply: Reply) -> bool:
    """Whether OctoPrint itself says 404; a proxy's 404 tells nothing about a file."""
    if reply.status != 404:
        return False
    replies.parse(reply.body, replies.ErrorReply)
    return True


def _expect(reply: Reply, status: int) -> bytes:
    """The body, if the status is the one that means success."""
    if reply.status == status:
        return reply.body
    raise PrinterTrouble(_trouble_of(reply.status))


def _trouble_of(status: int) -> Trouble:
    if status in (401, 403):
        return Trouble.KEY_REFUSED
    if status == 404:
        return Trouble.NOT_OCTOPRINT
    if 400 <= status < 500:
        return Trouble.REFUSED
    return Trouble.SERVER_ERROR if status >= 500 else Trouble.BAD_REPLY
