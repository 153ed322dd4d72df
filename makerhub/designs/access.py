"""Who may see what is handed in and decide about it: its sender, and those who look after the hub."""

from sqlalchemy import ColumnElement, or_
from sqlmodel import col

from makerhub.designs.models import Upload
from makerhub.people.access import action, organisation_ids, visibility
from makerhub.people.models import Person, Role


@visibility(Upload)
def uploads(person: Person) -> ColumnElement[bool]:
    """Whoever sent it; reviewers, dispatchers and administrators of the hub that it was sent to."""
    return or_(col(Upload.uploaded_by) == person.id, its_hub(person))


def its_hub(person: Person) -> ColumnElement[bool]:
    """Reviewers, dispatchers and administrators of the hub that it was sent to."""
    return col(Upload.hub_id).in_(organisation_ids(person, Role.REVIEWER, Role.DISPATCHER, Role.ADMIN))


ACCEPT = action(Upload, "accept", its_hub)
MEND = action(Upload, "have mended", uploads)
DISCARD = action(Upload, "discard", uploads)
