"""What is over is forgotten in the background, each kind in a transaction of its own."""

import logging

from makerhub.background import task
from makerhub.config import Settings
from makerhub.db import Clock, Database
from makerhub.privacy.retention import KEPT

log = logging.getLogger(__name__)


@task
def forget_what_is_over(database: Database, settings: Settings, clock: Clock) -> None:
    """Forget what is older than its period; the log says how much of what, and of whom nothing."""
    now = clock()
    for kept in KEPT:
        if kept.forget is None:
            continue
        with database.changing() as session:
            count = kept.forget(session, now, kept.ends_before(settings, now))
        if count:
            log.info("Forgotten after %s %s: %s × %s", kept.period(settings), kept.setting, count, kept.what)
