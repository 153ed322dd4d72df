"""How people come in, besides their mailbox and their password: invitations."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid4

from sqlmodel import Field, SQLModel

from makerhub.db import state_type
from makerhub.people.models import Role


class InvitationState(StrEnum):
    """What became of an invitation."""

    INVITED = "invited"
    JOINED = "joined"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Invitation(SQLModel, table=True):
    """Whoever reads this mailbox may join an organisation in a role, once; of the link the SHA-256 is kept."""

    __tablename__ = "invitation"
    MOVES: ClassVar[Mapping[InvitationState, frozenset[InvitationState]]] = {
        InvitationState.INVITED: frozenset({InvitationState.JOINED, InvitationState.REVOKED, InvitationState.EXPIRED}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    email: str = Field(max_length=254, index=True)
    organisation_id: UUID = Field(foreign_key="organisation.id", index=True)
    role: Role = Field(sa_type=state_type(Role))
    invited_by: UUID = Field(foreign_key="person.id")
    invited_at: datetime
    expires_at: datetime
    link_sha256: str = Field(max_length=64, unique=True)
    state: InvitationState = Field(default=InvitationState.INVITED, sa_type=state_type(InvitationState))
    joined_by: UUID | None = Field(default=None, foreign_key="person.id")
