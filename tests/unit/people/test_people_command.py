"""`makerhub people reset-second-factor`, as an operator sees it."""

from pathlib import Path

import pytest
from builders import NOW, person
from click.testing import CliRunner, Result
from passlib.totp import TOTP  # type: ignore[import-untyped]
from sqlmodel import Session

from makerhub.cli import main
from makerhub.config import load
from makerhub.db import Database
from makerhub.keys.box import KeyBox
from makerhub.migrations import migrate
from makerhub.people import second_factor
from makerhub.people.models import BrowserSession, Person


def reset(email: str) -> Result:
    return CliRunner().invoke(main, ["people", "reset-second-factor", email])


def with_second_factor(session: Session, name: str, key_box: KeyBox) -> Person:
    """Somebody who uses one, and is signed in."""
    somebody = person(session, name)
    factor = second_factor.begin(session, somebody, key_box=key_box, now=NOW)
    app = TOTP(key=second_factor.key_to_type(factor, key_box).replace(" ", ""))
    second_factor.finish(session, factor, app.generate(NOW).token, key_box=key_box, now=NOW)
    session.add(BrowserSession(id=name, person_id=somebody.id, created_at=NOW, seen_at=NOW, expires_at=NOW))
    return somebody


def test_the_figures_are_asked_for_no_more_and_sign_ins_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKERHUB_DATA_DIRECTORY", str(tmp_path / "data"))
    settings = load(None)
    settings.data_directory.mkdir(parents=True)
    database = Database(settings.database)
    migrate(database)
    with database.changing() as session:
        people = [with_second_factor(session, name, KeyBox(settings.key_file)) for name in ("Dan", "Dora")]
    assert reset("DAN@example.org").exit_code == 0
    with database.reading() as session:
        assert [second_factor.is_in_use(session, one) for one in people] == [False, True]
        assert [session.get(BrowserSession, one.name) is None for one in people] == [True, False]
    again, nobody = reset("dan@example.org"), reset("nobody@example.org")
    database.dispose()
    assert (again.exit_code, "no second factor" in again.output) == (2, True)
    assert (nobody.exit_code, "Nobody here has the address" in nobody.output) == (2, True)
