"""Taking files of places in: in chunks, so that millions of lines fit, and at once for whoever searches.

An import is found only when it is whole, and replaces the one of the same name only then; what a killed one left behind
is removed by the next. The same files again are recognised by their hash and change nothing.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, cast

import numpy as np
from sqlalchemy import delete, insert
from sqlmodel import Session, col, func, select

from makerhub.db import Clock, Database
from makerhub.errors import MakerhubError, translatable
from makerhub.places.formats import BadLine, Format, Raw, read, recognise
from makerhub.places.grid import to_degrees
from makerhub.places.models import Place, PlaceSource
from makerhub.places.names import key_of, postcode_key

SAMPLE = Path(__file__).resolve().parent / "sample.csv"
"""A few places, for trying it out."""
SAMPLE_ATTRIBUTION = "A small sample written for makerhub, rounded to a kilometre, CC0-1.0"

CHUNK = 50_000
"""Rows of one transaction: two seconds of work, about 100 MB."""
MOST_BAD_SHOWN = 10
MOST_BAD_SHARE = 0.1
FEW_LINES = 100
"""Below so many lines a share says nothing: then half may be bad."""

_INSERT = insert(cast("Any", Place).__table__)  # of the table: by the model each row would pass the mapper as well

Progress = Callable[[int], None]
"""Told how many bytes have been read since it was told last."""


class TooManyBadLines(MakerhubError):
    """Most likely the file is in another format than it seems."""

    template = translatable("%(bad)s of %(lines)s lines can not be read, so nothing was imported. %(examples)s")


class NotText(MakerhubError):
    """The file is in another encoding, or no text at all."""

    template = translatable(
        "%(file)s is no text in UTF-8 (at byte %(byte)s). "
        "Convert it first: iconv -f ISO-8859-1 -t UTF-8; unpack a ZIP file."
    )


@dataclass
class Imported:
    """What came of an import: how many places, from how many lines, and the first of those that were left out."""

    format: str
    places: int = 0
    lines: int = 0
    bad: int = 0
    examples: list[str] = field(default_factory=list)
    was_there: bool = False

    def note_bad(self, file: str, line: BadLine) -> None:
        """Count a line that was left out, and keep the first few to be shown."""
        self.bad += 1
        if len(self.examples) < MOST_BAD_SHOWN:
            self.examples.append(f"{file}, line {line.number}: {line.problem}")


def import_places(
    database: Database,
    files: Sequence[Path],
    *,
    name: str,
    clock: Clock,
    attribution: str = "",
    progress: Progress = lambda _: None,
) -> Imported:
    """Replace what was imported under `name` by what these files hold.

    Raises `UnknownFormat`, `NotText` or `TooManyBadLines`; then what was there before is still found.
    """
    form = _format_of(files)
    digest = _hash_of(files)
    with database.changing() as session:
        there = session.exec(current_sources().where(PlaceSource.name == name, PlaceSource.sha256 == digest)).first()
        if there is not None:
            return Imported(form.name, there.places, was_there=True)
        source = PlaceSource(name=name, attribution=attribution or form.attribution, sha256=digest, started_at=clock())
        session.add(source)
    found = Imported(form.name)
    try:
        lines = _lines(files, form, found, progress)
        while chunk := list(islice(lines, CHUNK)):
            with database.changing() as session:
                session.connection().execute(_INSERT, _rows(chunk, source.id, form))
            found.places += len(chunk)
        _require_sense(found)
    except MakerhubError:
        _remove(database, [source.id])
        raise
    with database.changing() as session:
        for old in session.exec(current_sources().where(PlaceSource.name == name)):
            old.replaced_at = clock()
        row = session.get_one(PlaceSource, source.id)
        row.finished_at, row.places = clock(), found.places
    _remove_left_over(database, name)
    return found


def current_sources() -> Any:
    """The select of the imports in which places are found."""
    return select(PlaceSource).where(col(PlaceSource.finished_at).is_not(None), col(PlaceSource.replaced_at).is_(None))


def _format_of(files: Sequence[Path]) -> Format:
    for file in files:
        with file.open("rb") as lines:
            first = _text(file, lines.readline(), 0)
        form = recognise(str(file), first)
    return form


def _hash_of(files: Sequence[Path]) -> str:
    total = hashlib.sha256()
    for file in files:
        with file.open("rb") as content:
            total.update(hashlib.file_digest(content, "sha256").digest())
    return total.hexdigest()


def _lines(files: Sequence[Path], form: Format, found: Imported, progress: Progress) -> Iterator[Raw]:
    for file in files:
        for line in read(_decoded(file, progress), form):
            found.lines += 1
            if isinstance(line, BadLine):
                found.note_bad(str(file), line)
            else:
                yield line


def _decoded(file: Path, progress: Progress) -> Iterator[str]:
    at = 0
    with file.open("rb") as lines:
        for line in lines:
            yield _text(file, line, at)
            at += len(line)
            progress(len(line))


def _text(file: Path, line: bytes, at: int) -> str:
    try:
        return line.decode("utf-8-sig" if at == 0 else "utf-8")
    except UnicodeDecodeError as error:
        raise NotText(file=str(file), byte=at + error.start) from error


def _rows(chunk: Sequence[Raw], source_id: int | None, form: Format) -> list[dict[str, Any]]:
    norths, easts = np.array([raw.north for raw in chunk]), np.array([raw.east for raw in chunk])
    if form.is_grid:
        norths, easts = to_degrees(easts, norths)
    return [
        {
            "source_id": source_id,
            "postcode": raw.postcode,
            "postcode_key": postcode_key(raw.postcode),
            "name": raw.name,
            "name_key": key_of(raw.name),
            "region": raw.region,
            "country": raw.country,
            "latitude": north,
            "longitude": east,
        }
        for raw, north, east in zip(chunk, norths.tolist(), easts.tolist(), strict=True)
    ]


def _require_sense(found: Imported) -> None:
    share = MOST_BAD_SHARE if found.lines >= FEW_LINES else 0.5
    if found.places == 0 or found.bad > share * found.lines:
        raise TooManyBadLines(bad=found.bad, lines=found.lines, examples="; ".join(found.examples[:3]))


def _remove_left_over(database: Database, name: str) -> None:
    """Remove what is found no more: imports that were replaced, and those that never came to their end."""
    ended = col(PlaceSource.finished_at).is_(None) | col(PlaceSource.replaced_at).is_not(None)
    with database.reading() as session:
        left = session.exec(select(PlaceSource.id).where(PlaceSource.name == name, ended)).all()
    _remove(database, left)


def _remove(database: Database, sources: Sequence[int | None]) -> None:
    """In chunks of one transaction each, so that nobody waits for long."""
    for source in sources:
        with database.reading() as session:
            first, last = _span(session, source)
        for start in range(first, last + 1, CHUNK):
            among = col(Place.id).between(start, start + CHUNK - 1)
            with database.changing() as session:
                session.execute(delete(Place).where(among, col(Place.source_id) == source))
        with database.changing() as session:
            session.execute(delete(PlaceSource).where(col(PlaceSource.id) == source))


def _span(session: Session, source: int | None) -> tuple[int, int]:
    """The first and the last number of its places; an empty range where it has none."""
    of_source = select(func.min(Place.id), func.max(Place.id)).where(Place.source_id == source)
    first, last = session.exec(of_source).one()
    return (0, -1) if first is None or last is None else (first, last)
