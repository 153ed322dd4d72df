from datetime import timedelta

import pytest
from builders import NOW, World, at_once, failures

from makerhub.demand.models import RequestState, SupplyRequest
from makerhub.errors import IllegalMove, MovedMeanwhile
from makerhub.lifecycle import Transition, history, move
from makerhub.production.models import Attempt, AttemptState, PrintJob

CHANGES = (None, "submitted"), ("submitted", "accepted"), ("accepted", "cancelled")


def test_every_change_is_logged_with_when_who_and_why(world: World) -> None:
    request = world.request()
    with world.database.changing() as session:
        row = session.get_one(SupplyRequest, request.id)
        move(session, row, RequestState.CANCELLED, now=NOW + timedelta(hours=1), by=world.requester.id, why="closed")
        log = history(session, row)
    assert tuple((change.before, change.after) for change in log) == CHANGES
    assert (log[-1].entity, log[-1].entity_id) == ("supply_request", request.id)
    assert (log[-1].at, log[-1].by, log[-1].why) == (NOW + timedelta(hours=1), world.requester.id, "closed")


def test_an_illegal_move_is_refused_and_leaves_no_trace(world: World) -> None:
    request = world.request()
    with pytest.raises(IllegalMove) as refusal, world.database.changing() as session:
        move(session, session.get_one(SupplyRequest, request.id), RequestState.DECLINED, now=NOW)
    assert refusal.value.values == {"before": "accepted", "after": "declined"}
    assert world.get(SupplyRequest, request.id).state is RequestState.ACCEPTED
    assert [change.after for change in _log(world, request)] == ["submitted", "accepted"]


def test_a_final_state_has_no_moves(world: World) -> None:
    request = world.request()
    world.cancel(request)
    for state in RequestState:
        with pytest.raises(IllegalMove), world.database.changing() as session:
            move(session, session.get_one(SupplyRequest, request.id), state, now=NOW)


def test_a_row_that_moved_meanwhile_is_not_moved_again(world: World) -> None:
    request = world.request()
    with world.database.reading() as session:
        stale = session.get_one(SupplyRequest, request.id)
    world.cancel(request)
    with pytest.raises(MovedMeanwhile), world.database.changing() as session:
        move(session, session.merge(stale, load=False), RequestState.FULFILLED, now=NOW)
    assert world.get(SupplyRequest, request.id).state is RequestState.CANCELLED
    assert [change.after for change in _log(world, request)] == ["submitted", "accepted", "cancelled"]


def test_of_many_who_move_at_once_exactly_one_succeeds(world: World) -> None:
    request = world.request()
    with world.database.reading() as session:
        seen = session.get_one(SupplyRequest, request.id)

    def cancel() -> None:
        with world.database.changing() as session:
            move(session, session.merge(seen, load=False), RequestState.CANCELLED, now=NOW)

    results = at_once(*[cancel] * 8)
    assert results.count(None) == 1
    assert failures(results) == [MovedMeanwhile] * 7
    assert [change.after for change in _log(world, request)] == ["submitted", "accepted", "cancelled"]


def test_other_columns_change_in_the_same_update(world: World) -> None:
    attempt = world.attempt(AttemptState.READY)
    with world.database.changing() as session:
        row = session.get_one(Attempt, attempt.id)
        move(session, row, AttemptState.WITHDRAWN, now=NOW, ended_at=NOW)
        assert (row.state, row.ended_at) == (AttemptState.WITHDRAWN, NOW)
    assert world.get(Attempt, attempt.id).ended_at == NOW


def test_a_long_reason_is_cut_to_its_column(world: World) -> None:
    request = world.request()
    with world.database.changing() as session:
        move(session, session.get_one(SupplyRequest, request.id), RequestState.CANCELLED, now=NOW, why="x" * 501)
    assert _log(world, request)[-1].why == "x" * 500


def test_the_log_of_one_row_holds_nothing_of_others(world: World) -> None:
    first, second = world.job(), world.job()
    assert [change.entity_id for change in _log(world, first)] == [first.id]
    assert [change.entity_id for change in _log(world, second)] == [second.id]


def _log(world: World, row: SupplyRequest | PrintJob) -> list[Transition]:
    with world.database.reading() as session:
        return history(session, row)
