"""Files of places: every format, bad lines, the same file again, a killed import, and what is found in them."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOW
from sqlmodel import col, func, select

from makerhub.db import Database
from makerhub.places import importing, service
from makerhub.places.formats import UnknownFormat, recognise
from makerhub.places.importing import SAMPLE, Imported, NotText, TooManyBadLines, import_places
from makerhub.places.models import Place, PlaceSource

CODE_POINT = (
    '"KT1 1AA",10,518000,169200,"E92000001","E19000003","E18000007","","E09000021","E05000404"\n'
    '"KT1 2EE",10,517900,168800,"E92000001","E19000003","E18000007","","E09000021","E05000404"\n'
    '"KT121AA",10,510000,166000,"E92000001","E19000003","E18000007","","E09000021","E05000404"\n'
    '"KT1 9ZZ",90,0,0,"E92000001","E19000003","E18000007","","E09000021","E05000404"\n'
)
POSTAL = (
    "DE\t10115\tBerlin\tBerlin\tBE\t\t00\tBerlin, Stadt\t11000\t52.5323\t13.3846\t4\n"
    "DE\t80331\tMünchen\tBayern\tBY\tOberbayern\t091\tMünchen\t09162\t48.1345\t11.5710\t4\n"
    "DE\t80333\tMünchen\tBayern\tBY\tOberbayern\t091\tMünchen\t09162\t48.1455\t11.5710\t4\n"
    "US\t10115\tNew York\tNew York\tNY\tNew York\t061\t\t\t40.81\t-73.96\t4\n"
)


def imported(database: Database, folder: Path, *texts: str, name: str = "test") -> Imported:
    files = [folder / f"{number}.csv" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, encoding="utf-8")
    return import_places(database, files, name=name, clock=lambda: NOW)


def labels(database: Database, typed: str) -> list[str]:
    with database.reading() as session:
        return [found.label for found in service.find(session, typed)]


def count(database: Database) -> int:
    with database.reading() as session:
        return session.exec(select(func.count()).select_from(Place)).one()


def test_code_point_open_is_found_by_postcode_sector_and_district(database: Database, tmp_path: Path) -> None:
    found = imported(database, tmp_path, CODE_POINT)
    assert (found.places, found.bad, found.format) == (3, 1, "Code-Point Open")
    assert "line 4: it has no position" in found.examples[0]
    with database.reading() as session:
        whole, sector, district = (service.find(session, typed) for typed in ("kt11aa", "KT1 2", "KT1"))
    assert whole[0].point.latitude == pytest.approx(51.41, abs=0.01)
    assert whole[0].point.longitude == pytest.approx(-0.305, abs=0.01)
    assert sector[0].point.latitude < district[0].point.latitude < whole[0].point.latitude
    assert labels(database, "KT12") == ["KT12"]
    assert labels(database, "KT13") == []


def test_where_only_districts_are_known_a_whole_postcode_is_found_by_its_district(
    database: Database, tmp_path: Path
) -> None:
    imported(database, tmp_path, "postcode,lat,lon\nKT1,51.41,-0.30\nKT12,51.38,-0.41\n")
    with database.reading() as session:
        for typed in ("KT1 2EE", "kt12ee", "KT1 2", "kt1"):
            assert [found.point.longitude for found in service.find(session, typed)] == [-0.30], typed
        assert [found.point.longitude for found in service.find(session, "kt12")] == [-0.41]


def test_postal_codes_of_geonames_are_found_by_code_and_name_in_any_spelling(
    database: Database, tmp_path: Path
) -> None:
    assert imported(database, tmp_path, POSTAL).places == 4
    for typed in ("münchen", "MUENCHEN", "Munchen", "münchen, oberbayern", "münchen,de", "Münch"):
        assert labels(database, typed) == ["München, Oberbayern, DE"], typed
    assert labels(database, "münchen, hessen") == []
    with database.reading() as session:
        assert service.find(session, "München")[0].point.latitude == pytest.approx(48.14)


def test_a_postcode_of_two_countries_offers_the_choice(database: Database, tmp_path: Path) -> None:
    imported(database, tmp_path, POSTAL)
    assert sorted(labels(database, "10115")) == ["10115, DE", "10115, US"]
    assert labels(database, "10115, de") == ["10115"]


def test_a_name_in_two_regions_offers_the_choice_and_each_choice_finds_itself(database: Database) -> None:
    import_places(database, [SAMPLE], name="sample", clock=lambda: NOW)
    choices = labels(database, "newport")
    assert choices == ["Newport, Isle of Wight, GB", "Newport, Newport, GB", "Newport, Shropshire, GB"]
    for choice in choices:
        assert labels(database, choice) == [choice]


def test_the_same_file_again_changes_nothing_and_a_new_one_replaces_it(database: Database, tmp_path: Path) -> None:
    imported(database, tmp_path, CODE_POINT)
    again = imported(database, tmp_path, CODE_POINT)
    assert (again.was_there, again.places, count(database)) == (True, 3, 3)
    imported(database, tmp_path, CODE_POINT.splitlines(keepends=True)[0])
    assert count(database) == 1
    assert labels(database, "KT1 2EE") == ["KT1 2EE"]  # by its district, of which one postcode is left
    imported(database, tmp_path, POSTAL, name="another")
    assert count(database) == 5


def test_an_import_that_was_killed_is_found_by_nobody_and_removed_by_the_next(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(database, tmp_path, CODE_POINT)
    monkeypatch.setattr(importing, "CHUNK", 2)

    lines = iter(range(2))

    def killed(_: int) -> None:
        if next(lines, None) is None:
            raise KeyboardInterrupt

    file = tmp_path / "postal.csv"
    file.write_text(POSTAL, encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        import_places(database, [file], name="test", clock=lambda: NOW, progress=killed)
    assert count(database) == 5
    assert labels(database, "Berlin") == []
    assert labels(database, "KT12") == ["KT12"]
    import_places(database, [file], name="test", clock=lambda: NOW + timedelta(hours=1))
    assert count(database) == 4
    assert labels(database, "Berlin, Germany") == []
    assert labels(database, "Berlin") == ["Berlin, Berlin, DE"]
    with database.reading() as session:
        assert len(session.exec(select(PlaceSource)).all()) == 1


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("KT1,north,-0.3", "'north' is no number"),
        ("KT1,-0.3,151.4", "nothing"),
        ("KT1,151.4,-0.3", "nowhere on Earth"),
        (",51.4,-0.3", "neither a postcode nor a name"),
        ("KT1,nan,-0.3", "nowhere on Earth"),
        ("KT1", "'' is no number"),
        ('"KT1,51.4', "is no number"),
    ],
)
def test_a_bad_line_is_left_out_and_named(database: Database, tmp_path: Path, line: str, problem: str) -> None:
    good = "KT2,51.42,-0.29\nKT3,51.40,-0.25\n"
    found = imported(database, tmp_path, f"postcode,lat,lon\n{good}{line}\n")
    if problem == "nothing":
        assert found.bad == 0
        return
    assert (found.places, found.bad) == (2, 1)
    assert "line 4: " in found.examples[0]
    assert problem in found.examples[0]


def test_a_file_of_mostly_bad_lines_changes_nothing(database: Database, tmp_path: Path) -> None:
    imported(database, tmp_path, CODE_POINT)
    bad = "postcode,lat,lon\n" + "KT1,51.4,-0.3\n" * 80 + "KT1,x,y\n" * 40
    with pytest.raises(TooManyBadLines, match="40 of 120 lines"):
        imported(database, tmp_path, bad)
    with pytest.raises(TooManyBadLines):
        imported(database, tmp_path, "postcode,lat,lon\n")
    assert count(database) == 3
    assert labels(database, "KT12") == ["KT12"]


def test_other_files_are_refused_with_the_way_out(database: Database, tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match="heading such as"):
        imported(database, tmp_path, "what is this?\n")
    file = tmp_path / "latin.csv"
    file.write_bytes("place,lat,lon\nKöln,50.94,6.96\n".encode("latin-1"))
    with pytest.raises(NotText, match="byte 15"):
        import_places(database, [file], name="latin", clock=lambda: NOW)
    assert count(database) == 0
    with database.reading() as session:
        assert session.exec(select(PlaceSource).where(col(PlaceSource.finished_at).is_not(None))).all() == []


@pytest.mark.parametrize(
    ("first", "name"),
    [
        ("Postcode;Ort;Lat;Lng", "table"),
        ("place\tlatitude\tlongitude", "table"),
        (CODE_POINT.splitlines()[0], "Code-Point Open"),
        (POSTAL.splitlines()[0], "GeoNames postal codes"),
        ("\t".join("x" * 19), "GeoNames places"),
    ],
)
def test_formats_are_told_by_their_first_line(first: str, name: str) -> None:
    assert recognise("file", first).name == name


@pytest.mark.parametrize("typed", ["", " ", "-", "'", "%", "_", "K", "1", "x" * 5000, "🏥", "a\x00b"])
def test_odd_words_find_nothing_and_break_nothing(database: Database, tmp_path: Path, typed: str) -> None:
    imported(database, tmp_path, CODE_POINT)
    assert labels(database, typed) == []


def test_attributions_are_told(database: Database, tmp_path: Path) -> None:
    imported(database, tmp_path, CODE_POINT)
    imported(database, tmp_path, POSTAL, name="another")
    with database.reading() as session:
        said: Sequence[str] = service.attributions(session)
        assert service.has_places(session)
    assert [text[:8] for text in said] == ["Contains", "GeoNames"]
