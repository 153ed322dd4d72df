"""How a printer's agent is connected: one command with a code, and live what the agent finds and does."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session

from makerhub.errors import Invalid, NotFound, translatable
from makerhub.fleet.messages import Stage
from makerhub.people.models import Role
from makerhub.printers import agents
from makerhub.printers.agent_models import Agent, AgentLink, AgentState
from makerhub.printers.models import Link, Printer, PrinterState
from makerhub.web.agent_wheel import agent_wheel
from makerhub.web.hub import hub
from makerhub.web.limits import at_most
from makerhub.web.navigation import Audience
from makerhub.web.policy import allowed
from makerhub.web.shown import ShownPrinter, my_printer, show_printer
from makerhub.web.viewer import viewer

pages = Blueprint("agent_page", __name__, url_prefix="/printers")
audience = Audience(pages)

LOCAL = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class ShownAgent:
    """A printer's agent as its page shows it; `agent` is None before the first was paired."""

    shown: ShownPrinter
    agent: Agent | None
    link: AgentLink | None

    @property
    def is_listened_to(self) -> bool:
        """Whether there is an agent, and its owner has not revoked it."""
        return self.agent is not None and self.agent.state is AgentState.PAIRED

    @property
    def stage(self) -> str:
        """What the agent does to connect the printer, or what it asks of its owner, in a sentence."""
        return Stage(self.link.stage).message if self.link else ""

    @property
    def steps(self) -> list[tuple[str, bool]]:
        """What has to happen, and whether it has: paired, found, key given, key checked, seen."""
        reached = list(Stage).index(Stage(self.link.stage)) if self.link and self.is_listened_to else -1
        is_checked = self.shown.printer.state in (PrinterState.ACTIVE, PrinterState.PAUSED)
        return [
            (_("The agent is paired"), reached >= 0),
            (_("It has found OctoPrint"), reached >= list(Stage).index(Stage.FOUND)),
            (_("OctoPrint has given it a key"), reached >= list(Stage).index(Stage.CONNECTED)),
            (_("The key can do what is needed"), reached >= 0 and is_checked),
            (_("The printer was seen"), reached >= 0 and self.shown.is_reachable),
        ]

    @property
    def is_ready(self) -> bool:
        """Whether nothing is left to do."""
        return all(done for _step, done in self.steps)


@pages.get("/<uuid:printer_id>/agent")
@allowed(Role.MAKER)
def connection(printer_id: UUID) -> str:
    """How it is connected, and how far that has come."""
    return _page(printer_id)


@pages.get("/<uuid:printer_id>/agent/now")
@allowed(Role.MAKER)
def connection_now(printer_id: UUID) -> str:
    """The part of the page that changes by itself."""
    return render_template("maker/_agent.html", it=_shown(printer_id))


@pages.post("/<uuid:printer_id>/agent/code")
@allowed(Role.MAKER)
@at_most("20 per hour", per_address="100 per hour")
def show_code(printer_id: UUID) -> str:
    """A code, shown on this page alone, and the command in which to use it."""
    with hub().database.changing() as session:
        mine = _with_agent(session, printer_id)
        code = agents.new_code(session, mine, now=hub().clock())
    return _page(printer_id, commands=_commands(code))


@pages.post("/<uuid:printer_id>/agent/revoke")
@allowed(Role.MAKER)
def revoke(printer_id: UUID) -> ResponseReturnValue:
    """Listen to this agent no more."""
    with hub().database.changing() as session:
        mine = _with_agent(session, printer_id)
        found = agents.agent_of(session, mine.id)
        if found is None:
            raise Invalid(translatable("No agent looks after this printer."))
        agents.revoke(session, found[0], by=viewer().id, now=hub().clock())
    flash(_("We no longer listen to this agent. What prints goes on; a new agent finds out how it ended."), "success")
    return redirect(url_for("agent_page.connection", printer_id=printer_id))


def _page(printer_id: UUID, commands: Mapping[str, str] | None = None) -> str:
    it = _shown(printer_id)
    return render_template("maker/agent.html", it=it, wheel=agent_wheel(), commands=commands)


def _shown(printer_id: UUID) -> ShownAgent:
    with hub().database.reading() as session:
        mine = _with_agent(session, printer_id)
        agent, link = agents.agent_of(session, mine.id) or (None, None)
        return ShownAgent(show_printer(session, mine), agent, link)


def _with_agent(session: Session, printer_id: UUID) -> Printer:
    """A printer of the viewer's that an agent can look after: one that is carried to by hand has nothing to ask."""
    mine = my_printer(session, printer_id)
    if mine.link is Link.BY_HAND:
        raise NotFound
    return mine


def _commands(code: str) -> dict[str, str]:
    """What to type at home: to install and pair, and to pair alone where the agent is installed already."""
    root = request.url_root.rstrip("/")
    wheel = url_for("agents.wheel", filename=agent_wheel().filename, _external=True)
    trust = "" if request.is_secure or request.host.partition(":")[0] in LOCAL else " --trust-http"
    pair = f"makerhub-agent pair {root} {code}{trust}"
    return {"install": f"pipx install --force {wheel} && {pair}", "pair": pair}
