"""Finding a postcode or a place by what somebody typed, in whatever was imported."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col, func

from makerhub.places.distance import Point
from makerhub.places.importing import current_sources
from makerhub.places.models import Place, PlaceSource
from makerhub.places.names import british_district, key_of, postcode_key, tidy_postcode, written_prefix

MOST_CHOICES = 20
SHORTEST_BEGINNING = 3
SHORTEST_POSTCODE = 2
LONGEST_TYPED = 100


@dataclass(frozen=True)
class Found:
    """A postcode, a part of one, or a named place, and where its middle is; `label` finds it again, and it alone."""

    label: str
    point: Point


def find(session: Session, typed: str) -> list[Found]:
    """What was meant, the likeliest first: none, one, or several to choose from.

    Postcodes are found whole, by their beginning, and, where only districts were imported, by their district. A name
    may be followed by a comma and its region or country.
    """
    typed = " ".join(typed[:LONGEST_TYPED].split())
    if not key_of(typed):
        return []
    return _by_postcode(session, typed) or _by_name(session, typed) or _by_beginning(session, typed)


def attributions(session: Session) -> Sequence[str]:
    """What the licences of the imported files want to be said beside what is found in them."""
    sources = session.exec(current_sources()).all()
    return sorted({source.attribution for source in sources if source.attribution})


def has_places(session: Session) -> bool:
    """Whether anything was imported."""
    return session.exec(current_sources().limit(1)).first() is not None


def _by_postcode(session: Session, typed: str) -> list[Found]:
    code, _, country = typed.partition(",")
    key = postcode_key(code)
    if len(key) < SHORTEST_POSTCODE or not any(map(str.isdecimal, key)):
        return []
    inside = [_in_country(country)] if country.strip() else []
    for way in _ways_to_postcode(code, key):
        rows = _middles(session, [col(Place.country)], [*way, *inside])
        if rows:
            shown = code.strip().upper()
            return [Found(f"{shown}, {row.country}" if len(rows) > 1 else shown, _point(row)) for row in rows]
    return []


def _ways_to_postcode(code: str, key: str) -> Iterator[list[Any]]:
    """Conditions to be tried one after the other, the most exact first: “KT1 2” is not KT12, which has the same key."""
    tidy, written, district = tidy_postcode(code), written_prefix(code), british_district(code)
    is_whole = col(Place.postcode_key) == key
    yield [is_whole, _starts(tidy)]
    yield [*_begins(Place.postcode_key, key), _starts(written)]
    if district:
        yield [col(Place.postcode_key) == postcode_key(district)]
        yield [*_begins(Place.postcode_key, postcode_key(district)), _starts(written_prefix(district))]
    yield [is_whole]
    yield _begins(Place.postcode_key, key)


def _by_name(session: Session, typed: str) -> list[Found]:
    name, _, where = typed.partition(",")
    rows = _named(session, [col(Place.name_key) == key_of(name)])
    wanted = [part for part in map(key_of, where.split(",")) if part]
    fitting = [row for row in rows if all(part in (key_of(row.region), key_of(row.country)) for part in wanted)]
    return _labelled(fitting)


def _by_beginning(session: Session, typed: str) -> list[Found]:
    key = key_of(typed)
    if len(key) < SHORTEST_BEGINNING:
        return []
    return _labelled(_named(session, _begins(Place.name_key, key)))


def _named(session: Session, conditions: Sequence[Any]) -> Sequence[Any]:
    grouped = [col(Place.name_key), col(Place.region), col(Place.country)]
    return _middles(session, grouped, conditions)


def _labelled(rows: Sequence[Any]) -> list[Found]:
    return [Found(", ".join(filter(None, (row.name, row.region, row.country))), _point(row)) for row in rows]


def _middles(session: Session, grouped: Sequence[Any], conditions: Sequence[Any]) -> Sequence[Any]:
    """Where the middle of each group of places is that fulfil the conditions; the largest groups first."""
    middle = select(
        func.min(Place.name).label("name"),
        func.min(Place.region).label("region"),
        func.min(Place.country).label("country"),
        func.avg(Place.latitude).label("latitude"),
        func.avg(Place.longitude).label("longitude"),
    ).join(PlaceSource, col(PlaceSource.id) == Place.source_id)
    is_current = (col(PlaceSource.finished_at).is_not(None), col(PlaceSource.replaced_at).is_(None))
    wanted = middle.where(*is_current, *conditions).group_by(*grouped)
    return session.execute(wanted.order_by(func.count().desc(), func.min(Place.name)).limit(MOST_CHOICES)).all()


def _begins(column: Any, key: str) -> list[Any]:
    """Keys with this beginning, as a range that an index answers."""
    return [col(column) >= key, col(column) < key[:-1] + chr(ord(key[-1]) + 1)]


def _starts(written: str) -> Any:
    return col(Place.postcode).startswith(written, autoescape=True)


def _in_country(country: str) -> Any:
    return col(Place.country) == country.strip().upper()


def _point(row: Any) -> Point:
    return Point(float(row.latitude), float(row.longitude))
