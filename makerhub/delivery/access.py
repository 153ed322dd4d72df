"""Who may see shipments: the hub, the facility, and the courier who may take or has taken them."""

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col

from makerhub.delivery.models import Shipment, ShipmentState
from makerhub.people.access import everything, has_role, organisation_ids, visibility
from makerhub.people.models import Person, Role


@visibility(Shipment)
def shipments(person: Person) -> ColumnElement[bool]:
    """A courier sees what waits at the own hub, and what he or she carries; hub and facility see all of theirs."""
    if has_role(person, Role.ADMIN):
        return everything()
    waiting = and_(
        col(Shipment.state) == ShipmentState.PACKED,
        col(Shipment.hub_id).in_(organisation_ids(person, Role.COURIER)),
    )
    return or_(
        waiting,
        col(Shipment.courier_id) == person.id,
        col(Shipment.hub_id).in_(organisation_ids(person, Role.DISPATCHER)),
        col(Shipment.facility_id).in_(organisation_ids(person, Role.REQUESTER)),
    )
