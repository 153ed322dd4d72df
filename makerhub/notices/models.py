"""The outbox: mails that wait, are under way, were sent or failed; and who read one in place of its addressee."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from makerhub.db import state_type
from makerhub.keys.box import SEALED


class MailState(StrEnum):
    """How far a mail is."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class Mail(SQLModel, table=True):
    """A letter to an address, with what it says, which is forgotten a while after it was sent or given up.

    What a secret letter says is `sealed`, so that a copy of the database opens nothing; else it is in `content`.

    `due_at` is when it is tried next, `useful_until` when it is not worth sending any more, `problem` why the last
    try failed: a sentence to be translated. It leaves `sending` by its result, or by `claimed_at` growing old.
    """

    __tablename__ = "mail"
    MOVES: ClassVar[Mapping[MailState, frozenset[MailState]]] = {
        MailState.WAITING: frozenset({MailState.SENDING, MailState.FAILED}),
        MailState.SENDING: frozenset({MailState.SENT, MailState.WAITING, MailState.FAILED}),
        MailState.FAILED: frozenset({MailState.WAITING}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    letter: str = Field(max_length=64)
    address: str = Field(max_length=254, index=True)
    language: str = Field(max_length=16)
    content: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    sealed: bytes = Field(default=b"", sa_column_kwargs={"info": SEALED})
    state: MailState = Field(default=MailState.WAITING, sa_type=state_type(MailState), index=True)
    written_at: datetime
    due_at: datetime
    useful_until: datetime | None = None
    claimed_at: datetime | None = None
    ended_at: datetime | None = None
    tries: int = 0
    problem: str = Field(default="", max_length=500)
    forgotten: bool = False


class MailReading(SQLModel, table=True):
    """Somebody who is not its addressee read a mail, to hand it over by other means."""

    __tablename__ = "mail_reading"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    mail_id: UUID = Field(foreign_key="mail.id", index=True, ondelete="CASCADE")
    person_id: UUID
    at: datetime
