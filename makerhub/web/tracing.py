"""The trace of a lot, for whoever made it, checked it or got pieces of it: by the label on the bag."""

from collections.abc import Mapping

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from makerhub.demand.models import SupplyRequest
from makerhub.designs.models import DesignVersion
from makerhub.errors import NotFound, translatable
from makerhub.people.access import visible
from makerhub.people.models import Role
from makerhub.trace.access import find_lot
from makerhub.trace.service import Trace, trace
from makerhub.web.catalogue import why_withdrawn
from makerhub.web.hub import hub
from makerhub.web.mistakes import message_of
from makerhub.web.navigation import Audience, Entry
from makerhub.web.policy import allowed
from makerhub.web.viewer import viewer

FOLLOWERS = (Role.REQUESTER, Role.MAKER, Role.DISPATCHER, Role.ADMIN)

pages = Blueprint("tracing", __name__)
audience = Audience(
    pages,
    (
        Entry(
            "tracing.look_up",
            translatable("Look up"),
            translatable("Look up a bag"),
            translatable("Type the label on a bag: what is in it, of what, when and how it was made."),
            FOLLOWERS,
        ),
    ),
)


@pages.get("/trace")
@allowed(*FOLLOWERS)
def look_up() -> ResponseReturnValue:
    """Ask for a label, and go to its lot."""
    label = request.args.get("label", "").strip()
    if not label:
        return render_template("tracing/look_up.html", label="", errors={})
    try:
        with hub().database.reading() as session:
            lot = find_lot(session, viewer(), label)
    except NotFound as error:
        return render_template("tracing/look_up.html", label=label, errors={"label": message_of(error)}), 404
    return redirect(url_for("tracing.lot", label=lot.label))


@pages.get("/trace/<label>")
@allowed(*FOLLOWERS)
def lot(label: str) -> str:
    """Everything about a lot but who made it; of its recipients, those whose requests the viewer may see."""
    with hub().database.reading() as session:
        chain = trace(session, find_lot(session, viewer(), label).label)
        return render_template("tracing/lot.html", trace=chain, model=_model(chain), **_fate(session, chain))


def _fate(session: Session, chain: Trace) -> Mapping[str, object]:
    """Where pieces went, and whether the design was withdrawn since."""
    wanted = visible(viewer(), SupplyRequest).where(
        col(SupplyRequest.id).in_([recipient.request_id for recipient in chain.recipients])
    )
    mine = {asked.id for asked in session.exec(wanted)}
    version = session.exec(select(DesignVersion).where(DesignVersion.content_hash == chain.design_hash)).one()
    return {
        "recipients": [to for to in chain.recipients if to.request_id in mine],
        "elsewhere": sum(to.quantity for to in chain.recipients if to.request_id not in mine and to.received_at),
        "version": version,
        "why_withdrawn": why_withdrawn(session, version),
    }


def _model(chain: Trace) -> str:
    profile = hub().profiles.get(chain.printer_model)
    return profile.name if profile else chain.printer_model
