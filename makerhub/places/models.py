"""Postcodes and named places, from the files that the operator imported."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlmodel import Field, SQLModel

from makerhub.places.names import LONGEST_KEY

KEY_TYPE = String(LONGEST_KEY).with_variant(String(LONGEST_KEY, collation="C"), "postgresql")
"""Ordered by its bytes on every server, so that all keys with one beginning lie beside each other in an index."""


class PlaceSource(SQLModel, table=True):
    """One import of one set of files. Its places are found from `finished_at` on, until another import replaces it.

    `attribution` is what the licence of the files wants to be said beside what is found in them.
    """

    __tablename__ = "place_source"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=100, index=True)
    attribution: str = Field(default="", max_length=500)
    sha256: str = Field(max_length=64)
    places: int = 0
    started_at: datetime
    finished_at: datetime | None = None
    replaced_at: datetime | None = None


class Place(SQLModel, table=True):
    """A postcode, a named place, or a postcode of a named place; where it is, in degrees."""

    __tablename__ = "place"
    __table_args__ = (Index("ix_place_postcode_key", "postcode_key"), Index("ix_place_name_key", "name_key"))

    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="place_source.id")
    postcode: str = Field(default="", max_length=16)
    postcode_key: str = Field(default="", sa_type=KEY_TYPE)
    name: str = Field(default="", max_length=120)
    name_key: str = Field(default="", sa_type=KEY_TYPE)
    region: str = Field(default="", max_length=120)
    country: str = Field(default="", max_length=2)
    latitude: float
    longitude: float
