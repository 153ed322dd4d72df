"""All that is held about somebody, as a ZIP with one JSON file that a person can read; the register says what."""

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from sqlmodel import Session, select

from makerhub.audit.service import note
from makerhub.keys.box import KeyBox
from makerhub.people import homes
from makerhub.people.home_models import MakerAddress
from makerhub.people.models import Person
from makerhub.privacy.register import REGISTER, Held, Subject

FILE_NAME = "what-is-held-about-me.json"


def subject_of(person: Person) -> Subject:
    """The person, by all that leads to what is held."""
    return Subject(person.id, person.email, person.maker_reference)


def export(session: Session, person: Person, key_box: KeyBox, *, by: UUID | None, now: datetime) -> bytes:
    """The ZIP, with what the register tells of the person; the own address in the clear. It is logged who took it."""
    note(session, "data exported", person, now=now, by=by)
    subject = subject_of(person)
    found = {
        "made_at": now.isoformat(),
        "about": person.email,
        "records": [_record(session, held, subject, key_box) for held in REGISTER],
    }
    written = json.dumps(found, indent=2, ensure_ascii=False, default=_plain)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(FILE_NAME, now.timetuple()[:6]), written, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def count(session: Session, person: Person) -> list[tuple[Held, int]]:
    """How many rows of each kind are held about the person; kinds without any are left out."""
    subject = subject_of(person)
    counted = [(held, len(_rows(session, held, subject))) for held in REGISTER]
    return [(held, rows) for held, rows in counted if rows]


def _record(session: Session, held: Held, subject: Subject, key_box: KeyBox) -> dict[str, Any]:
    rows = [{name: getattr(row, name) for name in held.tells} for row in _rows(session, held, subject)]
    if held.model is MakerAddress:
        rows = [{**row, "sealed_address": homes.open_address(session, subject.id, key_box)} for row in rows]
    return {"what": held.about, "table": held.table, "held_back": held.holds_back, "rows": rows}


def _rows(session: Session, held: Held, subject: Subject) -> list[Any]:
    return list(session.exec(select(held.model).where(held.whose(subject))))


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case Enum():
            return value.value
        case Mapping():
            return dict(value)
    raise TypeError(f"{type(value).__name__} can not be told")
