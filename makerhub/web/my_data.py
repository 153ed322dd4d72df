"""What is held about me: to look at, to take along, and to have erased; and, for everybody, what is kept how long."""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from flask_security import logout_user

from makerhub.errors import translatable
from makerhub.notices.tasks import forget_mails
from makerhub.people.models import Person
from makerhub.privacy.erasure import erase
from makerhub.privacy.export import count, export
from makerhub.privacy.register import REGISTER
from makerhub.privacy.retention import KEPT
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience
from makerhub.web.policy import fresh, public, signed_in
from makerhub.web.viewer import viewer

pages = Blueprint("my_data", __name__)
audience = Audience(pages)

NOT_SURE = translatable("Tick the box, if you are sure. It can not be taken back.")


@pages.get("/what-we-keep")
@public
def what_we_keep() -> str:
    """What is kept and for how long, and what stays when somebody leaves: from the settings and the register."""
    periods = [(kept, kept.period(hub().settings)) for kept in KEPT]
    return render_template("my_data/what_we_keep.html", periods=periods, staying=_staying())


@pages.get("/account/data")
@signed_in
def overview() -> str:
    """What is held about me."""
    with hub().database.reading() as session:
        return render_template("my_data/overview.html", held=count(session, viewer()))


@pages.get("/account/data/download")
@signed_in
@fresh
def download() -> Response:
    """All that is held about me, in a file."""
    me = viewer()
    with hub().database.changing() as session:
        packed = export(session, me, hub().key_box, by=me.id, now=hub().clock())
    headers = {"Content-Disposition": 'attachment; filename="what-is-held-about-me.zip"', "Cache-Control": "no-store"}
    return Response(packed, mimetype="application/zip", headers=headers)


@pages.get("/account/data/erase")
@signed_in
@fresh
def ask_to_erase() -> str:
    """What goes and what stays, before it is too late."""
    return _erase_page({})


@pages.post("/account/data/erase")
@signed_in
@fresh
def erase_me() -> ResponseReturnValue:
    """Erase me, now."""
    if request.form.get("sure") != "yes":
        return _erase_page({"sure": NOT_SURE}), 400
    with hub().database.changing() as session:
        person = session.get_one(Person, viewer().id)
        erase(session, person, by=person.id, now=hub().clock())
    hub().soon(forget_mails)
    logout_user()
    return redirect(url_for("my_data.erased"))


@pages.get("/erased")
@public
def erased() -> str:
    """It is done."""
    return render_template("my_data/erased.html")


def _erase_page(errors: dict[str, str]) -> str:
    with hub().database.reading() as session:
        held = count(session, viewer())
    going = [one.about for one, _ in held if one.erased or one.blanks]
    return render_template("my_data/erase.html", errors=errors, going=going, staying=_staying())


def _staying() -> list[tuple[str, list[str]]]:
    """Why something stays, and what, in the order of the register."""
    reasons: dict[str, list[str]] = {}
    for held in REGISTER:
        if held.stays:
            reasons.setdefault(held.stays, []).append(_(held.about))
    return list(reasons.items())
