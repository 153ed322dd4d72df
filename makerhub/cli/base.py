"""What every group of commands needs."""

import click
from rich.console import Console

from makerhub.config import Settings
from makerhub.db import Database
from makerhub.migrations import is_current

console = Console()


def with_database(settings: Settings) -> Database:
    """The hub's database; ends the command when it is not at this version."""
    database = Database(settings.database)
    if not is_current(database):
        raise click.UsageError("The database is not at this version of makerhub. Run: makerhub migrate")
    return database
