"""Registers of hospitals and care homes, from files that the operator downloads (ODS, CQC and their like)."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert
from sqlmodel import Session, col, select

from makerhub.db import Database
from makerhub.errors import MakerhubError, translatable
from makerhub.facilities.domains import domain_of
from makerhub.facilities.models import RegisterEntry
from makerhub.facilities.similar import ALIKE, likeness
from makerhub.people.models import Organisation, OrganisationKind
from makerhub.places.names import key_of, postcode_key, tidy_postcode

CHUNK = 5_000
LINES_BEFORE_HEADING = 20
"""The CQC puts a few lines about itself above the heading."""
ODS_COLUMNS = 27
MOST_BAD_SHOWN = 10
MOST_OFFERED = 8

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "code": ("code", "ods code", "organisation code", "cqc location id", "location id", "location ods code", "id"),
    "name": ("name", "organisation name", "location name", "facility"),
    "postcode": ("postcode", "post code", "postal code", "location postal code", "plz"),
    "address": ("address", "location street address", "street"),
    "kind": ("kind", "type", "service types", "location type/sector", "sub type", "organisation type"),
    "telephone": ("telephone", "phone", "phone number", "contact telephone number", "location telephone number"),
    "mail_domain": ("mail domain", "mail_domain", "email domain", "domain"),
}
KINDS: Sequence[tuple[OrganisationKind, tuple[str, ...]]] = (
    (OrganisationKind.CARE_HOME, ("care home", "care_home", "nursing", "residential", "pflege", "hospice")),
    (OrganisationKind.HOSPITAL, ("hospital", "acute", "nhs trust", "krankenhaus", "klinik")),
)


class NoRegister(MakerhubError):
    """The file has no heading with the columns that are needed."""

    template = translatable(
        "%(file)s is no register that can be read: one of its first lines has to name the columns “code”, “name” and "
        "“postcode” (perhaps also “kind”, “telephone”, “address”, “mail domain”), separated by commas."
    )


@dataclass
class Imported:
    """What came of an import."""

    entries: int = 0
    bad: int = 0
    examples: list[str] = field(default_factory=list)

    def note_bad(self, number: int, problem: str) -> None:
        """Count a line that was left out, and keep the first few to be shown."""
        self.bad += 1
        if len(self.examples) < MOST_BAD_SHOWN:
            self.examples.append(f"line {number}: {problem}")


def import_register(
    database: Database, file: Path, name: str, progress: Callable[[int], None] = lambda _: None
) -> Imported:
    """Replace what is known of the register `name` by the file, at once. Raises `NoRegister`; then nothing changes."""
    found, seen = Imported(), set[str]()
    rows: list[dict[str, Any]] = []
    for number, read in _entries(file, progress):
        problem = _problem(read, seen)
        if problem:
            found.note_bad(number, problem)
            continue
        seen.add(read["code"])
        rows.append({"source": name, **_row(read)})
    if not rows:
        raise NoRegister(file=str(file))
    with database.changing() as session:
        session.execute(delete(RegisterEntry).where(col(RegisterEntry.source) == name))
        for start in range(0, len(rows), CHUNK):
            session.execute(insert(RegisterEntry), rows[start : start + CHUNK])
    found.entries = len(rows)
    return found


@dataclass(frozen=True)
class Candidate:
    """An entry of a register that may be the facility, and how alike the names are."""

    entry: RegisterEntry
    likeness: float
    same_postcode: bool


def candidates(session: Session, facility: Organisation) -> list[Candidate]:
    """Entries that may be the facility, the likeliest first: at its postcode, or of its very name."""
    postcode = postcode_key(facility.postcode)
    at_postcode = col(RegisterEntry.postcode_key) == postcode
    same_name = col(RegisterEntry.name_key) == key_of(facility.name)
    wanted = (at_postcode | same_name) if postcode else same_name
    found = [
        Candidate(entry, likeness(entry.name, facility.name), entry.postcode_key == postcode != "")
        for entry in session.exec(select(RegisterEntry).where(wanted).limit(200))
    ]
    found = [one for one in found if one.same_postcode or one.likeness >= ALIKE]
    return sorted(found, key=lambda one: (-one.same_postcode, -one.likeness, one.entry.code))[:MOST_OFFERED]


def entry_of(session: Session, reference: str) -> RegisterEntry | None:
    """The entry that evidence names; None when the register no longer has it."""
    source, _, code = reference.partition(":")
    return session.exec(select(RegisterEntry).where(RegisterEntry.source == source, RegisterEntry.code == code)).first()


def mail_domains(session: Session, facility: Organisation) -> frozenset[str]:
    """The domains that the registers name for entries at the facility's postcode whose name is alike."""
    return frozenset(
        one.entry.mail_domain
        for one in candidates(session, facility)
        if one.entry.mail_domain and one.same_postcode and one.likeness >= ALIKE
    )


def _entries(file: Path, progress: Callable[[int], None]) -> Iterator[tuple[int, dict[str, str]]]:
    """Each line with its number, by the names of our columns."""
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        reader = csv.reader(_told(text, progress))
        at: Mapping[str, int] | None = None
        for number, fields in enumerate(reader, start=1):
            if at is None:
                at = _columns(fields)
                if at is None and number > LINES_BEFORE_HEADING:
                    raise NoRegister(file=str(file))
                if at is None or at is not ODS:
                    continue
            if any(fields):
                yield number, {name: fields[i].strip() for name, i in at.items() if i < len(fields)}


def _told(lines: Iterable[str], progress: Callable[[int], None]) -> Iterator[str]:
    for line in lines:
        progress(len(line.encode()))
        yield line


ODS: Mapping[str, int] = {"code": 0, "name": 1, "address": 4, "postcode": 9, "telephone": 17}
"""The files of the NHS's Organisation Data Service have no heading, and their columns always stand like this."""


def _columns(fields: Sequence[str]) -> Mapping[str, int] | None:
    names = [name.strip().lower() for name in fields]
    at = {
        wanted: next(names.index(known) for known in all_known if known in names)
        for wanted, all_known in COLUMNS.items()
        if any(known in names for known in all_known)
    }
    if {"code", "name", "postcode"} <= at.keys():
        return at
    return ODS if len(fields) == ODS_COLUMNS and fields[0].isalnum() and fields[0].isupper() else None


def _problem(read: Mapping[str, str], seen: set[str]) -> str:
    if not read.get("code") or not read.get("name"):
        return "it has no code or no name"
    if len(read["code"]) > 40:
        return "its code has more than 40 letters"
    return f"the code {read['code']} stood before" if read["code"] in seen else ""


def _row(read: Mapping[str, str]) -> dict[str, Any]:
    postcode = tidy_postcode(read.get("postcode", ""))[:16]
    said = read.get("kind", "").lower()
    return {
        "code": read["code"],
        "name": read["name"][:200],
        "name_key": key_of(read["name"]),
        "address": read.get("address", "")[:300],
        "postcode": postcode,
        "postcode_key": postcode_key(postcode),
        "kind": next((kind for kind, words in KINDS if any(word in said for word in words)), None),
        "telephone": read.get("telephone", "")[:40],
        "mail_domain": domain_of(read.get("mail_domain", ""))[:120],
    }
