"""The double-entry ledger: every piece that was ever printed is in exactly one account."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlmodel import Session, col, func, select

from makerhub.errors import Invalid, translatable
from makerhub.stock.models import AccountKind, Entry, Lot


@dataclass(frozen=True)
class Account:
    """A place for pieces: a kind, and whose it is (a maker's reference, a hub's, a shipment's or a facility's id)."""

    kind: AccountKind
    of: UUID | None = None


PRODUCTION = Account(AccountKind.PRODUCTION)
SCRAP = Account(AccountKind.SCRAP)


class NotEnough(Invalid):
    """An account holds fewer pieces than are to be taken from it."""

    template = translatable("There are only %(there)s pieces, not %(wanted)s.")


@dataclass(frozen=True)
class Move:
    """`quantity` pieces of one print (of one lot, once they are in one) from one account to another."""

    attempt_id: UUID
    lot_id: UUID | None
    source: Account
    target: Account
    quantity: int
    why: str


def post(session: Session, transfer: Move, *, now: datetime) -> None:
    """Write the two sides of a transfer, which sum to zero; a quantity of 0 writes nothing.

    Raises `NotEnough` when the source would go below zero; only `PRODUCTION` may.
    """
    if transfer.quantity < 0:
        raise ValueError("a transfer moves a positive quantity; swap its accounts instead")
    if transfer.quantity == 0:
        return
    if transfer.source.kind is not AccountKind.PRODUCTION:
        _require(session, transfer)
    transfer_id = uuid4()
    session.add_all(
        Entry(
            transfer_id=transfer_id,
            attempt_id=transfer.attempt_id,
            lot_id=transfer.lot_id,
            account=account.kind,
            account_of=account.of,
            quantity=quantity,
            at=now,
            why=transfer.why,
        )
        for account, quantity in ((transfer.source, -transfer.quantity), (transfer.target, transfer.quantity))
    )
    session.flush()


def balance(session: Session, lot_id: UUID, account: Account) -> int:
    """How many pieces of the lot the account holds."""
    entries = select(func.coalesce(func.sum(Entry.quantity), 0)).where(
        Entry.lot_id == lot_id, Entry.account == account.kind, _is(account)
    )
    return int(session.exec(entries).one())


def balances(session: Session, lot_id: UUID) -> Mapping[Account, int]:
    """Where the pieces of the lot are now."""
    entries = select(Entry.account, Entry.account_of, func.sum(Entry.quantity)).where(Entry.lot_id == lot_id)
    rows = session.exec(entries.group_by(col(Entry.account), col(Entry.account_of))).all()
    return {Account(AccountKind(kind), of): int(total) for kind, of, total in rows if total}


def _require(session: Session, transfer: Move) -> None:
    if transfer.lot_id is None:
        raise ValueError("pieces leave an account by their lot")
    session.exec(select(Lot.id).where(Lot.id == transfer.lot_id).with_for_update()).one()
    there = balance(session, transfer.lot_id, transfer.source)
    if there < transfer.quantity:
        raise NotEnough(there=there, wanted=transfer.quantity)


def _is(account: Account) -> bool:
    column = col(Entry.account_of)
    return column.is_(None) if account.of is None else column == account.of  # type: ignore[return-value]
