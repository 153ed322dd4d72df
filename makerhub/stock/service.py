"""The use cases of stock: a counted print becomes a lot, the hub inspects it, and pieces move by the ledger."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, func, select

from makerhub.errors import Invalid, translatable
from makerhub.lifecycle import begin, move
from makerhub.production import service as production
from makerhub.production.models import Attempt
from makerhub.stock.ledger import PRODUCTION, SCRAP, Account, Move, balance, post
from makerhub.stock.models import AccountKind, Entry, Inspection, Lot, LotState

LABEL_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LABEL_LENGTH = 10
LONGEST_NOTE = 500


def count_print(session: Session, attempt: Attempt, *, good: int, by: UUID, now: datetime) -> Lot | None:
    """Book a finished print: `good` pieces become a lot at its maker, the others are scrap.

    Returns the lot, or None when nothing was good. Raises `Invalid` for a count that can not be.
    """
    job = production.count(session, attempt, good=good, by=by, now=now)
    lot = None
    if good:
        lot = Lot(
            label=_new_label(),
            hub_id=job.hub_id,
            attempt_id=attempt.id,
            part_id=job.part_id,
            maker_reference=attempt.maker_reference,
            quantity=good,
            made_at=now,
        )
        begin(session, lot, now=now, by=by)
        maker = Account(AccountKind.MAKER, attempt.maker_reference)
        post(session, Move(attempt.id, lot.id, PRODUCTION, maker, good, "counted good"), now=now)
    post(session, Move(attempt.id, None, PRODUCTION, SCRAP, job.copies - good, "counted bad"), now=now)
    return lot


def inspect(session: Session, lot: Lot, *, passed: int, note: str = "", by: UUID, now: datetime) -> Inspection:
    """The hub checks a lot that its maker brought: `passed` pieces go into its stock, the others are scrap."""
    if not 0 <= passed <= lot.quantity:
        problem = translatable("Enter how many passed: from 0 to the number in the lot.")
        raise Invalid(fields={"passed": problem})
    if len(note.strip()) > LONGEST_NOTE:
        raise Invalid(fields={"note": translatable("Keep the note under 500 characters.")})
    move(session, lot, LotState.PASSED if passed else LotState.REJECTED, now=now, by=by)
    inspection = Inspection(
        lot_id=lot.id, inspected_by=by, passed=passed, rejected=lot.quantity - passed, note=note.strip(), at=now
    )
    session.add(inspection)
    maker, hub = Account(AccountKind.MAKER, lot.maker_reference), Account(AccountKind.HUB, lot.hub_id)
    post(session, Move(lot.attempt_id, lot.id, maker, hub, passed, "passed the check"), now=now)
    post(session, Move(lot.attempt_id, lot.id, maker, SCRAP, inspection.rejected, "did not pass the check"), now=now)
    return inspection


def set_aside(session: Session, lot: Lot, *, why: str, now: datetime) -> None:
    """A lot is recalled: what is left of it stays where it is and goes to nobody."""
    move(session, lot, LotState.RECALLED, now=now, why=why)


def put_back(session: Session, lot: Lot, *, shipment_id: UUID, quantity: int, now: datetime) -> None:
    """Pieces of a shipment that never left lie in their hub's stock again."""
    shipment, hub = Account(AccountKind.SHIPMENT, shipment_id), Account(AccountKind.HUB, lot.hub_id)
    post(session, Move(lot.attempt_id, lot.id, shipment, hub, quantity, "unpacked"), now=now)


def ship(session: Session, lot: Lot, *, shipment_id: UUID, quantity: int, now: datetime) -> None:
    """Pieces leave the hub in a shipment."""
    hub, shipment = Account(AccountKind.HUB, lot.hub_id), Account(AccountKind.SHIPMENT, shipment_id)
    post(session, Move(lot.attempt_id, lot.id, hub, shipment, quantity, "shipped"), now=now)


def deliver(session: Session, lot: Lot, *, shipment_id: UUID, facility_id: UUID, quantity: int, now: datetime) -> None:
    """Pieces of a shipment are at the facility."""
    shipment, facility = Account(AccountKind.SHIPMENT, shipment_id), Account(AccountKind.FACILITY, facility_id)
    post(session, Move(lot.attempt_id, lot.id, shipment, facility, quantity, "delivered"), now=now)


def hand_on(session: Session, source: UUID, target: UUID, *, now: datetime) -> list[str]:
    """Book all that lies at one facility to another, since the two are the same; returns “lot:pieces” for each lot."""
    held = (
        select(Entry.lot_id, func.sum(Entry.quantity))
        .where(Entry.account == AccountKind.FACILITY, Entry.account_of == source)
        .group_by(col(Entry.lot_id))
    )
    return [
        _hand(session, lot_id, int(pieces), source, target, now)
        for lot_id, pieces in sorted(session.exec(held).all(), key=lambda row: str(row[0]))
        if lot_id is not None and pieces > 0
    ]


def hand_back(session: Session, source: UUID, target: UUID, handed_on: Sequence[str], *, now: datetime) -> None:
    """Book back what `hand_on` returned."""
    for line in handed_on:
        lot_id, _, pieces = line.partition(":")
        _hand(session, UUID(lot_id), int(pieces), source, target, now)


def _hand(session: Session, lot_id: UUID, pieces: int, source: UUID, target: UUID, now: datetime) -> str:
    lot = session.get_one(Lot, lot_id)
    there, here = Account(AccountKind.FACILITY, source), Account(AccountKind.FACILITY, target)
    post(session, Move(lot.attempt_id, lot.id, there, here, pieces, "facilities merged"), now=now)
    return f"{lot.id}:{pieces}"


def at_hub(session: Session, lot: Lot) -> int:
    """How many pieces of the lot lie in its hub's stock."""
    return balance(session, lot.id, Account(AccountKind.HUB, lot.hub_id))


def lots_in(session: Session, state: LotState, hub_id: UUID | None = None) -> Sequence[Lot]:
    """The lots in a state, of one hub or of all, the oldest first."""
    wanted = select(Lot).where(Lot.state == state)
    if hub_id is not None:
        wanted = wanted.where(Lot.hub_id == hub_id)
    return session.exec(wanted.order_by(col(Lot.made_at), col(Lot.id))).all()


def lot_by_label(session: Session, label: str) -> Lot | None:
    """The lot with this label, however its letters, spaces and hyphens were typed."""
    typed = "".join(character for character in label.upper() if character in LABEL_ALPHABET)
    return session.exec(select(Lot).where(Lot.label == typed)).first()


def _new_label() -> str:
    """Ten letters and figures that can't be mistaken for one another: 30^10, about 49 bits."""
    return "".join(secrets.choice(LABEL_ALPHABET) for _ in range(LABEL_LENGTH))
