"""What becomes of a print whose agent is not heard of: patience as long as it may well go on, then a question."""

import logging
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.background import task
from makerhub.db import Clock, Database
from makerhub.designs.models import PlateSlice
from makerhub.errors import MovedMeanwhile
from makerhub.fleet.messages import LEASE_SECONDS
from makerhub.fleet.verdict import SEND_WINDOW, Reason
from makerhub.printers.agent_models import Agent, AgentLink
from makerhub.production import service
from makerhub.production.models import Attempt, AttemptState

RUNNING: Final = (AttemptState.SENDING, AttemptState.PRINTING)

log = logging.getLogger(__name__)

MAY_BEGIN: Final = timedelta(seconds=LEASE_SECONDS) + 2 * SEND_WINDOW
"""So long after its agent last asked, a print that it was given may still begin: nobody is asked before."""

PATIENCE: Final = timedelta(minutes=30)
"""How long an agent may be silent beyond the time at which its print should be done."""


@task
def ask_about_silent_agents(database: Database, clock: Clock) -> None:
    """Ask the maker about each print whose agent is silent and that may no longer begin, or should long be done."""
    now = clock()
    with database.reading() as session:
        silent = [attempt.id for attempt in _with_agents(session) if is_overdue(session, attempt, now)]
    for attempt_id in silent:
        try:
            with database.changing() as session:
                _ask(session, attempt_id, now)
        except MovedMeanwhile as error:
            log.info("Attempt %s goes on: %s", attempt_id, error)


def is_overdue(session: Session, attempt: Attempt, now: datetime) -> bool:
    """Whether nobody but the maker can tell what became of the attempt."""
    silent = now - _heard_at(session, attempt)
    if attempt.state is AttemptState.SENDING:
        return silent > MAY_BEGIN
    plate = session.exec(select(PlateSlice).where(PlateSlice.id == attempt.plate_slice_id)).first()
    seconds = plate.seconds if plate else 0
    done_at = (attempt.started_at or attempt.created_at) + timedelta(seconds=seconds * 1.5)
    return silent > PATIENCE and now > done_at + PATIENCE


def _with_agents(session: Session) -> list[Attempt]:
    """What may be on the printers that agents look after, and how it ended is not known."""
    mine = select(Attempt).join(AgentLink, col(AgentLink.printer_id) == Attempt.printer_id)
    return list(session.exec(mine.where(col(Attempt.state).in_(RUNNING))).all())


def _heard_at(session: Session, attempt: Attempt) -> datetime:
    """When the agent that can tell was heard of: until the start the one that was given it, then whoever follows it."""
    following = session.get_one(Agent, session.get_one(AgentLink, attempt.printer_id).agent_id)
    is_given = attempt.state is AttemptState.SENDING and attempt.agent_id is not None
    return session.get_one(Agent, attempt.agent_id).heard_at if is_given else following.heard_at


def _ask(session: Session, attempt_id: UUID, now: datetime) -> None:
    """Look again, in the transaction: a report may have come meanwhile."""
    attempt = session.get_one(Attempt, attempt_id, with_for_update=True)
    if attempt.state in RUNNING and is_overdue(session, attempt, now):
        doubt = service.Outcome(AttemptState.IN_DOUBT, "its agent is silent", Reason.AGENT_SILENT)
        service.end(session, attempt, doubt, now=now)
