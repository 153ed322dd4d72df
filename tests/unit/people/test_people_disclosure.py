"""Who may know how exactly where a maker is, for any maker, asker, errand and moment."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from builders import NOW
from hypothesis import given
from hypothesis import strategies as some

from makerhub.people.disclosure import Asker, Errand, Home, Precision, precision

PERSONS = some.sampled_from([UUID(int=number) for number in range(1, 5)])
HUBS = some.frozensets(some.sampled_from([UUID(int=number) for number in range(11, 14)]))
MOMENTS = some.integers(-10, 10).map(lambda hours: NOW + timedelta(hours=hours))

homes = some.builds(Home, PERSONS, HUBS, some.booleans())
askers = some.builds(Asker, some.none() | PERSONS, HUBS)
errands = some.none() | some.builds(Errand, PERSONS, some.none() | PERSONS, some.booleans(), MOMENTS, MOMENTS)

UNDER_WAY = Errand(UUID(int=1), UUID(int=2), is_under_way=True, begins=NOW, ends=NOW + timedelta(hours=2))
HOME, COURIER = Home(UUID(int=1), frozenset({UUID(int=11)})), Asker(UUID(int=2), frozenset({UUID(int=11)}))


@given(homes, askers, errands, MOMENTS)
def test_only_the_courier_who_is_on_the_way_in_time_sees_the_address_of_somebody_else(
    home: Home, asker: Asker, errand: Errand | None, now: object
) -> None:
    if precision(home, asker, errand, now) is not Precision.ADDRESS or asker.person_id == home.maker_id:  # type: ignore[arg-type]
        return
    assert errand is not None
    assert errand.is_under_way
    assert errand.maker_id == home.maker_id
    assert errand.courier_id == asker.person_id is not None
    assert errand.begins <= now < errand.ends  # type: ignore[operator]
    assert not home.is_hidden


@given(homes, askers, errands, MOMENTS)
def test_who_hides_is_nowhere_for_anybody_else(home: Home, asker: Asker, errand: Errand | None, now: object) -> None:
    hidden = replace(home, is_hidden=True)
    seen = precision(hidden, asker, errand, now)  # type: ignore[arg-type]
    assert seen is (Precision.ADDRESS if asker.person_id == home.maker_id else Precision.NOTHING)


@given(homes, errands, MOMENTS)
def test_a_visitor_learns_of_a_cell_at_most(home: Home, errand: Errand | None, now: object) -> None:
    assert precision(home, Asker(), errand, now) <= Precision.CELL  # type: ignore[arg-type]


@given(homes, askers, errands, MOMENTS)
def test_the_drop_off_point_is_for_those_of_the_same_hub(
    home: Home, asker: Asker, errand: Errand | None, now: object
) -> None:
    if precision(home, asker, errand, now) is Precision.DROP_OFF:  # type: ignore[arg-type]
        assert home.hubs & asker.hubs


@given(homes, errands, MOMENTS)
def test_makers_know_where_they_live(home: Home, errand: Errand | None, now: object) -> None:
    assert precision(home, Asker(home.maker_id), errand, now) is Precision.ADDRESS  # type: ignore[arg-type]


def test_the_courier_sees_the_address_from_the_first_moment_on_and_not_at_the_last() -> None:
    a_moment = timedelta(microseconds=1)
    seen = {
        moment: precision(HOME, COURIER, UNDER_WAY, moment)
        for moment in (NOW - a_moment, NOW, UNDER_WAY.ends - a_moment, UNDER_WAY.ends)
    }
    assert list(seen.values()) == [Precision.DROP_OFF, Precision.ADDRESS, Precision.ADDRESS, Precision.DROP_OFF]


def test_before_setting_out_and_after_the_end_the_courier_sees_the_drop_off_point() -> None:
    assert precision(HOME, COURIER, replace(UNDER_WAY, is_under_way=False), NOW) is Precision.DROP_OFF


def test_an_errand_to_another_maker_opens_nothing_here() -> None:
    assert precision(HOME, COURIER, replace(UNDER_WAY, maker_id=UUID(int=3)), NOW) is Precision.DROP_OFF
