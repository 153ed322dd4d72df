"""The command `makerhub-agent`: what its owner tells the agent, and what the agent tells its owner."""

import asyncio
import logging
import platform
import re
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click
import msgspec
import platformdirs

from makerhub.agent import program, service
from makerhub.agent.home import Home, OwnPrinter, QuietHours, Rules, State
from makerhub.agent.hub import HubLine, hub_url
from makerhub.agent.journal import Entry, Journal
from makerhub.agent.reporting import agent_version
from makerhub.agent.stopping import Stopped, stop_prints
from makerhub.errors import MakerhubError
from makerhub.fleet.addresses import printer_url
from makerhub.fleet.gateway import JobReport, PrinterTrouble
from makerhub.fleet.messages import Paired, Pairing, Stage
from makerhub.fleet.octoprint import OctoPrint
from makerhub.fleet.transport import Transport

Result = TypeVar("Result")
_TIMES = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-3]):([0-5]\d)")


@click.group()
@click.option(
    "--home",
    "folder",
    type=click.Path(path_type=Path),
    default=lambda: platformdirs.user_data_path("makerhub-agent", appauthor=False),
    help="Folder of the agent's file and journal.",
)
@click.option("--verbose", is_flag=True, help="Tell more in the log.")
@click.version_option(agent_version())
@click.pass_context
def agent(context: click.Context, folder: Path, verbose: bool) -> None:
    """Look after the 3D printers in this home for a hub."""
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, format="%(levelname)s %(message)s")
    context.obj = Home(folder)


@agent.command()
@click.argument("hub")
@click.argument("code")
@click.option("--url", default="", help="Address of OctoPrint, if it is not found by itself.")
@click.option("--key", default="", help="A key of OctoPrint, instead of asking for one there.")
@click.option("--automatic/--ask", default=None, help="May prints begin by themselves when the plate is clear?")
@click.option("--search-network", is_flag=True, help="Look for OctoPrint in the home's network, too.")
@click.option("--trust-http", is_flag=True, help="Use a hub in your own network without encryption.")
@click.option("--no-run", is_flag=True, help="Only pair: a service runs already, or “run” follows.")
@click.pass_obj
def pair(
    home: Home,
    hub: str,
    code: str,
    url: str,
    key: str,
    automatic: bool | None,
    search_network: bool,
    trust_http: bool,
    no_run: bool,
) -> None:
    """Pair with HUB by the CODE on the printer's page, connect OctoPrint, and look after the printer."""
    state = _told(home.read)
    address = _told(lambda: hub_url(hub, trusts_http=trust_http))
    keeps = state.token if state.hub_url == address else ""
    paired = _done(_pair(address, keeps, code))
    printer = OwnPrinter(paired.printer_id, paired.printer_name, paired.limits, _printer_url(url), key)
    known = state.printer(paired.printer_id)
    if known is not None and known.connection is not None and not (url or key):  # the hub forgot it, not OctoPrint
        printer = msgspec.structs.replace(printer, url=known.url, key=known.key)
    if printer.connection is not None:
        printer = msgspec.structs.replace(printer, stage=Stage.CONNECTED)
    before = state if keeps and not paired.token else State(rules=state.rules)
    rules = before.rules if automatic is None else msgspec.structs.replace(before.rules, automatic=automatic)
    home.write(
        msgspec.structs.replace(
            before.with_printer(printer),
            hub_url=address,
            hub_name=paired.hub_name,
            agent_id=paired.agent_id,
            token=paired.token or keeps,
            rules=rules,
            trusts_http=trust_http,
            searches_network=search_network or before.searches_network,
        )
    )
    click.echo(f"Paired: {paired.printer_name} prints for {paired.hub_name}.")
    click.echo(_words_of(rules))
    if not no_run:
        click.echo("The agent runs until you press Ctrl-C. To keep it running: makerhub-agent install-service")
        _run(home)


async def _pair(address: str, token: str, code: str) -> Paired:
    host, system = socket.gethostname()[:64], f"{platform.system()} {platform.machine()}"[:64]
    async with HubLine(address, token) as line:
        return await line.pair(Pairing(code[:64], host, system, agent_version()))


@agent.command()
@click.pass_obj
def run(home: Home) -> None:
    """Look after the printers until stopped."""
    if not _told(home.read).token:
        raise click.ClickException("This agent is not paired yet. The printer's page of your hub shows how.")
    _run(home)


def _run(home: Home) -> None:
    try:
        end = asyncio.run(program.run(home, say=click.echo))
    except KeyboardInterrupt:
        click.echo("Stopped. A print that is under way goes on.")
        return
    click.echo("Another agent was started on the same folder." if end is program.End.TAKEN_OVER else "Stopped.")


@agent.command()
@click.option("--url", default="", help="Address of OctoPrint; found by itself without.")
@click.option("--printer", "name", default="", help="Which printer, if there are several.")
@click.option("--search-network", is_flag=True, help="Look in the home's network, too.")
@click.pass_obj
def connect(home: Home, url: str, name: str, search_network: bool) -> None:
    """Look for OctoPrint again and ask it for a key again; the running agent does it."""
    state = _told(home.read)
    printer = _chosen(state, name)
    anew = msgspec.structs.replace(printer, url=_printer_url(url), key="", stage=Stage.PAIRED)
    changed = state.with_printer(anew)
    home.write(msgspec.structs.replace(changed, searches_network=search_network or state.searches_network))
    click.echo("The agent looks for OctoPrint now. If it does not run: makerhub-agent run")


@agent.command()
@click.pass_obj
def status(home: Home) -> None:
    """Tell what the agent is paired with, what its printers do, and which rules hold."""
    state = _told(home.read)
    if not state.token:
        click.echo("Not paired.")
        return
    click.echo(f"Hub: {state.hub_name} ({state.hub_url})")
    for printer in state.printers:
        click.echo(f"Printer: {printer.name} at {printer.url or 'an address not known yet'}")
        click.echo(f"  {_done(_doing(printer))}")
    for entry in _entries(home):
        click.echo(f"  {entry.wanted.file_name}: {entry.outcome or ('sent' if entry.sends else 'waits')}")
    click.echo(_words_of(state.rules))


async def _doing(printer: OwnPrinter) -> str:
    if printer.connection is None:
        return printer.stage.message
    async with Transport(program.address_policy()) as transport:
        try:
            report: JobReport = await OctoPrint(transport).job(printer.connection)
        except PrinterTrouble as trouble:
            return str(trouble)
    return f"{report.state}" + (f", {report.completion:.0f} %" if report.state.is_active and report.completion else "")


@agent.command()
@click.pass_obj
def pause(home: Home) -> None:
    """Begin no new prints; one that is under way goes on and is looked after."""
    _change_rules(home, paused=True)


@agent.command()
@click.pass_obj
def resume(home: Home) -> None:
    """Begin new prints again."""
    _change_rules(home, paused=False)


@agent.command()
@click.option("--automatic/--ask", default=None, help="May prints begin by themselves when the plate is clear?")
@click.option("--longest", type=click.IntRange(0, 7 * 24 * 60), help="Longest print, in minutes, that may; 0 for any.")
@click.option("--quiet", help="Hours in which no print begins, such as 22:00-07:00; “none” for none.")
@click.pass_obj
def rules(home: Home, automatic: bool | None, longest: int | None, quiet: str | None) -> None:
    """Show or change what may begin on the printers here, whatever the hub wants."""
    changes: dict[str, object] = {}
    if automatic is not None:
        changes["automatic"] = automatic
    if longest is not None:
        changes["longest_minutes"] = longest or None
    if quiet is not None:
        changes["quiet"] = _quiet_hours(quiet)
    _change_rules(home, **changes)


@agent.command()
@click.pass_obj
def stop(home: Home) -> None:
    """End the agent; a print that is under way goes on, and its end is told at the agent's next start."""
    home.ask_to_stop()
    click.echo("The agent ends within a few seconds.")


@agent.command("stop-print")
@click.pass_obj
def stop_print(home: Home) -> None:
    """Cancel the hub's prints that are under way here, and begin no new ones."""
    _change_rules(home, paused=True)
    stopped = _done(_stop_prints(home))
    for name in stopped.cancelled:
        click.echo(f"Cancelled: {name}")
    if stopped.unreached:
        told = "; ".join(f"{name}: {trouble}" for name, trouble in stopped.unreached.items())
        raise click.ClickException(f"Not all printers could be asked. Stop the print at the printer itself. {told}")
    if not stopped.cancelled:
        click.echo("No print of the hub is under way here.")


async def _stop_prints(home: Home) -> Stopped:
    """By OctoPrint itself, so that it works while the agent does not run."""
    async with Transport(program.address_policy()) as transport:
        return await stop_prints(home.read(), OctoPrint(transport), lambda: _entries(home))


@agent.command("install-service")
@click.pass_obj
def install_service(home: Home) -> None:
    """Have the agent start with this computer."""
    click.echo(service.install(home.folder))


@agent.command()
@click.option("--forget", is_flag=True, help="Forget the hub, the key of OctoPrint and the journal, too.")
@click.pass_obj
def uninstall(home: Home, forget: bool) -> None:
    """Remove the service; with --forget also all that the agent knows."""
    click.echo(service.uninstall())
    if forget:
        home.ask_to_stop()
        live = [entry for entry in _entries(home) if entry.sends]
        if live:
            raise click.ClickException("A print of the hub is still looked after. Wait for its end, then try again.")
        home.write(State())
        home.journal.unlink(missing_ok=True)
        click.echo("Forgotten. Delete the key “makerhub” in OctoPrint's settings, too.")


def _change_rules(home: Home, **changes: object) -> None:
    state = _told(home.read)
    changed = msgspec.structs.replace(state.rules, **changes)
    if changed != state.rules:
        home.write(msgspec.structs.replace(state, rules=changed))
    click.echo(_words_of(changed))


def _words_of(rules: Rules) -> str:
    lines = ["Paused: no new print begins here."] if rules.paused else []
    lines.append(
        "Prints may begin by themselves when the plate is clear."
        if rules.automatic
        else "Only prints begin here that you accepted on the hub's page."
    )
    if rules.automatic and rules.longest_minutes:
        lines.append(f"By themselves only up to {rules.longest_minutes} minutes long.")
    if rules.quiet:
        lines.append(f"None begins from {_time(rules.quiet.begin)} to {_time(rules.quiet.end)}.")
    return "\n".join(lines)


def _time(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _quiet_hours(text: str) -> QuietHours | None:
    if text == "none":
        return None
    match = _TIMES.fullmatch(text.strip())
    if match is None:
        raise click.BadParameter("write it like 22:00-07:00, or none", param_hint="--quiet")
    begin, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    return QuietHours(begin, end)


def _printer_url(text: str) -> str:
    return str(_told(lambda: printer_url(text))).rstrip("/") if text else ""


def _chosen(state: State, name: str) -> OwnPrinter:
    mine = [printer for printer in state.printers if name in ("", printer.name)]
    if len(mine) != 1:
        names = ", ".join(printer.name for printer in state.printers)
        raise click.ClickException(f"Say which printer: --printer with one of: {names or 'none is paired'}")
    return mine[0]


def _entries(home: Home) -> list[Entry]:
    if not home.journal.exists():
        return []
    journal = Journal(home.journal, opens=False)
    try:
        return journal.entries()
    finally:
        journal.close()


def _told(ask: Callable[[], Result]) -> Result:
    """The answer; an error of ours is told in its own words."""
    try:
        return ask()
    except MakerhubError as error:
        raise click.ClickException(str(error)) from error


def _done(work: Awaitable[Result]) -> Result:
    async def done() -> Result:
        return await work

    return _told(lambda: asyncio.run(done()))
