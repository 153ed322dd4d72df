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


class ApprovalState(StrEnum):
    """How far the judgement on a version has come."""

    PROTOTYPE = "prototype"
    COMMUNITY_REVIEWED = "community_reviewed"
    CLINICALLY_APPROVED = "clinically_approved"
    WITHDRAWN = "withdrawn"

    @property
    def rank(self) -> int:
        """-1 for what is withdrawn, then upwards from 0 for a prototype."""
        return -1 if self is ApprovalState.WITHDRAWN else list(ApprovalState).index(self)

    def suffices_for(self, needed: "ApprovalState") -> bool:
        """Whether a piece of this standing may go where `needed` is required."""
        return self.rank >= max(needed.rank, 0)


class UploadState(StrEnum):
    """Where an upload stands: to be checked, fit or unfit, taken into the catalogue, or done with."""

    RECEIVED = "received"
    CHECKED = "checked"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    PUBLISHED = "published"
    DISCARDED = "discarded"


class Design(SQLModel, table=True):
    """A design under the name of its folder, whatever its versions."""

    __tablename__ = "design"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    key: str = Field(max_length=100, unique=True)


class DesignVersion(SQLModel, table=True):
    """One version of a design, never changed: `content_hash` is over its manifest and its meshes.

    `parent_id` is the version that it was made from; `published_by` is nobody for what comes with makerhub.
    """

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
    picture_sha256: str = Field(default="", max_length=64)
    parent_id: UUID | None = Field(default=None, foreign_key="design_version.id")
    published_by: UUID | None = Field(default=None, foreign_key="person.id")
    state: VersionState = Field(default=VersionState.PUBLISHED, sa_type=state_type(VersionState))
    published_at: datetime


class Approval(SQLModel, table=True):
    """A judgement on a version for a material, a hub and a jurisdiction; "" and nobody mean all of them.

    `evidence` and `decided_by` are those of the last step; the log holds the earlier ones.
    """

    __tablename__ = "approval"
    MOVES: ClassVar[Mapping[ApprovalState, frozenset[ApprovalState]]] = {
        ApprovalState.PROTOTYPE: frozenset(
            {ApprovalState.COMMUNITY_REVIEWED, ApprovalState.CLINICALLY_APPROVED, ApprovalState.WITHDRAWN}
        ),
        ApprovalState.COMMUNITY_REVIEWED: frozenset(
            {ApprovalState.CLINICALLY_APPROVED, ApprovalState.PROTOTYPE, ApprovalState.WITHDRAWN}
        ),
        ApprovalState.CLINICALLY_APPROVED: frozenset({ApprovalState.PROTOTYPE, ApprovalState.WITHDRAWN}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    version_id: UUID = Field(foreign_key="design_version.id", index=True)
    material: str = Field(default="", max_length=32)
    hub_id: UUID | None = Field(default=None, foreign_key="organisation.id")
    jurisdiction: str = Field(default="", max_length=16)
    state: ApprovalState = Field(default=ApprovalState.PROTOTYPE, sa_type=state_type(ApprovalState))
    evidence: str = Field(default="", max_length=500)
    decided_by: UUID = Field(foreign_key="person.id")
    valid_from: datetime
    valid_until: datetime | None = None


class Part(SQLModel, table=True):
    """A printed part; sizes in mm, volume in mm³.

    `mesh_sha256` names the canonical mesh, which is what is sliced; `original_sha256` the file that it was read from,
    where that is another one. `analysis` is what was measured of the mesh, for people to read.
    """

    __tablename__ = "part"
    __table_args__ = (UniqueConstraint("version_id", "name"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    version_id: UUID = Field(foreign_key="design_version.id", index=True)
    name: str = Field(max_length=100)
    mesh_sha256: str = Field(max_length=64)
    original_sha256: str = Field(default="", max_length=64)
    original_name: str = Field(default="", max_length=200)
    picture_sha256: str = Field(default="", max_length=64)
    analysis: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    materials: list[str] = Field(sa_type=JSON)
    settings: dict[str, Any] = Field(sa_type=JSON)
    width_mm: float
    depth_mm: float
    height_mm: float
    volume_mm3: float


class Component(SQLModel, table=True):
    """Something bought, counted in `unit`."""

    __tablename__ = "component"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    version_id: UUID = Field(foreign_key="design_version.id", index=True)
    name: str = Field(max_length=100)
    unit: str = Field(max_length=32)
    note: str = Field(default="", max_length=500)


class Kit(SQLModel, table=True):
    """What is asked for and handed over as one: a choice of a version's parts and components, in their quantities.

    A design in three sizes has three kits; most have one. `fits` says for whom or what, a line of the size chart.
    """

    __tablename__ = "kit"
    __table_args__ = (UniqueConstraint("version_id", "name"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    version_id: UUID = Field(foreign_key="design_version.id", index=True)
    position: int
    name: str = Field(max_length=100)
    fits: str = Field(default="", max_length=200)


class KitPart(SQLModel, table=True):
    """So many pieces of a printed part go into a kit."""

    __tablename__ = "kit_part"
    __table_args__ = (
        UniqueConstraint("kit_id", "part_id"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    kit_id: UUID = Field(foreign_key="kit.id")
    part_id: UUID = Field(foreign_key="part.id", index=True)
    quantity: int


class KitComponent(SQLModel, table=True):
    """So many of a bought component, in its unit, go into a kit."""

    __tablename__ = "kit_component"
    __table_args__ = (
        UniqueConstraint("kit_id", "component_id"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    kit_id: UUID = Field(foreign_key="kit.id")
    component_id: UUID = Field(foreign_key="component.id", index=True)
    quantity: int


class PlateSlice(SQLModel, table=True):
    """G-code for `copies` of a part on one printer model, cached by the hash of all that went into it.

    `placements` says where each copy lies on the bed: its middle (x, y in mm), and whether it is turned by a quarter.
    """

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
    placements: list[tuple[float, float, bool]] = Field(default_factory=list, sa_type=JSON)
    slicer_version: str = Field(max_length=100)
    sliced_at: datetime


class Upload(SQLModel, table=True):
    """A design that somebody handed in: an archive, or one mesh with the text of a `manifest` that its form made.

    `mends` says that meshes are to be mended where that can be done. `findings` holds what the design is and what was
    found of its parts, and `problem` why it was refused: a sentence to be translated, with the values in it.
    """

    __tablename__ = "upload"
    MOVES: ClassVar[Mapping[UploadState, frozenset[UploadState]]] = {
        UploadState.RECEIVED: frozenset({UploadState.CHECKED, UploadState.REFUSED, UploadState.DISCARDED}),
        UploadState.CHECKED: frozenset({UploadState.ACCEPTED, UploadState.RECEIVED, UploadState.DISCARDED}),
        UploadState.ACCEPTED: frozenset({UploadState.PUBLISHED, UploadState.REFUSED}),
        UploadState.REFUSED: frozenset({UploadState.RECEIVED, UploadState.DISCARDED}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    hub_id: UUID = Field(foreign_key="organisation.id", index=True)
    uploaded_by: UUID = Field(foreign_key="person.id")
    uploaded_at: datetime
    file_name: str = Field(max_length=200)
    manifest: str = Field(default="", max_length=20_000)
    mends: bool = False
    state: UploadState = Field(default=UploadState.RECEIVED, sa_type=state_type(UploadState))
    findings: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    problem: str = Field(default="", max_length=1000)
    problem_values: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    version_id: UUID | None = Field(default=None, foreign_key="design_version.id")
