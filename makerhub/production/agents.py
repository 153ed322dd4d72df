"""The hub's side of agents: reports are applied in batches, and what the hub wants goes back.

An attempt is handed over by the same claim that precedes a direct start: from then on only its agent can tell what
became of it. The hub mirrors the agent's journal; a report that comes late, twice or out of order changes nothing.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy import select as columns
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from makerhub.db import Clock, Database
from makerhub.designs.approvals import ApprovalPolicy
from makerhub.designs.models import PlateSlice
from makerhub.designs.profiles import PrinterProfile
from makerhub.errors import IllegalMove, MakerhubError, MovedMeanwhile
from makerhub.fleet.messages import LEASE_SECONDS, AttemptNews, PrinterNews, Reply, Report, Wanted, Willing
from makerhub.fleet.poll import Observation as Seen
from makerhub.fleet.verdict import Outcome
from makerhub.lifecycle import history
from makerhub.printers import service as printers
from makerhub.printers.agent_models import Agent, AgentLink
from makerhub.printers.agents import is_heard
from makerhub.printers.models import BuildPlate, PlateState, Printer, PrinterState
from makerhub.printers.own import base_of
from makerhub.production import material, service, trial_agents
from makerhub.production.journal import ENDS
from makerhub.production.material import SpoolShort
from makerhub.production.models import ON_THE_PRINTER, Attempt, AttemptState
from makerhub.production.staggering import may_begin_now
from makerhub.production.trial_models import LIVE as LIVE_TRIALS
from makerhub.production.trial_models import TrialPrint, TrialState

log = logging.getLogger(__name__)

ATTENDED: Final = timedelta(minutes=10)
"""So long after its pairing an agent is asked to report often: its owner looks on at the printer's page."""

LEASE: Final = timedelta(seconds=LEASE_SECONDS)
RETIRED: Final = PrinterState.RETIRED
WATCHED: Final = ON_THE_PRINTER | {AttemptState.READY}


@dataclass(frozen=True)
class Received:
    """A report as it arrived, with the hash of the token that came with it."""

    token_sha256: str
    report: Report


@dataclass
class _Known:
    """What the database has of one agent when its report is applied."""

    agent_id: UUID
    boot: int
    sequence: int
    paired_at: datetime
    links: dict[UUID, AgentLink] = field(default_factory=dict)
    attempts: dict[UUID, Attempt] = field(default_factory=dict)
    trials: dict[UUID, TrialPrint] = field(default_factory=dict)
    unchecked: set[UUID] = field(default_factory=set)


class AgentDesk:
    """Applies agents' reports; `changed` is called after a commit in which something began, ended or went idle."""

    def __init__(
        self,
        database: Database,
        policy: ApprovalPolicy,
        profiles: Mapping[str, PrinterProfile],
        clock: Clock,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._policy = policy
        self._profiles = profiles
        self._clock = clock
        self._changed = changed

    def apply(self, batch: Sequence[Received]) -> list[Reply | None]:
        """Apply reports in one transaction and give each its reply, which is true once this returns.

        None stands for a token that is unknown or revoked, or whose owner may not sign in any more. A report that
        fails by itself spoils no other: what the database did not take is told again by its agent.
        """
        now = self._clock()
        with self._database.changing() as session:
            known = _known(session, {received.token_sha256 for received in batch})
            news = [(known.get(received.token_sha256), received.report) for received in batch]
            fresh = list(_in_order(news))
            before = printers.doing(session, [one.printer_id for _, report in fresh for one in report.printers])
            moved = False
            for agent, report in fresh:
                moved |= self._apply(session, agent, report, now)
            printers.observe(session, _observations(fresh, now))
            _remember(session, [agent for agent, _ in fresh], now)
            session.flush()
            replies = [None if agent is None else _reply(session, agent, now) for agent, _ in news]
            after = printers.doing(session, before.keys())
        if moved or before != after:
            self._changed()
        return replies

    def _apply(self, session: Session, agent: _Known, report: Report, now: datetime) -> bool:
        """Apply one report; whether an attempt or a printer moved on."""
        moved = False
        for news in report.printers:
            if news.printer_id in agent.links:
                moved |= _alone(session, partial(_note_printer, session, agent, news, self._profiles, now))
        for told in report.attempts:
            attempt = agent.attempts.get(told.attempt_id)
            if attempt is not None and attempt.state in ON_THE_PRINTER:
                moved |= _alone(session, partial(mirror, session, attempt, told, now))
            trial = agent.trials.get(told.attempt_id)
            if trial is not None:
                started_at = _started_at(told, trial.sent_at or now, now)
                moved |= _alone(session, partial(trial_agents.mirror, session, trial, told, started_at, now))
        for attempt in agent.attempts.values():
            if attempt.state is AttemptState.READY:
                moved |= _alone(session, partial(self._hand_over, session, agent, attempt, now))
        for trial in agent.trials.values():
            if trial.state is TrialState.WAITING:
                link = agent.links[trial.printer_id]
                moved |= _alone(session, partial(trial_agents.hand_over, session, link, trial, now))
        return moved

    def _hand_over(self, session: Session, agent: _Known, attempt: Attempt, now: datetime) -> bool:
        """Give a ready attempt to the agent if it would begin it now: claimed here, committed before it hears of it."""
        if not _is_welcome(session, agent.links[attempt.printer_id], attempt):
            return False
        if material.is_held(session, attempt) or not service.may_start(session, self._policy, attempt, now=now):
            return False
        if not may_begin_now(session, [attempt], self._profiles, now):
            return False  # the household's breaker bears no more at once
        service.claim_start(session, attempt, now=now)
        attempt.agent_id = agent.agent_id
        session.add(attempt)
        return True


def mirror(session: Session, row: Attempt, told: AttemptNews, now: datetime) -> bool:
    """Take over what the agent's journal says of an attempt; whether that moved it."""
    before = row.state
    given_at = row.sent_at or now
    row.sends, row.file_seen = max(row.sends, told.sends), row.file_seen or told.file_seen
    session.add(row)
    is_new = row.state is AttemptState.SENDING or told.outcome is Outcome.STARTED
    started_at = _started_at(told, given_at, now)
    if started_at is not None and is_new:
        service.started(session, row, now=started_at)
    if told.outcome in ENDS and told.outcome is not None:
        why = told.reason.value if told.reason else ""
        doubt = why if told.outcome is Outcome.ASK_HUMAN else ""
        ended = service.Outcome(ENDS[told.outcome], why, doubt)
        service.end(session, row, ended, now=_happened(now, told.outcome_age_s, row.started_at or given_at))
    return row.state is not before


def _started_at(told: AttemptNews, given_at: datetime, now: datetime) -> datetime | None:
    return None if told.started_age_s is None else _happened(now, told.started_age_s, given_at)


def _happened(now: datetime, age_s: float, not_before: datetime) -> datetime:
    """When it was by the hub's clock; an agent's ages may be wrong, but nothing ends before it began."""
    return min(max(now - timedelta(seconds=age_s), not_before), now)


def _known(session: Session, hashes: set[str]) -> dict[str, _Known]:
    """The agents of these tokens, with their printers and what is or may come to be on them; held until the end."""
    names = (Agent.id, Agent.token_sha256, Agent.boot, Agent.sequence, Agent.paired_at)
    mine = columns(*map(col, names)).where(col(Agent.token_sha256).in_(hashes), is_heard())
    rows = session.execute(mine.order_by(col(Agent.id)).with_for_update()).all()
    known = {token: _Known(agent_id, boot, sequence, paired) for agent_id, token, boot, sequence, paired in rows}
    by_id = {agent.agent_id: agent for agent in known.values()}
    links = select(AgentLink, Printer.state).join(Printer, col(Printer.id) == AgentLink.printer_id)
    for link, state in session.exec(links.where(col(AgentLink.agent_id).in_(by_id), Printer.state != RETIRED)):
        by_id[link.agent_id].links[link.printer_id] = link
        if state is PrinterState.UNCHECKED:
            by_id[link.agent_id].unchecked.add(link.printer_id)
    at = {printer_id: agent for agent in known.values() for printer_id in agent.links}
    watched = select(Attempt).where(col(Attempt.printer_id).in_(at), col(Attempt.state).in_(WATCHED))
    for attempt in session.exec(watched):
        at[attempt.printer_id].attempts[attempt.id] = attempt
    asked = select(TrialPrint).where(col(TrialPrint.printer_id).in_(at), col(TrialPrint.state).in_(LIVE_TRIALS))
    for trial in session.exec(asked):
        at[trial.printer_id].trials[trial.id] = trial
    return known


def _in_order(news: Iterable[tuple[_Known | None, Report]]) -> Iterator[tuple[_Known, Report]]:
    """Give the reports that are not late; two of one agent may be in a batch, and the older comes first."""
    mine = [(agent, report) for agent, report in news if agent is not None]
    for agent, report in sorted(mine, key=lambda pair: (pair[1].boot, pair[1].sequence)):
        if (report.boot, report.sequence) > (agent.boot, agent.sequence):
            agent.boot, agent.sequence = report.boot, report.sequence
            yield agent, report


def _alone(session: Session, change: Callable[[], bool]) -> bool:
    """Make a change that may fail without the others: somebody else was first, or a row is not as it was thought."""
    try:
        with session.begin_nested():
            return change()
    except (IllegalMove, MovedMeanwhile, SpoolShort) as error:
        log.info("A part of an agent's report comes too late, or has to wait: %s", error)
        return False
    except (MakerhubError, SQLAlchemyError):
        log.exception("A part of an agent's report could not be applied; it will be told again, or is out of date")
        return False


def _note_printer(
    session: Session, agent: _Known, news: PrinterNews, profiles: Mapping[str, PrinterProfile], now: datetime
) -> bool:
    """Keep what the agent said of a printer beside the observation; whether its key was accepted or refused by that."""
    link = agent.links[news.printer_id]
    if news.stage is not None:
        link.stage = news.stage
    if news.willing is not None:
        link.willing, link.unwilling, link.longest_seconds = news.willing, news.unwilling, news.longest_s
    session.add(link)
    if news.key is None or news.printer_id not in agent.unchecked:
        return False
    printer = session.get_one(Printer, news.printer_id)
    printers.key_checked(session, printer, news.key.report(), base_of(printer, profiles), now=now)
    agent.unchecked.discard(news.printer_id)
    return True


def _is_welcome(session: Session, link: AgentLink, attempt: Attempt) -> bool:
    """Whether the agent would begin this attempt now, and the plate is clear."""
    if link.willing == Willing.NOTHING:
        return False
    plate = session.exec(select(BuildPlate.state).where(BuildPlate.printer_id == attempt.printer_id)).one()
    if plate is not PlateState.CLEAR:
        return False
    if was_accepted(session, attempt):
        return True
    longest = link.longest_seconds
    return link.willing == Willing.ANYTHING and (longest is None or _plate(session, attempt).seconds <= longest)


def was_accepted(session: Session, attempt: Attempt) -> bool:
    """Whether the maker was asked about this very print, and said yes."""
    return any(change.before == AttemptState.OFFERED for change in history(session, attempt))


def _observations(news: Iterable[tuple[_Known, Report]], now: datetime) -> list[Seen]:
    return [
        Seen(one.printer_id, now - timedelta(seconds=one.seen.age_s), one.seen.report())
        for agent, report in news
        for one in report.printers
        if one.seen is not None and one.printer_id in agent.links
    ]


def _remember(session: Session, agents: Iterable[_Known], now: datetime) -> None:
    rows = [{"id": agent.agent_id, "boot": agent.boot, "sequence": agent.sequence, "heard_at": now} for agent in agents]
    if rows:
        session.execute(update(Agent), list({row["id"]: row for row in rows}.values()))


def _reply(session: Session, agent: _Known, now: datetime) -> Reply:
    mine = [attempt for attempt in agent.attempts.values() if _is_for(attempt, agent, now)]
    wanted = [_wanted(session, attempt, agent, now) for attempt in mine]
    trials = [trial_agents.wanted(trial, agent.agent_id, now) for trial in agent.trials.values()]
    return Reply(
        boot=agent.boot,
        sequence=agent.sequence,
        printers=sorted(agent.links),
        wanted=[*wanted, *filter(None, trials)],
        check=sorted(agent.unchecked),
        soon=bool(agent.trials) or now - agent.paired_at < ATTENDED,
    )


def _is_for(attempt: Attempt, agent: _Known, now: datetime) -> bool:
    """Whether the agent is to look after it; what another one was given is left to that one until its lease is over."""
    if attempt.state is AttemptState.SENDING and attempt.agent_id not in (None, agent.agent_id):
        return attempt.sent_at is not None and now - attempt.sent_at > LEASE
    return attempt.state in ON_THE_PRINTER


def _wanted(session: Session, attempt: Attempt, agent: _Known, now: datetime) -> Wanted:
    plate = _plate(session, attempt)
    return Wanted(
        attempt_id=attempt.id,
        printer_id=attempt.printer_id,
        file_name=attempt.file_name,
        size=plate.gcode_bytes,
        sha1=plate.gcode_sha1,
        sha256=plate.gcode_sha256,
        seconds=plate.seconds,
        sent_age_s=max(0.0, (now - (attempt.sent_at or now)).total_seconds()),
        may_send=attempt.state is AttemptState.SENDING and attempt.agent_id == agent.agent_id,
        accepted=was_accepted(session, attempt),
        stop=attempt.stop_asked_at is not None,
    )


def _plate(session: Session, attempt: Attempt) -> PlateSlice:
    return session.exec(select(PlateSlice).where(PlateSlice.id == attempt.plate_slice_id)).one()


def trial_for(session: Session, agent: Agent) -> bool:
    """Whether the agent was given a test print."""
    mine = select(TrialPrint.id).where(TrialPrint.agent_id == agent.id, col(TrialPrint.state).in_(LIVE_TRIALS))
    return session.exec(mine.limit(1)).first() is not None


def gcode_for(session: Session, agent: Agent, sha256: str) -> bool:
    """Whether the agent may fetch this G-code: something on one of its printers is to be printed from it."""
    mine = (
        select(Attempt.id)
        .join(PlateSlice, col(PlateSlice.id) == Attempt.plate_slice_id)
        .join(AgentLink, col(AgentLink.printer_id) == Attempt.printer_id)
        .where(
            AgentLink.agent_id == agent.id,
            PlateSlice.gcode_sha256 == sha256,
            col(Attempt.state).in_(ON_THE_PRINTER),
        )
    )
    return session.exec(mine.limit(1)).first() is not None
