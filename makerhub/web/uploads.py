"""Handing in a design: one's own or somebody else's, as an archive or as one mesh, and what became of it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session, col, select

from makerhub.designs import access, uploads
from makerhub.designs.models import Design, Upload, UploadState
from makerhub.designs.slicer import copies_that_fit
from makerhub.designs.submission import MAX_FILE_BYTES, is_zip, manifest_of_mesh
from makerhub.designs.tasks import work_on_uploads
from makerhub.designs.uploads import NewUpload
from makerhub.errors import Invalid, NotAllowed, translatable
from makerhub.people import service as people
from makerhub.people.access import can, find, visible
from makerhub.people.models import Organisation, Person, Role
from makerhub.web.hub import hub
from makerhub.web.limits import at_most
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import allowed
from makerhub.web.viewer import viewer

SENDERS = (Role.MAKER, Role.REVIEWER, Role.DISPATCHER, Role.ADMIN)

pages = Blueprint("uploads", __name__, url_prefix="/uploads")
audience = Audience(
    pages,
    (
        Entry(
            "uploads.overview",
            translatable("Hand in a design"),
            translatable("Hand in a design"),
            translatable(
                "Your own or somebody else's with an open licence: an archive with its okh.toml, or one mesh."
            ),
            SENDERS,
        ),
    ),
)

DECISIONS = {
    "accept": (access.ACCEPT, uploads.accept),
    "mend": (access.MEND, uploads.mend),
    "discard": (access.DISCARD, uploads.discard),
}
LIVE = (UploadState.RECEIVED, UploadState.ACCEPTED)
LARGEST_UPLOAD_BYTES = MAX_FILE_BYTES + 1_000_000
SHOWN = 30
MATERIALS = ("PETG", "PLA", "ABS", "ASA", "TPU")
LICENCES = (
    ("CERN-OHL-W-2.0", "CERN-OHL-W 2.0"),
    ("CERN-OHL-S-2.0", "CERN-OHL-S 2.0"),
    ("CERN-OHL-P-2.0", "CERN-OHL-P 2.0"),
    ("CC-BY-SA-4.0", "CC BY-SA 4.0"),
    ("CC-BY-SA-3.0", "CC BY-SA 3.0"),
    ("CC-BY-4.0", "CC BY 4.0"),
    ("CC-BY-3.0", "CC BY 3.0"),
    ("CC0-1.0", "CC0 1.0"),
    ("CC-BY-NC-4.0", "CC BY-NC 4.0"),
    ("CC-BY-NC-SA-4.0", "CC BY-NC-SA 4.0"),
    ("CC-BY-ND-4.0", "CC BY-ND 4.0"),
    ("CC-BY-NC-ND-4.0", "CC BY-NC-ND 4.0"),
    ("GPL-3.0-or-later", "GPL 3"),
    ("MIT", "MIT"),
    ("BSD-3-Clause", "BSD"),
    ("Apache-2.0", "Apache 2.0"),
    ("SDFL", translatable("For personal use only")),
)
WORDS_WANTED = {
    "name": translatable("Say what it is called."),
    "function": translatable("Say what it is for."),
    "licensor": translatable("Say who made it."),
    "license": translatable("Choose the licence that its author has given it."),
    "repo": translatable("Give the address where the design was published, beginning with https://"),
}
NO_HUB = translatable("Choose the hub that shall look at it.")


@pages.get("")
@allowed(*SENDERS)
def overview() -> str:
    """What I handed in, and what waits at my hubs."""
    with hub().database.reading() as session:
        latest = visible(viewer(), Upload).where(Upload.state != UploadState.DISCARDED)
        rows = session.exec(latest.order_by(col(Upload.uploaded_at).desc()).limit(SHOWN)).all()
        return render_template("uploads/overview.html", uploads=rows)


@pages.get("/new")
@allowed(*SENDERS)
def new() -> str:
    """The form."""
    return _new_page({}, {})


@pages.post("/new")
@allowed(*SENDERS, largest_body=LARGEST_UPLOAD_BYTES)
@at_most("20 per hour", per_address="60 per hour")
def send() -> ResponseReturnValue:
    """Take what is sent; it is checked in the background while its page is shown."""
    try:
        upload = uploads.receive(hub().desk, _sent())
    except Invalid as error:
        return _new_page(request.form, error.fields), 400
    hub().soon(work_on_uploads)
    return redirect(url_for("uploads.upload", upload_id=upload.id))


@pages.get("/<uuid:upload_id>")
@allowed(*SENDERS)
def upload(upload_id: UUID) -> str:
    """What was found of an upload, and what can be done with it."""
    return render_template("uploads/upload.html", **_shown(upload_id))


@pages.get("/<uuid:upload_id>/now")
@allowed(*SENDERS)
def upload_now(upload_id: UUID) -> ResponseReturnValue:
    """The part of the page that changes by itself; when the work is done the whole page is fetched."""
    shown = _shown(upload_id)
    if not shown["is_live"]:
        return "", 204, {"HX-Refresh": "true"}
    return render_template("uploads/_upload.html", **shown)


@pages.get("/<uuid:upload_id>/pictures/<int:number>")
@allowed(*SENDERS)
def picture(upload_id: UUID, number: int) -> Response:
    """The picture of a part that is not published yet."""
    with hub().database.reading() as session:
        row = find(session, viewer(), Upload, upload_id)
    return Response(hub().desk.box.get(row.id, uploads.picture_name(number)), mimetype="image/webp")


@pages.post("/<uuid:upload_id>/decision")
@allowed(*SENDERS)
def decide(upload_id: UUID) -> ResponseReturnValue:
    """Accept an upload for the catalogue, have it mended, or discard it."""
    chosen = request.form.get("decision", "")
    with hub().database.changing() as session:
        row = find(session, viewer(), Upload, upload_id)
        if chosen not in DECISIONS:
            raise Invalid
        allowed_to, decision = DECISIONS[chosen]
        if not can(session, viewer(), allowed_to, row):
            raise NotAllowed
        decision(session, row, by=viewer().id, now=hub().clock())
    hub().soon(work_on_uploads)
    if chosen == "discard":
        flash(_("It is discarded, and its files are deleted here."), "success")
        return redirect(url_for("uploads.overview"))
    return redirect(url_for("uploads.upload", upload_id=upload_id))


def _sent() -> NewUpload:
    """What the form holds; raises `Invalid` with what is missing, all at once."""
    typed = request.form
    content, name = _file()
    problems = {} if content else {"file": uploads.NO_FILE}
    place = _chosen_hub(typed.get("hub", ""))
    if place is None:
        problems["hub"] = NO_HUB
    is_mesh = bool(content) and not is_zip(content)
    if is_mesh:
        problems |= {field: problem for field, problem in WORDS_WANTED.items() if not typed.get(field, "").strip()}
    if problems or place is None:
        raise Invalid(fields=problems)
    return NewUpload(place.id, viewer().id, name, content, _manifest(name, typed) if is_mesh else "")


def _file() -> tuple[bytes, str]:
    file = request.files.get("file")
    if file is None:
        return b"", ""
    with file.stream as stream:  # a large one lies in a temporary file
        return stream.read(), file.filename or ""


def _manifest(name: str, typed: Mapping[str, str]) -> str:
    told = {field: " ".join(typed.get(field, "").split()) for field in WORDS_WANTED}
    told["version"] = typed.get("version", "").strip() or "1.0.0"
    return manifest_of_mesh(uploads.base_name(name), told, typed.get("material", "") or MATERIALS[0])


def _chosen_hub(chosen: str) -> Organisation | None:
    """The hub that was chosen; with only one to choose from, that one."""
    hubs = _hubs()
    if len(hubs) == 1 and not chosen:
        return hubs[0]
    return next((place for place in hubs if str(place.id) == chosen), None)


def _hubs() -> list[Organisation]:
    with hub().database.reading() as session:
        return people.hubs_of(session, viewer(), *SENDERS)


def _may_mend(row: Upload) -> bool:
    """Whether every broken part is one that can be mended."""
    broken = [part for part in row.findings.get("parts", []) if part["problems"]]
    return row.state is UploadState.REFUSED and bool(broken) and all(part["mending"] for part in broken)


def _shown(upload_id: UUID) -> dict[str, object]:
    with hub().database.reading() as session:
        row = find(session, viewer(), Upload, upload_id)
        return {
            "upload": row,
            "is_live": row.state in LIVE,
            "found": row.findings,
            "sender": session.get_one(Person, row.uploaded_by),
            "place": session.get_one(Organisation, row.hub_id),
            "of_design": _known_design(session, row),
            "may_mend": _may_mend(row),
            "may_accept": can(session, viewer(), access.ACCEPT, row),
            "pictures": _pictures(row),
            "fits": [_models_that_fit(part) for part in row.findings.get("parts", [])],
            "models": len(hub().profiles),
        }


def _known_design(session: Session, row: Upload) -> Design | None:
    """The design of which the upload would be a new version, or became one."""
    return session.exec(select(Design).where(Design.key == row.findings.get("key", ""))).first()


def _pictures(row: Upload) -> list[bool]:
    """Of which parts there is a picture to be shown now."""
    if row.state is UploadState.PUBLISHED:
        return [False for _part in row.findings.get("parts", [])]
    return [not part["problems"] for part in row.findings.get("parts", [])]


def _models_that_fit(part: Mapping[str, Any]) -> int | None:
    """On how many of the known models one copy fits, as it lies in its file; nothing for a part without a mesh."""
    if not part["faces"]:
        return None
    width, depth, height = part["size_mm"]
    return sum(copies_that_fit(width, depth, height, profile) > 0 for profile in hub().profiles.values())


def _new_page(typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
    return render_template(
        "uploads/new.html",
        typed=typed,
        errors=errors,
        hubs=[(place.id, place.name) for place in _hubs()],
        licences=[(license_id, _(name)) for license_id, name in LICENCES],
        materials=[(material, material) for material in MATERIALS],
    )
