"""What somebody sees who asked on the telephone, by the link of a mail or a code that was read out: no account."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session, col, select

from makerhub.delivery.models import Shipment
from makerhub.demand import telephone
from makerhub.demand.models import SupplyRequest
from makerhub.errors import NotFound, translatable
from makerhub.people.models import Organisation
from makerhub.planning.tasks import allocate_lots, plan_jobs
from makerhub.web.guessing import guess
from makerhub.web.held import why_held
from makerhub.web.hub import hub
from makerhub.web.limits import at_most
from makerhub.web.navigation import Audience
from makerhub.web.packing import contents
from makerhub.web.policy import public
from makerhub.web.request_shown import UNDER_WAY, show

pages = Blueprint("called", __name__, url_prefix="/called")
audience = Audience(pages)

WRONG_CODE = translatable("No request has this code. Look again: letters and figures, no O, I, 0 or 1.")
OPENED = "120 per 15 minutes"
TYPED = "30 per 15 minutes"


@pages.get("")
@public
def ask() -> str:
    """Where the code is typed."""
    return render_template("called/ask.html", errors={}, typed="")


@pages.post("")
@public
@at_most(TYPED, per_address=TYPED)
def by_code() -> ResponseReturnValue:
    """Go on to the request of a code."""
    typed = request.form.get("code", "")[:64]
    try:
        with guess() as guessed, hub().database.reading() as session:
            telephone.find_call(session, typed)
            guessed.was_right = True
    except NotFound:
        return render_template("called/ask.html", errors={"code": WRONG_CODE}, typed=typed), 400
    return redirect(url_for("called.shown", secret=telephone.as_typed(typed)))


@pages.get("/<secret>")
@public
@at_most(OPENED, per_address=OPENED)
def shown(secret: str) -> str:
    """The request, and how far it is; opening the link changes nothing."""
    with hub().database.reading() as session:
        return _page("called/request.html", session, secret)


@pages.post("/<secret>/confirm")
@public
@at_most(OPENED, per_address=OPENED)
def confirm(secret: str) -> ResponseReturnValue:
    """It was written down right."""
    with hub().database.changing() as session:
        noted, _asked = telephone.find_call(session, secret)
        telephone.confirm(session, noted, now=hub().clock())
    flash(_("Thank you. The hub sees that it is right."), "success")
    return redirect(url_for("called.shown", secret=secret))


@pages.get("/<secret>/cancel")
@public
@at_most(OPENED, per_address=OPENED)
def ask_to_cancel(secret: str) -> str:
    """Ask once more before it is cancelled."""
    with hub().database.reading() as session:
        return _page("called/cancel.html", session, secret)


@pages.post("/<secret>/cancel")
@public
@at_most(OPENED, per_address=OPENED)
def cancel(secret: str) -> ResponseReturnValue:
    """It is not needed any more."""
    with hub().database.changing() as session:
        _noted, asked = telephone.find_call(session, secret)
        telephone.cancel(session, asked, now=hub().clock())
    hub().soon(allocate_lots)
    hub().soon(plan_jobs)
    flash(_("Cancelled. Thank you for saying so: the makers can turn to what others need."), "success")
    return redirect(url_for("called.shown", secret=secret))


@pages.post("/<secret>/forget")
@public
@at_most(OPENED, per_address=OPENED)
def forget(secret: str) -> ResponseReturnValue:
    """Delete my name, number and address."""
    with hub().database.changing() as session:
        noted, _asked = telephone.find_call(session, secret)
        telephone.forget_caller(session, noted, now=hub().clock())
    flash(
        _("Your name, your number and your mail address are deleted. The request stays with the facility."), "success"
    )
    return redirect(url_for("called.ask"))


def _page(template: str, session: Session, secret: str) -> str:
    noted, asked = telephone.find_call(session, secret)
    facility = session.get_one(Organisation, asked.facility_id)
    coming = _coming(session, asked)
    return render_template(
        template,
        secret=secret,
        call=noted,
        shown=show(session, [asked])[0],
        hub=session.get_one(Organisation, asked.hub_id),
        facility=facility,
        held=why_held(session, facility),
        coming=coming,
        contents=contents(session, [one.id for one in coming]),
    )


def _coming(session: Session, asked: SupplyRequest) -> list[Shipment]:
    """What is packed or on its way."""
    mine = select(Shipment).where(Shipment.request_id == asked.id, col(Shipment.state).in_(UNDER_WAY))
    return list(session.exec(mine.order_by(col(Shipment.packed_at))))
