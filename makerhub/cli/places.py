"""`makerhub places`: postcodes and named places, by which people find the hub near them."""

from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from makerhub.app import utc_now
from makerhub.cli.base import console, with_database
from makerhub.config import Settings
from makerhub.places import service
from makerhub.places.importing import SAMPLE, SAMPLE_ATTRIBUTION, Imported, import_places


@click.group()
def places() -> None:
    """Look after the postcodes and places by which people find a hub."""


@places.command("import")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--name", help="What they are called here; an import of the same name is replaced.")
@click.option("--attribution", default="", help="What their licence wants to be said on the page that finds a hub.")
@click.pass_obj
def places_import(settings: Settings, files: tuple[Path, ...], name: str | None, attribution: str) -> None:
    """Take postcodes and places in from FILES; without any, a small sample for trying it out.

    FILES are a table headed such as “postcode,place,lat,lon”, Code-Point Open, or postal codes or places of GeoNames.
    What was imported before stays in use until the new import is whole. Several files are one import.
    """
    chosen, said = (files, attribution) if files else ((SAMPLE,), attribution or SAMPLE_ATTRIBUTION)
    database = with_database(settings)
    columns = (TextColumn("Reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=sum(file.stat().st_size for file in chosen))
        found = import_places(
            database,
            chosen,
            name=name or chosen[0].stem,
            clock=utc_now,
            attribution=said,
            progress=lambda read: progress.advance(bar, read),
        )
    _report(found)


@places.command("find")
@click.argument("text")
@click.pass_obj
def places_find(settings: Settings, text: str) -> None:
    """Say where a postcode or a place is, as the page that finds a hub would."""
    with with_database(settings).reading() as session:
        found = service.find(session, text)
    for one in found:
        click.echo(f"{one.label}: {one.point.latitude:.4f}, {one.point.longitude:.4f}")
    if not found:
        raise click.UsageError(f"Nothing that was imported is called {text!r}.")


def _report(found: Imported) -> None:
    if found.was_there:
        console.print(f"Nothing to do: these {found.places} places are imported already")
        return
    console.print(f"{found.places} places from {found.lines} lines ({found.format})")
    if found.bad:
        console.print(f"{found.bad} lines were left out:")
        for example in found.examples:
            console.print(f"  {example}", soft_wrap=True, markup=False)
        if found.bad > len(found.examples):
            console.print(f"  … and {found.bad - len(found.examples)} more")
