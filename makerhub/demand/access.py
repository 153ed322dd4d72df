"""Who may see supply requests and act on them: the facility that asks, whoever called for it, the hub that is asked."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from makerhub.demand.models import SupplyRequest, TelephoneCall
from makerhub.facilities.models import FacilityMerge
from makerhub.people.access import action, everything, has_role, organisation_ids, visibility
from makerhub.people.models import JoinRequest, Organisation, OrganisationKind, Person, Role


@visibility(SupplyRequest)
def supply_requests(person: Person) -> ColumnElement[bool]:
    """One's facilities' requests as a requester, those for which one called, one's hubs' as a dispatcher."""
    return everything() if has_role(person, Role.ADMIN) else or_(who_asks(person), its_dispatchers(person))


def its_requesters(person: Person) -> ColumnElement[bool]:
    """Requesters of the facility that asks."""
    return col(SupplyRequest.facility_id).in_(organisation_ids(person, Role.REQUESTER))


def who_asks(person: Person) -> ColumnElement[bool]:
    """Requesters of the facility that asks, and whoever asked on the telephone and left the own address."""
    return or_(its_requesters(person), col(SupplyRequest.id).in_(asked_by_telephone(person)))


def asked_by_telephone(person: Person) -> SelectOfScalar[UUID]:
    """The requests for which the person called."""
    return select(TelephoneCall.request_id).where(TelephoneCall.email == person.email)


def its_dispatchers(person: Person) -> ColumnElement[bool]:
    """Dispatchers of the hub that is asked."""
    return col(SupplyRequest.hub_id).in_(organisation_ids(person, Role.DISPATCHER))


FOLLOW = action(SupplyRequest, "follow for one's facility", who_asks)
CANCEL = action(SupplyRequest, "cancel", who_asks)
DISPATCH = action(SupplyRequest, "work on", its_dispatchers)
ACCEPT = action(SupplyRequest, "accept", its_dispatchers)
DECLINE = action(SupplyRequest, "decline", its_dispatchers)
PACK = action(SupplyRequest, "pack for", its_dispatchers)


@visibility(TelephoneCall)
def telephone_calls(person: Person) -> ColumnElement[bool]:
    """Who called is for the dispatchers of the hub that was called, and for whoever it was."""
    asked = select(SupplyRequest.id).where(its_dispatchers(person))
    return or_(col(TelephoneCall.request_id).in_(asked), col(TelephoneCall.email) == person.email)


def _their_dispatchers(person: Person) -> ColumnElement[bool]:
    """Dispatchers of the hub that was called."""
    return col(TelephoneCall.request_id).in_(select(SupplyRequest.id).where(its_dispatchers(person)))


ANSWER_CALLER = action(TelephoneCall, "give a new code or link for", _their_dispatchers)


def of_facilities_that_ask(person: Person) -> ColumnElement[bool]:
    """Dispatchers of a hub that the facility asks, and administrators."""
    asking = select(SupplyRequest.facility_id).where(its_dispatchers(person))
    mine = select(FacilityMerge.merged_id).where(col(FacilityMerge.kept_id).in_(asking))
    is_facility = col(Organisation.kind).in_((OrganisationKind.HOSPITAL, OrganisationKind.CARE_HOME))
    if has_role(person, Role.ADMIN):
        return is_facility
    return and_(is_facility, or_(col(Organisation.id).in_(asking), col(Organisation.id).in_(mine)))


VERIFY = action(Organisation, "prove", of_facilities_that_ask)


@visibility(JoinRequest)
def join_requests(person: Person) -> ColumnElement[bool]:
    """One's own, and those that one may answer."""
    return or_(col(JoinRequest.person_id) == person.id, may_answer(person))


def may_answer(person: Person) -> ColumnElement[bool]:
    """Dispatchers of the hub; for a facility its requesters, and the dispatchers whom it asks (if nobody: all)."""
    to_facility = col(JoinRequest.role) == Role.REQUESTER
    colleagues = col(JoinRequest.organisation_id).in_(organisation_ids(person, Role.REQUESTER))
    mine = col(JoinRequest.organisation_id).in_(organisation_ids(person, Role.DISPATCHER))
    if not has_role(person, Role.DISPATCHER):
        return and_(to_facility, colleagues)
    asks_me = col(JoinRequest.organisation_id).in_(select(SupplyRequest.facility_id).where(its_dispatchers(person)))
    asks_nobody = col(JoinRequest.organisation_id).not_in(select(SupplyRequest.facility_id))
    return or_(mine, and_(to_facility, or_(colleagues, asks_me, asks_nobody)))


def its_own(person: Person) -> ColumnElement[bool]:
    """Whoever asked."""
    return col(JoinRequest.person_id) == person.id


ANSWER = action(JoinRequest, "answer", may_answer)
TAKE_BACK = action(JoinRequest, "take back", its_own)
