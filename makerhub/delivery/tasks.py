"""What delivery does in the background: end the pickups whose time is over."""

from makerhub.background import task
from makerhub.db import Clock, Database
from makerhub.delivery import pickups


@task
def end_lapsed_pickups(database: Database, clock: Clock) -> None:
    """Cancel pickups to which nobody came in time, so that their maker can ask again."""
    with database.changing() as session:
        pickups.end_lapsed(session, clock())
