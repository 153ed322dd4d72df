"""Test prints at agents: handed over like an attempt, and the agent's journal is mirrored like that of one."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from makerhub.fleet import trial as file
from makerhub.fleet.messages import AttemptNews, Wanted, Willing
from makerhub.printers.agent_models import AgentLink
from makerhub.production import trials
from makerhub.production.trial_models import SENT, TrialPrint, TrialState


def hand_over(session: Session, link: AgentLink, trial: TrialPrint, now: datetime) -> bool:
    """Give it to the agent, or end it where the agent's owner or the printer lets nothing begin now."""
    if link.willing == Willing.NOTHING:
        trials.end(session, trial, TrialState.NOT_STARTED, link.unwilling, now=now)
        return True
    return trials.claim(session, trial, agent_id=link.agent_id, now=now)


def mirror(session: Session, trial: TrialPrint, told: AttemptNews, started_at: datetime | None, now: datetime) -> bool:
    """Take over what the agent's journal says of it; `started_at` by the hub's clock. Whether that moved it."""
    before = trial.state
    if before not in SENT:
        return False
    trial.sends, trial.file_seen = max(trial.sends, told.sends), trial.file_seen or told.file_seen
    session.add(trial)
    if started_at is not None:
        trials.started(session, trial, now=started_at)
    if told.outcome in trials.ENDS and told.outcome is not None:
        trials.end(session, trial, trials.ENDS[told.outcome], told.reason or "", now=now)
    return trial.state is not before


def wanted(trial: TrialPrint, agent_id: UUID, now: datetime) -> Wanted | None:
    """What the agent that was given it is told of it; nothing once it is over."""
    if trial.state not in SENT or trial.agent_id != agent_id or trial.sent_at is None:
        return None
    return Wanted(
        attempt_id=trial.id,
        printer_id=trial.printer_id,
        file_name=trial.file_name,
        size=len(file.GCODE),
        sha1=file.SHA1,
        sha256=file.SHA256,
        seconds=file.SECONDS,
        sent_age_s=max(0.0, (now - trial.sent_at).total_seconds()),
        may_send=trial.state is TrialState.SENDING,
        accepted=True,
    )
