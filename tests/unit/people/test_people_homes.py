from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from builders import ADDRESS, NOW, World, later
from hypothesis import given
from hypothesis import strategies as some

from makerhub.errors import Invalid, NotFound
from makerhub.keys.box import NotGenuine
from makerhub.people import homes
from makerhub.people.home_models import MakerAddress
from makerhub.people.models import Person
from makerhub.people.quiet_hours import QuietHours

LONDON = ZoneInfo("Europe/London")
NIGHT = QuietHours(22 * 60, 7 * 60)
MINUTES = some.integers(0, 1439)
MOMENTS = some.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=some.just(UTC))  # noqa: DTZ001


@given(MINUTES, MINUTES, MOMENTS)
def test_quiet_hours_and_the_hours_between_them_share_each_day_out(begins: int, ends: int, now: datetime) -> None:
    if begins == ends:
        return
    assert QuietHours(begins, ends).holds(now, LONDON) != QuietHours(ends, begins).holds(now, LONDON)


@given(MINUTES, MINUTES, MOMENTS)
def test_quiet_hours_begin_and_end_as_the_clock_on_the_wall_says(begins: int, ends: int, now: datetime) -> None:
    local = now.astimezone(LONDON)
    minute = local.hour * 60 + local.minute
    inside = begins <= minute < ends if begins <= ends else minute >= begins or minute < ends
    assert QuietHours(begins, ends).holds(now, LONDON) is (inside and begins != ends)


@pytest.mark.parametrize(
    ("moment", "is_quiet"),
    [
        (datetime(2020, 3, 29, 0, 59, tzinfo=UTC), True),  # 00:59, then the clocks go forward to 02:00
        (datetime(2020, 3, 29, 5, 59, tzinfo=UTC), True),  # 06:59 of summer time
        (datetime(2020, 3, 29, 6, 0, tzinfo=UTC), False),
        (datetime(2020, 10, 25, 6, 30, tzinfo=UTC), True),  # 06:30 again by winter time
        (datetime(2020, 10, 25, 7, 0, tzinfo=UTC), False),
        (datetime(2020, 2, 29, 22, 0, tzinfo=UTC), True),
        (datetime(2020, 2, 29, 21, 59, tzinfo=UTC), False),
    ],
)
def test_a_night_is_as_long_as_the_clock_says(moment: datetime, is_quiet: bool) -> None:
    assert NIGHT.holds(moment, LONDON) is is_quiet


def test_a_maker_is_left_alone_in_the_own_time_zone_else_in_that_of_the_hub(world: World) -> None:
    at_seven = datetime(2020, 7, 1, 6, 30, tzinfo=UTC)  # 07:30 in London, 08:30 in Berlin
    with world.database.changing() as session:
        homes.set_quiet_hours(session, world.maker.id, QuietHours(7 * 60, 8 * 60), now=NOW)
        assert homes.left_alone(session, [world.maker.id, world.courier.id], at_seven) == {world.maker.id}
        session.get_one(Person, world.maker.id).time_zone = "Europe/Berlin"
        assert homes.left_alone(session, [world.maker.id], at_seven) == frozenset()
        assert homes.left_alone(session, [world.maker.id], at_seven - timedelta(hours=1)) == {world.maker.id}
        homes.set_quiet_hours(session, world.maker.id, None, now=NOW)
        assert homes.left_alone(session, [world.maker.id], at_seven) == frozenset()


def test_an_address_is_kept_under_seal_and_comes_back(world: World) -> None:
    with world.database.changing() as session:
        homes.enter_address(session, world.maker.id, f"  {ADDRESS} \n\n", world.key_box, now=NOW)
    (row,) = world.all(MakerAddress)
    assert not any(line.encode() in row.sealed_address for line in ADDRESS.splitlines())
    with world.database.reading() as session:
        assert homes.open_address(session, world.maker.id, world.key_box) == ADDRESS


def test_a_new_address_takes_the_place_of_the_old_one(world: World) -> None:
    with world.database.changing() as session:
        homes.enter_address(session, world.maker.id, "1 Old Street, Oldham", world.key_box, now=NOW)
    with world.database.changing() as session:
        homes.enter_address(session, world.maker.id, ADDRESS, world.key_box, now=later(hours=1))
        assert homes.open_address(session, world.maker.id, world.key_box) == ADDRESS
    assert len(world.all(MakerAddress)) == 1


@pytest.mark.parametrize("text", ["", "  \n ", "at home", "x" * 401])
def test_what_leads_nowhere_is_no_address(world: World, text: str) -> None:
    with pytest.raises(Invalid) as refused, world.database.changing() as session:
        homes.enter_address(session, world.maker.id, text, world.key_box, now=NOW)
    assert "address" in refused.value.fields
    assert world.all(MakerAddress) == []


def test_an_address_that_was_copied_to_somebody_elses_row_is_refused(world: World) -> None:
    with world.database.changing() as session:
        hers = homes.enter_address(session, world.maker.id, ADDRESS, world.key_box, now=NOW)
        session.add(MakerAddress(person_id=world.courier.id, sealed_address=hers.sealed_address, entered_at=NOW))
        session.flush()
        with pytest.raises(NotGenuine):
            homes.open_address(session, world.courier.id, world.key_box)


def test_a_forgotten_address_is_gone(world: World) -> None:
    with world.database.changing() as session:
        homes.enter_address(session, world.maker.id, ADDRESS, world.key_box, now=NOW)
        assert homes.forget_address(session, world.maker.id)
        assert not homes.forget_address(session, world.maker.id)
        with pytest.raises(NotFound):
            homes.open_address(session, world.maker.id, world.key_box)
    assert world.all(MakerAddress) == []
