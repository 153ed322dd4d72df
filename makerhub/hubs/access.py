"""Who may see what hubs say of themselves, and who decides about it."""

from sqlalchemy import ColumnElement, and_, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from makerhub.hubs.models import HubProfile, HubState
from makerhub.people.access import action, everything, has_role, organisation_ids, visibility
from makerhub.people.models import Organisation, Person, Role

NEIGHBOURHOOD = (1.0, 2.0)
"""Degrees of latitude and of longitude: a hub that is not farther away in either is a neighbour, at some 100 km."""


@visibility(HubProfile)
def hub_profiles(person: Person) -> ColumnElement[bool]:
    """The hubs that work, sleep or are closed; proposals are seen by who made them and by who may accept them."""
    if has_role(person, Role.DISPATCHER, Role.ADMIN):
        return everything()
    is_public = col(HubProfile.state).not_in((HubState.PROPOSED, HubState.DECLINED, HubState.TAKEN_BACK))
    return or_(is_public, col(HubProfile.proposed_by) == person.id)


def its_dispatchers(person: Person) -> ColumnElement[bool]:
    """Dispatchers of that hub, and administrators."""
    if has_role(person, Role.ADMIN):
        return everything()
    return col(HubProfile.organisation_id).in_(organisation_ids(person, Role.DISPATCHER))


def its_neighbours(person: Person) -> ColumnElement[bool]:
    """Dispatchers of a hub within about 100 km, and administrators; never whoever proposed it."""
    of_somebody_else = col(HubProfile.proposed_by).is_distinct_from(person.id)
    if has_role(person, Role.ADMIN):
        return of_somebody_else
    proposed, mine = aliased(Organisation), aliased(Organisation)
    north, east = NEIGHBOURHOOD
    are_near = and_(
        func.abs(col(proposed.latitude) - col(mine.latitude)) <= north,
        func.abs(col(proposed.longitude) - col(mine.longitude)) <= east,
        col(mine.id).in_(organisation_ids(person, Role.DISPATCHER)),
    )
    neighbours = select(proposed.id).join(mine, are_near)
    return of_somebody_else & col(HubProfile.organisation_id).in_(neighbours)


def its_proposer(person: Person) -> ColumnElement[bool]:
    """Whoever proposed it."""
    return col(HubProfile.proposed_by) == person.id


DESCRIBE = action(HubProfile, "describe", its_dispatchers)
CHANGE_STATE = action(HubProfile, "let sleep, wake or close", its_dispatchers)
DECIDE = action(HubProfile, "decide about the proposal of", its_neighbours)
TAKE_PROPOSAL_BACK = action(HubProfile, "take back the proposal of", its_proposer)
