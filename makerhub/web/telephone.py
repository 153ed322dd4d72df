"""Taking a request on the telephone: a page to fill in while speaking, what is read back, and the caller's code."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]
from sqlmodel import Session, select

from makerhub.demand import telephone
from makerhub.demand.access import ANSWER_CALLER, DISPATCH
from makerhub.demand.models import SupplyRequest, TelephoneCall
from makerhub.errors import NotFound, translatable
from makerhub.facilities.finding import search, search_registers
from makerhub.facilities.service import standings
from makerhub.notices.tasks import send_mails
from makerhub.people.access import find, permitted
from makerhub.people.models import Organisation, Person, Role
from makerhub.web.facility_form import NEW, kinds
from makerhub.web.held import why_held
from makerhub.web.hub import hub
from makerhub.web.language import offered
from makerhub.web.limits import at_most
from makerhub.web.navigation import Audience, Entry
from makerhub.web.offered import URGENCIES, why_barred
from makerhub.web.policy import allowed
from makerhub.web.request_form import form_key
from makerhub.web.request_shown import asked_already, show
from makerhub.web.telephone_form import OTHER_DAY, Call, days_ahead, new_facility, read_call
from makerhub.web.typed import uuid_or_none
from makerhub.web.viewer import viewer

LONGEST_TYPED = 100

pages = Blueprint("telephone", __name__, url_prefix="/dispatch")
audience = Audience(
    pages,
    (
        Entry(
            "telephone.facility",
            translatable("Telephone"),
            translatable("Take a request on the telephone"),
            translatable("Type while somebody speaks, read it back, and send them a link or tell them a code."),
            (Role.DISPATCHER,),
        ),
    ),
)


@pages.get("/telephone")
@allowed(Role.DISPATCHER)
def facility() -> str:
    """For which facility: found by name or postcode, among those that are known and in the registers."""
    typed = request.args.get("near", "")[:LONGEST_TYPED].strip()
    with hub().database.reading() as session:
        found = search(session, typed)
        return render_template(
            "telephone/facility.html",
            typed=typed,
            found=found,
            standings=standings(session, [one.id for one in found], hub().clock()),
            in_registers=search_registers(session, typed),
        )


@pages.get("/telephone/call")
@allowed(Role.DISPATCHER)
def call() -> str:
    """The page to be filled in while somebody speaks."""
    with hub().database.changing() as session, session.begin_nested() as attempt:
        typed = request.args.copy()
        if uuid_or_none(typed.get("facility", "")) is None:
            typed.update({name: text for name, text in new_facility(session, typed).items() if name not in typed})
        page = _form(session, read_call(session, typed, _me(session)), with_errors=False)
        attempt.rollback()
        return page


@pages.post("/telephone/call")
@allowed(Role.DISPATCHER)
@at_most("120 per hour", per_address="600 per hour")
def take() -> ResponseReturnValue:
    """Look at what was typed, read it back, or file it; nothing is kept before that."""
    before = _filed_before()
    if before is not None:
        flash(_("This call is written down already. You can give the caller a new link or code."))
        return redirect(url_for("dispatcher.supply_request", request_id=before.id))
    with hub().database.changing() as session:
        with session.begin_nested() as attempt:
            taken, step = read_call(session, request.form.copy(), _me(session)), request.form.get("step", "")
            if taken.problems or step != "file":
                page = _form(session, taken) if taken.problems or step != "read_back" else _read_back(session, taken)
                attempt.rollback()
                return page, 400 if taken.problems else 200
            largest, policy = hub().settings.largest_request, hub().policy
            noted, secret = telephone.write_down(
                session, taken.given.request, taken.caller, _post(), largest=largest, policy=policy, now=hub().clock()
            )
        page = _filed(session, noted, secret)
    hub().soon(send_mails)
    return page


@pages.post("/requests/<uuid:request_id>/caller")
@allowed(Role.DISPATCHER)
@at_most("30 per hour", per_address="300 per hour")
def again(request_id: UUID) -> str:
    """A new link, or a new code, in the place of the one before."""
    with hub().database.changing() as session:
        noted = _call_of(session, request_id)
        page = _filed(session, noted, telephone.give_secret(session, noted, _post(), now=hub().clock()))
    hub().soon(send_mails)
    return page


@pages.post("/requests/<uuid:request_id>/forget-caller")
@allowed(Role.DISPATCHER)
def forget(request_id: UUID) -> ResponseReturnValue:
    """Delete who called, as they asked; the request stays."""
    with hub().database.changing() as session:
        telephone.forget_caller(session, _call_of(session, request_id), now=hub().clock(), by=viewer().id)
    flash(
        _("Deleted: who called, their number and their address. Their link or code opens nothing any more."), "success"
    )
    return redirect(url_for("dispatcher.supply_request", request_id=request_id))


def _form(session: Session, taken: Call, *, with_errors: bool = True) -> str:
    return render_template(
        "telephone/call.html",
        **_shown(session, taken),
        errors=taken.problems if with_errors else {},
        kinds=kinds(),
        days=days_ahead(),
        other_day=OTHER_DAY,
        new=NEW,
        barred=why_barred(session, taken.choices, taken.given),
        mail_languages=offered(),
    )


def _read_back(session: Session, taken: Call) -> str:
    place = taken.facility
    designs = {taken.choices.kits[key].card.key for key in taken.draft.chosen}
    return render_template(
        "telephone/read_back.html",
        **_shown(session, taken),
        held=None if place is None else why_held(session, place),
        already=[] if place is None or taken.is_new else asked_already(session, place.id, designs),
    )


def _shown(session: Session, taken: Call) -> dict[str, object]:
    return {
        "call": taken,
        "urgencies": URGENCIES,
        "asked_hub": session.get(Organisation, taken.given.request.hub_id),
        "today": hub().clock().date(),
    }


def _filed(session: Session, noted: TelephoneCall, secret: str) -> str:
    asked = session.get_one(SupplyRequest, noted.request_id)
    return render_template(
        "telephone/filed.html",
        call=noted,
        shown=show(session, [asked])[0],
        facility=session.get_one(Organisation, asked.facility_id),
        asked_hub=session.get_one(Organisation, asked.hub_id),
        code="-".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        typed_at=f"{hub().settings.address}{url_for('called.ask')}",
    )


def _call_of(session: Session, request_id: UUID) -> TelephoneCall:
    """The call of a request to one's hubs. Raises `NotFound` for any other, and where nobody is known any more."""
    find(session, viewer(), DISPATCH, request_id)
    noted = telephone.call_for(session, request_id)
    if noted is None:
        raise NotFound
    return find(session, viewer(), ANSWER_CALLER, noted.id)


def _filed_before() -> SupplyRequest | None:
    key = form_key(request.form)
    if key is None:
        return None
    mine = permitted(viewer(), DISPATCH).where(SupplyRequest.form_key == key, SupplyRequest.requested_by == viewer().id)
    with hub().database.reading() as session:
        return session.exec(mine).first()


def _me(session: Session) -> Person:
    return session.exec(select(Person).where(Person.id == viewer().id)).one()


def _post() -> telephone.Post:
    return telephone.Post(hub().key_box, hub().settings.address)
