"""Every kind of secret is planted, everybody asks every route, and nothing of it is where it must not be."""

import contextlib
import io
import logging
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import ADDRESS
from sqlmodel import SQLModel
from unit.web.browsers import Browser, hashed_password
from unit.web.canaries import KEY, NEW, Planted, listening
from unit.web.houses import House, forms_of
from unit.web.permissions import FROM_OUR_OWN_PAGE, OWNERS, Route, nothing_kept, people_of, token_of

from makerhub.db import Database
from makerhub.facilities import service as facilities
from makerhub.keys.box import KeyBox
from makerhub.people import invitations, mailed, second_factor, tokens
from makerhub.people import service as people
from makerhub.people.models import Role
from makerhub.printers import agents
from makerhub.web import sessions
from makerhub.web.safety import HEADERS
from makerhub.web.server import serving

SEES_ADDRESS = {
    ("mona", "/my-home/address"),
    ("mona", "/account/data/download"),
    ("kim", "/pickups/<pickup_id>/address"),
}
"""The only answers in which the address stands: the maker's own form and file, and the courier's after the button."""


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    yield from planting(tmp_path_factory.mktemp("canaries"))


def planting(folder: Path) -> Iterator[Planted]:
    database = Database(f"sqlite:///{folder / 'walk.sqlite'}")
    SQLModel.metadata.create_all(database.engine)
    try:
        yield Planted(database, folder)
    finally:
        database.dispose()


def everybody() -> list[str]:
    return ["visitor", "charlie", "alice", *{name: None for role in Role for name in people_of(role)}]


def answers(planted: Planted, who: str) -> Iterator[tuple[Route, bytes]]:
    """What everybody's browser gets for each route, whatever it is; nothing of the asking is kept."""
    house = planted.house
    browser = house.browser() if who == "visitor" else house.signed_in(who)
    fields = {} if who == "visitor" else {"csrf_token": token_of(browser)}
    cookie = browser.cookie
    with nothing_kept(house.database):
        for route in planted.walk.routes:
            data = fields if route.method != "GET" else None
            answer = browser.client.open(
                route.address, method=route.method, data=data, headers=FROM_OUR_OWN_PAGE, buffered=True
            )
            if cookie:
                browser.cookie = cookie
            assert answer.status_code < 500, f"{who} {route.method} {route.written}"
            assert HEADERS.keys() <= set(answer.headers.keys()), f"{who} {route.method} {route.written}"
            location = answer.headers.get("Location", "").encode()
            yield route, location + unpacked(answer.data)


def unpacked(content: bytes) -> bytes:
    """The content; of an archive, that of its files."""
    if not content.startswith(b"PK\x03\x04"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist())


def test_everybody_sees_what_they_may_and_nothing_else(planted: Planted) -> None:
    seen: dict[str, set[tuple[str, str]]] = {}
    leaks = []
    with listening() as log:
        for who in everybody():
            for route, content in answers(planted, who):
                for canary in planted.seen_in(content):
                    seen.setdefault(canary.kind, set()).add((who, route.written))
                    if not canary.may_be_seen(who, route.written):
                        leaks.append((canary.kind, who, route.method, route.written))
    assert leaks == []
    assert seen["maker's address"] == SEES_ADDRESS
    assert {who for who, _ in seen["hand-over code"]} >= {"ruth", "alice"}
    assert planted.kinds_in("\n".join(log.said)) == []


def test_programs_get_no_secret_either(planted: Planted) -> None:
    by_kind = {canary.kind: canary.spellings[0] for canary in planted.canaries}
    told = [
        planted.house.browser().get(address, headers={"Authorization": f"Bearer {by_kind[token]}"})
        for address, token in (("/api/v1/me", "API token of mona"), ("/api/v1/requests", "API token of ruth"))
    ]
    report = planted.house.app.test_client().post(
        "/agents/report", data=b'{"boot":1,"sequence":1,"news":[]}', headers={"Authorization": "Bearer wrong"}
    )
    assert [answer.status_code for answer in told] == [200, 200]
    assert [planted.kinds_in(answer.data) for answer in (*told, report)] == [[], [], []]


def test_no_row_and_no_file_holds_one_in_the_clear(planted: Planted) -> None:
    assert planted.leaks_at_rest() == set()
    mails = [content for file, content in planted.files().items() if "mail" in file.parts]
    assert len(mails) >= 3
    assert set(planted.kinds_in(b"\n".join(mails))) == {canary.kind for canary in planted.canaries if canary.mailed}


def test_each_mail_holds_its_own_secrets_alone(planted: Planted) -> None:
    mails = [content for file, content in planted.files().items() if "mail" in file.relative_to(planted.folder).parts]
    kinds = [set(planted.kinds_in(mail)) for mail in mails]
    assert {"mailed link", "mailed code"} in kinds
    assert {"invitation"} in kinds
    assert {"facility's mailed code"} in kinds
    assert max(map(len, kinds)) == 2


def test_tables_to_take_home_and_exports_hold_none(planted: Planted) -> None:
    dan = planted.house.signed_in("dan")
    tables = [dan.post(f"/exports/{table}", form="/exports").data for table in ("requests", "stock", "shipments")]
    assert all(table.count(b"\n") > 1 for table in tables)
    assert [planted.kinds_in(table) for table in tables] == [[], [], []]
    for who in OWNERS.values():
        content = unpacked(planted.house.signed_in(who).get("/account/data/download").data)
        assert planted.kinds_in(content) == (["maker's address"] if who == "mona" else []), who


def test_what_is_typed_wrong_is_logged_by_nobody(planted: Planted) -> None:
    with listening() as log:
        logging.getLogger("makerhub").debug("listening")
        mona, typed = planted.house.signed_in("mona"), "canary"
        assert mona.post("/my-home/address", {"address": typed}, form="/my-home/address").status_code == 400
        planted.house.browser().sign_in("mona@example.org", f"{NEW} and more")
        planted.house.browser().post("/sign-in", {"email": "canary-typed"}, form="/sign-in")
    text = "\n".join(log.said)
    assert "listening" in text
    assert [word for word in (typed, NEW, "canary-typed") if word in text] == []
    assert planted.kinds_in("\n".join(planted.log.said)) == []


TYPED = "canary-horse-of-an-error"

BROKEN = {
    "maker_address": ("mona", "/my-home/address", {"address": f"Mona\n7 {TYPED}\nKingston KT1 9ZZ"}),
    "deed": ("mona", "/account/password", {"password": TYPED, "again": TYPED}),
    "api_token": ("mona", "/account/tokens", {"name": TYPED, "scopes": "profile"}),
    "invitation": ("dan", "/invitations", {"email": f"{TYPED}@example.org", "role": "maker"}),
    "sign_in_request": ("visitor", "/sign-in", {"email": f"{TYPED}@example.org"}),
    "printer": ("mona", "/printers/new", {"key": TYPED, "name": TYPED}),
}
"""By the table that is broken, as a full disk or a half migration would: who types what, and where."""


@pytest.mark.parametrize("table", BROKEN)
def test_an_error_is_written_down_without_what_was_typed(planted: Planted, table: str) -> None:
    house, (who, page, fields) = planted.house, BROKEN[table]
    browser = house.browser() if who == "visitor" else house.signed_in(who)
    fields = {**fields, "organisation": str(house.world.hub.id)} if table == "invitation" else fields
    with listening() as log:
        answer = broken_at(browser, house, table, page, fields)
    assert answer.status_code == 500
    text = "\n".join(log.written)
    assert "Traceback" in text
    assert TYPED not in text + answer.text
    assert planted.kinds_in(text) == []


def broken_at(browser: Browser, house: House, table: str, page: str, fields: dict[str, str]) -> Any:
    """Send a form while a table is away."""
    if table == "printer":
        address = f"{page}?link=direct"
        form = next(form for form in forms_of(browser.get(address)) if "key" in form.fields)
        fields = {**form.fields, "material": "PETG", "profile": "prusa-mk3s", "url": "http://octopi.local"} | fields
        fields["hub"] = str(house.world.hub.id)
    else:
        fields = {**fields, "csrf_token": csrf_of(browser, page)}
    with house.database.engine.connect() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO away")
        try:
            return browser.client.post(page, data=fields, headers=FROM_OUR_OWN_PAGE)
        finally:
            connection.exec_driver_sql(f"ALTER TABLE away RENAME TO {table}")


def csrf_of(browser: Browser, page: str) -> str:
    text = browser.get(page).text
    return text.partition('name="csrf_token" value="')[2].partition('"')[0]


def test_the_server_itself_logs_no_link(planted: Planted) -> None:
    """A mailed link stands in the address that is asked for."""
    link = next(canary for canary in planted.canaries if canary.kind == "mailed link")
    with listening() as log, serving(planted.house.app, "127.0.0.1") as address:
        page = f"{address}/sign-in/link/{link.spellings[0]}"
        with contextlib.closing(urllib.request.urlopen(page)) as answer:  # noqa: S310 - our own server
            assert answer.status == 200
    assert planted.kinds_in("\n".join(log.written)) == []


def as_it_is(*texts: Any) -> Any:
    """What a hash would be that hides nothing; codes are compared without their dashes."""
    return texts[-1].replace("-", "") if len(texts[-1]) == len("0123-4567-89AB") else texts[-1]


def test_secrets_that_are_kept_in_the_clear_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (tokens, "_hash"), (agents, "_hash"), (agents, "_hash_of_token"), (second_factor, "_hash"), (mailed, "_hash"),
        (invitations, "_hash"), (facilities, "_hash"), (sessions, "_name"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, as_it_is)
    hashed_password()  # the first one as it should be: somebody signs in with it
    checked = people.hash_password
    monkeypatch.setattr(people, "hash_password", lambda password: password if checked(password) else "")
    monkeypatch.setattr(KeyBox, "seal", lambda _box, text, _place: text.encode())
    monkeypatch.setattr(KeyBox, "open", lambda _box, sealed, _place: sealed.decode())
    for planted in planting(tmp_path):
        assert planted.leaks_at_rest() >= {
            "API token of mona", "agent's token", "pairing code", "code on paper", "mailed link", "invitation",
            "posted code", "session", "password, new", "second factor's secret", "printer's key", "maker's address",
        }  # fmt: skip


def test_secrets_in_an_answer_or_in_the_log_are_named(planted: Planted) -> None:
    after = planted.house.app.after_request_funcs.setdefault(None, [])

    def tell_all(response: Any) -> Any:
        logging.getLogger("makerhub").info("answered %s", " ".join(one.spellings[0] for one in planted.canaries))
        if response.mimetype == "text/html":
            response.set_data(response.get_data() + KEY.encode() + ADDRESS.encode())
        return response

    after.append(tell_all)
    try:
        with listening() as log:
            shown = {one.kind for one in planted.seen_in(planted.house.browser().get("/").data)}
    finally:
        after.remove(tell_all)
    assert shown == {"printer's key", "maker's address"}
    assert set(planted.kinds_in("\n".join(log.said))) == {one.kind for one in planted.canaries}
    assert "printer's key" in planted.kinds_in("\n".join(log.written))
