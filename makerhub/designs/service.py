"""The use cases of designs: publish a folder as an immutable version, and withdraw one."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.db import Clock, Database
from makerhub.designs.files import FileStore
from makerhub.designs.geometry import MeshReport
from makerhub.designs.inspection import inspect_mesh
from makerhub.designs.manifest import Manifest, PartManifest, read_manifest
from makerhub.designs.models import (
    Component,
    Design,
    DesignVersion,
    Kit,
    KitComponent,
    KitPart,
    Part,
    VersionState,
)
from makerhub.designs.pictures import thumbnail
from makerhub.lifecycle import begin, move


@dataclass(frozen=True)
class CheckedPart:
    """A part whose mesh has been inspected: its manifest, the mesh and what was measured of it."""

    manifest: PartManifest
    mesh: bytes
    report: MeshReport


@dataclass(frozen=True)
class CheckedDesign:
    """A folder that may be published; `content_hash` is over the manifest, the readme and every mesh."""

    manifest: Manifest
    readme: str
    parts: Sequence[CheckedPart]
    content_hash: str


def check_folder(folder: Path) -> CheckedDesign:
    """Read a design's folder and inspect its meshes, each in a child process with limits.

    Raises `ManifestInvalid` or `MeshRefused` with what is wrong.
    """
    manifest = read_manifest(folder)
    parts = [
        CheckedPart(part, (folder / part.export).read_bytes(), inspect_mesh(folder / part.export))
        for part in manifest.parts
    ]
    readme = (folder / manifest.readme).read_text(encoding="utf-8")
    return CheckedDesign(manifest, readme, parts, _content_hash(manifest, readme, parts))


def publish_catalogue(database: Database, files: FileStore, catalogue: Path, clock: Clock) -> list[DesignVersion]:
    """Publish every folder of the catalogue that is not there yet; returns the new versions."""
    folders = sorted(manifest.parent for manifest in catalogue.glob("*/okh.toml"))
    return [version for folder in folders if (version := publish(database, files, check_folder(folder), clock))]


def publish(
    database: Database, files: FileStore, design: CheckedDesign, clock: Clock, by: UUID | None = None
) -> DesignVersion | None:
    """Make a checked folder a version, the child of the design's newest; None when this very content is one already."""
    with database.reading() as session:
        if _version_of(session, design.content_hash) is not None:
            return None
    stored = [(files.put(part.mesh), files.put(thumbnail(part.mesh))) for part in design.parts]
    with database.changing() as session:
        version = _new_version(session, design, clock(), by)
        parts = [
            _part(version.id, part, mesh, picture) for part, (mesh, picture) in zip(design.parts, stored, strict=True)
        ]
        components = [
            Component(version_id=version.id, name=component.name, unit=component.unit, note=component.note)
            for component in design.manifest.components
        ]
        session.add_all([*parts, *components])
        session.flush()
        _add_kits(session, version.id, design.manifest, parts, components)
        return version


def withdraw(session: Session, version: DesignVersion, *, by: UUID, why: str, now: datetime) -> None:
    """End new requests and new prints of a version; queued work is taken back by the sweeps."""
    move(session, version, VersionState.WITHDRAWN, now=now, by=by, why=why)


def published(session: Session) -> Sequence[DesignVersion]:
    """The versions that may be asked for: of each design the newest, by name."""
    wanted = select(DesignVersion).where(DesignVersion.state == VersionState.PUBLISHED)
    newest = {version.design_id: version for version in session.exec(wanted.order_by(col(DesignVersion.published_at)))}
    return sorted(newest.values(), key=lambda version: version.name)


def parts_of(session: Session, version_id: UUID) -> Sequence[Part]:
    """The printed parts of a version, by name."""
    return session.exec(select(Part).where(Part.version_id == version_id).order_by(col(Part.name))).all()


def components_of(session: Session, version_id: UUID) -> Sequence[Component]:
    """What is bought for an item of a version, by name."""
    mine = select(Component).where(Component.version_id == version_id)
    return session.exec(mine.order_by(col(Component.name))).all()


def kits_of(session: Session, version_id: UUID) -> Sequence[Kit]:
    """What of a version may be asked for, in the manifest's order."""
    return session.exec(select(Kit).where(Kit.version_id == version_id).order_by(col(Kit.position))).all()


def kit_parts(session: Session, kit_id: UUID) -> Sequence[tuple[Part, int]]:
    """The printed parts of a kit and how many of each, by name."""
    mine = select(Part, KitPart.quantity).join(KitPart).where(KitPart.kit_id == kit_id)
    return [(part, quantity) for part, quantity in session.exec(mine.order_by(col(Part.name)))]


def kit_components(session: Session, kit_id: UUID) -> Sequence[tuple[Component, int]]:
    """What is bought for a kit and how much of each, by name."""
    mine = select(Component, KitComponent.quantity).join(KitComponent).where(KitComponent.kit_id == kit_id)
    return [(component, quantity) for component, quantity in session.exec(mine.order_by(col(Component.name)))]


def kit_name(version: DesignVersion, kit: Kit) -> str:
    """What people call a kit: the design's name, with the kit's own where a design has a choice of them."""
    return version.name if kit.name == version.name else f"{version.name}, {kit.name}"


def _version_of(session: Session, content_hash: str) -> DesignVersion | None:
    return session.exec(select(DesignVersion).where(DesignVersion.content_hash == content_hash)).first()


def _new_version(session: Session, checked: CheckedDesign, now: datetime, by: UUID | None) -> DesignVersion:
    manifest = checked.manifest
    design = session.exec(select(Design).where(Design.key == manifest.key)).first() or Design(key=manifest.key)
    session.add(design)
    session.flush()
    version = DesignVersion(
        design_id=design.id,
        version=manifest.version,
        content_hash=checked.content_hash,
        name=manifest.name,
        function=manifest.function,
        license=manifest.license,
        licensor=manifest.licensor,
        repo=manifest.repo,
        readme=checked.readme,
        parent_id=_newest(session, design.id),
        published_by=by,
        published_at=now,
    )
    begin(session, version, now=now, by=by)
    return version


def _newest(session: Session, design_id: UUID) -> UUID | None:
    mine = select(DesignVersion.id).where(DesignVersion.design_id == design_id)
    return session.exec(mine.order_by(col(DesignVersion.published_at).desc())).first()


def _add_kits(
    session: Session, version_id: UUID, manifest: Manifest, parts: Sequence[Part], components: Sequence[Component]
) -> None:
    part_ids = {part.name: part.id for part in parts}
    component_ids = {component.name: component.id for component in components}
    for position, kit in enumerate(manifest.kits):
        row = Kit(version_id=version_id, position=position, name=kit.name, fits=kit.fits)
        session.add(row)
        session.flush()
        session.add_all(KitPart(kit_id=row.id, part_id=part_ids[name], quantity=count) for name, count in kit.parts)
        session.add_all(
            KitComponent(kit_id=row.id, component_id=component_ids[name], quantity=count)
            for name, count in kit.components
        )


def _part(version_id: UUID, part: CheckedPart, mesh_sha256: str, picture_sha256: str) -> Part:
    width, depth, height = part.report.size_mm
    return Part(
        version_id=version_id,
        name=part.manifest.name,
        mesh_sha256=mesh_sha256,
        picture_sha256=picture_sha256,
        materials=list(part.manifest.materials),
        settings=asdict(part.manifest.settings),
        width_mm=width,
        depth_mm=depth,
        height_mm=height,
        volume_mm3=part.report.volume_mm3,
    )


def _content_hash(manifest: Manifest, readme: str, parts: Sequence[CheckedPart]) -> str:
    words: dict[str, Any] = {
        "manifest": asdict(manifest),
        "readme": readme,
        "meshes": [hashlib.sha256(part.mesh).hexdigest() for part in parts],
    }
    return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()
