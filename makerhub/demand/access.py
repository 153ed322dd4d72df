"""Who may see supply requests: the facility that asks, the hub that is asked, and administrators."""

from sqlalchemy import ColumnElement, or_
from sqlmodel import col

from makerhub.demand.models import SupplyRequest
from makerhub.people.access import everything, has_role, organisation_ids, visibility
from makerhub.people.models import Person, Role


@visibility(SupplyRequest)
def supply_requests(person: Person) -> ColumnElement[bool]:
    """One's facilities' requests as a requester, one's hubs' as a dispatcher."""
    if has_role(person, Role.ADMIN):
        return everything()
    return or_(
        col(SupplyRequest.facility_id).in_(organisation_ids(person, Role.REQUESTER)),
        col(SupplyRequest.hub_id).in_(organisation_ids(person, Role.DISPATCHER)),
    )
