"""The fixtures of the pages' tests."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import World
from flask import Flask
from sqlmodel import SQLModel
from unit.web.browsers import Site, Time, add_people, try_pages
from unit.web.houses import House
from werkzeug.routing import Rule

from makerhub.config import Settings
from makerhub.db import Database
from makerhub.designs.files import FileStore
from makerhub.keys.box import KeyBox
from makerhub.notices.folder import FolderChannel
from makerhub.notices.letters import Translator
from makerhub.web.application import create_web
from makerhub.web.home import audience as home
from makerhub.web.hub import Hub
from makerhub.web.language import audience as language
from makerhub.web.my_data import audience as my_data


class LateRule(Rule):
    """Compiled when its address is asked for: each test has a house of its own, and needs few of its 200 addresses."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            if not compiled:
                compiled.append(Rule._compile_builder(rule, append_unknown))
            return compiled[0](rule, **values)

        return build


Flask.url_rule_class = LateRule


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """A site with Alice (dispatcher), Bob (maker) and Charlie (no role), on settings of the test's choice."""
    opened: list[Database] = []

    def make(**settings: Any) -> Site:
        chosen = Settings(data_directory=tmp_path, **{"second_factor_roles": (), **settings})
        database, time = Database(chosen.database), Time()
        opened.append(database)
        SQLModel.metadata.create_all(database.engine)
        files, key_box = FileStore(chosen.files_directory), KeyBox(chosen.key_file)
        hub = Hub(
            chosen,
            database,
            lambda _: None,
            time,
            files,
            key_box,
            {},
            FolderChannel(tmp_path / "mail", chosen.mail_from),
            Translator(tmp_path),
        )
        site = Site(create_web(hub, (home, language, my_data, try_pages())), database, time)
        add_people(site)
        return site

    yield make
    for database in opened:
        database.dispose()


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """A site with the default settings."""
    return make_site()


@pytest.fixture
def house(world: World, tmp_path: Path) -> House:
    """All pages on a world, with people who may not as well as those who may; on SQLite and on PostgreSQL."""
    return House(world, tmp_path)
