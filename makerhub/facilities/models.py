"""Evidence for facilities, how it is got, the registers that the operator imported, and merges."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid4

from sqlalchemy import JSON, CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from makerhub.db import state_type
from makerhub.facilities.ladder import EvidenceKind
from makerhub.people.models import OrganisationKind
from makerhub.places.names import LONGEST_KEY


class EvidenceState(StrEnum):
    """Whether a piece of evidence still stands; that it has expired is seen by its date."""

    GIVEN = "holds"
    REVOKED = "revoked"


class Evidence(SQLModel, table=True):
    """What proves something of a facility: by whose hand, when, and until when it holds.

    `reference` is the mail domain, the register and its code, the number that was called, or where the letter went.
    """

    __tablename__ = "evidence"
    MOVES: ClassVar[Mapping[EvidenceState, frozenset[EvidenceState]]] = {
        EvidenceState.GIVEN: frozenset({EvidenceState.REVOKED}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    facility_id: UUID = Field(foreign_key="organisation.id", index=True)
    kind: EvidenceKind = Field(sa_type=state_type(EvidenceKind))
    reference: str = Field(max_length=300)
    given_by: UUID = Field(foreign_key="person.id")
    given_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    state: EvidenceState = Field(default=EvidenceState.GIVEN, sa_type=state_type(EvidenceState))


class Way(StrEnum):
    """How a code reaches the facility."""

    MAIL = "mail"
    POST = "post"


class CodeState(StrEnum):
    """What became of a code."""

    ON_ITS_WAY = "on_its_way"
    CONFIRMED = "confirmed"
    LOCKED = "locked"
    REPLACED = "replaced"


class ProofCode(SQLModel, table=True):
    """A one-time code that was sent to a facility, kept as a hash; typed by one of its people it becomes evidence."""

    __tablename__ = "proof_code"
    __table_args__ = (CheckConstraint("tries_left >= 0", name="tries_left_not_negative"),)
    MOVES: ClassVar[Mapping[CodeState, frozenset[CodeState]]] = {
        CodeState.ON_ITS_WAY: frozenset({CodeState.CONFIRMED, CodeState.LOCKED, CodeState.REPLACED}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    facility_id: UUID = Field(foreign_key="organisation.id", index=True)
    way: Way = Field(sa_type=state_type(Way))
    reference: str = Field(max_length=300)
    code_sha256: str = Field(max_length=64)
    tries_left: int
    sent_by: UUID = Field(foreign_key="person.id")
    sent_at: datetime
    expires_at: datetime
    state: CodeState = Field(default=CodeState.ON_ITS_WAY, sa_type=state_type(CodeState))


class CallOutcome(StrEnum):
    """What a call to the number of the register told."""

    CONFIRMED = "confirmed"
    NOBODY_REACHED = "nobody_reached"
    NOT_KNOWN = "not_known"


class CallBack(SQLModel, table=True):
    """A call to the number that the register names, never to one that somebody typed."""

    __tablename__ = "call_back"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    facility_id: UUID = Field(foreign_key="organisation.id", index=True)
    number: str = Field(max_length=40)
    outcome: CallOutcome = Field(sa_type=state_type(CallOutcome))
    note: str = Field(default="", max_length=300)
    called_by: UUID = Field(foreign_key="person.id")
    called_at: datetime


class RegisterEntry(SQLModel, table=True):
    """A hospital or care home as a public register names it; `source` is what the operator calls the register."""

    __tablename__ = "register_entry"
    __table_args__ = (UniqueConstraint("source", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(max_length=40)
    code: str = Field(max_length=40)
    name: str = Field(max_length=200)
    name_key: str = Field(max_length=LONGEST_KEY, index=True)
    address: str = Field(default="", max_length=300)
    postcode: str = Field(default="", max_length=16)
    postcode_key: str = Field(default="", max_length=LONGEST_KEY, index=True)
    kind: OrganisationKind | None = Field(default=None, sa_type=state_type(OrganisationKind))
    telephone: str = Field(default="", max_length=40)
    mail_domain: str = Field(default="", max_length=120)

    @property
    def reference(self) -> str:
        """How evidence names it."""
        return f"{self.source}:{self.code}"


class MergeState(StrEnum):
    """Whether a merge stands."""

    MERGED = "merged"
    UNDONE = "undone"


class FacilityMerge(SQLModel, table=True):
    """All that belonged to one facility belongs to another now; `moved` has the keys of the rows, by table."""

    __tablename__ = "facility_merge"
    MOVES: ClassVar[Mapping[MergeState, frozenset[MergeState]]] = {
        MergeState.MERGED: frozenset({MergeState.UNDONE}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    kept_id: UUID = Field(foreign_key="organisation.id", index=True)
    merged_id: UUID = Field(foreign_key="organisation.id", index=True)
    moved: dict[str, list[str]] = Field(default_factory=dict, sa_type=JSON)
    merged_by: UUID = Field(foreign_key="person.id")
    merged_at: datetime
    state: MergeState = Field(default=MergeState.MERGED, sa_type=state_type(MergeState))
