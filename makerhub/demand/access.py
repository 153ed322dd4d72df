"""Who may see supply requests and act on them: the facility that asks, the hub that is asked."""

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select

from makerhub.demand.models import SupplyRequest
from makerhub.facilities.models import FacilityMerge
from makerhub.people.access import action, everything, has_role, organisation_ids, visibility
from makerhub.people.models import Organisation, OrganisationKind, Person, Role


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


def of_facilities_that_ask(person: Person) -> ColumnElement[bool]:
    """Dispatchers of a hub that the facility asks."""
    asking = select(SupplyRequest.facility_id).where(its_dispatchers(person))
    mine = select(FacilityMerge.merged_id).where(col(FacilityMerge.kept_id).in_(asking))
    is_facility = col(Organisation.kind).in_((OrganisationKind.HOSPITAL, OrganisationKind.CARE_HOME))
    return and_(is_facility, or_(col(Organisation.id).in_(asking), col(Organisation.id).in_(mine)))


VERIFY = action(Organisation, "prove", of_facilities_that_ask)
