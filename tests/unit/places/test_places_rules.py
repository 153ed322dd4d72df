"""Names, grids, distances and cells: what holds of any."""

import math

import h3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from makerhub.places import cells
from makerhub.places.distance import Point, kilometres
from makerhub.places.grid import to_degrees
from makerhub.places.names import british_district, key_of, postcode_key, tidy_postcode, written_prefix

points = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("München", "muenchen"),
        ("München", "MUNCHEN"),
        ("Köln", "Koeln"),
        ("Weißenburg", "Weissenburg"),
        ("Saint-Denis", "saint denis"),
        ("St. Anne's", "St Annes"),
        ("Ærø", "Aeroe"),
        ("İstanbul", "istanbul"),
        ("Łódź", "lodz"),
    ],
)
def test_names_are_one_however_they_are_typed(one: str, other: str) -> None:
    assert key_of(one) == key_of(other) != ""


@given(st.text(max_size=80))
def test_a_key_has_only_letters_and_digits_and_is_its_own_key_in_capitals(text: str) -> None:
    key = key_of(text)
    assert len(key) <= 64
    assert all(map(str.isalnum, key))
    assert postcode_key(postcode_key(text)) == postcode_key(text)


def test_postcodes_keep_each_letter() -> None:
    assert postcode_key("SE1 7EH") == postcode_key("se17eh") == "se17eh"
    assert postcode_key("OE1 1AA") != postcode_key("O1 1AA")


@pytest.mark.parametrize(
    ("typed", "tidy", "district", "prefix"),
    [
        ("kt12ee", "KT1 2EE", "KT1", "KT1 2EE"),
        (" kt1   2ee ", "KT1 2EE", "KT1", "KT1 2EE"),
        ("kt1", "KT1", "KT1", "KT1 "),
        ("KT1 2", "KT1 2", "KT1", "KT1 2"),
        ("w1a1aa", "W1A 1AA", "W1A", "W1A 1AA"),
        ("10115", "10115", "", "10115"),
        ("Kingston", "KINGSTON", "", "KINGSTON"),
        ("", "", "", ""),
    ],
)
def test_british_postcodes_are_taken_apart(typed: str, tidy: str, district: str, prefix: str) -> None:
    assert (tidy_postcode(typed), british_district(typed), written_prefix(typed)) == (tidy, district, prefix)


def test_the_grid_agrees_with_the_worked_example_of_its_makers() -> None:
    """OSGB36 easting 651409.903, northing 313177.270 is 52°39′28.723″N, 1°42′57.787″E in WGS84."""
    latitudes, longitudes = to_degrees(np.array([651_409.903]), np.array([313_177.270]))
    assert latitudes[0] == pytest.approx(52 + 39 / 60 + 28.723 / 3600, abs=2e-6)
    assert longitudes[0] == pytest.approx(1 + 42 / 60 + 57.787 / 3600, abs=2e-6)


def test_a_degree_along_the_equator_is_111_kilometres() -> None:
    assert kilometres(Point(0, 0), Point(0, 1)) == pytest.approx(111.195, abs=0.001)


@given(points, points)
def test_distances_are_the_same_both_ways_and_at_most_half_round_the_earth(one: Point, other: Point) -> None:
    there = kilometres(one, other)
    assert 0 <= there <= math.pi * 6372
    assert there == pytest.approx(kilometres(other, one), abs=1e-6)


@given(points, st.integers(0, 12))
def test_no_cell_is_shown_with_fewer_than_five_makers(point: Point, makers: int) -> None:
    shown = cells.shown([cells.cell_at(point)] * makers)
    assert list(shown.values()) == ([makers] if makers >= 5 else [])


def test_cells_that_are_kept_finer_are_shown_coarsely() -> None:
    fine = [str(h3.latlng_to_cell(51.4, -0.3 + step / 10_000, 8)) for step in range(5)]
    assert list(cells.shown(fine).values()) == [5]
    assert all(h3.get_resolution(cell) == 5 for cell in cells.shown(fine))


@given(points)
def test_a_cell_lies_around_its_points_and_is_large(point: Point) -> None:
    corners = cells.outline(cells.cell_at(point))
    assert len(corners) >= 5
    assert max(kilometres(point, corner) for corner in corners) > 5
