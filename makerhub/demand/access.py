"""Who may see supply requests and act on them: the facility that asks, the hub that is asked."""

from sqlalchemy import ColumnElement, or_
from sqlmodel import col

from makerhub.demand.models import SupplyRequest
from makerhub.people.access import action, everything, has_role, organisation_ids, visibility
from makerhub.people.models import Person, Role


@visibility(SupplyRequest)
def supply_requests(person: Person) -> ColumnElement[bool]:
    """One's facilities' requests as a requester, one's hubs' as a dispatcher."""
    return everything() if has_role(person, Role.ADMIN) else or_(its_requesters(person), its_dispatchers(person))


def its_requesters(person: Person) -> ColumnElement[bool]:
    """Requesters of the facility that asks."""
    return col(SupplyRequest.facility_id).in_(organisation_ids(person, Role.REQUESTER))


def its_dispatchers(person: Person) -> ColumnElement[bool]:
    """Dispatchers of the hub that is asked."""
    return col(SupplyRequest.hub_id).in_(organisation_ids(person, Role.DISPATCHER))


FOLLOW = action(SupplyRequest, "follow for one's facility", its_requesters)
CANCEL = action(SupplyRequest, "cancel", its_requesters)
DISPATCH = action(SupplyRequest, "work on", its_dispatchers)
ACCEPT = action(SupplyRequest, "accept", its_dispatchers)
DECLINE = action(SupplyRequest, "decline", its_dispatchers)
PACK = action(SupplyRequest, "pack for", its_dispatchers)
