"""The use cases of agents: a code that pairs one with a printer, its token, and taking the token back.

Codes and tokens are random, kept as hashes, and shown once. A token reaches the printers of its own agent alone.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select, update

from makerhub.errors import Invalid, translatable
from makerhub.fleet.messages import Pairing, Stage
from makerhub.lifecycle import begin, move
from makerhub.people.models import Person
from makerhub.printers.agent_models import Agent, AgentLink, AgentState, PairingCode
from makerhub.printers.models import Link, Printer, PrinterState

CODE_LASTS: Final = timedelta(minutes=15)
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O or U
_MISREAD: Final = str.maketrans("OIL", "011")
_CODE_LETTERS: Final = 12  # 60 bits for a quarter of an hour
TOKEN_PREFIX: Final = "mha_"  # noqa: S105 - for scanners of leaked secrets


class CodeInvalid(Invalid):
    """The pairing code is not one that waits for an agent."""

    template = translatable("This code is wrong, was used or has expired. Please show a new one on the printer's page.")


def new_code(session: Session, printer: Printer, *, now: datetime) -> str:
    """A code that pairs one agent with the printer within `CODE_LASTS`; the ones before it hold no more."""
    session.execute(
        update(PairingCode)
        .where(col(PairingCode.printer_id) == printer.id, col(PairingCode.used_at).is_(None))
        .values(used_at=now)
    )
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LETTERS))
    session.add(PairingCode(code_sha256=_hash(code), printer_id=printer.id, expires_at=now + CODE_LASTS))
    return "-".join(code[start : start + 4] for start in range(0, _CODE_LETTERS, 4))


def pair(session: Session, pairing: Pairing, token: str | None, *, now: datetime) -> tuple[Agent, Printer, str]:
    """Let an agent that shows a code look after its printer; gives the agent, the printer, and a token if it is new.

    An agent of the same owner keeps the `token` that it has. Whoever looked after the printer before does so no more:
    what was given to the old agent is looked after by the new one, and only the old one may still begin it, for the
    time of its lease. Raises `CodeInvalid`.
    """
    printer = _printer_of(session, pairing.code, now)
    agent = by_token(session, token) if token else None
    fresh = ""
    if agent is None or agent.owner_id != printer.owner_id:
        fresh = TOKEN_PREFIX + secrets.token_urlsafe(32)
        agent = Agent(
            owner_id=printer.owner_id,
            host=pairing.host,
            token_sha256=_hash_of_token(fresh),
            heard_at=now,
            paired_at=now,
        )
        begin(session, agent, now=now, by=printer.owner_id)
    agent.host, agent.system, agent.version = pairing.host, pairing.system, pairing.version
    agent.heard_at = agent.paired_at = now
    session.add(agent)
    session.merge(AgentLink(printer_id=printer.id, agent_id=agent.id, stage=Stage.PAIRED))
    _relink(session, printer, now)
    return agent, printer, fresh


def by_token(session: Session, token: str) -> Agent | None:
    """The agent with this token, if the hub still listens to it."""
    mine = select(Agent).where(Agent.token_sha256 == _hash_of_token(token), is_heard())
    return session.exec(mine).one_or_none()


def is_heard() -> ColumnElement[bool]:
    """Which agents the hub listens to: none that was revoked, and none of somebody who may not sign in any more."""
    active = select(Person.id).where(col(Person.active))
    return (col(Agent.state) == AgentState.PAIRED) & col(Agent.owner_id).in_(active)


def token_hash(token: str) -> str:
    """What is kept of a token."""
    return _hash_of_token(token)


def agent_of(session: Session, printer_id: UUID) -> tuple[Agent, AgentLink] | None:
    """The agent that looks after the printer, if one does."""
    link = session.get(AgentLink, printer_id)
    return (session.get_one(Agent, link.agent_id), link) if link else None


def revoke(session: Session, agent: Agent, *, by: UUID, now: datetime) -> None:
    """Listen to the agent no more; its printers and the story of what prints there stay, for the next agent."""
    move(session, agent, AgentState.REVOKED, now=now, by=by)


def printers_of(session: Session, agent: Agent) -> int:
    """How many printers the agent looks after."""
    return session.exec(select(func.count()).select_from(AgentLink).where(AgentLink.agent_id == agent.id)).one()


def _relink(session: Session, printer: Printer, now: datetime) -> None:
    """The key is the agent's from now on, so it is checked anew, there."""
    printer.link, printer.url, printer.encrypted_key = Link.AGENT, "", b""
    session.add(printer)
    if printer.state in (PrinterState.ACTIVE, PrinterState.PAUSED, PrinterState.REFUSED):
        move(
            session,
            printer,
            PrinterState.UNCHECKED,
            now=now,
            by=printer.owner_id,
            why="paired with an agent",
            trouble="",
        )


def _printer_of(session: Session, code: str, now: datetime) -> Printer:
    """Spend the code: of two agents that show it at once, one is taken."""
    spent = session.execute(
        update(PairingCode)
        .where(
            col(PairingCode.code_sha256) == _hash(code),
            col(PairingCode.used_at).is_(None),
            col(PairingCode.expires_at) > now,
        )
        .values(used_at=now)
        .returning(col(PairingCode.printer_id))
    ).scalar_one_or_none()
    printer = session.get(Printer, spent) if spent else None
    if printer is None or printer.state is PrinterState.RETIRED or not session.get_one(Person, printer.owner_id).active:
        raise CodeInvalid
    return printer


def _hash(code: str) -> str:
    """Of a code as people type it: blanks, hyphens and small letters are no difference."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum()).translate(_MISREAD)
    return hashlib.sha256(plain.encode()).hexdigest()


def _hash_of_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
