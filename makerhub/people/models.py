"""Persons, organisations (hospitals, care homes, hubs), memberships with roles, and browser sessions."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid4

from flask_security import RoleMixin, UserMixin  # their id is an int: hence the ignores below
from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Relationship, SQLModel

from makerhub.db import state_type
from makerhub.keys.box import SEALED


class Role(StrEnum):
    """What a person does in an organisation."""

    REQUESTER = "requester"
    MAKER = "maker"
    DISPATCHER = "dispatcher"
    COURIER = "courier"
    REVIEWER = "reviewer"
    HELPER = "helper"
    ADMIN = "admin"


class OrganisationKind(StrEnum):
    """What an organisation is to the network."""

    HOSPITAL = "hospital"
    CARE_HOME = "care_home"
    HUB = "hub"


class Organisation(SQLModel, table=True):
    """A hospital or care home that asks, or a hub that checks, keeps and sends.

    Deliveries need `entrance` and `opening_hours`; latitude and longitude are those of its postcode, to a kilometre.
    One that was `merged_into` another is only kept for its history. `jurisdiction` names whose rules hold at a hub;
    empty means the one of the settings. A hub that `offers_pickup` has couriers who come to makers' homes.
    """

    __tablename__ = "organisation"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    kind: OrganisationKind = Field(sa_type=state_type(OrganisationKind))
    name: str = Field(max_length=200)
    place: str = Field(default="", max_length=200)
    postcode: str = Field(default="", max_length=16)
    latitude: float | None = None
    longitude: float | None = None
    entrance: str = Field(default="", max_length=500)
    opening_hours: str = Field(default="", max_length=300)
    time_zone: str = Field(default="Europe/London", max_length=64)
    jurisdiction: str = Field(default="", max_length=16)
    offers_pickup: bool = False
    merged_into: UUID | None = Field(default=None, foreign_key="organisation.id")


class Membership(SQLModel, RoleMixin, table=True):
    """A person's role in an organisation; it rests while the person is kept out of it, see `people.blocks`."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("person_id", "organisation_id", "role"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)  # type: ignore[assignment]
    person_id: UUID = Field(foreign_key="person.id", index=True, ondelete="CASCADE")
    organisation_id: UUID = Field(foreign_key="organisation.id", index=True)
    role: Role = Field(sa_type=state_type(Role))
    suspended: bool = False

    @property
    def name(self) -> str:  # type: ignore[override]
        """The role's name, as the sign-in library asks for it."""
        return self.role.value


class JoinState(StrEnum):
    """What became of somebody's wish to join."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    TAKEN_BACK = "taken_back"


class JoinRequest(SQLModel, table=True):
    """Somebody asks for a role in an organisation; one of its people answers, and an accepted one is a membership."""

    __tablename__ = "join_request"
    MOVES: ClassVar[Mapping[JoinState, frozenset[JoinState]]] = {
        JoinState.ASKED: frozenset({JoinState.ACCEPTED, JoinState.DECLINED, JoinState.TAKEN_BACK}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True, ondelete="CASCADE")
    organisation_id: UUID = Field(foreign_key="organisation.id", index=True)
    role: Role = Field(sa_type=state_type(Role))
    message: str = Field(default="", max_length=300)
    asked_at: datetime
    state: JoinState = Field(default=JoinState.ASKED, sa_type=state_type(JoinState))


class Person(UserMixin, SQLModel, table=True):
    """Somebody who signs in. `maker_reference` stands for the person in everything that is traced.

    `roles` are those that hold now: a role at a hub that keeps the person out rests, and is not among them.
    """

    __tablename__ = "person"

    id: UUID = Field(default_factory=uuid4, primary_key=True)  # type: ignore[assignment]
    email: str = Field(max_length=254, unique=True)
    name: str = Field(max_length=200)
    password: str | None = Field(default=None, max_length=255)
    active: bool = True
    fs_uniquifier: str = Field(default_factory=lambda: uuid4().hex, max_length=64, unique=True)
    language: str = Field(default="", max_length=16)
    time_zone: str = Field(default="", max_length=64)
    maker_reference: UUID = Field(default_factory=uuid4, unique=True)
    created_at: datetime
    roles: list[Membership] = Relationship(  # type: ignore[assignment]
        sa_relationship_kwargs={
            "lazy": "selectin",
            "viewonly": True,
            "primaryjoin": "and_(Person.id == Membership.person_id, Membership.suspended.is_(False))",
        }
    )


class BrowserSession(SQLModel, table=True):
    """A sign-in on one browser; found by the SHA-256 of its cookie, so a copied database opens nothing.

    `key` names it on the pages. `agent` is what the browser said of itself and `address` where it was, when last seen.
    """

    __tablename__ = "browser_session"

    id: str = Field(primary_key=True, max_length=64)
    key: UUID = Field(default_factory=uuid4, unique=True)
    person_id: UUID | None = Field(default=None, foreign_key="person.id", index=True, ondelete="CASCADE")
    content: str = Field(default="{}")
    agent: str = Field(default="", max_length=200)
    address: str = Field(default="", max_length=45)
    created_at: datetime
    seen_at: datetime
    expires_at: datetime = Field(index=True)


class SignInRequest(SQLModel, table=True):
    """Somebody typed an address to be let in by mail: known here or not, for the page must not tell.

    A background task answers it: where the address is known, `person_id` says whose it is, and a mail has the link (of
    which the SHA-256 is kept) and the code. The code works in the browser that asked, and a few wrong ones end it.
    Who is new gave a `name`, and is made known under it once the mailbox has proved to be theirs.
    """

    __tablename__ = "sign_in_request"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    email: str = Field(max_length=254, index=True)
    language: str = Field(max_length=16)
    name: str = Field(default="", max_length=200)
    next_page: str = Field(default="", max_length=500)
    asked_at: datetime
    expires_at: datetime = Field(index=True)
    answered_at: datetime | None = None
    person_id: UUID | None = Field(default=None, foreign_key="person.id", index=True, ondelete="CASCADE")
    link_sha256: str | None = Field(default=None, max_length=64, unique=True)
    sealed_code: bytes = Field(default=b"", sa_column_kwargs={"info": SEALED})
    tries: int = 0
