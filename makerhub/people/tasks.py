"""What happens to people's data in the background: sign-ins that ran out are forgotten."""

from makerhub.background import task
from makerhub.db import Clock, Database
from makerhub.people.service import forget_expired_sign_ins


@task
def forget_sign_ins(database: Database, clock: Clock) -> None:
    """Delete the browser sessions that ran out."""
    with database.changing() as session:
        forget_expired_sign_ins(session, clock())
