"""The hub's journal of the start protocol: every promise is committed before the printer hears of it."""

from datetime import datetime
from uuid import UUID

from sqlmodel import col, select, update

from makerhub.db import Database
from makerhub.designs.approvals import ApprovalPolicy
from makerhub.errors import IllegalMove, MovedMeanwhile
from makerhub.fleet.verdict import Attempt as Sending
from makerhub.fleet.verdict import Outcome, Verdict
from makerhub.production import service
from makerhub.production.material import SpoolShort
from makerhub.production.models import ON_THE_PRINTER, Attempt, AttemptState

ENDS = {
    Outcome.NOT_STARTED: AttemptState.NOT_STARTED,
    Outcome.DONE: AttemptState.FINISHED,
    Outcome.FAILED: AttemptState.FAILED,
    Outcome.ASK_HUMAN: AttemptState.IN_DOUBT,
}


class HubJournal:
    """A `StartJournal` in the hub's database."""

    def __init__(self, database: Database, policy: ApprovalPolicy) -> None:
        self._database = database
        self._policy = policy

    def sending(self, attempt: Sending, now: datetime) -> bool:
        """Claim the next sending; False when somebody else has, or when it may not be started any more."""
        try:
            with self._database.changing() as session:
                row = session.exec(select(Attempt).where(Attempt.id == attempt.id).with_for_update()).one()
                if row.sends != attempt.sends or not service.may_start(session, self._policy, row, now=now):
                    return False
                if row.state is AttemptState.READY:
                    service.claim_start(session, row, now=now)
                    return True
                if row.state is not AttemptState.SENDING:
                    return False
                row.sends += 1
                return True
        except (IllegalMove, MovedMeanwhile, SpoolShort):
            return False

    def file_seen(self, attempt_id: UUID) -> None:
        """Remember for ever that the file was seen."""
        with self._database.changing() as session:
            session.execute(update(Attempt).where(col(Attempt.id) == attempt_id).values(file_seen=True))

    def quiet(self, attempt_id: UUID, since: datetime | None) -> None:
        """Remember since when nothing has been heard of the print."""
        with self._database.changing() as session:
            session.execute(update(Attempt).where(col(Attempt.id) == attempt_id).values(quiet_since=since))

    def conclude(self, attempt_id: UUID, verdict: Verdict, now: datetime) -> None:
        """Record what became of the attempt; a verdict that comes too late changes nothing."""
        with self._database.changing() as session:
            row = session.exec(select(Attempt).where(Attempt.id == attempt_id).with_for_update()).one()
            if row.state not in ON_THE_PRINTER:
                return
            if verdict.outcome is Outcome.STARTED:
                service.started(session, row, now=now)
                return
            doubt = verdict.reason if verdict.outcome is Outcome.ASK_HUMAN else ""
            service.end(session, row, service.Outcome(ENDS[verdict.outcome], verdict.reason, doubt), now=now)
