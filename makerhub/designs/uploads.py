"""Designs that people hand in: received at once, checked in the background, then taken into the catalogue or discarded.

Files of an upload wait in a box of their own until the upload is done with. Nothing of it is in the catalogue before
somebody has accepted it, and then all of it is.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import msgspec
from sqlmodel import Session, select

from makerhub.config import Settings
from makerhub.db import Clock, Database
from makerhub.designs import publishing
from makerhub.designs.files import FileStore, UploadBox
from makerhub.designs.inspection import picture_of
from makerhub.designs.licences import LicencePolicy
from makerhub.designs.models import DesignVersion, Upload, UploadState
from makerhub.designs.publishing import CheckedDesign, CheckedPart
from makerhub.designs.submission import Submission, from_mesh, from_zip
from makerhub.errors import Invalid, MakerhubError, translatable
from makerhub.lifecycle import begin, move

TOLD = ("key", "name", "version", "license", "licensor", "repo", "function")
"""What of a manifest the page of an upload shows."""

CONTENT = "content"
"""The file that was handed in, by its name in the box."""

NO_FILE = translatable("Choose the file of your design.")


@dataclass(frozen=True)
class NewUpload:
    """What is handed in: an archive of a design, or one mesh with the text of its `manifest`."""

    hub_id: UUID
    uploaded_by: UUID
    file_name: str
    content: bytes
    manifest: str = ""


@dataclass(frozen=True)
class Desk:
    """Where uploads are worked on: the database, the box they wait in, the store they end in, the licences accepted."""

    database: Database
    box: UploadBox
    files: FileStore
    licences: LicencePolicy
    clock: Clock


def desk_of(settings: Settings, database: Database, files: FileStore, clock: Clock) -> Desk:
    """The desk of a hub with these settings."""
    licences = LicencePolicy(money=settings.takes_money, further=frozenset(settings.further_licences))
    return Desk(database, UploadBox(settings.uploads_directory), files, licences, clock)


def receive(desk: Desk, new: NewUpload) -> Upload:
    """Keep what was handed in and let it wait for its check; raises `Invalid` for an empty file."""
    if not new.content:
        raise Invalid(fields={"file": NO_FILE})
    upload = Upload(
        hub_id=new.hub_id,
        uploaded_by=new.uploaded_by,
        uploaded_at=desk.clock(),
        file_name=base_name(new.file_name),
        manifest=new.manifest,
    )
    desk.box.put(upload.id, CONTENT, new.content)
    with desk.database.changing() as session:
        begin(session, upload, now=upload.uploaded_at, by=new.uploaded_by)
    return upload


def examine(desk: Desk, upload_id: UUID) -> None:
    """Check a received upload, some seconds long, and record what was found."""
    upload = _row(desk, upload_id)
    try:
        design = publishing.look_at(submission_of(desk.box, upload), desk.licences, mends=upload.mends)
        with desk.database.reading() as session:
            publishing.require_new(session, design.manifest)
    except MakerhubError as error:
        _refuse(desk, upload, error)
        return
    for number, part in enumerate(design.parts):
        if not part.report.problems:
            desk.box.put(upload.id, picture_name(number), picture_of(part.mesh))
    broken = any(part.report.problems for part in design.parts)
    _settle(desk, upload, UploadState.REFUSED if broken else UploadState.CHECKED, findings=_findings(design))


def take_in(desk: Desk, upload_id: UUID) -> None:
    """Publish an accepted upload, once, however often it is tried; what can not be published is refused after all."""
    upload = _row(desk, upload_id)
    try:
        design = publishing.check(submission_of(desk.box, upload), desk.licences, mends=upload.mends)
        publishing.publish(desk.database, desk.files, design, desk.clock, by=upload.uploaded_by)
    except MakerhubError as error:
        _refuse(desk, upload, error)
        return
    with desk.database.reading() as session:
        version = session.exec(select(DesignVersion).where(DesignVersion.content_hash == design.content_hash)).one()
    _settle(desk, upload, UploadState.PUBLISHED, version_id=version.id)


def accept(session: Session, upload: Upload, *, by: UUID, now: datetime) -> None:
    """Have a checked upload taken into the catalogue."""
    move(session, upload, UploadState.ACCEPTED, now=now, by=by)


def mend(session: Session, upload: Upload, *, by: UUID, now: datetime) -> None:
    """Have a refused upload checked again, its meshes mended where that can be done."""
    move(session, upload, UploadState.RECEIVED, now=now, by=by, why="to be mended", mends=True)


def discard(session: Session, upload: Upload, *, by: UUID, now: datetime) -> None:
    """Forget an upload; its files go with the next sweep."""
    move(session, upload, UploadState.DISCARDED, now=now, by=by)


def submission_of(box: UploadBox, upload: Upload) -> Submission:
    """What was handed in, as it came; raises `SubmissionRefused`."""
    content = box.get(upload.id, CONTENT)
    if upload.manifest:
        return from_mesh(content, upload.file_name, upload.manifest)
    return from_zip(content, upload.file_name)


def base_name(name: str) -> str:
    """The name of a file without the folders that some browsers send."""
    return PurePosixPath(name.replace("\\", "/")).name[-100:] or "design"


def picture_name(number: int) -> str:
    """What the picture of the part with this number is called in the box."""
    return f"part-{number}.webp"


def _row(desk: Desk, upload_id: UUID) -> Upload:
    with desk.database.reading() as session:
        return session.get_one(Upload, upload_id)


def _refuse(desk: Desk, upload: Upload, error: MakerhubError) -> None:
    values = {name: value if isinstance(value, int) else str(value) for name, value in error.values.items()}
    _settle(desk, upload, UploadState.REFUSED, problem=error.template, problem_values=values)


def _settle(desk: Desk, upload: Upload, state: UploadState, **found: Any) -> None:
    """Record what became of an upload, unless somebody has discarded it meanwhile."""
    changes = {"problem": "", "problem_values": {}, **found}
    with desk.database.changing() as session:
        row = session.get_one(Upload, upload.id)
        if row.state is upload.state:
            move(session, row, state, now=desk.clock(), **changes)


def _findings(design: CheckedDesign) -> dict[str, Any]:
    """What pages show of a design: facts of its manifest, and of each part. Lengths in mm, volumes in mm³."""
    told = {name: getattr(design.manifest, name) for name in TOLD}
    return {**told, "parts": [_finding(part) for part in design.parts]}


def _finding(part: CheckedPart) -> dict[str, Any]:
    report = part.report
    return {
        "name": part.manifest.name,
        "file": part.manifest.export,
        "faces": report.faces,
        "bodies": report.bodies,
        "size_mm": list(report.size_mm),
        "volume_mm3": report.volume_mm3,
        "problems": [problem.sentence for problem in report.problems],
        "mending": msgspec.to_builtins(part.found.mending),
        "analysis": part.analysis(),
    }
