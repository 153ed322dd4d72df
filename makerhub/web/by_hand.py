"""Printers without OctoPrint: their maker fetches the file, starts the print, and says how it went."""

from uuid import UUID

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]

from makerhub.designs.approvals import policy_of
from makerhub.designs.models import PlateSlice
from makerhub.errors import Invalid, translatable
from makerhub.people.models import Role
from makerhub.planning.tasks import dispatch_jobs
from makerhub.printers.models import Link, Printer
from makerhub.production import service as production
from makerhub.production.models import AttemptState
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience
from makerhub.web.policy import allowed
from makerhub.web.shown import my_attempt
from makerhub.web.viewer import viewer

pages = Blueprint("by_hand", __name__, url_prefix="/printers/attempts")
audience = Audience(pages)

FETCHED_IN = frozenset({AttemptState.READY, AttemptState.PRINTING})
ENDS = {
    "finished": production.Outcome(AttemptState.FINISHED, "the maker says that it finished"),
    "failed": production.Outcome(AttemptState.FAILED, "the maker says that it failed"),
}


@pages.get("/<uuid:attempt_id>/gcode")
@allowed(Role.MAKER)
def gcode(attempt_id: UUID) -> Response:
    """The file to print, which has passed the guard for this very printer."""
    with hub().database.reading() as session:
        attempt = my_attempt(session, attempt_id)
        is_by_hand = session.get_one(Printer, attempt.printer_id).link is Link.BY_HAND
        plate = session.get(PlateSlice, attempt.plate_slice_id) if attempt.plate_slice_id else None
    if plate is None or not is_by_hand or attempt.state not in FETCHED_IN:
        raise Invalid(translatable("There is no file to fetch for this print now."))
    response = Response(hub().files.get(plate.gcode_sha256), mimetype="text/x.gcode")
    response.headers.set("Content-Disposition", "attachment", filename=attempt.file_name)
    return response


@pages.post("/<uuid:attempt_id>/by-hand")
@allowed(Role.MAKER)
def tell(attempt_id: UUID) -> ResponseReturnValue:
    """I have started it, it is finished, or it failed."""
    said, now = request.form.get("said", ""), hub().clock()
    with hub().database.changing() as session:
        attempt = my_attempt(session, attempt_id)
        if said == "started":
            policy = policy_of(hub().settings)
            production.begin_by_hand(session, attempt, policy, by=viewer().id, now=now)
        elif said in ENDS:
            production.end_by_hand(session, attempt, ENDS[said], by=viewer().id, now=now)
        else:
            raise Invalid
    hub().soon(dispatch_jobs)
    flash(_thanks(said), "success")
    return redirect(url_for("maker.printer", printer_id=attempt.printer_id))


def _thanks(said: str) -> str:
    thanks: str = {
        "started": _("Thank you. Come back when it is done."),
        "finished": _("Thank you. Count the pieces, please."),
        "failed": _("Thank you for telling us. We plan it anew."),
    }[said]
    return thanks
