"""Who may see reports and decide about them: never the person whom they are about."""

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col

from makerhub.moderation.models import Report
from makerhub.people.access import action, everything, has_role, organisation_ids, visibility
from makerhub.people.models import Person, Role


@visibility(Report)
def reports(person: Person) -> ColumnElement[bool]:
    """One's own; whoever decides sees what was reported of others."""
    return or_(its_reporter(person), its_deciders(person))


def its_reporter(person: Person) -> ColumnElement[bool]:
    """Whoever reported it."""
    return col(Report.reporter_id) == person.id


def its_deciders(person: Person) -> ColumnElement[bool]:
    """Dispatchers of the hub, unless one of them is reported; administrators; nobody who is reported."""
    is_another = or_(col(Report.person_id).is_(None), col(Report.person_id) != person.id)
    at_hub = col(Report.hub_id).in_(organisation_ids(person, Role.DISPATCHER))
    mine = everything() if has_role(person, Role.ADMIN) else and_(at_hub, col(Report.for_administrators).is_(False))
    return and_(is_another, mine)


WITHDRAW = action(Report, "withdraw", its_reporter)
DECIDE = action(Report, "decide about", its_deciders)
