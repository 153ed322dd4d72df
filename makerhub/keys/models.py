"""A sealed row by which the key file and the database prove that they belong together."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlmodel import Field, SQLModel

from makerhub.keys.box import SEALED

THE_ONLY = 1


class KeyProof(SQLModel, table=True):
    """The only row of its table: a known word, sealed when the hub first used this database."""

    __tablename__ = "key_proof"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    number: int = Field(default=THE_ONLY, unique=True)
    sealed_word: bytes = Field(sa_column_kwargs={"info": SEALED})
    made_at: datetime
