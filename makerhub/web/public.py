"""The catalogue, for everybody: what can be made, of what, under which licence, and whether it still may be."""

import gzip
import re
from collections.abc import Sequence

from flask import Blueprint, Response, abort, render_template, request
from sqlmodel import Session

from makerhub.designs.model_cache import pieces_of
from makerhub.designs.models import VersionState
from makerhub.designs.versions import ancestors
from makerhub.errors import translatable
from makerhub.people.access import has_role
from makerhub.people.models import Person, Role
from makerhub.people.service import facilities_of, hubs_of
from makerhub.web.catalogue import (
    card,
    cards,
    find_version,
    is_picture,
    key_of,
    shown_kits,
    versions_of,
    why_withdrawn,
)
from makerhub.web.changes import compare
from makerhub.web.hub import hub
from makerhub.web.markdown import render
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import public
from makerhub.web.recalls import WITHDRAWERS
from makerhub.web.standing import Asker, askers, shown_approvals, standings
from makerhub.web.viewer import viewer_or_none

pages = Blueprint("public", __name__)
audience = Audience(
    pages,
    (
        Entry(
            "public.designs",
            translatable("Designs"),
            translatable("See what can be made"),
            translatable("The catalogue: what each design is for, its parts and how to use it."),
        ),
    ),
)

SHA256 = re.compile("[0-9a-f]{64}")


@pages.get("/designs")
@public
def designs() -> str:
    """The catalogue."""
    with hub().database.reading() as session:
        found = cards(session)
        return render_template(
            "public/designs.html", cards=found, standings=standings(session, [card.version for card in found])
        )


@pages.get("/designs/<key>")
@public
def design(key: str) -> str:
    """One design; a withdrawn one says why. Who has no account yet is asked to sign in when asking for it."""
    person = viewer_or_none()
    with hub().database.reading() as session:
        shown = card(session, key)
        versions = versions_of(session, key)
        earlier = [one for one in versions if one.id != shown.version.id and one.state is VersionState.PUBLISHED]
        who_may_ask = askers(session, shown.version, earlier=earlier)
        return render_template(
            "public/design.html",
            card=shown,
            version=shown.version,
            kits=shown_kits(session, shown.version.id),
            notes=render(shown.version.readme),
            versions=versions,
            standings=standings(session, versions),
            askers=who_may_ask,
            approvals=shown_approvals(session, shown.version.id),
            reasons={version.id: why_withdrawn(session, version) for version in versions},
            may_withdraw=person is not None and has_role(person, *WITHDRAWERS),
            reviewed_for=hubs_of(session, person, Role.REVIEWER) if person else [],
            asks=shown.is_published and (person is None or has_role(person, Role.REQUESTER)),
            may_ask=person is None or _may_ask(session, person, who_may_ask),
        )


@pages.get("/designs/<key>/versions/<version>/changes")
@public
def changes(key: str, version: str) -> str:
    """What a version changed of the one that it was made from."""
    with hub().database.reading() as session:
        after = find_version(session, key, version)
        parent = next(ancestors(session, after), None)
        return render_template(
            "public/changes.html",
            key=key,
            version=after,
            comparison=None if parent is None else compare(session, parent, after),
            parent_key="" if parent is None else key_of(session, parent),
        )


@pages.get("/designs/<key>/versions/<version>/model.glb")
@public
def model(key: str, version: str) -> Response:
    """The parts of a version as a solid that can be turned, GLB. What it is made of never changes."""
    with hub().database.reading() as session:
        found = find_version(session, key, version)
        pieces = pieces_of(session, found.id)
    packed = hub().models.packed(found, pieces)
    if request.accept_encodings.quality("gzip") > 0:
        response = Response(packed, mimetype="model/gltf-binary", headers={"Content-Encoding": "gzip"})
    else:
        response = Response(gzip.decompress(packed), mimetype="model/gltf-binary")
    response.headers["Cache-Control"] = "public, max-age=86400"
    response.headers["Vary"] = "Accept-Encoding"
    return response


def _may_ask(session: Session, person: Person, who_may_ask: Sequence[Asker]) -> bool:
    """Whether a facility of this person may ask some hub; who has none yet is told so by the form."""
    kinds = {facility.kind for facility in facilities_of(session, person)}
    return not kinds or any(asker.may_ask for asker in who_may_ask if asker.kind in kinds)


@pages.get("/pictures/<sha256>")
@public
def picture(sha256: str) -> Response:
    """A picture of a version or a part. It is named by its content, so browsers may keep it for ever."""
    if not SHA256.fullmatch(sha256):
        abort(404)
    with hub().database.reading() as session:
        if not is_picture(session, sha256):
            abort(404)
    response = Response(hub().files.get(sha256), mimetype="image/webp")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
