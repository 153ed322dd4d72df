"""`makerhub keys`: the key that seals printers' keys and makers' addresses."""

import click

from makerhub.app import utc_now
from makerhub.cli.base import console, with_database
from makerhub.config import Settings
from makerhub.keys.box import KeyBox
from makerhub.keys.proof import prove
from makerhub.keys.rotation import GRACE_SECONDS, rotate


@click.group()
def keys() -> None:
    """Look after the key that seals printers' keys and makers' addresses."""


@keys.command("rotate")
@click.option(
    "--grace",
    default=GRACE_SECONDS,
    show_default=True,
    help="Seconds to wait for pages that are under way; 0 where the hub does not run.",
)
@click.pass_obj
def keys_rotate(settings: Settings, grace: float) -> None:
    """Seal everything with a new key and drop the old one. May be broken off and called again; the hub may run."""
    database, key_box = with_database(settings), KeyBox(settings.key_file)
    prove(database, key_box, utc_now())
    with console.status("Sealing anew, and waiting for pages that are under way…"):
        rotated = rotate(database, key_box, grace_seconds=grace)
    console.print(f"{rotated.values} values are sealed with the new key {rotated.key_id}; the old one is gone.")
    console.print(f"Copy {settings.key_file} to where you keep its copy. Older backups open with the older key only.")
