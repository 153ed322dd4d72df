"""Making one of two facilities that turn out to be the same, after a look at what goes over; and taking it back."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session

from makerhub.demand.access import VERIFY
from makerhub.errors import Invalid, NotFound, translatable
from makerhub.facilities.models import FacilityMerge
from makerhub.people.access import find
from makerhub.people.models import Organisation
from makerhub.trace import merging
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience
from makerhub.web.typed import uuid_or_none
from makerhub.web.verification import done, for_provers, working_on
from makerhub.web.viewer import viewer

pages = Blueprint("facility_merges", __name__, url_prefix="/dispatch/facilities")
audience = Audience(pages)


@pages.get("/<uuid:facility_id>/merge")
@for_provers
def confirm(facility_id: UUID) -> ResponseReturnValue:
    """What a merge would move, before it is done."""
    with working_on(facility_id) as (session, kept):
        merged = _other(session, request.args.get("other", ""))
        if merged is None:
            return redirect(url_for("verification.facility", facility_id=facility_id))
        shown = merging.preview(session, kept, merged)
        return render_template("verification/merge.html", kept=kept, merged=merged, preview=shown)


@pages.post("/<uuid:facility_id>/merge")
@for_provers
def merge(facility_id: UUID) -> ResponseReturnValue:
    """Make the two one."""
    with working_on(facility_id) as (session, kept):
        merged = _other(session, request.form.get("other", ""))
        if merged is None:
            raise Invalid(translatable("Choose two different facilities."))
        merging.merge(session, kept, merged, by=viewer().id, now=hub().clock())
    return done(facility_id, _("They are one now. You can take it back on this page."))


@pages.post("/<uuid:facility_id>/merges/<uuid:merge_id>/undo")
@for_provers
def undo(facility_id: UUID, merge_id: UUID) -> ResponseReturnValue:
    """Take a merge back."""
    with working_on(facility_id) as (session, mine):
        row = session.get(FacilityMerge, merge_id)
        if row is None or row.kept_id != mine.id:
            raise NotFound
        merging.undo(session, row, by=viewer().id, now=hub().clock())
    return done(facility_id, _("They are two again."))


def _other(session: Session, typed: str) -> Organisation | None:
    key = uuid_or_none(typed)
    return None if key is None else find(session, viewer(), VERIFY, key)
