"""Reports of what somebody met on a page, or of the person behind it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid4

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from makerhub.db import state_type


class Kind(StrEnum):
    """What can be reported."""

    REQUEST = "supply_request"
    FACILITY = "facility"
    SHIPMENT = "shipment"
    PICKUP = "pickup"
    UPLOAD = "upload"
    HUB = "hub_description"


class Reason(StrEnum):
    """Why it is reported."""

    UNSAFE = "unsafe"
    HARASSMENT = "harassment"
    CONTACT = "contact"
    PRIVATE = "private"
    OTHER = "other"


class ReportState(StrEnum):
    """What became of a report."""

    OPEN = "open"
    WITHDRAWN = "withdrawn"
    DISMISSED = "dismissed"
    HIDDEN = "hidden"
    BLOCKED = "blocked"


_open_in_sql = text("state = 'open'")


class Report(SQLModel, table=True):
    """Somebody reports a thing (`kind` and `thing_id`), and with it the person behind it, where there is one.

    The dispatchers of `hub_id` decide, or administrators alone where the report is about one of them. `said` is what
    the thing said then. Who reported is told to whoever decides, and never to the person who is reported.
    """

    __tablename__ = "report"
    __table_args__ = (
        Index(
            "uq_report_open",
            "reporter_id",
            "kind",
            "thing_id",
            unique=True,
            sqlite_where=_open_in_sql,
            postgresql_where=_open_in_sql,
        ),
    )
    MOVES: ClassVar[Mapping[ReportState, frozenset[ReportState]]] = {
        ReportState.OPEN: frozenset(
            {ReportState.WITHDRAWN, ReportState.DISMISSED, ReportState.HIDDEN, ReportState.BLOCKED}
        ),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    kind: Kind = Field(sa_type=state_type(Kind))
    thing_id: UUID = Field(index=True)
    title: str = Field(max_length=200)
    said: str = Field(default="", max_length=2000)
    reason: Reason = Field(sa_type=state_type(Reason))
    words: str = Field(default="", max_length=1000)
    reporter_id: UUID | None = Field(default=None, foreign_key="person.id", index=True)
    person_id: UUID | None = Field(default=None, foreign_key="person.id", index=True)
    hub_id: UUID | None = Field(default=None, foreign_key="organisation.id", index=True)
    for_administrators: bool = False
    reported_at: datetime
    ended_at: datetime | None = None
    state: ReportState = Field(default=ReportState.OPEN, sa_type=state_type(ReportState), index=True)
