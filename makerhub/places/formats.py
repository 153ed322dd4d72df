"""The files that places come in, read line by line: what each line says, or why it says nothing.

Four kinds are told apart by their first line:

- a table with a heading that names its columns: `postcode` or `place` (or both), `lat`, `lon`, and perhaps `region` and
  `country`; separated by commas, semicolons or tabs;
- Code-Point Open of the Ordnance Survey: no heading, `"AB10 1AB",10,394251,806376,…`, in metres of the British grid;
- the postal codes of GeoNames: twelve columns separated by tabs;
- the places of GeoNames: nineteen columns separated by tabs.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from makerhub.errors import MakerhubError, translatable
from makerhub.places.distance import is_on_earth
from makerhub.places.names import tidy_postcode

LONGEST_LINE = 10_000
POSTAL_COLUMNS, PLACE_COLUMNS, CODE_POINT_COLUMNS = 12, 19, 10
NO_POSITION = ("0", "0")
"""Code-Point Open writes this where a postcode has no position yet."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "postcode": ("postcode", "post code", "postal code", "postal_code", "pcds", "pcd", "zip", "plz", "outcode"),
    "name": ("place", "name", "place name", "place_name", "town", "city", "ort"),
    "region": ("region", "county", "district", "state", "admin"),
    "country": ("country", "country code", "country_code"),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "lng", "long", "longitude"),
}
"""The names under which columns are known, in any case."""


class UnknownFormat(MakerhubError):
    """The first line is none of those that are known."""

    template = translatable(
        "%(file)s is in no known format. Give it a heading such as “postcode,place,lat,lon”, "
        "or take Code-Point Open or GeoNames as they come. Its first line: %(line)s"
    )


@dataclass(frozen=True)
class Raw:
    """What one line says. `north` and `east` are degrees, or metres of the British grid where `is_grid`."""

    postcode: str
    name: str
    region: str
    country: str
    north: float
    east: float


@dataclass(frozen=True)
class BadLine:
    """A line that says nothing that can be used, and why."""

    number: int
    problem: str


Parser = Callable[[Sequence[str]], Raw]


@dataclass(frozen=True)
class Format:
    """How a file is read; `attribution` is what its licence wants to be said."""

    name: str
    delimiter: str
    parse: Parser
    has_heading: bool = False
    is_grid: bool = False
    attribution: str = ""


def recognise(file: str, first: str) -> Format:
    """The format of a file by its first line. Raises `UnknownFormat`."""
    tabs = first.rstrip("\r\n").split("\t")
    if len(tabs) == POSTAL_COLUMNS:
        return Format("GeoNames postal codes", "\t", _postal, attribution="GeoNames, CC BY 4.0")
    if len(tabs) == PLACE_COLUMNS:
        return Format("GeoNames places", "\t", _place, attribution="GeoNames, CC BY 4.0")
    for delimiter in (",", ";", "\t"):
        heading = next(csv.reader([first], delimiter=delimiter), [])
        parser = _by_heading(heading)
        if parser is not None:
            return Format("table", delimiter, parser, has_heading=True)
        if delimiter == "," and len(heading) == CODE_POINT_COLUMNS and all(map(str.isdecimal, heading[1:4])):
            rights = "Contains OS, Royal Mail and National Statistics data © Crown copyright and database right"
            return Format("Code-Point Open", ",", _code_point, is_grid=True, attribution=rights)
    raise UnknownFormat(file=file, line=repr(first[:80]))


def read(lines: Iterable[str], form: Format) -> Iterator[Raw | BadLine]:
    """What each line says, in the order of the file; blank lines and a heading say nothing."""
    quoting: Any = csv.QUOTE_NONE if form.delimiter == "\t" else csv.QUOTE_MINIMAL  # GeoNames quotes nothing
    for number, line in enumerate(lines, start=1):
        if (number == 1 and form.has_heading) or not line.strip():
            continue
        if len(line) > LONGEST_LINE:
            yield BadLine(number, f"it has more than {LONGEST_LINE} characters")
            continue
        try:
            yield form.parse(next(csv.reader([line], delimiter=form.delimiter, quoting=quoting)))
        except _Unusable as problem:
            yield BadLine(number, str(problem))
        except csv.Error as error:
            yield BadLine(number, f"it is no line of a table: {error}")


class _Unusable(Exception):
    """Why a line says nothing, in English."""


def _by_heading(heading: Sequence[str]) -> Parser | None:
    """A parser for a table with these columns; None where it lacks one that is needed."""
    names = [name.strip().lower() for name in heading]
    at = {
        wanted: next((names.index(known) for known in all_known if known in names), None)
        for wanted, all_known in COLUMNS.items()
    }
    if at["lat"] is None or at["lon"] is None or (at["postcode"] is None and at["name"] is None):
        return None

    def parse(fields: Sequence[str]) -> Raw:
        def field(wanted: str) -> str:
            position = at[wanted]
            return "" if position is None or position >= len(fields) else fields[position].strip()

        return _raw(field("postcode"), field("name"), field("region"), field("country"), field("lat"), field("lon"))

    return parse


def _postal(fields: Sequence[str]) -> Raw:
    _require_columns(fields, POSTAL_COLUMNS)
    return _raw(fields[1], fields[2], fields[5] or fields[3], fields[0], fields[9], fields[10])


def _place(fields: Sequence[str]) -> Raw:
    _require_columns(fields, PLACE_COLUMNS)
    return _raw("", fields[1], fields[10], fields[8], fields[4], fields[5])


def _code_point(fields: Sequence[str]) -> Raw:
    _require_columns(fields, CODE_POINT_COLUMNS)
    if tuple(fields[2:4]) == NO_POSITION:
        raise _Unusable("it has no position")
    return Raw(tidy_postcode(fields[0])[:16], "", "", "GB", _number(fields[3]), _number(fields[2]))


def _raw(postcode: str, name: str, region: str, country: str, latitude: str, longitude: str) -> Raw:
    north, east = _number(latitude), _number(longitude)
    if not is_on_earth(north, east):
        raise _Unusable(f"{north:g}, {east:g} is nowhere on Earth: is it latitude, then longitude?")
    if not postcode.strip() and not name.strip():
        raise _Unusable("it has neither a postcode nor a name")
    return Raw(
        tidy_postcode(postcode)[:16], name.strip()[:120], region.strip()[:120], country.strip()[:2].upper(), north, east
    )


def _require_columns(fields: Sequence[str], wanted: int) -> None:
    if len(fields) != wanted:
        raise _Unusable(f"it has {len(fields)} columns, not {wanted}")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise _Unusable(f"{text[:40]!r} is no number") from None
