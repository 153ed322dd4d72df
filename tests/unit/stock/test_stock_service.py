import re

import pytest
from builders import NOW, World, at_once, failures, organisation

from makerhub.errors import IllegalMove, Invalid, MovedMeanwhile
from makerhub.people.models import OrganisationKind
from makerhub.production.models import Attempt, AttemptState
from makerhub.stock import service
from makerhub.stock.ledger import PRODUCTION, SCRAP, Account, balances
from makerhub.stock.models import AccountKind, Entry, Inspection, Lot, LotState


def count(world: World, attempt: Attempt, good: int) -> Lot | None:
    with world.database.changing() as session:
        return service.count_print(session, session.get_one(Attempt, attempt.id), good=good, by=world.maker.id, now=NOW)


def whereabouts(world: World, lot: Lot) -> dict[AccountKind, int]:
    with world.database.reading() as session:
        return {account.kind: pieces for account, pieces in balances(session, lot.id).items()}


def test_a_counted_print_becomes_a_lot_at_its_maker(world: World) -> None:
    attempt = world.attempt(AttemptState.FINISHED, job=world.job(5))
    lot = count(world, attempt, 3)
    assert lot is not None
    assert (lot.quantity, lot.state, lot.hub_id, lot.made_at) == (3, LotState.AT_MAKER, world.hub.id, NOW)
    assert (lot.attempt_id, lot.maker_reference) == (attempt.id, world.maker.maker_reference)
    assert lot.part_id == world.part(world.headband).id
    assert whereabouts(world, lot) == {AccountKind.PRODUCTION: -3, AccountKind.MAKER: 3}


def test_what_is_not_good_is_scrap(world: World) -> None:
    attempt = world.attempt(AttemptState.FINISHED, job=world.job(5))
    count(world, attempt, 3)
    scrap = [entry for entry in world.all(Entry) if entry.account is SCRAP.kind]
    assert [(entry.quantity, entry.lot_id, entry.attempt_id) for entry in scrap] == [(2, None, attempt.id)]
    made = [entry.quantity for entry in world.all(Entry) if entry.account is PRODUCTION.kind]
    assert sum(made) == -5


def test_a_print_of_which_nothing_is_good_makes_no_lot(world: World) -> None:
    attempt = world.attempt(AttemptState.FINISHED, job=world.job(5))
    assert count(world, attempt, 0) is None
    assert world.all(Lot) == []
    assert sorted(entry.quantity for entry in world.all(Entry)) == [-5, 5]


def test_a_print_of_which_all_is_good_makes_no_scrap(world: World) -> None:
    count(world, world.attempt(AttemptState.FINISHED, job=world.job(5)), 5)
    assert {entry.account for entry in world.all(Entry)} == {AccountKind.PRODUCTION, AccountKind.MAKER}


@pytest.mark.parametrize("good", [-1, 6])
def test_a_count_that_can_not_be_books_nothing(world: World, good: int) -> None:
    attempt = world.attempt(AttemptState.FINISHED, job=world.job(5))
    with pytest.raises(Invalid):
        count(world, attempt, good)
    assert world.all(Entry) == []
    assert world.get(Attempt, attempt.id).state is AttemptState.FINISHED


def test_a_print_that_is_counted_many_times_at_once_is_booked_once(world: World) -> None:
    attempt = world.attempt(AttemptState.FINISHED, job=world.job(5))
    with world.database.reading() as session:
        seen = session.get_one(Attempt, attempt.id)

    def count_it() -> None:
        with world.database.changing() as session:
            service.count_print(session, session.merge(seen, load=False), good=5, by=world.maker.id, now=NOW)

    results = at_once(*[count_it] * 6)
    assert failures(results) == [MovedMeanwhile] * 5
    assert [lot.quantity for lot in world.all(Lot)] == [5]
    assert len(world.all(Entry)) == 2


def test_every_lot_has_a_label_that_can_be_read_aloud(world: World) -> None:
    labels = {world.lot_at_maker(1).label for _ in range(5)}
    assert len(labels) == 5
    assert all(re.fullmatch("[2-9A-HJKMNP-TV-Z]{10}", label) for label in labels)


@pytest.mark.parametrize("typed", ["{}", " {} ", "{} \n", "lower", "spaced", "hyphened"])
def test_a_label_is_found_however_it_was_typed(world: World, typed: str) -> None:
    lot = world.lot_at_maker(1)
    label = lot.label
    text = {
        "lower": label.lower(),
        "spaced": f"{label[:5]} {label[5:]}",
        "hyphened": f"{label[:5]}-{label[5:]}",
    }.get(typed, typed.format(label))
    with world.database.reading() as session:
        found = service.lot_by_label(session, text)
    assert found is not None
    assert found.id == lot.id


@pytest.mark.parametrize("typed", ["", "   ", "2222222222", "%", "x" * 1000])
def test_no_lot_is_found_under_another_label(world: World, typed: str) -> None:
    world.lot_at_maker(1)
    with world.database.reading() as session:
        assert service.lot_by_label(session, typed) is None


def inspect(world: World, lot: Lot, passed: int, note: str = "") -> Inspection:
    with world.database.changing() as session:
        row = session.get_one(Lot, lot.id)
        return service.inspect(session, row, passed=passed, note=note, by=world.dispatcher.id, now=NOW)


@pytest.mark.parametrize(
    ("passed", "state", "places"),
    [
        (4, LotState.PASSED, {AccountKind.HUB: 4}),
        (3, LotState.PASSED, {AccountKind.HUB: 3, AccountKind.SCRAP: 1}),
        (0, LotState.REJECTED, {AccountKind.SCRAP: 4}),
    ],
)
def test_the_hub_keeps_what_passed_and_scraps_the_rest(
    world: World, passed: int, state: LotState, places: dict[AccountKind, int]
) -> None:
    lot = world.lot_at_maker(4)
    inspection = inspect(world, lot, passed, " one has warped ")
    assert (inspection.passed, inspection.rejected, inspection.note) == (passed, 4 - passed, "one has warped")
    assert (inspection.inspected_by, inspection.at) == (world.dispatcher.id, NOW)
    assert world.get(Lot, lot.id).state is state
    assert whereabouts(world, lot) == {AccountKind.PRODUCTION: -4} | places
    with world.database.reading() as session:
        assert service.at_hub(session, lot) == passed


@pytest.mark.parametrize(("passed", "note", "field"), [(-1, "", "passed"), (5, "", "passed"), (4, "x" * 501, "note")])
def test_an_inspection_that_can_not_be_is_refused_by_its_field(
    world: World, passed: int, note: str, field: str
) -> None:
    lot = world.lot_at_maker(4)
    with pytest.raises(Invalid) as refusal:
        inspect(world, lot, passed, note)
    assert list(refusal.value.fields) == [field]
    assert world.get(Lot, lot.id).state is LotState.AT_MAKER


def test_a_lot_is_inspected_once(world: World) -> None:
    lot = world.lot(3, good=4)
    with pytest.raises(IllegalMove):
        inspect(world, lot, 4)
    with world.database.reading() as session:
        assert service.at_hub(session, lot) == 3


def test_lots_come_the_oldest_first_and_of_one_hub(world: World) -> None:
    first, second = world.lot(1), world.lot(1)
    waiting = world.lot_at_maker(1)
    with world.database.changing() as session:
        elsewhere = organisation(session, OrganisationKind.HUB, "Elsewhere Hub")
    with world.database.reading() as session:
        passed = service.lots_in(session, LotState.PASSED, world.hub.id)
        assert {lot.id for lot in passed} == {first.id, second.id}
        assert [lot.made_at for lot in passed] == sorted(lot.made_at for lot in passed)
        assert [lot.id for lot in service.lots_in(session, LotState.AT_MAKER)] == [waiting.id]
        assert service.lots_in(session, LotState.PASSED, elsewhere.id) == []


def test_shipped_and_delivered_pieces_change_their_account(world: World) -> None:
    request, lot = world.request(), world.lot(4)
    shipment = world.deliver(request, lot, 3)
    assert whereabouts(world, lot) == {
        AccountKind.PRODUCTION: -4,
        AccountKind.HUB: 1,
        AccountKind.FACILITY: 3,
    }
    with world.database.reading() as session:
        assert balances(session, lot.id)[Account(AccountKind.FACILITY, shipment.facility_id)] == 3
