"""Publishing: what was handed in is checked, and becomes an immutable version under the hash of its content."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from sqlmodel import Session, col, select

from makerhub.db import Clock, Database
from makerhub.designs.files import FileStore
from makerhub.designs.geometry import MeshReport
from makerhub.designs.inspection import MeshRefused, inspect_mesh, picture_of, scene_of
from makerhub.designs.jobs import Inspected
from makerhub.designs.licences import FREE, LicencePolicy, require_permission
from makerhub.designs.manifest import Manifest, PartManifest
from makerhub.designs.models import Component, Design, DesignVersion, Kit, KitComponent, KitPart, Part
from makerhub.designs.quote import quote
from makerhub.designs.submission import Submission, from_folder
from makerhub.errors import Invalid, translatable
from makerhub.lifecycle import begin


class VersionTaken(Invalid):
    """The design has this version already, with other content; versions never change."""

    template = translatable(
        "There is a version %(version)s of “%(name)s” already, with other content. "
        "Versions never change: give this one a new number."
    )


@dataclass(frozen=True)
class CheckedPart:
    """A part whose mesh has been inspected: the `original` file, and what was `found` of it."""

    manifest: PartManifest
    original: bytes
    found: Inspected

    @property
    def report(self) -> MeshReport:
        """Whether the mesh can be printed."""
        return self.found.report

    @property
    def mesh(self) -> bytes:
        """The canonical mesh, empty where there are problems."""
        return self.found.mesh

    def analysis(self) -> dict[str, Any]:
        """What is kept of what was measured: the analysis, what a piece will take, and how the mesh was mended."""
        analysis, kept = self.found.analysis, {"mended": msgspec.to_builtins(self.found.mending)}
        if analysis is None:
            return kept
        quoted = quote(analysis, self.manifest.settings, self.manifest.materials[0])
        return {**analysis.as_json(), "grams": quoted.grams.expected, "quote": msgspec.to_builtins(quoted), **kept}


@dataclass(frozen=True)
class CheckedDesign:
    """A design that may be published; `content_hash` is over the manifest, the readme and every mesh."""

    manifest: Manifest
    readme: str
    parts: Sequence[CheckedPart]
    content_hash: str


def check_folder(folder: Path) -> CheckedDesign:
    """As `check`, for a design of one's own in a folder."""
    return check(from_folder(folder))


def check(submission: Submission, policy: LicencePolicy = FREE, *, mends: bool = False) -> CheckedDesign:
    """What was handed in, if it may be published; meshes are read in a child process with limits, and mended if asked.

    Raises `ManifestInvalid`, `LicenceRefused` or `MeshRefused` with what is wrong.
    """
    design = look_at(submission, policy, mends=mends)
    for part in design.parts:
        if part.report.problems:
            raise MeshRefused(part.report, part.manifest.name, can_be_mended=bool(part.found.mending))
    return design


def look_at(submission: Submission, policy: LicencePolicy = FREE, *, mends: bool = False) -> CheckedDesign:
    """As `check`, but with what is wrong with the meshes in their reports."""
    manifest = submission.manifest()
    require_permission(manifest.license, policy)
    parts = [_checked(part, submission.files[part.export], mends=mends) for part in manifest.parts]
    if any(not part.report.problems and part.found.mending for part in parts):
        require_permission(manifest.license, policy, adapted=True)
    readme = submission.text(manifest.readme) if manifest.readme else ""
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
    stored = [_stored(files, part) for part in design.parts]
    picture = _picture_of_all(files, design, stored)
    with database.changing() as session:
        version = _new_version(session, design, picture, clock(), by)
        parts = [_part(version.id, part, digests) for part, digests in zip(design.parts, stored, strict=True)]
        components = [
            Component(version_id=version.id, name=component.name, unit=component.unit, note=component.note)
            for component in design.manifest.components
        ]
        session.add_all([*parts, *components])
        session.flush()
        _add_kits(session, version.id, design.manifest, parts, components)
        return version


def _version_of(session: Session, content_hash: str) -> DesignVersion | None:
    return session.exec(select(DesignVersion).where(DesignVersion.content_hash == content_hash)).first()


def _new_version(
    session: Session, checked: CheckedDesign, picture: str, now: datetime, by: UUID | None
) -> DesignVersion:
    manifest = checked.manifest
    design = session.exec(select(Design).where(Design.key == manifest.key)).first() or Design(key=manifest.key)
    session.add(design)
    session.flush()
    require_new(session, manifest)
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
        picture_sha256=picture,
        parent_id=_newest(session, design.id),
        published_by=by,
        published_at=now,
    )
    begin(session, version, now=now, by=by)
    return version


def require_new(session: Session, manifest: Manifest) -> None:
    """Raise `VersionTaken` where the design has this version already."""
    same = (
        select(DesignVersion.id)
        .join(Design)
        .where(Design.key == manifest.key, DesignVersion.version == manifest.version)
    )
    if session.exec(same).first() is not None:
        raise VersionTaken(version=manifest.version, name=manifest.name)


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


def _checked(part: PartManifest, content: bytes, *, mends: bool) -> CheckedPart:
    return CheckedPart(part, content, inspect_mesh(content, part.bodies, mends=mends))


@dataclass(frozen=True)
class _Stored:
    """The SHA-256 of a part's files in the store; `original` is empty where the mesh is the file that was sent."""

    mesh: str
    original: str
    picture: str


def _stored(files: FileStore, part: CheckedPart) -> _Stored:
    mesh, original = files.put(part.mesh), files.put(part.original)
    return _Stored(mesh, original if original != mesh else "", files.put(picture_of(part.mesh)))


def _picture_of_all(files: FileStore, design: CheckedDesign, stored: Sequence[_Stored]) -> str:
    """The SHA-256 of a picture of all parts, each as often as the kit that has most of it; that of the only piece."""
    most = {part.manifest.name: 0 for part in design.parts}
    for name, quantity in (piece for kit in design.manifest.kits for piece in kit.parts):
        most[name] = max(most[name], quantity)
    if list(most.values()) == [1]:
        return stored[0].picture
    in_order = sorted(design.parts, key=lambda part: part.manifest.name)
    return files.put(scene_of([part.mesh for part in in_order], [most[part.manifest.name] for part in in_order]))


def _part(version_id: UUID, part: CheckedPart, stored: _Stored) -> Part:
    width, depth, height = part.report.size_mm
    return Part(
        version_id=version_id,
        name=part.manifest.name,
        mesh_sha256=stored.mesh,
        original_sha256=stored.original,
        original_name=part.manifest.export if stored.original else "",
        picture_sha256=stored.picture,
        materials=list(part.manifest.materials),
        settings=asdict(part.manifest.settings),
        analysis=part.analysis(),
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
