from uuid import UUID, uuid4

import pytest
from builders import NOW, World, at_once, failures
from sqlmodel import func, select

from makerhub.stock.ledger import PRODUCTION, SCRAP, Account, Move, NotEnough, balance, balances, post
from makerhub.stock.models import AccountKind, Entry, Lot


def maker(lot: Lot) -> Account:
    return Account(AccountKind.MAKER, lot.maker_reference)


def hub(lot: Lot) -> Account:
    return Account(AccountKind.HUB, lot.hub_id)


def transfer(world: World, lot: Lot, source: Account, target: Account, quantity: int) -> None:
    with world.database.changing() as session:
        post(session, Move(lot.attempt_id, lot.id, source, target, quantity, "a test"), now=NOW)


def held(world: World, lot: Lot, account: Account) -> int:
    with world.database.reading() as session:
        return balance(session, lot.id, account)


def test_a_transfer_has_two_sides_that_sum_to_zero(world: World) -> None:
    lot = world.lot_at_maker(4)
    before = len(world.all(Entry))
    transfer(world, lot, maker(lot), hub(lot), 3)
    sides = world.all(Entry)[before:]
    assert sorted(side.quantity for side in sides) == [-3, 3]
    assert len({side.transfer_id for side in sides}) == 1
    assert {(side.lot_id, side.attempt_id, side.why, side.at) for side in sides} == {
        (lot.id, lot.attempt_id, "a test", NOW)
    }


def test_a_balance_is_the_sum_of_its_entries(world: World) -> None:
    lot = world.lot_at_maker(4)
    transfer(world, lot, maker(lot), hub(lot), 3)
    transfer(world, lot, hub(lot), maker(lot), 1)
    assert (held(world, lot, maker(lot)), held(world, lot, hub(lot))) == (2, 2)
    with world.database.reading() as session:
        assert balances(session, lot.id) == {PRODUCTION: -4, maker(lot): 2, hub(lot): 2}


def test_an_empty_account_is_not_among_the_balances(world: World) -> None:
    lot = world.lot_at_maker(4)
    transfer(world, lot, maker(lot), hub(lot), 4)
    with world.database.reading() as session:
        assert balances(session, lot.id) == {PRODUCTION: -4, hub(lot): 4}


def test_accounts_of_the_same_kind_are_kept_apart(world: World) -> None:
    lot = world.lot_at_maker(4)
    one, other = Account(AccountKind.SHIPMENT, uuid4()), Account(AccountKind.SHIPMENT, uuid4())
    transfer(world, lot, maker(lot), one, 3)
    assert (held(world, lot, one), held(world, lot, other)) == (3, 0)


def test_a_lot_knows_nothing_of_other_lots(world: World) -> None:
    first, second = world.lot_at_maker(4), world.lot_at_maker(3)
    transfer(world, first, maker(first), hub(first), 4)
    assert held(world, second, maker(second)) == 3
    assert held(world, second, hub(second)) == 0


@pytest.mark.parametrize("quantity", [5, 10**9])
def test_no_account_goes_below_zero(world: World, quantity: int) -> None:
    lot = world.lot_at_maker(4)
    with pytest.raises(NotEnough) as refusal:
        transfer(world, lot, maker(lot), hub(lot), quantity)
    assert refusal.value.values == {"there": 4, "wanted": quantity}
    assert held(world, lot, maker(lot)) == 4


def test_of_many_who_take_at_once_nobody_takes_what_is_not_there(world: World) -> None:
    lot = world.lot_at_maker(10)
    results = at_once(*[lambda: transfer(world, lot, maker(lot), hub(lot), 3)] * 8)
    assert results.count(None) == 3
    assert failures(results) == [NotEnough] * 5
    assert (held(world, lot, maker(lot)), held(world, lot, hub(lot))) == (1, 9)


def test_nothing_moves_nothing(world: World) -> None:
    lot = world.lot_at_maker(4)
    before = world.all(Entry)
    transfer(world, lot, maker(lot), hub(lot), 0)
    transfer(world, lot, Account(AccountKind.HUB, uuid4()), hub(lot), 0)
    assert world.all(Entry) == before


def test_a_negative_quantity_is_a_mistake_of_the_program(world: World) -> None:
    lot = world.lot_at_maker(4)
    with pytest.raises(ValueError, match="swap its accounts"):
        transfer(world, lot, maker(lot), hub(lot), -1)


def test_pieces_without_a_lot_can_not_leave_an_account(world: World) -> None:
    lot = world.lot_at_maker(4)
    nameless = Move(lot.attempt_id, None, SCRAP, maker(lot), 1, "a test")
    with pytest.raises(ValueError, match="by their lot"), world.database.changing() as session:
        post(session, nameless, now=NOW)


def test_all_entries_of_a_world_sum_to_zero(world: World) -> None:
    request = world.request(6)
    world.deliver(request, world.lot(3, good=4, copies=5), 3)
    with world.database.reading() as session:
        transfers = session.exec(select(Entry.transfer_id, func.sum(Entry.quantity)).group_by(Entry.transfer_id)).all()  # type: ignore[arg-type]
    assert [total for _, total in transfers] == [0] * len(transfers)
    assert len(transfers) == 6  # good, bad, passed, rejected, shipped, delivered


def test_the_balance_of_an_unknown_lot_is_nothing(world: World) -> None:
    with world.database.reading() as session:
        assert balance(session, UUID(int=0), SCRAP) == 0
        assert balances(session, UUID(int=0)) == {}
