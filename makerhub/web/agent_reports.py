"""Agents' reports, ahead of the pages: all that wait go to the desk together, and none of them holds a thread.

A page has one of a few threads until it is answered. A report waits for the commit that it is in, and a commit is worth
the more the more reports are in it, so they wait on their connections and one thread takes all of them at once. Only a
report with nothing unusual about it is taken here; any other is left to the page, and has its answers.
"""

import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.parser import HTTPRequestParser  # type: ignore[import-untyped]
from waitress.task import ThreadedTaskDispatcher, WSGITask  # type: ignore[import-untyped]
from waitress.utilities import InternalServerError  # type: ignore[import-untyped]

from makerhub.fleet.messages import LARGEST_REPORT, Report, decode, encode
from makerhub.printers.agents import token_hash
from makerhub.production.agents import AgentDesk, Received
from makerhub.web.safety import HEADERS, ONLY_HTTPS

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

PATH: Final = "/agents/report"
JSON: Final = {"Content-Type": "application/json", "Cache-Control": "no-store"}
REPLY: Final = "makerhub.reply"
"""Where the application finds the reply to a report that has been applied; no header of a request gets there."""

LARGEST_BATCH: Final = 500
APART_SECONDS: Final = 0.05
"""At least from the beginning of one transaction to the next: agents have time, and fewer are cheaper."""
CROWD: Final = 200
"""Above so many open connections each report is the last on its own: the server looks through all of them again and
again, and an agent that has nothing to tell for ten seconds can knock anew."""
OF_BROWSERS: Final = ("ORIGIN", "SEC_FETCH_SITE", "COOKIE")


class AnswerTask(WSGITask):  # type: ignore[misc] # waitress has no types
    """Runs the application for one request, and hands it the reply to a report that has been applied."""

    @property
    def reply(self) -> bytes | None:
        """It travels on its request: a connection may have the next one before this is sent."""
        return getattr(self.request, "reply", None)

    def execute(self) -> None:
        """Let the connection end with its report where there are many."""
        if self.reply is not None and len(self.channel.server.active_channels) > CROWD:
            self.set_close_on_finish()
        super().execute()

    def get_environment(self) -> dict[str, Any]:
        """As waitress makes it, with the reply."""
        return {**super().get_environment(), REPLY: self.reply}


class Threads(ThreadedTaskDispatcher):  # type: ignore[misc] # waitress has no types
    """Waitress's threads for pages, and beside them the one that takes reports to the desk."""

    def __init__(self, desk: AgentDesk, pages: int) -> None:
        super().__init__()
        self._desk = desk
        self._waiting: list[tuple[HTTPChannel, Received]] = []
        self._something = threading.Condition()
        self._is_over = False
        self._reports = threading.Thread(target=self._work, name="reports", daemon=True)
        self._reports.start()
        self.set_thread_count(pages)

    def add_task(self, task: HTTPChannel) -> None:
        """Take a connection on which a request has arrived; returns without waiting."""
        received = report_in(task.requests[0])
        if received is None:
            super().add_task(task)
            return
        with self._something:
            self._waiting.append((task, received))
            self._something.notify()

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:
        """Finish what is under way. Reports that still wait are not answered: their agents tell them again."""
        with self._something:
            self._is_over = True
            self._something.notify()
        self._reports.join(timeout)
        return bool(super().shutdown(cancel_pending, timeout))

    def _work(self) -> None:
        begun = 0.0
        while taken := self._take(begun + APART_SECONDS):
            begun = time.monotonic()
            self._answer(taken)

    def _take(self, not_before: float) -> Sequence[tuple[HTTPChannel, Received]]:
        """What waits at that time, or as soon as something does; nothing once it is over."""
        with self._something:
            self._something.wait_for(lambda: self._is_over, not_before - time.monotonic())
            self._something.wait_for(lambda: self._is_over or self._waiting)
            taken, self._waiting = self._waiting[:LARGEST_BATCH], self._waiting[LARGEST_BATCH:]
        return [] if self._is_over else taken

    def _answer(self, taken: Sequence[tuple[HTTPChannel, Received]]) -> None:
        try:
            replies = self._desk.apply([received for _, received in taken])
        except Exception:
            log.exception("%d reports of agents could not be applied; they will be told again", len(taken))
            for channel, _ in taken:
                _refuse(channel)
            return
        for (channel, _), reply in zip(taken, replies, strict=True):
            if reply is None:
                super().add_task(channel)  # the page says so, in its words
            else:
                _send(channel, encode(reply))


def _send(channel: HTTPChannel, reply: bytes) -> None:
    channel.requests[0].reply, channel.task_class = reply, AnswerTask
    _serve(channel)


def _refuse(channel: HTTPChannel) -> None:
    channel.requests[0].error = InternalServerError("The report could not be applied.")
    _serve(channel)


def _serve(channel: HTTPChannel) -> None:
    try:
        channel.service()
    except Exception:
        log.exception("The connection of an agent failed")


def report_in(request: HTTPRequestParser) -> Received | None:
    """The report in a request as agents send them; None for any other, which is the page's to answer."""
    if request.error or request.command != "POST" or request.path != PATH or request.query:
        return None
    headers: Mapping[str, str] = request.headers
    scheme, _, token = headers.get("AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip() or any(name in headers for name in OF_BROWSERS):
        return None
    body = request.get_body_stream()
    try:
        content = body.read(LARGEST_REPORT + 1)
        return Received(token_hash(token.strip()), decode(content, Report)) if len(content) <= LARGEST_REPORT else None
    except ValueError:
        return None
    finally:
        body.seek(0)


def with_replies(pages: "WSGIApplication") -> "WSGIApplication":
    """The application that sends the replies to reports, and leaves everything else to the pages."""

    def answer(environment: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        reply: bytes | None = environment.get(REPLY)
        if reply is None:
            return pages(environment, start_response)
        headers = {**HEADERS, **JSON, "Content-Length": str(len(reply))}
        if environment["wsgi.url_scheme"] == "https":
            headers["Strict-Transport-Security"] = ONLY_HTTPS
        start_response("200 OK", list(headers.items()))
        return [reply]

    return answer
