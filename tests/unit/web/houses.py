"""The whole house of pages on a world, and browsers that fill in forms as they find them, without JavaScript."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, ClassVar, cast
from urllib.parse import urlencode

from builders import MK3S, NOW, World, later, organisation, person
from jinja2.bccache import Bucket, BytecodeCache
from unit.web.browsers import Browser, Site, Time
from werkzeug.test import TestResponse

from makerhub.background import Task
from makerhub.config import Settings
from makerhub.designs.files import FileStore
from makerhub.designs.models import DesignVersion, Kit, KitPart, Part
from makerhub.notices.folder import FolderChannel
from makerhub.notices.letters import Translator
from makerhub.people.models import Organisation, OrganisationKind, Person, Role
from makerhub.web.application import create_web
from makerhub.web.hub import Hub
from makerhub.web.policy import CONFIRMED_AT
from makerhub.web.sessions import ServerSession


class Compiled(BytecodeCache):
    """The templates, compiled once for all tests: half a second of each would be spent on them."""

    templates: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.templates:
            bucket.bytecode_from_string(self.templates[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.templates[bucket.key] = bucket.bytecode_to_string()


class House(Site):
    """Besides the world's people Alice asks for the care home, Bob for another one, and Charlie has no role."""

    def __init__(self, world: World, folder: Path, **changes: Any) -> None:
        self.world = world
        self.nudged: list[str] = []
        self.files = FileStore(folder / "files")
        time = Time(NOW)
        settings = Settings(data_directory=folder, **{"second_factor_roles": (), **changes})
        self.channel = FolderChannel(folder / "mail", settings.mail_from)
        hub = Hub(
            settings,
            world.database,
            self._nudge,
            time,
            self.files,
            world.key_box,
            {MK3S.key: MK3S},
            self.channel,
            Translator(folder),
        )
        super().__init__(create_web(hub), world.database, time)
        self.app.jinja_env.bytecode_cache = Compiled()
        with world.database.changing() as session:
            self.elsewhere = organisation(session, OrganisationKind.CARE_HOME, "Elm House")
            people = (
                world.requester,
                world.maker,
                world.dispatcher,
                world.courier,
                person(session, "Alice", (world.care_home, Role.REQUESTER)),
                person(session, "Bob", (self.elsewhere, Role.REQUESTER)),
                person(session, "Charlie"),
            )
        self.people = {somebody.name.lower(): somebody for somebody in people}

    def signed_in(self, who: str) -> Browser:
        """A browser with a sign-in; without typing the password, whose check takes its time on purpose."""
        browser = self.browser()
        with browser.client.session_transaction() as session:
            user = self.people[who].fs_uniquifier
            session.update({"_user_id": user, "_fresh": True, CONFIRMED_AT: self.time.now.isoformat()})
            cast("ServerSession", session).renew(self.people[who].id)
        return browser

    def add_person(self, name: str, *roles: tuple[Organisation, Role]) -> Person:
        """Somebody more."""
        with self.database.changing() as session:
            self.people[name.lower()] = person(session, name, *roles)
        return self.people[name.lower()]

    def add_hub(self, name: str) -> Organisation:
        """Another hub."""
        with self.database.changing() as session:
            return organisation(session, OrganisationKind.HUB, name)

    def _nudge(self, task: Task) -> None:
        self.nudged.append(task.name.rpartition(".")[2])


@dataclass
class Form:
    """A form of a page: where it goes, and what its fields hold."""

    action: str = ""
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)
    options: dict[str, list[str]] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._is_in_main = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        attribute = {name: value or "" for name, value in attributes}
        self._is_in_main = self._is_in_main or tag == "main"
        if tag == "form" and self._is_in_main:
            self.forms.append(Form(attribute["action"], attribute["method"]))
        elif tag in ("input", "textarea") and self._is_in_main and self.forms:
            self._field(self.forms[-1], attribute)

    def handle_endtag(self, tag: str) -> None:
        self._is_in_main = self._is_in_main and tag != "main"

    def _field(self, form: Form, attribute: Mapping[str, str]) -> None:
        name, value = attribute["name"], attribute.get("value", "")
        if attribute.get("type") == "radio":
            form.options.setdefault(name, []).append(value)
            if "checked" not in attribute:
                return
        form.fields[name] = value


def form_of(page: TestResponse) -> Form:
    """The only form of a page's content."""
    forms = forms_of(page)
    assert len(forms) == 1, f"{len(forms)} forms in\n{page.text}"
    return forms[0]


def forms_of(page: TestResponse) -> list[Form]:
    """Every form of a page's content."""
    parser = _Forms()
    parser.feed(page.text)
    return parser.forms


def next_version(house: House, parent: DesignVersion, **columns: Any) -> DesignVersion:
    """A version 2.0 that nobody has judged, made from one with a band: thicker, of another filling, and with a note."""
    old = house.world.part(parent)
    with house.database.changing() as session:
        left_out = {"id", "content_hash", "version", "parent_id", "readme", "published_at"} | columns.keys()
        version = DesignVersion(
            **parent.model_dump(exclude=left_out),
            content_hash=hashlib.sha256(parent.content_hash.encode()).hexdigest(),
            version="2.0",
            parent_id=parent.id,
            readme="Wash it.",
            published_at=later(hours=1),
            **columns,
        )
        session.add(version)
        session.flush()
        part = Part(
            **old.model_dump(exclude={"id", "version_id", "mesh_sha256", "settings", "volume_mm3"}),
            version_id=version.id,
            mesh_sha256="f" * 64,
            settings={"infill_percent": 30},
            volume_mm3=33_000.0,
        )
        kit = Kit(version_id=version.id, position=0, name=version.name)
        session.add_all([part, kit])
        session.flush()
        session.add(KitPart(kit_id=kit.id, part_id=part.id, quantity=1))
        return version


def fill(browser: Browser, page: TestResponse, **typed: str) -> TestResponse:
    """Fill in the page's form and send it; a name's double underscore stands for a hyphen. Follows no redirect."""
    form = form_of(page)
    for name, value in typed.items():
        known = name.replace("__", "-")
        assert known in form.fields | form.options, f"no field {known} in {form}"
        form.fields[known] = value
    if form.method == "get":
        return browser.get(f"{form.action}?{urlencode(form.fields)}")
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
    return browser.client.post(form.action, data=form.fields, headers=headers)
