"""A kept connection to a printer's server, and the bounds on what comes over it."""

import asyncio
from typing import Final, cast

import httptools

from makerhub.fleet.gateway import PrinterTrouble, Trouble
from makerhub.fleet.transport import LARGEST_REPLY, Reply

LARGEST_HEAD: Final = 32 * 1024
"""Bytes of a reply's headers; OctoPrint's have about 400."""

MOST_RECEIVED: Final = 2 * LARGEST_REPLY
"""Bytes of one exchange over the wire, trailers and all: a body in chunks of one byte is six times what it says."""


class Stale(Exception):
    """A kept connection has ended before an answer began, so that a GET may be asked again."""


class Line(asyncio.Protocol):
    """One connection, for one exchange at a time; `request` is what it asks, always the same.

    `is_open` says whether it can be asked again, `used_at` when it was answered last, in the loop's time.
    """

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Reply] | None = None
        self.used_at: float | None = None
        self._forget()

    @property
    def is_open(self) -> bool:
        """Whether another question can be asked."""
        return self._transport is not None

    async def ask(self, deadline: float) -> Reply:
        """One exchange until the deadline, in the loop's time.

        Raises PrinterTrouble, and Stale where a kept connection has ended without an answer.
        """
        if self._transport is None:
            raise self._gone() if self.used_at is None else Stale  # it may have said a last word when nobody asked
        answer: asyncio.Future[Reply] = self._loop.create_future()
        self._answer = answer
        alarm = self._loop.call_at(deadline, self._fail, Trouble.TIMED_OUT)
        self._transport.write(self._request)
        try:
            return await answer
        finally:
            alarm.cancel()
            if self._answer is answer:  # nobody waits any more: what comes now would answer the next question
                self._answer = None
                self.close()

    def close(self) -> None:
        """Break the connection off."""
        if self._transport is not None:
            self._transport.abort()
        self._transport = None

    # What the event loop says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The line is open."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read on; who speaks without being asked is hung up on."""
        self._received += len(data)
        if self._answer is None:
            self.close()
        elif self._received > MOST_RECEIVED:
            self._fail(Trouble.REPLY_TOO_LARGE)
        elif self._received > LARGEST_HEAD and not self._in_body and b"\r\n\r\n" not in data[:LARGEST_HEAD]:
            self._fail(Trouble.BAD_REPLY)
        else:
            try:
                self._parser.feed_data(data)
            except (httptools.HttpParserError, httptools.HttpParserUpgrade):
                self._fail(Trouble.BAD_REPLY)

    def connection_lost(self, error: Exception | None) -> None:
        """The end of a body that came without a length, or of everything."""
        self._transport = None
        answer, self._answer = self._answer, None
        if answer is None or answer.done():
            return
        if self._in_body and not self._has_length and error is None:
            answer.set_result(self._reply())
        else:
            answer.set_exception(self._gone())

    # What the parser says

    def on_message_begin(self) -> None:
        """Only one final answer is asked for; those before it (103 and the like) are passed over."""
        if self._answer is None:
            self.close()
        self._has_length = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Judge what frames the body; trailers frame nothing."""
        judge = _JUDGES.get(name.lower())
        if judge is None or self._in_body:
            return
        self._has_length |= judge is not _judge_encoding
        if (trouble := judge(value.strip().lower())) is not None:
            self._fail(trouble)

    def on_headers_complete(self) -> None:
        """No redirection is followed: it would take the key elsewhere."""
        self._status = self._parser.get_status_code()
        self._in_body = self._status >= 200
        if 300 <= self._status < 400:
            self._fail(Trouble.REDIRECTED)

    def on_body(self, data: bytes) -> None:
        """Collect it, up to the largest size."""
        self._body_size += len(data)
        if self._body_size > LARGEST_REPLY:
            self._fail(Trouble.REPLY_TOO_LARGE)
        else:
            self._body.append(data)

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if not self._in_body or self._answer is None:
            return
        if not self._parser.should_keep_alive():
            self.close()
        answer, self._answer = self._answer, None
        if not answer.done():
            answer.set_result(self._reply())

    def _gone(self) -> PrinterTrouble | Stale:
        """Why there is no answer on a connection that has ended."""
        if self.used_at is not None and not self._received:
            return Stale()
        return PrinterTrouble(Trouble.BAD_REPLY if self._received else Trouble.UNREACHABLE)

    def _reply(self) -> Reply:
        self.used_at = self._loop.time()
        reply = Reply(self._status, b"".join(self._body))
        self._forget()
        return reply

    def _forget(self) -> None:
        self._status = self._received = self._body_size = 0
        self._in_body = self._has_length = False
        self._body: list[bytes] = []

    def _fail(self, trouble: Trouble) -> None:
        answer, self._answer = self._answer, None
        self.close()
        if answer is not None and not answer.done():
            answer.set_exception(PrinterTrouble(trouble))


def _judge_encoding(value: bytes) -> Trouble | None:
    return None if value == b"identity" else Trouble.BAD_REPLY


def _judge_length(value: bytes) -> Trouble | None:
    if not value.isdigit():
        return Trouble.BAD_REPLY
    return Trouble.REPLY_TOO_LARGE if len(value) > 9 or int(value) > LARGEST_REPLY else None


def _judge_transfer(value: bytes) -> Trouble | None:
    return None if value == b"chunked" else Trouble.BAD_REPLY


_JUDGES: Final = {
    b"content-encoding": _judge_encoding,
    b"content-length": _judge_length,
    b"transfer-encoding": _judge_transfer,
}
