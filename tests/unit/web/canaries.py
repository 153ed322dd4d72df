"""Secrets that are planted through the pages, as people would, and where each may be seen again."""

import logging
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from builders import ADDRESS, LARGEST, NOW, POLICY, World, later
from passlib.totp import TOTP  # type: ignore[import-untyped]
from sqlmodel import SQLModel, select
from unit.web.browsers import PASSWORD, Browser, hashed_password
from unit.web.houses import House, forms_of
from unit.web.permissions import FROM_OUR_OWN_PAGE, Walk, people_of, token_of
from werkzeug.test import TestResponse

from makerhub.cli.redaction import RedactingFormatter
from makerhub.db import Database
from makerhub.demand import telephone
from makerhub.fleet.messages import Paired, Pairing, decode, encode
from makerhub.keys.box import KeyBox
from makerhub.notices import service as notices
from makerhub.notices.letters import Values
from makerhub.notices.models import Mail
from makerhub.notices.tasks import send_mails
from makerhub.people.entry_models import Passkey
from makerhub.people.models import Person, Role
from makerhub.people.tasks import answer_sign_in_requests

KEY = "0123456789ABCDEF0123456789ABCDEF"
OTHER_KEY = "FEDCBA9876543210FEDCBA9876543210"
NUMBER, REGISTERED = "020 7946 0999", "020 7946 0000"
WRONG, TOO_SHORT, NEW, PROOF = "wrong-canary-horse", "shortcanary", "new-canary-horse-17", "proof-canary-horse"
CREDENTIAL = b"a credential of a phone, 32 byte"
ANYWHERE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Canary:
    """A secret in all its spellings.

    `seen_by` may see it in the answers of `routes` (of any, when none is named). One that is `kept` stands in the
    database in the clear on purpose, and one that was `mailed` in the folder of mails.
    """

    kind: str
    spellings: tuple[str, ...]
    seen_by: frozenset[str] = frozenset()
    routes: frozenset[str] = ANYWHERE
    kept: bool = False
    mailed: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[bytes]:
        """Figures are found between other characters than those of a hash or a key."""
        edge = "[0-9A-Za-z_-]" if all(one.replace(" ", "").isdigit() for one in self.spellings) else "(?!)"
        any_of = "|".join(map(re.escape, self.spellings))
        return re.compile(f"(?<!{edge})(?:{any_of})(?!{edge})".encode())

    def is_in(self, content: bytes | str) -> bool:
        """Whether any spelling of it stands there."""
        return self.pattern.search(content.encode() if isinstance(content, str) else content) is not None

    def may_be_seen(self, who: str, route: str) -> bool:
        """Whether `who` may see it in an answer of the route."""
        return who in self.seen_by and (not self.routes or route in self.routes)


@dataclass
class Log:
    """What was logged: as it was said, and as the operator's log has it."""

    said: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Log]:
    """Everything that is logged meanwhile, down to the smallest."""
    log, handler, root = Log(), logging.Handler(), logging.getLogger()
    plain, redacting = logging.Formatter("%(message)s"), RedactingFormatter("%(message)s")

    def note(record: logging.LogRecord) -> None:
        log.said.append(plain.format(record))
        log.written.append(redacting.format(record))

    handler.emit = note  # type: ignore[method-assign]
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield log
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


class Planted:
    """A house in which every kind of secret was typed, shown or sent."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.folder = folder
        self.house = House(World(database, KeyBox(folder / "hub.key")), folder, facility_mail_domains=("example.org",))
        self.world = self.house.world
        self.walk = Walk(self.house)
        with listening() as self.log:
            self.canaries = [*self._passwords(), *self._tokens(), *self._codes(), *self._mails(), *self._rest()]

    def kinds_in(self, content: bytes | str, canaries: Sequence[Canary] | None = None) -> list[str]:
        """Which secrets stand there."""
        wanted = self.canaries if canaries is None else canaries
        return [canary.kind for canary in wanted if canary.is_in(content)]

    def seen_in(self, content: bytes) -> list[Canary]:
        """The secrets that stand in an answer; of most there is none, which one look tells."""
        return [one for one in self.canaries if one.is_in(content)] if self._any.search(content) else []

    @cached_property
    def _any(self) -> re.Pattern[bytes]:
        return re.compile(b"|".join(canary.pattern.pattern for canary in self.canaries))

    def files(self) -> Mapping[Path, bytes]:
        """Everything in the hub's folder, the database and its journal included, but the keys themselves."""
        with self.house.database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(FULL)")
        found = [file for file in self.folder.rglob("*") if file.is_file() and file.suffix != ".key"]
        return {file: file.read_bytes() for file in found}

    def leaks_at_rest(self) -> set[str]:
        """What stands in a file, or in a row, and must not."""
        rows = "\n".join(self._rows()).encode()
        found = set(self.kinds_in(rows, [one for one in self.canaries if not one.kept]))
        for file, content in self.files().items():
            is_mail = "mail" in file.relative_to(self.folder).parts
            hidden = [one for one in self.canaries if not (one.mailed if is_mail else one.kept)]
            found |= set(self.kinds_in(content, hidden))
        return found

    def _rows(self) -> Iterator[str]:
        with self.house.database.reading() as session:
            for table in SQLModel.metadata.sorted_tables:
                yield from (f"{table.name} {row!r}" for row in session.execute(table.select()))

    def _passwords(self) -> Iterator[Canary]:
        house = self.house
        with house.database.changing() as session:
            session.get_one(Person, self.world.maker.id).password = hashed_password()
        house.browser().sign_in("mona@example.org", WRONG)
        mona = house.browser()
        assert mona.sign_in("mona@example.org").status_code == 302
        change = "/account/password"
        assert mona.post(change, {"password": TOO_SHORT, "again": TOO_SHORT}, form=change).status_code == 400
        assert mona.post(change, {"password": NEW, "again": NEW}, form=change).status_code == 302
        house.time.pass_by(minutes=20)
        assert PROOF not in mona.post("/confirm", {"password": PROOF}, form="/confirm").text
        house.time.pass_by(minutes=-20)
        house.people["mona"] = self.world.get(Person, self.world.maker.id)  # a new password gives a new name
        for kind, typed in (("old", PASSWORD), ("wrong", WRONG), ("short", TOO_SHORT), ("new", NEW), ("proof", PROOF)):
            yield Canary(f"password, {kind}", (typed,))

    def _tokens(self) -> Iterator[Canary]:
        for who, scope in (("mona", "profile"), ("ruth", "requests")):
            page = "/account/tokens"
            shown = self.house.signed_in(who).post(page, {"name": "List", "scopes": scope}, form=page)
            yield Canary(f"API token of {who}", (_only(r"mhp_[\w-]{43}", shown),))
        mona, printer = self.house.signed_in("mona"), f"/printers/{self.world.printer.id}/agent"
        message = encode(Pairing(self._pairing_code(mona, printer), "octopi", "Linux", "0.1.0"))
        answer = self.house.app.test_client().post("/agents/pair", data=message)
        yield Canary("agent's token", (decode(answer.data, Paired).token or "",))
        code = self._pairing_code(mona, printer)
        yield Canary("pairing code", (code, code.replace("-", "")))

    def _pairing_code(self, mona: Browser, printer: str) -> str:
        shown = mona.post(f"{printer}/code", form="/printers")
        return _only(r"(?<=pair http://localhost )[0-9A-Z-]{14}", shown)

    def _codes(self) -> Iterator[Canary]:
        page, mona = "/account/second-factor", self.house.signed_in("mona")
        mona.post(f"{page}/begin", form=page)
        secret = _only(r'(?<=<code class="key">)[^<]+', mona.get(page))
        yield Canary("second factor's secret", (secret, secret.replace(" ", "")))
        figures = TOTP(key=secret.replace(" ", "")).generate(NOW).token
        shown = mona.post(f"{page}/finish", {"figures": figures}, form=page)
        for code in re.findall(r"<code>([A-Z0-9-]{19})</code>", shown.text):
            yield Canary("code on paper", (code, code.replace("-", "")))
        facility = f"/dispatch/facilities/{self.world.care_home.id}"
        letter = self.house.signed_in("dan").post(f"{facility}/letter", form="/dispatch/joining")
        posted = _only(r"[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}", letter)
        yield Canary("posted code", (posted, posted.replace("-", "")))
        code = self._shipment_code()
        seers = frozenset({"ruth", "alice", "requester-colleague", "requester-and-more"})
        routes = frozenset({"/requests/<request_id>", "/requests/<request_id>/now"})
        yield Canary("hand-over code", (code, f"{code[:3]} {code[3:]}", " ".join(code)), seers, routes, kept=True)

    def _shipment_code(self) -> str:
        page = self.house.signed_in("ruth").get(f"/requests/{self.walk.things['request_id']}")
        return _only(r'hand-over-code" aria-label="[0-9 ]+', page).rpartition('"')[2].replace(" ", "")

    def _mails(self) -> Iterator[Canary]:
        hub, house = self.house.app.extensions["makerhub"], self.house
        house.browser().post("/sign-in", {"email": "kim@example.org"}, form="/sign-in")
        place = str(self.world.hub.id)
        typed = {"email": "otto@example.org", "role": "maker", "organisation": place}
        house.signed_in("dan").post("/invitations", typed, form="/invitations")
        house.signed_in("alice").post(f"/facilities/{self.world.care_home.id}/mail-code", form="/")
        caller = telephone.Caller("Cora", NUMBER, "cora@example.org")
        new = self.world.new_request(requested_by=self.world.dispatcher.id)
        with house.database.changing() as session:
            _, secret = telephone.write_down(
                session, new, caller, self.world.post, largest=LARGEST, policy=POLICY, now=NOW
            )
        yield Canary("caller's link", (secret,), mailed=True)
        answer_sign_in_requests.function(house.database, house.world.key_box, hub.settings, later, lambda _: None)
        said = dict(self._letters())
        send_mails.function(house.database, hub.channel, hub.translator, house.world.key_box, later)
        links = {"mailed link": said["sign_in", "kim@example.org"], "invitation": said["invitation", typed["email"]]}
        for kind, values in links.items():
            yield Canary(kind, (str(values["link"]).rpartition("/")[2],), mailed=True)
        code = str(said["sign_in", "kim@example.org"]["code"])
        yield Canary("mailed code", (code, code.replace(" ", "")), mailed=True)
        proof = str(said["facility_code", "alice@example.org"]["code"])
        yield Canary("facility's mailed code", (proof, proof.replace("-", "")), mailed=True)

    def _letters(self) -> Iterator[tuple[tuple[str, str], Values]]:
        with self.house.database.reading() as session:
            for mail in session.exec(select(Mail)):
                yield (mail.letter, mail.address), notices.values_of(mail, self.world.key_box) or {}

    def _rest(self) -> Iterator[Canary]:
        mona = self.house.signed_in("mona")
        assert mona.cookie
        token, people = token_of(mona), self.house.people.values()
        yield Canary("session", (mona.cookie,))
        yield Canary("token of a form", (token,))
        yield Canary("name of a sign-in", tuple(one.fs_uniquifier for one in people), kept=True)
        self._change_key(mona)
        yield Canary("printer's key", (KEY, OTHER_KEY))
        street = ADDRESS.splitlines()[1]
        routes = frozenset({"/my-home/address", "/pickups/<pickup_id>/address", "/account/data/download"})
        yield Canary("maker's address", (street,), frozenset({"mona", "kim"}), routes)
        dispatchers = frozenset({"dan", people_of(Role.DISPATCHER)[1], "dispatcher-and-more"})
        yield Canary("caller's number", (NUMBER,), dispatchers, kept=True)
        administrators = frozenset({*people_of(Role.ADMIN), "admin-and-more"})
        yield Canary("register's number", (REGISTERED,), dispatchers | administrators, kept=True)
        proving = frozenset({"/account/passkeys", "/confirm", "/confirm/figures", "/confirm/passkey"})
        spelled = (urlsafe_b64encode(CREDENTIAL).decode().rstrip("="), CREDENTIAL.decode())
        yield Canary("passkey", spelled, frozenset({"mona"}), proving, kept=True)
        keys = [file.read_bytes() for file in self.folder.glob("*.key")]
        lines = [line for key in keys for line in (_text(key).split() or [key.hex()])]
        yield Canary("key file", tuple(line for line in lines if len(line) >= 32))
        with self.house.database.changing() as session:
            owner, key = self.world.maker.id, {"credential_id": CREDENTIAL, "public_key": CREDENTIAL}
            session.add(Passkey(person_id=owner, name="Phone", sign_count=1, made_at=NOW, **key))  # type: ignore[arg-type]

    def _change_key(self, mona: Browser) -> None:
        page = mona.get(f"/printers/{self.world.add_printer('Second').id}/change")
        form = next(form for form in forms_of(page) if "key" in form.fields)
        typed = form.fields | {"key": OTHER_KEY, "material": "PETG"}
        assert mona.client.post(form.action, data=typed, headers=FROM_OUR_OWN_PAGE).status_code == 302


def _text(content: bytes) -> str:
    return content.decode("ascii", errors="ignore") if content.isascii() else ""


def _only(pattern: str, page: TestResponse) -> str:
    found = re.search(pattern, page.text)
    assert found, f"{pattern} is not in {page.status_code} {page.text}"
    return found[0]
