"""Who may see shipments and pickups and act on them: the hub, the two ends, and the courier."""

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select

from makerhub.delivery.models import AddressView, Pickup, PickupState, Shipment, ShipmentState
from makerhub.demand.access import asked_by_telephone
from makerhub.demand.models import SupplyRequest
from makerhub.people.access import action, everything, has_role, organisation_ids, visibility
from makerhub.people.blocks import apart_from
from makerhub.people.models import Person, Role


@visibility(Shipment)
def shipments(person: Person) -> ColumnElement[bool]:
    """A courier sees what waits at the own hub, and what he or she carries; hub and facility see all of theirs."""
    if has_role(person, Role.ADMIN):
        return everything()
    return or_(may_take(person), its_courier(person), its_dispatchers(person), its_requesters(person))


def may_take(person: Person) -> ColumnElement[bool]:
    """Couriers of the hub where it waits, unless they and whoever asked for it are kept apart."""
    at_my_hubs = col(Shipment.hub_id).in_(organisation_ids(person, Role.COURIER))
    theirs = select(SupplyRequest.id).where(col(SupplyRequest.requested_by).in_(apart_from(person.id)))
    may_meet = col(Shipment.request_id).not_in(theirs)
    return and_(col(Shipment.state) == ShipmentState.PACKED, at_my_hubs, may_meet)


def its_courier(person: Person) -> ColumnElement[bool]:
    """The courier who carries it, or has brought it."""
    return col(Shipment.courier_id) == person.id


def its_dispatchers(person: Person) -> ColumnElement[bool]:
    """Dispatchers of the hub that sends it."""
    return col(Shipment.hub_id).in_(organisation_ids(person, Role.DISPATCHER))


def its_requesters(person: Person) -> ColumnElement[bool]:
    """Requesters of the facility that gets it, and whoever asked for it on the telephone."""
    at_mine = col(Shipment.facility_id).in_(organisation_ids(person, Role.REQUESTER))
    return or_(at_mine, col(Shipment.request_id).in_(asked_by_telephone(person)))


def _its_couriers(person: Person) -> ColumnElement[bool]:
    """Couriers of the hub where it waits, and the one who carries it."""
    return or_(may_take(person), its_courier(person))


LOOK = action(Shipment, "look at as a courier", _its_couriers)
TAKE = action(Shipment, "take", _its_couriers)
CARRY = action(Shipment, "hand over", its_courier)
CONFIRM = action(Shipment, "confirm the arrival of", its_requesters)
DISPATCH = action(Shipment, "work on", its_dispatchers)
UNPACK = action(Shipment, "unpack", its_dispatchers)


@visibility(Pickup)
def pickups(person: Person) -> ColumnElement[bool]:
    """One's own as a maker, those given to oneself as a courier, and those of one's hubs as a dispatcher."""
    return or_(_its_maker(person), _sent_courier(person), _hub_dispatchers(person))


def _its_maker(person: Person) -> ColumnElement[bool]:
    """The maker who asked for it."""
    return col(Pickup.maker_id) == person.id


def _sent_courier(person: Person) -> ColumnElement[bool]:
    """The courier to whom it was given."""
    return and_(col(Pickup.courier_id) == person.id, col(Pickup.state) != PickupState.CANCELLED)


def _hub_dispatchers(person: Person) -> ColumnElement[bool]:
    """Dispatchers of the hub that fetches."""
    return col(Pickup.hub_id).in_(organisation_ids(person, Role.DISPATCHER))


def _who_has_to_do_with_it(person: Person) -> ColumnElement[bool]:
    """The courier to whom it was given, and dispatchers of the hub that fetches."""
    return or_(_sent_courier(person), _hub_dispatchers(person))


LOOK_AT_PICKUP = action(Pickup, "look at", _who_has_to_do_with_it)
GIVE_PICKUP = action(Pickup, "give to a courier", _hub_dispatchers)
FETCH = action(Pickup, "fetch", _sent_courier)
CANCEL_PICKUP = action(Pickup, "cancel", _its_maker)


@visibility(AddressView)
def address_views(person: Person) -> ColumnElement[bool]:
    """Who was shown one's own address."""
    return col(AddressView.maker_id) == person.id
