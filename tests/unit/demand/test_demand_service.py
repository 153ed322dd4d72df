from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from builders import IN_A_WEEK, LARGEST, NOW, POLICY, World, at_once, failures

from makerhub.demand import service
from makerhub.demand.models import RequestLine, RequestState, SupplyRequest, Urgency
from makerhub.errors import IllegalMove, Invalid, NotFound
from makerhub.lifecycle import history


def submit(world: World, new: service.NewRequest) -> SupplyRequest:
    with world.database.changing() as session:
        return service.submit(session, new, largest=LARGEST, policy=POLICY, now=NOW)


def test_a_submitted_request_keeps_what_was_asked_for(world: World) -> None:
    lines = (
        world.new_line(quantity=70, stock_left=3, urgency=Urgency.CRITICAL),
        world.new_line(kit_id=world.kit_of(world.kit).id, quantity=20, needed_by=IN_A_WEEK + timedelta(days=1)),
    )
    request = submit(world, world.new_request(*lines, note="  Ward 7, please ring.  "))
    assert (request.state, request.note, request.submitted_at) == (RequestState.SUBMITTED, "Ward 7, please ring.", NOW)
    assert (request.facility_id, request.hub_id) == (world.care_home.id, world.hub.id)
    with world.database.reading() as session:
        kept = service.lines_of(session, request.id)
        assert [
            service.NewLine(line.kit_id, line.quantity, line.needed_by, line.urgency, line.stock_left) for line in kept
        ] == list(lines)
        assert [(change.after, change.by) for change in history(session, request)] == [
            ("submitted", world.requester.id)
        ]


def test_the_lines_come_the_earliest_deadline_first(world: World) -> None:
    late, early = world.new_line(needed_by=NOW + timedelta(days=9)), world.new_line(needed_by=NOW + timedelta(days=2))
    request = submit(world, world.new_request(late, early))
    with world.database.reading() as session:
        assert [line.needed_by for line in service.lines_of(session, request.id)] == [early.needed_by, late.needed_by]


def test_a_form_that_is_sent_again_is_the_same_request(world: World) -> None:
    new = world.new_request()
    assert submit(world, new).id == submit(world, new).id
    assert len(world.all(SupplyRequest)) == len(world.all(RequestLine)) == 1


def test_a_form_that_is_sent_again_after_it_was_accepted_is_still_the_same_request(world: World) -> None:
    new = world.new_request()
    first = submit(world, new)
    with world.database.changing() as session:
        service.accept(session, session.get_one(SupplyRequest, first.id), by=world.dispatcher.id, now=NOW)
    assert submit(world, new).state is RequestState.ACCEPTED


def test_a_form_that_is_sent_many_times_at_once_is_one_request(world: World) -> None:
    new = world.new_request()
    results = at_once(*[lambda: submit(world, new).id] * 8)
    assert failures(results) == []
    assert len(set(results)) == len(world.all(SupplyRequest)) == len(world.all(RequestLine)) == 1


@pytest.mark.parametrize("other", ["facility_id", "requested_by"])
def test_a_form_key_of_somebody_else_gives_nothing_away(world: World, other: str) -> None:
    new = world.new_request()
    submit(world, new)
    stranger = {"facility_id": world.hospital.id, "requested_by": world.courier.id}[other]
    with pytest.raises(NotFound):
        submit(world, world.new_request(form_key=new.form_key, **{other: stranger}))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quantity": 0}, "0-quantity"),
        ({"quantity": -5}, "0-quantity"),
        ({"quantity": LARGEST + 1}, "0-quantity"),
        ({"quantity": 199_999_999_999_998}, "0-quantity"),
        ({"needed_by": NOW}, "0-needed_by"),
        ({"needed_by": NOW - timedelta(days=1)}, "0-needed_by"),
        ({"needed_by": NOW + timedelta(days=367)}, "0-needed_by"),
        ({"stock_left": -1}, "0-stock_left"),
        ({"stock_left": 199_999_999_999_998}, "0-stock_left"),
        ({"kit_id": uuid4()}, "0-kit"),
    ],
)
def test_a_line_that_breaks_a_rule_is_refused_by_its_field(world: World, change: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        submit(world, world.new_request(world.new_line(**change)))
    assert list(refusal.value.fields) == [field]
    assert world.all(SupplyRequest) == []


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 1},
        {"quantity": LARGEST},
        {"needed_by": NOW + timedelta(seconds=1)},
        {"needed_by": NOW + timedelta(days=366)},
        {"stock_left": 10 * LARGEST},
    ],
)
def test_the_bounds_themselves_are_allowed(world: World, change: dict[str, Any]) -> None:
    submit(world, world.new_request(world.new_line(**change)))
    assert len(world.all(RequestLine)) == 1


def test_a_withdrawn_design_can_not_be_asked_for(world: World) -> None:
    world.withdraw(world.headband)
    with pytest.raises(Invalid) as refusal:
        submit(world, world.new_request(world.new_line(), world.new_line(kit_id=world.kit_of(world.kit).id)))
    assert list(refusal.value.fields) == ["0-kit"]


def test_every_problem_is_told_at_once(world: World) -> None:
    lines = world.new_line(), world.new_line(quantity=0, needed_by=NOW, stock_left=-1, kit_id=uuid4())
    with pytest.raises(Invalid) as refusal:
        submit(world, world.new_request(*lines, note="x" * 501))
    assert set(refusal.value.fields) == {"note", "1-quantity", "1-needed_by", "1-stock_left", "1-kit"}
    assert all(refusal.value.fields.values())


def test_a_request_for_nothing_is_refused(world: World) -> None:
    with pytest.raises(Invalid) as refusal:
        submit(world, world.new_request(lines=()))
    assert list(refusal.value.fields) == ["lines"]


def test_a_hub_declines_with_a_reason(world: World) -> None:
    request = submit(world, world.new_request())
    with world.database.changing() as session:
        row = session.get_one(SupplyRequest, request.id)
        service.decline(session, row, by=world.dispatcher.id, why=" No printers near you. ", now=NOW)
        assert history(session, row)[-1].why == "No printers near you."
    assert world.get(SupplyRequest, request.id).state is RequestState.DECLINED


def test_a_hub_does_not_decline_without_a_reason(world: World) -> None:
    request = submit(world, world.new_request())
    with pytest.raises(Invalid) as refusal, world.database.changing() as session:
        service.decline(session, session.get_one(SupplyRequest, request.id), by=world.dispatcher.id, why="  ", now=NOW)
    assert list(refusal.value.fields) == ["why"]
    assert world.get(SupplyRequest, request.id).state is RequestState.SUBMITTED


def test_a_request_that_has_ended_can_not_be_accepted(world: World) -> None:
    request = world.request()
    world.cancel(request)
    with pytest.raises(IllegalMove), world.database.changing() as session:
        service.accept(session, session.get_one(SupplyRequest, request.id), by=world.dispatcher.id, now=NOW)


def record(world: World, request: SupplyRequest, *delivered: int) -> RequestState:
    with world.database.changing() as session:
        lines = service.lines_of(session, request.id)
        known = {line.id: count for line, count in zip(lines, delivered, strict=False)}
        service.record_delivered(session, request.id, known, now=NOW)
        return session.get_one(SupplyRequest, request.id).state


@pytest.mark.parametrize(
    ("delivered", "state"),
    [
        ((), RequestState.ACCEPTED),
        ((10,), RequestState.ACCEPTED),
        ((10, 19), RequestState.ACCEPTED),
        ((0, 20), RequestState.ACCEPTED),
        ((10, 20), RequestState.FULFILLED),
        ((12, 25), RequestState.FULFILLED),
    ],
)
def test_a_request_is_fulfilled_when_every_line_has_its_items(
    world: World, delivered: tuple[int, ...], state: RequestState
) -> None:
    lines = world.new_line(quantity=10), world.new_line(quantity=20, needed_by=IN_A_WEEK + timedelta(days=1))
    request = submit(world, world.new_request(*lines))
    with world.database.changing() as session:
        service.accept(session, session.get_one(SupplyRequest, request.id), by=world.dispatcher.id, now=NOW)
    assert record(world, request, *delivered) is state


def test_what_comes_after_the_end_of_a_request_changes_nothing(world: World) -> None:
    request = world.request(10)
    world.cancel(request)
    assert record(world, request, 10) is RequestState.CANCELLED


def test_a_delivery_for_no_request_is_refused(world: World) -> None:
    with pytest.raises(NotFound), world.database.changing() as session:
        service.record_delivered(session, uuid4(), {}, now=NOW)


def test_the_urgent_comes_before_the_routine() -> None:
    assert [urgency.tier for urgency in (Urgency.CRITICAL, Urgency.SOON, Urgency.ROUTINE)] == [0, 1, 2]
