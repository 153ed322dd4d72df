"""Leaving a hub, or being asked to: a role ends once nothing that only this person can finish is under way there."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from makerhub.delivery import pickups
from makerhub.delivery.models import Pickup, PickupState, Shipment, ShipmentState
from makerhub.errors import Invalid, translatable
from makerhub.hubs import service as hubs
from makerhub.hubs.models import HubProfile, HubState
from makerhub.people import service as people
from makerhub.people.models import Membership, Person, Role
from makerhub.printers import service as printers
from makerhub.printers.models import Printer, PrinterState
from makerhub.production import service as production
from makerhub.production.models import ON_THE_PRINTER, Attempt, AttemptState

LEFT = "the maker left the hub"


def in_the_way(session: Session, membership: Membership) -> str | None:
    """What has to come to its end before this role can end, as a sentence in English to translate; None for nothing."""
    match membership.role:
        case Role.MAKER:
            return _print_under_way(session, membership)
        case Role.COURIER:
            return _on_the_road(session, membership)
        case Role.DISPATCHER:
            return _without_successor(session, membership)
    return None


def end_role(session: Session, membership: Membership, *, by: UUID, now: datetime) -> None:
    """End one role of one person at a hub, with what hangs on it. Raises `Invalid` where something is in the way.

    A maker's printers there are taken back and what was offered to them goes to others; a courier's pickups go back to
    the hub. Whoever is no maker any more is on no map, and no address is kept.
    """
    problem = in_the_way(session, membership)
    if problem:
        raise Invalid(problem)
    if membership.role is Role.MAKER:
        _take_printers_back(session, membership, by, now)
    elif membership.role is Role.COURIER:
        for pickup in session.exec(_given(membership, PickupState.GIVEN)).all():
            pickups.give_back(session, pickup, by=by, now=now)
    people.take_membership(session, membership, now=now, by=by)
    session.flush()
    if membership.role is Role.MAKER and not _is_maker(session, membership.person_id):
        hubs.forget_cell(session, membership.person_id)
        pickups.remove_address(session, membership.person_id, now=now)


def printers_of(session: Session, person_id: UUID, hub_id: UUID) -> list[Printer]:
    """The printers of this person that make for this hub, by name."""
    mine = select(Printer).where(
        Printer.owner_id == person_id, Printer.hub_id == hub_id, Printer.state != PrinterState.RETIRED
    )
    return list(session.exec(mine.order_by(col(Printer.name), col(Printer.id))))


def _take_printers_back(session: Session, membership: Membership, by: UUID, now: datetime) -> None:
    for printer in printers_of(session, membership.person_id, membership.organisation_id):
        attempt = production.live_attempt(session, printer.id)
        if attempt is not None:
            production.withdraw(session, attempt, why=LEFT, now=now)
        printers.retire(session, printer, by=by, now=now)
    mine = pickups.open_pickup(session, membership.person_id)
    if mine is not None and mine.hub_id == membership.organisation_id:
        pickups.cancel(session, mine, why=LEFT, by=by, now=now)


def _print_under_way(session: Session, membership: Membership) -> str | None:
    mine = [printer.id for printer in printers_of(session, membership.person_id, membership.organisation_id)]
    busy = select(Attempt.id).where(
        col(Attempt.printer_id).in_(mine), col(Attempt.state).in_({*ON_THE_PRINTER, AttemptState.FINISHED})
    )
    if session.exec(busy.limit(1)).first() is None:
        return None
    return translatable("A print for this hub is under way or not counted yet: finish it first.")


def _on_the_road(session: Session, membership: Membership) -> str | None:
    carried = select(Shipment.id).where(
        Shipment.courier_id == membership.person_id,
        Shipment.hub_id == membership.organisation_id,
        Shipment.state == ShipmentState.IN_TRANSIT,
    )
    fetching = _given(membership, PickupState.UNDER_WAY).limit(1)
    if session.exec(carried.limit(1)).first() is None and session.exec(fetching).first() is None:
        return None
    return translatable("A delivery or a pickup of this hub is on its way: bring it first.")


def _without_successor(session: Session, membership: Membership) -> str | None:
    others = (
        select(func.count())
        .select_from(Membership)
        .join(Person, col(Person.id) == Membership.person_id)
        .where(
            Membership.organisation_id == membership.organisation_id,
            Membership.role == Role.DISPATCHER,
            Membership.person_id != membership.person_id,
            col(Person.active),
        )
    )
    lives = select(HubProfile.id).where(
        HubProfile.organisation_id == membership.organisation_id,
        col(HubProfile.state).in_((HubState.ACTIVE, HubState.SLEEPING)),
    )
    if session.exec(others).one() or session.exec(lives).first() is None:
        return None
    return translatable("The hub would be without a dispatcher: give somebody else the role first, or close the hub.")


def _given(membership: Membership, state: PickupState) -> SelectOfScalar[Pickup]:
    return select(Pickup).where(
        Pickup.courier_id == membership.person_id, Pickup.hub_id == membership.organisation_id, Pickup.state == state
    )


def _is_maker(session: Session, person_id: UUID) -> bool:
    held = select(Membership.id).where(Membership.person_id == person_id, Membership.role == Role.MAKER)
    return session.exec(held.limit(1)).first() is not None
