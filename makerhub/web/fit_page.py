"""Whether a printer is the model that we slice for: its maker compares bed and nozzle with OctoPrint, and says so."""

from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]

from makerhub.errors import Invalid, NotFound
from makerhub.people.models import Role
from makerhub.printers import fit
from makerhub.printers.models import Link
from makerhub.printers.tasks import check_printers
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience
from makerhub.web.policy import allowed
from makerhub.web.shown import my_printer
from makerhub.web.viewer import viewer

pages = Blueprint("fit_page", __name__, url_prefix="/printers")
audience = Audience(pages)

ANSWERS = {"same": True, "different": False}


@pages.post("/<uuid:printer_id>/fit")
@allowed(Role.MAKER)
def compare(printer_id: UUID) -> ResponseReturnValue:
    """I have compared bed and nozzle with OctoPrint's printer profile."""
    said = ANSWERS.get(request.form.get("said", ""))
    with hub().database.changing() as session:
        mine = my_printer(session, printer_id)
        if mine.link is Link.BY_HAND:
            raise NotFound
        if said is None:
            raise Invalid
        fit.answer(session, mine, fits=said, by=viewer().id, now=hub().clock())
    hub().soon(check_printers)
    if said:
        flash(_("Thank you. We have written it down."), "success")
    page = "agent_page.connection" if request.form.get("page") == "agent" else "maker.printer"
    return redirect(url_for(page, printer_id=printer_id, _anchor="fit"))
