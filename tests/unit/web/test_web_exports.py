"""Tables to take home: no cell is a formula, no field is there that nobody named, and who took them is logged."""

import csv
import io

import pytest
from builders import NOW, World
from hypothesis import given
from hypothesis import strategies as st
from unit.web.houses import House

from makerhub.audit.models import Deed
from makerhub.delivery.models import Shipment
from makerhub.people.models import Organisation, Role
from makerhub.web.csv_file import csv_file, plain
from makerhub.web.exports import EXPORTS

DANGEROUS = "=+-@\t\r"


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


hostile = st.text(alphabet=st.sampled_from([*" \u00a0\ufeff\t\r\n=+-@＝'\",;|!A1()"]), max_size=12)


@given(st.lists(st.lists(st.one_of(hostile, st.text()), min_size=3, max_size=3), max_size=4))
def test_no_text_becomes_a_formula_and_none_is_lost(rows: list[list[str]]) -> None:
    header, *cells = read(csv_file(("a", "b", "c"), rows))
    assert header == ["a", "b", "c"]
    for typed, written in zip(rows, cells, strict=True):
        for text, cell in zip(typed, written, strict=True):
            assert cell.strip()[:1] not in set("=+-@＝＋－＠") - {""}
            assert cell[:1] not in DANGEROUS or cell == ""
            assert cell in (text, f"'{text}")


@pytest.mark.parametrize("begin", ["", " ", "   ", "\u00a0", "\ufeff", "\t", "\r", "\n", " \t"])
@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "＝1", '=HYPERLINK("x")'])
def test_formulas_are_quoted_also_after_what_is_not_seen(begin: str, formula: str) -> None:
    assert plain(begin + formula) == f"'{begin}{formula}"


@pytest.mark.parametrize("text", ["", "Rosewood", "St Mary's", "A-1", "a=b", " 5", "'"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


def test_numbers_and_times_are_written_as_such() -> None:
    assert read(csv_file(("n", "t", "x"), [(-5, NOW, None)]))[1] == ["-5", "2020-03-25T09:00+00:00", ""]


def filled(house: House, world: World) -> World:
    with world.database.changing() as session:
        session.get_one(Organisation, world.care_home.id).name = '=HYPERLINK("http://evil.example";"Rosewood")'
    request = world.request()
    world.reserve(request, world.lot(4), 4)
    world.pack(request)
    house.add_person("Dora", (house.add_hub("Elsewhere Hub"), Role.DISPATCHER))
    return world


def download(house: House, who: str, table: str) -> list[list[str]]:
    answer = house.signed_in(who).post(f"/exports/{table}", form="/exports")
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == f"attachment; filename={table}-2020-03-25.csv"
    return read(answer.data)


@pytest.mark.parametrize("table", EXPORTS)
def test_a_dispatcher_takes_the_own_hubs_rows_home(house: House, world: World, table: str) -> None:
    filled(house, world)
    header, *rows = download(house, "dan", table)
    assert header == list(EXPORTS[table].columns)
    assert len(rows) >= 1
    assert all(len(row) == len(header) for row in rows)
    assert download(house, "dora", table) == [header]


@pytest.mark.parametrize("table", ["requests", "shipments"])
def test_a_facilitys_name_is_no_formula(house: House, world: World, table: str) -> None:
    filled(house, world)
    header, *rows = download(house, "dan", table)
    assert all(row[header.index("facility")].startswith("'=HYPERLINK") for row in rows)


def test_codes_and_people_are_in_no_table(house: House, world: World) -> None:
    filled(house, world)
    codes = {shipment.hand_over_code for shipment in world.all(Shipment)}
    people = [somebody.name for somebody in house.people.values()] + [one.email for one in house.people.values()]
    for table in EXPORTS:
        cells = {cell for row in download(house, "dan", table) for cell in row}
        assert not cells & {*people, *codes}


def test_each_download_is_logged(house: House, world: World) -> None:
    download(house, "dan", "stock")
    [deed] = [deed for deed in world.all(Deed) if deed.what.startswith("exported")]
    assert (deed.what, deed.entity_id, deed.by) == ("exported stock", world.dispatcher.id, world.dispatcher.id)
    assert deed.why == "0 rows"


def test_a_sign_in_that_is_old_is_asked_for_a_proof_first(house: House) -> None:
    dan = house.signed_in("dan")
    house.time.pass_by(minutes=16)
    assert dan.get("/exports").status_code == 302
    assert dan.post("/exports/stock", form="/dispatch").status_code == 302
