"""Designs, their immutable versions with parts and components, and the plates that were sliced of them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import JSON, CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from makerhub.db import state_type


class VersionState(StrEnum):
    """Whether a version may be asked for and printed."""

    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Design(SQLModel, table=True):
    """A design under the name of its folder, whatever its versions."""

    __tablename__ = "design"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    key: str = Field(max_length=100, unique=True)


class DesignVersion(SQLModel, table=True):
    """One version of a design, never changed: `content_hash` is over its manifest and its meshes."""

    __tablename__ = "design_version"
    MOVES: ClassVar[Mapping[VersionState, frozenset[VersionState]]] = {
        VersionState.PUBLISHED: frozenset({VersionState.WITHDRAWN}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    design_id: UUID = Field(foreign_key="design.id", index=True)
    version: str = Field(max_length=32)
    content_hash: str = Field(max_length=64, unique=True)
    name: str = Field(max_length=200)
    function: str = Field(max_length=2000)
    license: str = Field(max_length=100)
    licensor: str = Field(max_length=200)
    repo: str = Field(default="", max_length=500)
    readme: str = Field(default="", max_length=100_000)
    state: VersionState = Field(default=VersionState.PUBLISHED, sa_type=state_type(VersionState))
    published_at: datetime


class Part(SQLModel, table=True):
    """A printed part: `quantity` pieces of it make one item; sizes in mm, volume in mm³."""

    __tablename__ = "part"
    __table_args__ = (
        UniqueConstraint("version_id", "name"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    version_id: UUID = Field(foreign_key="design_version.id", index=True)
    name: str = Field(max_length=100)
    quantity: int
    mesh_sha256: str = Field(max_length=64)
    picture_sha256: str = Field(default="", max_length=64)
    materials: list[str] = Field(sa_type=JSON)
    settings: dict[str, Any] = Field(sa_type=JSON)
    width_mm: float
    depth_mm: float
    height_mm: float
    volume_mm3: float


class Component(SQLModel, table=True):
    """Something bought of which `quantity` of `unit` go into one item."""

    __tablename__ = "component"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    version_id: UUID = Field(foreign_key="design_version.id", index=True)
    name: str = Field(max_length=100)
    quantity: int
    unit: str = Field(max_length=32)
    note: str = Field(default="", max_length=500)


class PlateSlice(SQLModel, table=True):
    """G-code for `copies` of a part on one printer model, cached by the hash of all that went into it."""

    __tablename__ = "plate_slice"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    part_id: UUID = Field(foreign_key="part.id", index=True)
    profile: str = Field(max_length=64)
    material: str = Field(max_length=32)
    copies: int
    input_hash: str = Field(max_length=64, unique=True)
    gcode_sha256: str = Field(max_length=64)
    gcode_sha1: str = Field(max_length=40)
    gcode_bytes: int
    seconds: int
    milligrams: int
    slicer_version: str = Field(max_length=100)
    sliced_at: datetime
