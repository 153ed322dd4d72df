"""The catalogue, for everybody: what can be made, of what, under which licence, and whether it still may be."""

import re

from flask import Blueprint, Response, abort, render_template

from makerhub.errors import translatable
from makerhub.people.access import has_role
from makerhub.people.models import Role
from makerhub.web.catalogue import card, cards, is_picture, shown_kits, versions_of, why_withdrawn
from makerhub.web.hub import hub
from makerhub.web.markdown import render
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import public
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
        return render_template("public/designs.html", cards=cards(session))


@pages.get("/designs/<key>")
@public
def design(key: str) -> str:
    """One design; a withdrawn one says why. Who has no account yet is asked to sign in when asking for it."""
    person = viewer_or_none()
    with hub().database.reading() as session:
        shown = card(session, key)
        versions = versions_of(session, key)
        return render_template(
            "public/design.html",
            card=shown,
            version=shown.version,
            kits=shown_kits(session, shown.version.id),
            notes=render(shown.version.readme),
            versions=versions,
            reasons={version.id: why_withdrawn(session, version) for version in versions},
            may_withdraw=person is not None and has_role(person, Role.DISPATCHER, Role.ADMIN),
            may_ask=shown.is_published and (person is None or has_role(person, Role.REQUESTER)),
        )


@pages.get("/pictures/<sha256>")
@public
def picture(sha256: str) -> Response:
    """The picture of a part. It is named by its content, so browsers may keep it for ever."""
    if not SHA256.fullmatch(sha256):
        abort(404)
    with hub().database.reading() as session:
        if not is_picture(session, sha256):
            abort(404)
    response = Response(hub().files.get(sha256), mimetype="image/webp")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
