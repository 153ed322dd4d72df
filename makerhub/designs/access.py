"""Who may see what is handed in: whoever sent it, and those who look after the hub that it was sent to."""

from sqlalchemy import ColumnElement, or_
from sqlmodel import col

from makerhub.designs.models import Upload
from makerhub.people.access import organisation_ids, visibility
from makerhub.people.models import Person, Role


@visibility(Upload)
def uploads(person: Person) -> ColumnElement[bool]:
    """One's own, and those of the hubs where one reviews, dispatches or administers."""
    mine = col(Upload.uploaded_by) == person.id
    return or_(mine, col(Upload.hub_id).in_(organisation_ids(person, Role.REVIEWER, Role.DISPATCHER, Role.ADMIN)))
