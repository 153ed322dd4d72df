"""Reports of agents on the real server: the answers of the page, many in one transaction, and no thread held."""

import contextlib
import http.client
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from builders import NOW, World
from unit.web.houses import House

from makerhub.fleet.gateway import PrinterState as Doing
from makerhub.fleet.messages import PrinterNews, Reply, Report, Seen, decode, encode
from makerhub.people import service as people
from makerhub.people.models import Person
from makerhub.printers import agents
from makerhub.printers.agent_models import Agent, AgentLink
from makerhub.printers.models import Observation
from makerhub.production.agents import AgentDesk, Received
from makerhub.web.server import THREADS, serving

MANY = 5 * THREADS


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Counted:
    """A desk's `apply` that says how many reports came at once, and that may be held up or fail."""

    apply: Callable[[Sequence[Received]], list[Reply | None]]
    sizes: list[int]
    may_go_on: threading.Event
    failure: Exception | None = None

    def __call__(self, batch: Sequence[Received]) -> list[Reply | None]:
        self.sizes.append(len(batch))
        assert self.may_go_on.wait(10)
        if self.failure is not None:
            raise self.failure
        return self.apply(batch)


@pytest.fixture
def counted(house: House, monkeypatch: pytest.MonkeyPatch) -> Counted:
    desk: AgentDesk = house.app.extensions["makerhub"].agents
    counted = Counted(desk.apply, [], threading.Event())
    counted.may_go_on.set()
    monkeypatch.setattr(desk, "apply", counted)
    return counted


@pytest.fixture
def server(house: House) -> Iterator[str]:
    with serving(house.app, "127.0.0.1", trusted_proxy="127.0.0.1") as address:
        yield address.removeprefix("http://")


def pair(world: World, number: int = 0) -> tuple[str, UUID]:
    """The token and the printer of one more agent."""
    printer = world.printer if number == 0 else world.add_printer(f"Printer {number}")
    token = agents.TOKEN_PREFIX + secrets.token_urlsafe(32)
    with world.database.changing() as session:
        owner = world.maker.id
        agent = Agent(owner_id=owner, host="pi", token_sha256=agents.token_hash(token), heard_at=NOW, paired_at=NOW)
        session.add(agent)
        session.flush()
        session.add(AgentLink(printer_id=printer.id, agent_id=agent.id))
    return token, printer.id


def seen(printer_id: UUID, sequence: int = 1) -> bytes:
    look = Seen(0.0, Doing.PRINTING, 42.0, "makerhub/a.gcode", 600)
    return encode(Report(1, sequence, [PrinterNews(printer_id, seen=look)]))


def send(server: str, body: bytes, token: str = "", **headers: str) -> Answer:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    with contextlib.closing(http.client.HTTPConnection(server, timeout=20)) as line:
        line.request("POST", "/agents/report", body, told | ({"Authorization": f"Bearer {token}"} if token else {}))
        answer = line.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())


def test_the_answer_is_the_one_of_the_page(house: House, server: str) -> None:
    token, printer_id = pair(house.world)
    quick = send(server, seen(printer_id), token)
    assert decode(quick.body, Reply) == Reply(1, 1, [printer_id], [], soon=True)  # it was paired just now
    page = house.app.test_client().post(
        "/agents/report", data=seen(printer_id), headers={"Authorization": f"Bearer {token}"}
    )
    others = {"Date", "Server", "Vary"}  # the server's own, and what a page says for its cookie
    assert (quick.status, quick.body) == (page.status_code, page.data)
    compared = [
        {name: headers[name] for name in headers if name not in others}
        for headers in (quick.headers, dict(page.headers))
    ]
    assert compared[0] == compared[1]
    assert house.world.get(Observation, printer_id).completion == 42.0


def test_a_report_that_came_by_https_is_answered_so(house: House, server: str) -> None:
    token, printer_id = pair(house.world)
    quick = send(server, seen(printer_id), token, X_Forwarded_Proto="https", X_Forwarded_For="192.0.2.7")
    assert quick.status == 200
    assert quick.headers["Strict-Transport-Security"].startswith("max-age=")


def test_reports_that_wait_are_one_transaction_and_hold_no_thread(house: House, server: str, counted: Counted) -> None:
    paired = [pair(house.world, number) for number in range(MANY)]
    counted.may_go_on.clear()
    with ThreadPoolExecutor(MANY) as waiting:
        sent = [waiting.submit(send, server, seen(printer_id), token) for token, printer_id in paired]
        page = http.client.HTTPConnection(server, timeout=5)
        page.request("GET", "/designs")
        assert page.getresponse().status == 200  # more wait than there are threads
        page.close()
        assert not any(answer.done() for answer in sent)  # nothing is acknowledged before its commit
        counted.may_go_on.set()
        answers = [answer.result() for answer in sent]
    assert {answer.status for answer in answers} == {200}
    assert len(house.world.all(Observation)) == MANY
    assert sum(counted.sizes) == MANY
    assert len(counted.sizes) <= THREADS


def test_nothing_is_acknowledged_that_could_not_be_kept(house: House, server: str, counted: Counted) -> None:
    token, printer_id = pair(house.world)
    counted.failure = OSError("the disk is full")
    assert send(server, seen(printer_id), token).status == 500
    counted.failure = None
    assert send(server, seen(printer_id), token).status == 200


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b"{}", {}, 400),
        (b'{"boot": -1, "sequence": 1}', {}, 400),
        (b" " * 70_000, {}, 413),
        (b'{"boot": 1, "sequence": 1}', {"Origin": "https://elsewhere.example"}, 400),
        (b'{"boot": 1, "sequence": 1}', {"Sec_Fetch_Site": "cross-site"}, 400),
        (b'{"boot": 1, "sequence": 1}', {"Authorization": "Bearer unknown"}, 401),
        (b'{"boot": 1, "sequence": 1}', {"Authorization": "Basic eDp5"}, 401),
        (b'{"boot": 1, "sequence": 1}', {"Authorization": "Bearer "}, 401),
        (b'{"boot": 1, "sequence": 1}', {"makerhub.reply": "{}", "Authorization": "Bearer unknown"}, 401),
    ],
)
def test_what_is_unusual_has_the_answer_of_the_page(
    house: House, server: str, body: bytes, headers: dict[str, Any], status: int
) -> None:
    token, _ = pair(house.world)
    answer = send(server, body, "" if "Authorization" in headers else token, **headers)
    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("text/html")


def test_somebody_who_may_not_sign_in_any_more_is_not_heard(house: House, server: str) -> None:
    token, printer_id = pair(house.world)
    assert send(server, seen(printer_id), token).status == 200
    with house.world.database.changing() as session:
        people.disable(session, session.get_one(Person, house.world.maker.id), now=NOW)
    assert send(server, seen(printer_id, 2), token).status == 401
    assert (
        house.app.test_client()
        .get(f"/agents/gcode/{'0' * 64}", headers={"Authorization": f"Bearer {token}"})
        .status_code
        == 401
    )


def test_requests_on_one_connection_are_answered_in_order(house: House, server: str) -> None:
    token, printer_id = pair(house.world)
    told = [
        f"POST /agents/report HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
        for body in (seen(printer_id, 1), seen(printer_id, 2))
    ]
    page = b"GET /designs HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n"
    host, _, port = server.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(told[0] + told[1] + page)
        answers = b"".join(iter(lambda: line.recv(65536), b""))
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    first, second, last = (answers.index(text) for text in (b'"sequence":1', b'"sequence":2', b"<html"))
    assert first < second < last


def test_the_server_ends_while_reports_wait(house: House, counted: Counted) -> None:
    token, printer_id = pair(house.world)
    with ThreadPoolExecutor(2) as waiting:
        with serving(house.app, "127.0.0.1") as address:
            server = address.removeprefix("http://")
            counted.may_go_on.clear()
            sent = [waiting.submit(send, server, seen(printer_id, number), token) for number in (1, 2)]
            threading.Timer(0.2, counted.may_go_on.set).start()
        broken = [type(answer.exception()) for answer in sent if answer.exception()]
    assert all(issubclass(kind, (OSError, http.client.HTTPException)) for kind in broken)
    assert {answer.result().status for answer in sent if not answer.exception()} <= {200}
