"""One bounded exchange with a server that may be hostile.

Each bound answers something observed: a redirect that took the API key to another host, 194 KB of gzip that cost
410 MiB, bodies and headers that dripped past every time-out per read.
"""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import aiohttp

from makerhub.fleet.addresses import AddressPolicy, ForbiddenAddress, printer_url
from makerhub.fleet.gateway import PrinterTrouble, Trouble

LARGEST_REPLY: Final = 256 * 1024
"""Bytes; a reply of `/api/job` has about 525."""

HEADERS: Final = {"User-Agent": "makerhub", "Accept": "application/json", "Accept-Encoding": "identity"}


@dataclass(frozen=True)
class Reply:
    """A complete reply, whatever its status says (but never a redirection)."""

    status: int
    body: bytes


class Transport:
    """Exchanges under an address policy; use it as an asynchronous context manager.

    No redirects, no proxies, no cookies, no compression, at most LARGEST_REPLY bytes, and one deadline for the whole
    exchange.
    """

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        self._sessions = {secure: self._new_session(secure=secure) for secure in (False, True)}
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in self._sessions.values():
            await session.close()

    async def exchange(
        self,
        method: str,
        url: str,
        path: str,
        *,
        seconds: float,
        key: str | None = None,
        json: object = None,
        form: Callable[[], aiohttp.FormData] | None = None,
    ) -> Reply:
        """One request to `path` of the server at `url`, answered within `seconds`; raises PrinterTrouble."""
        base = printer_url(url)
        session = self._sessions[base.scheme == "https"]
        try:
            async with session.request(
                method,
                base.with_path(base.path.rstrip("/") + path),
                headers=key_header(key),
                json=json,
                data=form() if form else None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds),
            ) as response:
                return await _read(response)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise PrinterTrouble(_trouble_of(error)) from error

    def _new_session(self, *, secure: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            socket_factory=self._policy.socket_factory(secure=secure),
            use_dns_cache=False,
            limit=0,  # the poll loop bounds how much goes on at once
            limit_per_host=2,  # an upload must not keep us from looking at the printer
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=HEADERS,
            auto_decompress=False,
            trust_env=False,
        )


def key_header(key: str | None) -> Mapping[str, str]:
    """The header that carries a key; raises KEY_REFUSED for what can't be one, such as a key with a line feed."""
    if key is None:
        return {}
    if not (key.isascii() and key.isprintable()):
        raise PrinterTrouble(Trouble.KEY_REFUSED)
    return {"X-Api-Key": key}


async def _read(response: aiohttp.ClientResponse) -> Reply:
    """The body as it comes over the wire, so that the bound is on what is held in memory."""
    if 300 <= response.status < 400:
        raise PrinterTrouble(Trouble.REDIRECTED)
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise PrinterTrouble(Trouble.BAD_REPLY)
    if (response.content_length or 0) > LARGEST_REPLY:
        raise PrinterTrouble(Trouble.REPLY_TOO_LARGE)
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > LARGEST_REPLY:
            raise PrinterTrouble(Trouble.REPLY_TOO_LARGE)
    return Reply(response.status, bytes(body))


def _trouble_of(error: Exception) -> Trouble:
    """The fixed set's word for an error; in the order of the classes, since they inherit from each other."""
    match error:
        case TimeoutError():
            return Trouble.TIMED_OUT
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return Trouble.UNTRUSTED_CERTIFICATE
        case aiohttp.ClientConnectorError(os_error=ForbiddenAddress()):
            return Trouble.FORBIDDEN_ADDRESS
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError():
            return Trouble.BAD_REPLY
        case aiohttp.ClientError() | OSError():
            return Trouble.UNREACHABLE
        case _:
            return Trouble.BAD_ADDRESS
