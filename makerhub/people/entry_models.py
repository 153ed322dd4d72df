"""How people come in, besides their mailbox and their password: invitations, second factors, passkeys and tokens."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid4

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from makerhub.db import state_type
from makerhub.keys.box import SEALED
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


class SecondFactor(SQLModel, table=True):
    """A secret that a person's app has, too; in use once `confirmed_at` is set.

    `last_counter` is the half minute since 1970 of the figures that were used last, and only later ones are taken.
    """

    __tablename__ = "second_factor"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", unique=True, ondelete="CASCADE")
    sealed_secret: bytes = Field(default=b"", sa_column_kwargs={"info": SEALED})
    begun_at: datetime
    confirmed_at: datetime | None = None
    last_counter: int = 0


class Tries(SQLModel, table=True):
    """How often something was guessed at since its window began; see `people.tries`. `id` is a SHA-256."""

    __tablename__ = "tries"

    id: str = Field(primary_key=True, max_length=64)
    count: int
    since: datetime
    ends_at: datetime = Field(index=True)


class RecoveryCode(SQLModel, table=True):
    """A code on paper that stands in for the app once; deleted when it is used."""

    __tablename__ = "recovery_code"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True, ondelete="CASCADE")
    code_sha256: str = Field(max_length=64)


class Passkey(SQLModel, table=True):
    """The public half of a key that stays in a person's device; `sign_count` goes up, where the device counts."""

    __tablename__ = "passkey"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True, ondelete="CASCADE")
    name: str = Field(max_length=60)
    credential_id: bytes = Field(unique=True)
    public_key: bytes
    sign_count: int
    made_at: datetime
    used_at: datetime | None = None


class ApiToken(SQLModel, table=True):
    """What a program shows to ask in a person's name; `prefix` is what it is recognised by, and no secret."""

    __tablename__ = "api_token"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True, ondelete="CASCADE")
    name: str = Field(max_length=60)
    prefix: str = Field(max_length=16)
    sha256: str = Field(max_length=64, unique=True)
    scopes: list[str] = Field(default_factory=list, sa_type=JSON)
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None
