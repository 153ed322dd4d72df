"""The button with which a maker stops a print."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]

from makerhub.people.models import Role
from makerhub.printers.models import Printer
from makerhub.production.stopping import ask_to_stop, can_be_stopped
from makerhub.production.tasks import follow_attempts
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience
from makerhub.web.policy import allowed
from makerhub.web.shown import my_attempt
from makerhub.web.viewer import viewer

pages = Blueprint("stop_page", __name__, url_prefix="/printers/attempts")
audience = Audience(pages)


@pages.get("/<uuid:attempt_id>/stop")
@allowed(Role.MAKER)
def ask(attempt_id: UUID) -> str:
    """What stopping it means, before the click: the printer's own page is made anew every few seconds."""
    with hub().database.reading() as session:
        attempt = my_attempt(session, attempt_id)
        printer = session.get_one(Printer, attempt.printer_id)
        can_stop = can_be_stopped(attempt, printer)
    return render_template("maker/stop.html", attempt=attempt, printer=printer, can_stop=can_stop)


@pages.post("/<uuid:attempt_id>/stop")
@allowed(Role.MAKER)
def stop(attempt_id: UUID) -> ResponseReturnValue:
    """Stop this print, and begin no other before I say so."""
    with hub().database.changing() as session:
        attempt = my_attempt(session, attempt_id)
        ask_to_stop(session, attempt, by=viewer().id, now=hub().clock())
    hub().soon(follow_attempts)
    flash(_("We stop it, and begin no other print here before you say so."), "success")
    return redirect(url_for("maker.printer", printer_id=attempt.printer_id))
