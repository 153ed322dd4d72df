import logging
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import text

from makerhub.cli.redaction import HIDDEN, RedactingFormatter, redacted
from makerhub.db import Database, IntegrityError

CANARY = "kAnArY0123456789abcdefXYZ"


@pytest.mark.parametrize(
    "line",
    [
        f"X-Api-Key: {CANARY}",
        f"headers={{'X-Api-Key': '{CANARY}', 'Accept': '*/*'}}",
        f"Authorization: Bearer {CANARY}",
        f"GET /?token={CANARY}&page=2",
        f'{{"password": "{CANARY}"}}',
        f"password='{CANARY}'",
        f"Cookie: makerhub={CANARY}; other=1",
        f"secret = b'{CANARY}'",
        f"postgresql+psycopg://hub:{CANARY}@db/hub",
        f"no such person: {CANARY}@example.org",
        f"csrf_token={CANARY}",
    ],
)
def test_a_secret_is_hidden_and_the_line_stays(line: str) -> None:
    assert CANARY not in redacted(line)
    assert HIDDEN in redacted(line)


def test_a_token_of_a_mailed_link_is_hidden_wherever_it_stands() -> None:
    for _ in range(200):
        token = secrets.token_urlsafe(32)
        assert token not in redacted(f"GET /sign-in/by-link/{token} 404")


@pytest.mark.parametrize(
    "line",
    [
        "Attempt 0f8fad5b-d9cb-469f-a165-70867728950e goes on: the printer is busy",
        "G-code e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 is in the cache",
        "Part band can not be sliced for prusa-mk3s: no such file",
        "Task makerhub.planning.tasks.dispatch_jobs failed; it runs again at its next period",
    ],
)
def test_what_the_operator_needs_is_left(line: str) -> None:
    assert redacted(line) == line


@given(some.text())
def test_any_text_can_be_redacted(line: str) -> None:
    redacted(line)


def test_a_traceback_is_redacted_as_well() -> None:
    try:
        raise ValueError(f"password={CANARY}")
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, "", 1, "failed", (), (type(error), error, error.__traceback__))
    written = RedactingFormatter("%(message)s").format(record)
    assert "ValueError" in written
    assert CANARY not in written


def test_an_error_of_the_database_does_not_tell_what_was_typed(database: Database) -> None:
    with pytest.raises(IntegrityError) as refused, database.changing() as session:
        session.execute(text("INSERT INTO design (id, key) VALUES (NULL, :key)"), {"key": CANARY})
    assert CANARY not in redacted(str(refused.value))
    assert "INSERT INTO design" in redacted(str(refused.value))
