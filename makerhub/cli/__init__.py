"""The command line: `makerhub serve`, `migrate`, `demo`, `doctor`, `trace` and smaller ones.

Commands that answer a question take `--json`; they exit with 0 for yes, 1 for no, and 2 when they were asked wrongly.
"""

import json
import logging
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.logging import RichHandler
from rich.table import Table
from sqlmodel import select

from makerhub.app import assemble, utc_now
from makerhub.cli.base import console, with_database
from makerhub.cli.designs import designs
from makerhub.cli.doctor import examine
from makerhub.cli.keys import keys
from makerhub.cli.people import reset_second_factor
from makerhub.cli.places import places
from makerhub.cli.privacy import people_erase, people_export
from makerhub.cli.redaction import RedactingFormatter
from makerhub.cli.register import register
from makerhub.config import Settings, load
from makerhub.db import Database
from makerhub.designs.files import FileStore
from makerhub.designs.profiles import read_profiles
from makerhub.designs.publishing import publish_catalogue
from makerhub.errors import MakerhubError, NotFound
from makerhub.gcode import guard
from makerhub.hubs.service import profile_for
from makerhub.keys.box import KeyBox
from makerhub.keys.proof import prove
from makerhub.migrations import migrate
from makerhub.people import service as people
from makerhub.people.models import Organisation, OrganisationKind, Role
from makerhub.simulation.demo import PrinterKind, run_demo
from makerhub.trace.report import lines
from makerhub.trace.service import trace as trace_lot
from makerhub.web.server import serve as serve_pages


class Commands(click.Group):
    """A group whose commands say what is wrong in one sentence, without a stack of calls."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command; a `MakerhubError` is a message and exit code 2."""
        try:
            return super().invoke(context)
        except MakerhubError as error:
            fields = {field: said for field, said in getattr(error, "fields", {}).items() if said != str(error)}
            details = "".join(f"\n  {field}: {said}" for field, said in fields.items())
            raise click.UsageError(f"{error}{details}") from error


@click.group(cls=Commands)
@click.option("--config", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The settings (TOML).")
@click.option("--verbose", is_flag=True, help="Say more in the log.")
@click.version_option(package_name="makerhub")
@click.pass_context
def main(context: click.Context, config: Path | None, verbose: bool) -> None:
    """From a hospital's request to the receipt at the ward, on home 3D printers."""
    handler = RichHandler(console=Console(stderr=True), show_path=False)
    logging.basicConfig(level=logging.DEBUG if verbose else logging.WARNING, handlers=[handler])
    handler.setFormatter(RedactingFormatter("%(message)s"))
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns whenever a sweep outlasts its period
    context.obj = load(config)


@main.command()
@click.pass_obj
def serve(settings: Settings) -> None:
    """Run the hub: pages, printers and background work in one process."""
    with_database(settings)
    hub = assemble(settings)
    prove(hub.database, hub.key_box, utc_now())
    console.print(f"Database: {hub.database.describe()}")
    console.print(f"The hub is at http://{settings.host}:{settings.port} (stop it with Ctrl-C)")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    hub.start()
    try:
        serve_pages(hub.web, settings.host, settings.port, trusted_proxy=settings.trusted_proxy)
    finally:
        hub.stop()


@main.command("migrate")
@click.pass_obj
def migrate_command(settings: Settings) -> None:
    """Bring the database to this version and publish the shipped designs."""
    database = Database(settings.database)
    with console.status("Bringing the database to this version…"):
        migrate(database)
    prove(database, KeyBox(settings.key_file), utc_now())
    with console.status("Checking and publishing the designs…"):
        published = publish_catalogue(database, FileStore(settings.files_directory), settings.catalogue, utc_now)
    console.print(f"Database: {database.describe()}")
    console.print(f"Designs: {len(published)} new versions from {settings.catalogue}")


@main.command()
@click.option("--exit", "leave", is_flag=True, help="End when the item is delivered and traced.")
@click.option(
    "--printers",
    type=click.Choice([kind.value for kind in PrinterKind]),
    default=PrinterKind.SIMULATED.value,
    help="Simulated printers on a fast clock, or real OctoPrint servers with shortened prints.",
)
@click.option("--port", default=8000, show_default=True, help="Port of the hub's pages.")
def demo(leave: bool, printers: str, port: int) -> None:
    """Show the whole way of one request on a small network of its own."""
    sys.exit(0 if run_demo(console, PrinterKind(printers), port=port, stay=not leave) else 1)


@main.command()
@click.option("--audit", is_flag=True, help="Compare the whole log with what was sealed each day.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.pass_obj
def doctor(settings: Settings, audit: bool, as_json: bool) -> None:
    """Say whether this hub is in order."""
    findings = list(examine(settings, Database(settings.database), audit=audit))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            mark = "[green]✓[/]" if finding.is_fine else "[red]✗[/]"
            console.print(f"{mark} {finding.subject}: {finding.detail}", soft_wrap=True)
    sys.exit(0 if all(finding.is_fine for finding in findings) else 1)


@main.command()
@click.argument("label")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.pass_obj
def trace(settings: Settings, label: str, as_json: bool) -> None:
    """Follow the lot with this LABEL back to its G-code and on to everybody who got pieces of it."""
    with with_database(settings).reading() as session:
        try:
            found = trace_lot(session, label)
        except NotFound as error:
            click.echo(json.dumps({"error": str(error)}) if as_json else str(error), err=not as_json)
            sys.exit(1)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2, default=str))
    else:
        table = Table("Link", title=f"Lot {found.label}")
        table.add_column("What is known", overflow="fold")
        for name, value in lines(found):
            table.add_row(name, value)
        console.print(table)


@main.group()
def gcode() -> None:
    """Look at G-code."""


@gcode.command("check")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--printer", required=True, help="The printer's profile, such as prusa-mk3s.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.pass_obj
def gcode_check(settings: Settings, file: Path, printer: str, as_json: bool) -> None:
    """Say whether FILE is safe to print on this model of printer."""
    profiles = read_profiles(settings.printer_profiles)
    if printer not in profiles:
        raise click.UsageError(f"There is no profile “{printer}”. There are: {', '.join(profiles)}")
    with file.open("rb") as stream:  # no more than what the guard refuses as too large
        report = guard.check(stream.read(guard.MAX_BYTES + 1), profiles[printer].limits())
    if as_json:
        findings = [asdict(finding) for finding in report.findings]
        click.echo(json.dumps({"safe": report.safe, "findings": findings}, default=str))
    else:
        for finding in report.findings:
            click.echo(f"{file}:{finding.line}: {finding.reason.template} {finding.excerpt}")
        click.echo("safe" if report.safe else f"not safe, findings: {len(report.findings)}")
    sys.exit(0 if report.safe else 1)


@main.group("people")
def people_group() -> None:
    """Make people and organisations known."""


@people_group.command("add")
@click.argument("email")
@click.option("--name", required=True)
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--organisation", required=True, help="Its name; made known if it is not yet.")
@click.option("--kind", type=click.Choice([kind.value for kind in OrganisationKind]), default="hub", show_default=True)
@click.password_option(help="At least 12 characters; asked for when it is left out.")
@click.pass_obj
def people_add(
    settings: Settings, email: str, name: str, role: str, organisation: str, kind: str, password: str
) -> None:
    """Let the person with EMAIL sign in, with a role in an organisation."""
    with with_database(settings).changing() as session:
        place = session.exec(select(Organisation).where(Organisation.name == organisation)).first()
        place = place or people.create_organisation(
            session, kind=OrganisationKind(kind), name=organisation, time_zone=settings.time_zone
        )
        if place.kind is OrganisationKind.HUB:
            profile_for(session, place, now=utc_now())
        person = people.find_by_email(session, email) or people.create_person(
            session, email=email, name=name, password=password, now=utc_now()
        )
        people.add_membership(session, person, place, Role(role), now=utc_now())
    console.print(f"{person.name} is {role} of {place.name}")


main.add_command(designs)
main.add_command(keys)
people_group.add_command(people_export)
people_group.add_command(people_erase)
people_group.add_command(reset_second_factor)
main.add_command(places)
main.add_command(register)
