"""The maker's pages: printers, what is on them, the questions they ask, and the lots to bring to the hub."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import col

from makerhub.delivery import pickups
from makerhub.errors import Invalid, MovedMeanwhile, translatable
from makerhub.people.access import find, permitted
from makerhub.people.models import Organisation, Role
from makerhub.planning.tasks import dispatch_jobs
from makerhub.printers import service as printers
from makerhub.printers.key_dialog import ask_for_keys
from makerhub.printers.models import Printer
from makerhub.printers.tasks import check_printers
from makerhub.production import service as production
from makerhub.production.access import ANSWER, COUNT
from makerhub.production.models import AttemptState
from makerhub.production.tasks import prepare_attempts
from makerhub.stock import service as stock
from makerhub.stock.access import BRING
from makerhub.stock.models import Lot, LotState
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience, Entry
from makerhub.web.plate_view import PlateView, plate_of
from makerhub.web.policy import allowed
from makerhub.web.shown import ShownPrinter, my_printer, my_printers, show_printer
from makerhub.web.typed import whole_number
from makerhub.web.viewer import viewer

pages = Blueprint("maker", __name__, url_prefix="/printers")
audience = Audience(
    pages,
    (
        Entry(
            "maker.overview",
            translatable("My printers"),
            translatable("Look after my printers"),
            translatable("See what they do, clear plates, count what they printed."),
            (Role.MAKER,),
        ),
    ),
)

ANSWERS = {
    "finished": production.Outcome(AttemptState.FINISHED, "the maker says that it finished"),
    "failed": production.Outcome(AttemptState.FAILED, "the maker says that it failed"),
    "never": production.Outcome(AttemptState.NOT_STARTED, "the maker says that it never started"),
}
"""What a maker can say of a print whose end nobody saw."""


@pages.get("")
@allowed(Role.MAKER)
def overview() -> str:
    """All my printers, and what I have to bring to the hub."""
    return render_template("maker/overview.html", **_overview())


@pages.get("/now")
@allowed(Role.MAKER)
def overview_now() -> str:
    """The part of the overview that changes by itself."""
    return render_template("maker/_overview.html", **_overview())


@pages.get("/<uuid:printer_id>")
@allowed(Role.MAKER)
def printer(printer_id: UUID) -> str:
    """One printer of mine."""
    return _printer_page(printer_id)


@pages.get("/<uuid:printer_id>/now")
@allowed(Role.MAKER)
def printer_now(printer_id: UUID) -> ResponseReturnValue:
    """The part of a printer's page that changes by itself; where a question comes up, the whole page is fetched."""
    shown = _shown(printer_id)
    if shown.asks:
        return "", 204, {"HX-Refresh": "true"}
    return render_template("maker/_printer.html", shown=shown, plate=_plate(shown))


@pages.post("/<uuid:printer_id>/plate")
@allowed(Role.MAKER)
def clear_plate(printer_id: UUID) -> ResponseReturnValue:
    """I have cleared the build plate."""
    with hub().database.changing() as session:
        mine = my_printer(session, printer_id)
        production.plate_cleared(session, mine.id, by=viewer().id, now=hub().clock())
    hub().soon(dispatch_jobs)
    flash(_("Thank you. The next print can start on the clear plate."), "success")
    return redirect(url_for("maker.printer", printer_id=printer_id))


@pages.post("/<uuid:printer_id>/state")
@allowed(Role.MAKER)
def change_state(printer_id: UUID) -> ResponseReturnValue:
    """Pause or resume a printer, or have its key checked again."""
    change = {"pause": printers.pause, "resume": printers.resume, "check": printers.check_again}.get(
        request.form.get("change", "")
    )
    with hub().database.changing() as session:
        mine = my_printer(session, printer_id)
        if change is None:
            raise Invalid
        change(session, mine, by=viewer().id, now=hub().clock())
    for task in (ask_for_keys, check_printers, dispatch_jobs):
        hub().soon(task)
    return redirect(url_for("maker.printer", printer_id=printer_id))


@pages.post("/attempts/<uuid:attempt_id>/offer")
@allowed(Role.MAKER)
def answer_offer(attempt_id: UUID) -> ResponseReturnValue:
    """Take or leave an offered job."""
    answer = {"accept": production.accept, "decline": production.decline}.get(request.form.get("answer", ""))
    with hub().database.changing() as session:
        attempt = find(session, viewer(), ANSWER, attempt_id)
        if answer is None:
            raise Invalid
        answer(session, attempt, by=viewer().id, now=hub().clock())
    hub().soon(prepare_attempts)
    hub().soon(dispatch_jobs)
    return redirect(url_for("maker.printer", printer_id=attempt.printer_id))


@pages.post("/attempts/<uuid:attempt_id>/question")
@allowed(Role.MAKER)
def answer_question(attempt_id: UUID) -> ResponseReturnValue:
    """Say what became of a print whose end nobody saw."""
    outcome = ANSWERS.get(request.form.get("answer", ""))
    with hub().database.changing() as session:
        attempt = find(session, viewer(), ANSWER, attempt_id)
        if outcome is None:
            raise Invalid
        if attempt.state is not AttemptState.IN_DOUBT:
            raise MovedMeanwhile(translatable("This question has been answered by now."))
        production.end(session, attempt, outcome, by=viewer().id, now=hub().clock())
    hub().soon(dispatch_jobs)
    flash(_("Thank you, now we know."), "success")
    return redirect(url_for("maker.printer", printer_id=attempt.printer_id))


@pages.post("/attempts/<uuid:attempt_id>/count")
@allowed(Role.MAKER)
def count(attempt_id: UUID) -> ResponseReturnValue:
    """Count what a finished print brought, and clear the plate in the same go."""
    good = whole_number(request.form.get("good", ""))
    with hub().database.reading() as session:
        printer_id = find(session, viewer(), COUNT, attempt_id).printer_id
    try:
        with hub().database.changing() as session:
            attempt = find(session, viewer(), COUNT, attempt_id)
            if attempt.state is not AttemptState.FINISHED:
                raise MovedMeanwhile(translatable("This print has been counted by now, or is not finished."))
            now = hub().clock()
            lot = stock.count_print(session, attempt, good=-1 if good is None else good, by=viewer().id, now=now)
            if request.form.get("clear"):
                production.plate_cleared(session, printer_id, by=viewer().id, now=now)
    except Invalid as error:
        return _printer_page(printer_id, typed=request.form, errors=error.fields), 400
    hub().soon(dispatch_jobs)
    flash(_thanks(lot), "success")
    return redirect(url_for("maker.printer", printer_id=printer_id))


def _thanks(lot: Lot | None) -> str:
    if lot is None:
        text: str = _("Thank you. We print new ones.")
    else:
        text = _("Thank you! Write %(label)s on the bag with these pieces.", label=lot.label)
    return text


def _overview() -> dict[str, object]:
    with hub().database.reading() as session:
        mine = session.exec(my_printers().order_by(col(Printer.name))).all()
        lots = session.exec(
            permitted(viewer(), BRING).where(Lot.state == LotState.AT_MAKER).order_by(col(Lot.made_at))
        ).all()
        collected = pickups.collected_lots(session, [lot.id for lot in lots])
        return {
            "printers": [show_printer(session, printer) for printer in mine],
            "lots": [(lot, session.get_one(Organisation, lot.hub_id)) for lot in lots if lot.id not in collected],
            "with_courier": [lot for lot in lots if lot.id in collected],
        }


def _printer_page(printer_id: UUID, **form: object) -> str:
    shown = _shown(printer_id)
    return render_template("maker/printer.html", shown=shown, plate=_plate(shown), **form)


def _plate(shown: ShownPrinter) -> PlateView | None:
    return plate_of(shown.on_it, shown.printer) if shown.on_it else None


def _shown(printer_id: UUID) -> ShownPrinter:
    with hub().database.reading() as session:
        return show_printer(session, my_printer(session, printer_id))
