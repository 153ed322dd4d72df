"""Whether the doctor says that links in mails lead nowhere."""

from pathlib import Path
from typing import Any

import pytest

from makerhub.cli.doctor import examine
from makerhub.config import Settings
from makerhub.db import Database


@pytest.mark.parametrize(
    ("settings", "is_fine", "said"),
    [
        ({}, True, "is not set"),
        ({"mail_channel": "smtp", "smtp_host": "mail.example.org"}, False, "set public_address"),
        ({"mail_channel": "smtp", "public_address": "https://hub.example/"}, True, "https://hub.example"),
    ],
)
def test_a_missing_public_address_is_said(tmp_path: Path, settings: dict[str, Any], is_fine: bool, said: str) -> None:
    chosen = Settings(data_directory=tmp_path, **settings)
    database = Database(chosen.database)
    [found] = [one for one in examine(chosen, database) if one.subject == "public address"]
    database.dispose()
    assert (found.is_fine, said in found.detail) == (is_fine, True)
