"""`makerhub register`: public registers of hospitals and care homes, against which dispatchers hold who asks."""

from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from makerhub.cli.base import console, with_database
from makerhub.config import Settings
from makerhub.facilities.registers import import_register


@click.group()
def register() -> None:
    """Look after the registers of hospitals and care homes."""


@register.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--name", help="What the register is called here, such as “cqc”; the file's name if left out.")
@click.pass_obj
def register_import(settings: Settings, file: Path, name: str | None) -> None:
    """Take a register in from FILE, in the place of what it said before.

    FILE is a CSV with columns such as code, name, postcode, kind, telephone, address and mail domain: the directory of
    the CQC as it comes, or a file of the NHS's Organisation Data Service.
    """
    database = with_database(settings)
    with Progress(TextColumn("Reading"), BarColumn(), DownloadColumn(), console=console) as progress:
        bar = progress.add_task("", total=file.stat().st_size)
        found = import_register(database, file, name or file.stem, lambda read: progress.advance(bar, read))
    console.print(f"{found.entries} entries")
    if found.bad:
        console.print(f"{found.bad} lines were left out:")
        for example in found.examples:
            console.print(f"  {example}", soft_wrap=True, markup=False)
