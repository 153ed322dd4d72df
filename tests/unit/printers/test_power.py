"""Printers of one household begin one after the other, as its breaker bears."""

import pytest
from builders import MK3S, NOW, World, later
from hypothesis import given
from hypothesis import strategies as st

from makerhub.errors import Invalid
from makerhub.printers import power
from makerhub.production import service as production
from makerhub.production.models import Attempt, AttemptState
from makerhub.production.staggering import may_begin_now

WATTS = st.lists(st.integers(50, 1000), max_size=8)


@pytest.mark.parametrize(
    ("waiting", "heating", "printing", "limit", "begin"),
    [
        ([400, 400, 400], [], [], 1500, 3),
        ([400, 400, 400], [], [], 1000, 2),
        ([400, 400], [400], [], 1000, 1),
        ([400, 400], [400, 400], [], 1000, 0),
        ([400], [], [400, 400, 400], 1000, 1),  # those that only keep warm leave room
        ([2000], [], [], 1000, 1),  # a limit below one printer's power stops nothing for ever
        ([2000], [], [200], 1000, 0),
        ([], [], [], 1000, 0),
    ],
)
def test_as_many_begin_as_the_breaker_bears(
    waiting: list[int], heating: list[int], printing: list[int], limit: int, begin: int
) -> None:
    assert power.may_begin(waiting, heating, printing, limit) == begin


@given(WATTS, WATTS, WATTS, st.integers(100, 5000))
def test_the_limit_holds_and_nothing_waits_beside_an_idle_household(
    waiting: list[int], heating: list[int], printing: list[int], limit: int
) -> None:
    begin = power.may_begin(waiting, heating, printing, limit)
    drawn = sum(heating) + power.KEEPING_WARM * sum(printing)
    if begin > (0 if drawn else 1):
        assert drawn + sum(waiting[:begin]) <= limit
    if waiting and not heating and not printing:
        assert begin >= 1


def ready(world: World, count: int) -> list[Attempt]:
    return [
        world.attempt(AttemptState.READY, printer=world.add_printer(f"Number {number}"), job=world.job())
        for number in range(count)
    ]


def allowed(world: World, *, minutes: float = 0) -> int:
    with world.database.reading() as session:
        waiting = production.in_states(session, AttemptState.READY)
        return len(may_begin_now(session, waiting, {MK3S.key: MK3S}, later(minutes=minutes)))


def test_printers_of_one_maker_begin_one_after_the_other(world: World) -> None:
    ready(world, 4)
    with world.database.changing() as session:
        power.set_limit(session, world.maker.id, MK3S.power_watts * 2, now=NOW)
    assert allowed(world) == 2
    world.attempt(AttemptState.PRINTING, printer=world.printer)
    assert allowed(world) == 1
    assert allowed(world, minutes=7) == 1  # the one that printed keeps warm, and one more may heat beside it


def test_the_limit_of_a_household_is_a_sensible_number(world: World) -> None:
    with pytest.raises(Invalid), world.database.changing() as session:
        power.set_limit(session, world.maker.id, 50, now=NOW)
    with world.database.reading() as session:
        assert power.limit_of(session, world.maker.id) == power.DEFAULT_WATTS


def test_what_was_sent_goes_on_whatever_heats(world: World) -> None:
    world.attempt(AttemptState.SENDING)
    with world.database.changing() as session:
        power.set_limit(session, world.maker.id, 100, now=NOW)
    with world.database.reading() as session:
        sent = production.in_states(session, AttemptState.SENDING)
        assert may_begin_now(session, sent, {}, NOW) == list(sent)
