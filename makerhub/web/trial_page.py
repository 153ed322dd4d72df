"""A test print of nothing: its maker agrees to it on the printer's page, and sees there what becomes of it."""

from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from makerhub.people.models import Role
from makerhub.production import trials
from makerhub.production.trial_tasks import make_trial_prints
from makerhub.web.hub import hub
from makerhub.web.limits import at_most
from makerhub.web.navigation import Audience
from makerhub.web.policy import allowed
from makerhub.web.shown import my_printer
from makerhub.web.viewer import viewer

pages = Blueprint("trial_page", __name__, url_prefix="/printers")
audience = Audience(pages)


@pages.post("/<uuid:printer_id>/test-print")
@allowed(Role.MAKER)
@at_most("30 per hour", per_address="120 per hour")
def make(printer_id: UUID) -> ResponseReturnValue:
    """The maker agrees to a test print now."""
    with hub().database.changing() as session:
        trials.ask(session, my_printer(session, printer_id), by=viewer().id, now=hub().clock())
    hub().soon(make_trial_prints)
    came_from_agent = request.form.get("page") == "agent"
    page = "agent_page.connection" if came_from_agent else "maker.printer"
    return redirect(url_for(page, printer_id=printer_id, _anchor="test-print"))
