"""`makerhub demo`: the whole way of one request, from a ward to its receipt, on a small network of its own."""

import shutil
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import tomli_w
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from sqlmodel import Session

from makerhub.app import Makerhub, assemble, prusa_slicer, utc_now
from makerhub.config import Settings, load
from makerhub.designs import publishing
from makerhub.designs.manifest import MANIFEST_NAME
from makerhub.designs.slicer import Slicer
from makerhub.designs.submission import from_folder
from makerhub.errors import MakerhubError
from makerhub.migrations import migrate
from makerhub.places.importing import SAMPLE, SAMPLE_ATTRIBUTION, import_places
from makerhub.printers import service as printers
from makerhub.printers.models import Consent
from makerhub.simulation.network import PASSWORD, Network, review_all, settle
from makerhub.simulation.octoprint import SimulatedPrinters
from makerhub.simulation.real_octoprint import RealOctoPrint, find_octoprint
from makerhub.simulation.shortened import ShortenedSlicer
from makerhub.simulation.story import Story
from makerhub.trace.report import lines
from makerhub.trace.service import Trace
from makerhub.web.server import serving

MODELS = ("prusa-mk3s", "creality-ender-3", "prusa-mk3s")
SPEED = 900.0
"""How many times as fast as real printers the simulated ones print: an hour takes four seconds."""
SHORTENED_SECONDS = 8
DATA = Path("var/demo")
RENEWED = "door-opener"
"""The design of which the reviewer finds a newer version in her list."""


class PrinterKind(StrEnum):
    """What the demo prints on."""

    SIMULATED = "simulated"
    OCTOPRINT = "octoprint"


class NoOctoPrint(MakerhubError):
    """The demo was asked for real OctoPrint servers and there is none to start."""

    template = "There is no OctoPrint on this machine. Run: make demo PRINTERS=octoprint, which installs one."


@dataclass(frozen=True)
class Endpoint:
    """Where a printer of the demo is, and the key that opens it."""

    url: str
    key: str


def run_demo(console: Console, kind: PrinterKind, *, port: int, stay: bool) -> bool:
    """Tell the story; true when an item was delivered and traced. With `stay` the hub runs on until Ctrl-C."""
    shutil.rmtree(DATA, ignore_errors=True)
    settings = demo_settings(DATA, port)
    with printing_on(kind, len(MODELS)) as endpoints:
        hub = assemble(settings, slicer=slicer_for(kind, settings))
        _prepare(console, hub)
        network = _register(hub, endpoints)
        _publish_newer(hub, network)
        hub.start()
        try:
            with serving(hub.web, settings.host, port) as address:
                console.print(f"[bold]The hub is at {address}[/]  ({hub.database.describe()})")
                console.print(_about_printers(kind))
                trace = Story(hub, network, console).tell()
                if trace is not None:
                    console.print(_trace_table(trace))
                if stay:
                    _stay(console, address, network)
        finally:
            hub.stop()
    return trace is not None and trace.is_complete


def demo_settings(data: Path, port: int) -> Settings:
    """Settings for printers on this very machine and a clock that nobody wants to wait for."""
    return replace(
        load(None, {}),
        data_directory=data,
        port=port,
        secure_cookies=False,
        second_factor_roles=(),
        allow_loopback_printers=True,
        probe_seconds=0.0,
        poll_idle_seconds=1.0,
        poll_printing_seconds=0.5,
        sweep_seconds=2.0,
    )


def slicer_for(kind: PrinterKind, settings: Settings) -> Slicer:
    """The real slicer; its prints are shortened where a Virtual Printer would take as long as a real one."""
    slicer = prusa_slicer(settings)
    return slicer if kind is PrinterKind.SIMULATED else ShortenedSlicer(slicer, SHORTENED_SECONDS)


@contextmanager
def printing_on(kind: PrinterKind, count: int) -> Iterator[list[Endpoint]]:
    """So many printers, simulated or real OctoPrint servers, while the block lasts."""
    if kind is PrinterKind.SIMULATED:
        with SimulatedPrinters(count, speed=SPEED) as farm:
            yield [Endpoint(printer.url, printer.key) for printer in farm.printers]
        return
    executable = find_octoprint()
    if executable is None:
        raise NoOctoPrint
    servers = [RealOctoPrint(executable, DATA.absolute() / f"octoprint{number}") for number in range(count)]
    try:
        for server in servers:
            server.start()
        yield [Endpoint(server.url, server.key) for server in servers]
    finally:
        for server in servers:
            server.stop()


def _prepare(console: Console, hub: Makerhub) -> None:
    with console.status("Making the database…"):
        migrate(hub.database)
        import_places(hub.database, [SAMPLE], name=SAMPLE.stem, clock=utc_now, attribution=SAMPLE_ATTRIBUTION)
    folders = sorted(manifest.parent for manifest in hub.settings.catalogue.glob("*/okh.toml"))
    with Progress(SpinnerColumn(), TextColumn("Checking and publishing the designs"), BarColumn(), MofNCompleteColumn(),
                  TextColumn("{task.description}"), console=console) as progress:  # fmt: skip
        bar = progress.add_task("", total=len(folders))
        for folder in folders:
            progress.update(bar, description=folder.name)
            publishing.publish(hub.database, hub.files, publishing.check_folder(folder), utc_now)
            progress.advance(bar)
        progress.update(bar, description="done")


def _register(hub: Makerhub, endpoints: Sequence[Endpoint]) -> Network:
    now = utc_now()
    with hub.database.changing() as session:
        network = settle(session, hub.settings.time_zone, now)
        review_all(session, network, now)
        for number, (model, endpoint) in enumerate(zip(MODELS, endpoints, strict=True)):
            _register_printer(session, hub, network, number, model, endpoint)
    return network


def _publish_newer(hub: Makerhub, network: Network) -> None:
    """A maker publishes a version of a reviewed design with thicker walls, which waits for the reviewer."""
    submission = from_folder(hub.settings.catalogue / RENEWED)
    manifest = tomllib.loads(submission.text(MANIFEST_NAME))
    major, minor, _ = manifest["version"].split(".")
    manifest["version"] = f"{major}.{int(minor) + 1}.0"
    for part in manifest["part"]:
        part["print"]["perimeters"] += 1
    notes = submission.files[manifest["readme"]] + b"\nSince this version the walls are thicker: two arms had broken.\n"
    changed = {MANIFEST_NAME: tomli_w.dumps(manifest).encode(), manifest["readme"]: notes}
    checked = publishing.check(replace(submission, files={**submission.files, **changed}))
    publishing.publish(hub.database, hub.files, checked, utc_now, network.makers[1].id)


def _register_printer(
    session: Session, hub: Makerhub, network: Network, number: int, model: str, endpoint: Endpoint
) -> None:
    maker, profile = network.makers[number], hub.profiles[model]
    new = printers.NewPrinter(
        owner_id=maker.id,
        hub_id=network.hub.id,
        name=f"{maker.name.split()[0]}'s printer",
        profile=profile,
        material="PETG" if "PETG" in profile.materials else profile.materials[0],
        url=endpoint.url,
        key=endpoint.key,
        consent=Consent.ASK if number == 0 else Consent.AUTOMATIC,
        plate_is_clear=True,
    )
    printers.register(session, new, hub.key_box, now=utc_now() - timedelta(seconds=number))


def _about_printers(kind: PrinterKind) -> str:
    if kind is PrinterKind.SIMULATED:
        return f"Printers: {len(MODELS)} simulated ones that run the real sliced G-code {SPEED:.0f} times as fast."
    return (
        f"Printers: {len(MODELS)} real OctoPrint servers with the Virtual Printer. "
        f"Prints are SHORTENED to {SHORTENED_SECONDS} s: "
        "the G-code is really sliced and checked, and then replaced by waiting."
    )


def _trace_table(trace: Trace) -> Table:
    table = Table("Link", title=f"One delivered item, traced back: lot {trace.label}")
    table.add_column("What is known", overflow="fold")
    for name, value in lines(trace):
        table.add_row(name, value)
    return table


def _stay(console: Console, address: str, network: Network) -> None:
    table = Table("Sign in as", "E-mail", title=f"Look around at {address} — every password is {PASSWORD}")
    for role, person in network.sign_ins.items():
        table.add_row(role, person.email)
    console.print(table)
    console.print(
        "A request of the care home waits for the dispatcher, a new version for the reviewer. Stop the hub with Ctrl-C."
    )
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("Stopped.")
