"""Print jobs (a build plate full of one part) and the attempts to print them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from makerhub.db import state_type
from makerhub.demand.models import Urgency


class JobState(StrEnum):
    """Where a print job stands."""

    QUEUED = "queued"
    ASSIGNED = "assigned"
    DONE = "done"
    HELD = "held"
    CANCELLED = "cancelled"


class AttemptState(StrEnum):
    """Where one attempt to print a job stands, from the offer to the count."""

    OFFERED = "offered"
    PREPARING = "preparing"
    READY = "ready"
    SENDING = "sending"
    PRINTING = "printing"
    IN_DOUBT = "in_doubt"
    FINISHED = "finished"
    COUNTED = "counted"
    FAILED = "failed"
    NOT_STARTED = "not_started"
    WITHDRAWN = "withdrawn"


ON_THE_PRINTER = frozenset({AttemptState.SENDING, AttemptState.PRINTING, AttemptState.IN_DOUBT})
"""The printer may have been told to print, and how it ended is not known."""

LIVE = ON_THE_PRINTER | {AttemptState.OFFERED, AttemptState.PREPARING, AttemptState.READY, AttemptState.FINISHED}
"""The job and the printer belong to this attempt; an index lets each have one at the most."""

_live_in_sql = text(f"state IN ({', '.join(repr(state.value) for state in sorted(LIVE))})")


class PrintJob(SQLModel, table=True):
    """`copies` of a part on one build plate, planned for a request line whose deadline and urgency it carries."""

    __tablename__ = "print_job"
    __table_args__ = (CheckConstraint("copies > 0", name="copies_positive"),)
    MOVES: ClassVar[Mapping[JobState, frozenset[JobState]]] = {
        JobState.QUEUED: frozenset({JobState.ASSIGNED, JobState.CANCELLED}),
        JobState.ASSIGNED: frozenset({JobState.QUEUED, JobState.DONE, JobState.HELD}),
        JobState.HELD: frozenset({JobState.QUEUED, JobState.CANCELLED}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    hub_id: UUID = Field(foreign_key="organisation.id", index=True)
    line_id: UUID = Field(foreign_key="request_line.id", index=True)
    part_id: UUID = Field(foreign_key="part.id", index=True)
    copies: int
    needed_by: datetime
    urgency: Urgency = Field(sa_type=state_type(Urgency))
    state: JobState = Field(default=JobState.QUEUED, sa_type=state_type(JobState), index=True)
    created_at: datetime


class Attempt(SQLModel, table=True):
    """One try to print a job on a printer. `file_name` is unique for ever: the file is the start token.

    `sends`, `file_seen` and `quiet_since` are the start protocol's memory (see `fleet.start`); `doubt` is the
    protocol's reason for a question to the maker. `spool_id` is what was on the printer at the start, and
    `spool_confirmed` that the maker wants it printed although our count says that it is not enough. `agent_id` is the
    only agent that was given it to begin, if one was. `stop_asked_at` is when its maker wanted the print stopped.
    """

    __tablename__ = "attempt"
    __table_args__ = (
        UniqueConstraint("job_id", "number"),
        Index("uq_attempt_live_job", "job_id", unique=True, sqlite_where=_live_in_sql, postgresql_where=_live_in_sql),
        Index(
            "uq_attempt_live_printer",
            "printer_id",
            unique=True,
            sqlite_where=_live_in_sql,
            postgresql_where=_live_in_sql,
        ),
    )
    MOVES: ClassVar[Mapping[AttemptState, frozenset[AttemptState]]] = {
        AttemptState.OFFERED: frozenset({AttemptState.PREPARING, AttemptState.WITHDRAWN}),
        AttemptState.PREPARING: frozenset({AttemptState.READY, AttemptState.FAILED, AttemptState.WITHDRAWN}),
        AttemptState.READY: frozenset({AttemptState.SENDING, AttemptState.WITHDRAWN}),
        AttemptState.SENDING: frozenset(
            {
                AttemptState.PRINTING,
                AttemptState.NOT_STARTED,
                AttemptState.FINISHED,
                AttemptState.FAILED,
                AttemptState.IN_DOUBT,
            }
        ),
        AttemptState.PRINTING: frozenset({AttemptState.FINISHED, AttemptState.FAILED, AttemptState.IN_DOUBT}),
        AttemptState.IN_DOUBT: frozenset(
            {AttemptState.PRINTING, AttemptState.FINISHED, AttemptState.FAILED, AttemptState.NOT_STARTED}
        ),
        AttemptState.FINISHED: frozenset({AttemptState.COUNTED}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    job_id: UUID = Field(foreign_key="print_job.id", index=True)
    printer_id: UUID = Field(foreign_key="printer.id", index=True)
    number: int
    file_name: str = Field(max_length=100, unique=True)
    plate_slice_id: UUID | None = Field(default=None, foreign_key="plate_slice.id")
    spool_id: UUID | None = Field(default=None, foreign_key="spool.id")
    spool_confirmed: bool = False
    maker_reference: UUID
    declined: bool = False
    agent_id: UUID | None = Field(default=None, foreign_key="agent.id")
    sent_at: datetime | None = None
    sends: int = 0
    file_seen: bool = False
    quiet_since: datetime | None = None
    doubt: str = Field(default="", max_length=32)
    stop_asked_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    good: int | None = None
    bad: int | None = None
    state: AttemptState = Field(sa_type=state_type(AttemptState), index=True)
    created_at: datetime
