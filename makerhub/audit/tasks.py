"""What happens to the log in the background: each day is sealed when it is over."""

from makerhub.audit.checkpoints import seal
from makerhub.background import task
from makerhub.config import Settings
from makerhub.db import Clock, Database


@task
def seal_the_day(database: Database, settings: Settings, clock: Clock) -> None:
    """Seal what was logged up to the last midnight."""
    seal(database, settings.checkpoints_directory, clock())
