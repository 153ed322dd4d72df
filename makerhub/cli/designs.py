"""`makerhub designs`: whether a design can be published, and taking one into the catalogue."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table

from makerhub.app import utc_now
from makerhub.cli.base import console, with_database
from makerhub.config import Settings
from makerhub.designs.files import FileStore
from makerhub.designs.geometry import MeshProblem
from makerhub.designs.inspection import MeshRefused
from makerhub.designs.manifest import MANIFEST_NAME
from makerhub.designs.publishing import check, check_folder, publish
from makerhub.designs.submission import MAX_TOTAL_BYTES, Submission, from_folder, from_mesh, from_zip, is_zip, too_much
from makerhub.designs.uploads import desk_of
from makerhub.errors import MakerhubError


@click.group()
def designs() -> None:
    """Look after the catalogue."""


@designs.command("check")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def designs_check(folder: Path, as_json: bool) -> None:
    """Say whether the design in FOLDER can be published."""
    try:
        checked = check_folder(folder)
    except MakerhubError as error:
        click.echo(json.dumps({"fine": False, "problem": str(error)}) if as_json else str(error), err=not as_json)
        sys.exit(1)
    if as_json:
        parts = [{"name": part.manifest.name, **asdict(part.report)} for part in checked.parts]
        click.echo(json.dumps({"fine": True, "content_hash": checked.content_hash, "parts": parts}, default=str))
        return
    table = Table("Part", "Size (mm)", "Volume (cm³)", title=f"{checked.manifest.name} {checked.manifest.version}")
    for part in checked.parts:
        size = " × ".join(f"{length:.1f}" for length in part.report.size_mm)
        table.add_row(part.manifest.name, size, f"{part.report.volume_mm3 / 1000:.1f}")
    console.print(table)


@designs.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The okh.toml of a single mesh that has none beside it.",
)
@click.option("--mend", is_flag=True, help="Mend meshes that are not closed or inside out, and say what was done.")
@click.pass_obj
def designs_import(settings: Settings, path: Path, manifest: Path | None, mend: bool) -> None:
    """Take the design in PATH into the catalogue: a folder or a ZIP with an okh.toml, or one mesh with --manifest.

    It keeps its author, licence and source, and is a prototype until somebody has reviewed it.
    """
    desk = desk_of(settings, with_database(settings), FileStore(settings.files_directory), utc_now)
    submission = submission_at(path, manifest)
    with console.status(f"Checking {submission.key}…"), _hints():
        checked = check(submission, desk.licences, mends=mend)
        version = publish(desk.database, desk.files, checked, desk.clock)
    for part in checked.parts:
        for change in part.found.mending:
            console.print(f"{part.manifest.name}: {change.sentence % change.values}")
    if version is None:
        console.print(f"{checked.manifest.name} {checked.manifest.version} is in the catalogue already")
    else:
        console.print(f"{version.name} {version.version} by {version.licensor} ({version.license}) is in the catalogue")


@contextmanager
def _hints() -> Iterator[None]:
    """Say of a mesh that is refused what would help."""
    try:
        yield
    except MeshRefused as error:
        if MeshProblem.SEVERAL_BODIES in error.report.problems:
            error.fields["bodies"] = f"{error.report.bodies} were found"
        if error.can_be_mended:
            error.fields["--mend"] = "would mend it, and say what was done"
        raise


def submission_at(path: Path, manifest: Path | None) -> Submission:
    """What is handed in at the command line."""
    if path.is_dir() or path.name == MANIFEST_NAME:
        return from_folder(path.resolve() if path.is_dir() else path.resolve().parent)
    if path.stat().st_size > MAX_TOTAL_BYTES:
        raise too_much()
    content = path.read_bytes()
    if is_zip(content):
        return from_zip(content, path.name)
    if manifest is None:
        raise click.UsageError(
            f"{path.name} is a single mesh: say with --manifest what it is. docs/designing.md has such an okh.toml."
        )
    return from_mesh(content, path.name, manifest.read_text(encoding="utf-8"))
