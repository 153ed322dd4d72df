"""`makerhub people export` and `erase`: what is held about somebody, for whoever asks the operator."""

from pathlib import Path

import click

from makerhub.app import utc_now
from makerhub.cli.base import console, with_database
from makerhub.cli.people import person_with
from makerhub.config import Settings
from makerhub.keys.box import KeyBox
from makerhub.privacy.erasure import erase
from makerhub.privacy.export import export


@click.command("export")
@click.argument("email")
@click.option("--to", "file", type=click.Path(path_type=Path, dir_okay=False), help="The ZIP to write.")
@click.pass_obj
def people_export(settings: Settings, email: str, file: Path | None) -> None:
    """Write all that is held about the person with EMAIL into a ZIP, for this person alone."""
    file = file or Path("what-is-held.zip")
    if file.exists():
        raise click.UsageError(f"{file} is there already")
    with with_database(settings).changing() as session:
        packed = export(session, person_with(session, email), KeyBox(settings.key_file), by=None, now=utc_now())
    file.touch(mode=0o600, exist_ok=False)
    file.write_bytes(packed)
    console.print(f"{file}: give it to nobody else.")


@click.command("erase")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def people_erase(settings: Settings, email: str, yes: bool) -> None:
    """Erase the person with EMAIL. What was made and asked for stays, without the name."""
    database = with_database(settings)
    with database.reading() as session:
        name = person_with(session, email).name
    if not yes:
        click.confirm(f"Erase {name} <{email}>? It can not be taken back", abort=True)
    with database.changing() as session:
        erase(session, person_with(session, email), by=None, now=utc_now())
    console.print(f"{email} is erased. Copies of the database hold it until they are replaced.")
