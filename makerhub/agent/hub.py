"""The agent's line to its hub: it dials out, over https, and takes only bounded answers.

Nothing listens at home. A hub that answers with nonsense, or not at all, is tried again later; one that no longer knows
the token is told to the owner.
"""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from makerhub.errors import MakerhubError, translatable
from makerhub.fleet.messages import Paired, Pairing, Reply, Report, Wanted, decode, encode
from makerhub.gcode.print_file import digest_of

LARGEST_ANSWER: Final = 256 * 1024
ANSWER_SECONDS: Final = 20.0
FETCH_SECONDS: Final = 600.0
_CHUNK: Final = 64 * 1024
Message = TypeVar("Message", bound=msgspec.Struct)


class HubTrouble(MakerhubError):
    """The hub could not be asked; it may have heard what was said."""

    template = translatable("The hub can not be reached: %(problem)s")


class TokenRefused(MakerhubError):
    """The hub does not know this agent any more."""

    template = translatable(
        "The hub no longer accepts this agent. Show a new code on the printer's page and pair again."
    )


class CodeRefused(MakerhubError):
    """The hub does not take the pairing code."""

    template = translatable("%(problem)s")


class NotAHub(MakerhubError):
    """The address is none that an agent may use."""

    template = translatable("“%(url)s” is not the address of a hub. It begins with https://.")


def hub_url(text: str, *, trusts_http: bool = False) -> str:
    """The hub's address without a slash at its end; raises `NotAHub`. Plain http is for this very computer alone.

    `trusts_http` lets it be used in the owner's own network, where everybody could then read along.
    """
    parts = urlsplit(text.strip().rstrip("/"))
    is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and (is_local or trusts_http)):
        raise NotAHub(url=text)
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise NotAHub(url=text)
    return parts.geturl()


class Download:
    """A file on its way from the hub into a folder: in part beside its name, and under its name once it is whole."""

    def __init__(self, folder: Path, wanted: Wanted) -> None:
        folder.mkdir(exist_ok=True)
        self.wanted = wanted
        self._whole, self._part = folder / wanted.sha256, folder / f"{wanted.sha256}.part"

    def is_whole(self) -> bool:
        """Whether all of it is here."""
        return self._whole.is_file()

    def begun(self) -> int:
        """How many bytes are here."""
        have = self._part.stat().st_size if self._part.exists() else 0
        return have if have < self.wanted.size else 0

    def add(self, offset: int, chunk: bytes) -> None:
        """Write what comes at `offset`; never more than the file may have."""
        if offset + len(chunk) > self.wanted.size:
            raise HubTrouble(problem="the file is too large")
        with self._part.open("r+b" if offset else "wb") as stream:
            stream.seek(offset)
            stream.write(chunk)
            stream.truncate()

    def finish(self) -> bool:
        """Give it its name, if nothing is missing."""
        if not self._part.exists() or self._part.stat().st_size != self.wanted.size:
            return False
        self._part.replace(self._whole)
        return True

    def checked(self) -> Path | None:
        """Where the whole file stands; None, and gone, if it is not what its hash says."""
        if digest_of(self._whole, "sha256") == self.wanted.sha256:
            return self._whole
        self._whole.unlink()
        return None


class HubLine:
    """Asks the hub at `url`; use it as an asynchronous context manager."""

    def __init__(self, url: str, token: str = "") -> None:
        self._url = url
        self._token = token
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "makerhub-agent", "Accept-Encoding": "identity"} | _bearer(self._token),
            auto_decompress=False,
            connector=aiohttp.TCPConnector(limit=2),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def pair(self, pairing: Pairing) -> Paired:
        """Show the code; raises `CodeRefused` with the hub's words, or `HubTrouble`."""
        status, body = await self._post("/agents/pair", encode(pairing))
        if status == 200:
            return _understood(body, Paired)
        raise CodeRefused(problem=_problem(body) if status == 400 else f"status {status}")

    async def report(self, report: Report) -> Reply:
        """Tell what is new; raises `TokenRefused` or `HubTrouble`."""
        status, body = await self._post("/agents/report", encode(report))
        if status == 401:
            raise TokenRefused
        if status != 200:
            raise HubTrouble(problem=f"status {status}")
        return _understood(body, Reply)

    async def fetch(self, wanted: Wanted, folder: Path) -> Path:
        """Where the G-code stands, as its hashes say; what broke off is gone on with. Raises `HubTrouble`."""
        download = Download(folder, wanted)
        if not download.is_whole():
            await self._continue(download)
        whole = await asyncio.to_thread(download.checked)
        if whole is None:
            raise HubTrouble(problem="the file was damaged on its way")
        return whole

    async def _continue(self, download: Download) -> None:
        have = download.begun()
        try:
            async with self._opened.get(
                f"{self._url}/agents/gcode/{download.wanted.sha256}",
                headers={"Range": f"bytes={have}-"} if have else {},
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=FETCH_SECONDS, sock_read=ANSWER_SECONDS),
            ) as response:
                if response.status not in (200, 206):
                    raise HubTrouble(problem=f"status {response.status}")
                chunks = response.content.iter_chunked(_CHUNK)
                offset = have if response.status == 206 else 0
                async for chunk in chunks:
                    await asyncio.to_thread(download.add, offset, chunk)
                    offset += len(chunk)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise HubTrouble(problem=type(error).__name__) from error
        if not download.finish():
            raise HubTrouble(problem="the file broke off")

    async def _post(self, path: str, body: bytes) -> tuple[int, bytes]:
        try:
            async with self._opened.post(
                self._url + path,
                data=body,
                headers={"Content-Type": "application/json"},
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
            ) as response:
                answer = await response.content.read(LARGEST_ANSWER + 1)
                while len(answer) <= LARGEST_ANSWER and (more := await response.content.read(_CHUNK)):
                    answer += more
                if len(answer) > LARGEST_ANSWER:
                    raise HubTrouble(problem="the answer is too large")
                return response.status, answer
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise HubTrouble(problem=type(error).__name__) from error

    @property
    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the line is not open")
        return self._session


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _understood(body: bytes, kind: type[Message]) -> Message:
    try:
        return decode(body, kind)
    except ValueError as error:
        raise HubTrouble(problem="its answer can not be understood") from error


def _problem(body: bytes) -> str:
    """The hub's own words, cut short and without what a terminal would obey."""
    try:
        words = msgspec.json.decode(body, type=dict[str, str]).get("problem", "")
    except ValueError:
        words = ""
    return "".join(letter for letter in words[:300] if letter.isprintable()) or "the hub refused the code"
