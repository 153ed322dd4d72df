"""One print job for its dispatcher: what lies on the plate, for whom it is, and how each try went."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, render_template
from sqlmodel import Session, col, select

from makerhub.demand.models import RequestLine, SupplyRequest
from makerhub.designs.models import Design, DesignVersion, Part
from makerhub.lifecycle import history
from makerhub.people.access import find
from makerhub.people.models import Organisation, Role
from makerhub.printers.models import Printer
from makerhub.production import access as production_access
from makerhub.production.models import Attempt, JobState, PrintJob
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience
from makerhub.web.overdue import in_words
from makerhub.web.plate_view import plate_of
from makerhub.web.policy import allowed
from makerhub.web.shown import ShownAttempt, show_attempt
from makerhub.web.viewer import viewer

pages = Blueprint("jobs", __name__, url_prefix="/dispatch/jobs")
audience = Audience(pages)


@dataclass(frozen=True)
class Try:
    """An attempt, the printer it was for, and why it ended as it did, to be translated."""

    shown: ShownAttempt
    printer: Printer
    why: str


@pages.get("/<uuid:job_id>")
@allowed(Role.DISPATCHER)
def job(job_id: UUID) -> str:
    """One job of my hubs."""
    with hub().database.reading() as session:
        found = find(session, viewer(), production_access.DISPATCH, job_id)
        part = session.get_one(Part, found.part_id)
        version = session.get_one(DesignVersion, part.version_id)
        asked = session.get_one(SupplyRequest, session.get_one(RequestLine, found.line_id).request_id)
        tries = _tries(session, found)
        return render_template(
            "dispatcher/job.html",
            job=found,
            part=part,
            version=version,
            key=session.get_one(Design, version.design_id).key,
            asked=asked,
            facility=session.get_one(Organisation, asked.facility_id),
            tries=tries,
            plate=plate_of(tries[0].shown, tries[0].printer) if tries else None,
            why=in_words(history(session, found)[-1].why) if found.state is JobState.HELD else "",
        )


def _tries(session: Session, found: PrintJob) -> Sequence[Try]:
    """All attempts of a job, the newest first."""
    newest_first = select(Attempt).where(Attempt.job_id == found.id).order_by(col(Attempt.number).desc())
    return [
        Try(
            show_attempt(session, attempt),
            session.get_one(Printer, attempt.printer_id),
            in_words(history(session, attempt)[-1].why),
        )
        for attempt in session.exec(newest_first)
    ]
