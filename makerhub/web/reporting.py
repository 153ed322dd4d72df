"""Reporting what one met on a page, taking that back, and whom one does not want to meet; and why one is blocked."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session

from makerhub.errors import Invalid, NotFound, translatable
from makerhub.moderation import service as moderation
from makerhub.moderation.access import WITHDRAW
from makerhub.moderation.models import Kind, Reason, Report
from makerhub.moderation.subjects import Subject, subject_of
from makerhub.people import blocks
from makerhub.people.access import permitted
from makerhub.people.block_models import PersonalBlock
from makerhub.people.blocks import LET_MEET
from makerhub.people.models import Person
from makerhub.web.hub import hub
from makerhub.web.limits import at_most
from makerhub.web.navigation import Audience
from makerhub.web.policy import signed_in
from makerhub.web.viewer import viewer

REASONS = {
    Reason.UNSAFE: translatable("It is fake, or not safe"),
    Reason.HARASSMENT: translatable("Somebody is harassed or threatened"),
    Reason.CONTACT: translatable("It asks for money or for private contact"),
    Reason.PRIVATE: translatable("It shows private data"),
    Reason.OTHER: translatable("Something else"),
}
MEETINGS = (Kind.SHIPMENT, Kind.PICKUP)
"""Where two people meet whom others brought together."""

pages = Blueprint("reporting", __name__)
audience = Audience(pages)


@pages.get("/report/<kind>/<uuid:thing_id>")
@signed_in
def form(kind: str, thing_id: UUID) -> str:
    """What is wrong with it?"""
    return _form_page(kind, thing_id, {})


@pages.post("/report/<kind>/<uuid:thing_id>")
@signed_in
@at_most("20 per hour", per_address="120 per hour")
def send(kind: str, thing_id: UUID) -> ResponseReturnValue:
    """Report it, and keep apart from the person behind it where that is wanted."""
    try:
        with hub().database.changing() as session:
            reporter = session.get_one(Person, viewer().id)
            subject = _subject(session, kind, thing_id)
            moderation.report(
                session, subject, _reason(), request.form.get("words", ""), by=reporter, now=hub().clock()
            )
            if request.form.get("apart") and subject.person_id and subject.kind in MEETINGS:
                blocks.keep_apart(
                    session, reporter.id, subject.person_id, met_in=kind, met_id=thing_id, now=hub().clock()
                )
    except Invalid as error:
        return _form_page(kind, thing_id, error.fields or {"reason": error.template}), 400
    flash(_("Thank you. Somebody looks at it; here you see what became of it."), "success")
    return redirect(url_for("reporting.mine"))


@pages.get("/reports")
@signed_in
def mine() -> str:
    """What I reported, and whom I do not want to meet."""
    with hub().database.reading() as session:
        return render_template(
            "reporting/mine.html",
            reports=moderation.reports_of(session, viewer().id),
            reasons=REASONS,
            blocks=blocks.blocks_of(session, viewer().id),
        )


@pages.post("/reports/<uuid:my_report_id>/withdraw")
@signed_in
def withdraw(my_report_id: UUID) -> ResponseReturnValue:
    """I take it back. One that is not mine, or is gone, is no mistake and stays as it is."""
    with hub().database.changing() as session:
        mine = session.exec(permitted(viewer(), WITHDRAW).where(Report.id == my_report_id)).one_or_none()
        if mine is not None:
            moderation.withdraw(session, mine, by=viewer().id, now=hub().clock())
            flash(_("You have taken your report back."), "success")
    return redirect(url_for("reporting.mine"))


@pages.post("/reports/apart/<uuid:apart_key>/end")
@signed_in
def let_meet(apart_key: UUID) -> ResponseReturnValue:
    """I may be brought together with this person again; what others said of whom they meet stays."""
    with hub().database.changing() as session:
        mine = session.exec(permitted(viewer(), LET_MEET).where(PersonalBlock.id == apart_key)).one_or_none()
        if mine is not None:
            blocks.let_meet(session, mine, now=hub().clock())
            flash(_("You may be brought together again."), "success")
    return redirect(url_for("reporting.mine"))


@pages.get("/blocked")
@signed_in
def blocked() -> str:
    """At which hubs I am blocked, until when, why, and whom to turn to."""
    with hub().database.reading() as session:
        return render_template(
            "reporting/blocked.html",
            suspensions=blocks.suspensions_of(session, viewer().id),
            contact=hub().settings.contact,
        )


def _form_page(kind: str, thing_id: UUID, errors: Mapping[str, str]) -> str:
    with hub().database.reading() as session:
        subject = _subject(session, kind, thing_id)
    return render_template(
        "reporting/form.html",
        subject=subject,
        reasons=[(reason.value, _(words)) for reason, words in REASONS.items()],
        may_be_apart=subject.person_id is not None and subject.kind in MEETINGS,
        typed=request.form,
        errors=errors,
    )


def _subject(session: Session, kind: str, thing_id: UUID) -> Subject:
    if kind not in set(Kind):
        raise NotFound
    return subject_of(session, Kind(kind), thing_id, viewer())


def _reason() -> Reason:
    try:
        return Reason(request.form.get("reason", ""))
    except ValueError:
        raise Invalid(fields={"reason": translatable("Choose what is wrong.")}) from None
