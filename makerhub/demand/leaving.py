"""Leaving a facility: the open requests go to a colleague, or the hubs are told that nobody is there any more."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.audit.service import note
from makerhub.demand.models import RUNNING, SupplyRequest
from makerhub.errors import Invalid, translatable
from makerhub.facilities.service import colleagues
from makerhub.notices.letters import Post, letter
from makerhub.people import service as people
from makerhub.people.letters import write
from makerhub.people.models import Membership, Organisation, Person, Role

HANDED_OVER = letter(
    "requests_handed_over",
    title=translatable("Requests were handed over to a colleague"),
    subject=translatable("%(leaver)s has handed requests of %(facility)s over to you"),
    text=translatable(
        "Hello %(name)s,\n\n"
        "%(leaver)s no longer asks for %(facility)s and named you for what is open: %(count)d in all. Deliveries and "
        "questions come to you now.\n\n%(link)s\n"
    ),
)
NOBODY_LEFT = letter(
    "facility_without_people",
    title=translatable("Nobody asks for a facility any more"),
    subject=translatable("Nobody at %(facility)s any more"),
    text=translatable(
        "Hello %(name)s,\n\n"
        "the last person who asked for %(facility)s has left, and requests of it to your hub are open: %(count)d in "
        "all. Call the number of the register before anything is packed, and invite whoever takes over.\n\n%(link)s\n"
    ),
)


def open_requests(session: Session, facility_id: UUID) -> Sequence[SupplyRequest]:
    """What the facility waits for, the oldest first."""
    running = select(SupplyRequest).where(
        SupplyRequest.facility_id == facility_id, col(SupplyRequest.state).in_(RUNNING)
    )
    return session.exec(running.order_by(col(SupplyRequest.submitted_at), col(SupplyRequest.id))).all()


def to_hand_over(session: Session, person: Person, facility_id: UUID) -> Sequence[SupplyRequest]:
    """What of it the person sent, and somebody else has to look after."""
    return [one for one in open_requests(session, facility_id) if one.requested_by == person.id]


def is_left_alone(session: Session, facility_id: UUID) -> bool:
    """Whether nobody asks for the facility any more."""
    return not colleagues(session, facility_id)


def leave(
    session: Session, person: Person, facility: Organisation, successor_id: UUID | None, post: Post, *, now: datetime
) -> None:
    """Ask for the facility no more: own open requests go to the successor, who is told.

    Raises `Invalid` where others are there, and none of them is named for what is open. Where nobody is, the
    dispatchers of the hubs that were asked are told.
    """
    others = {one.id: one for one in colleagues(session, facility.id) if one.id != person.id}
    mine = to_hand_over(session, person, facility.id)
    if others and mine:
        if successor_id not in others:
            raise Invalid(fields={"successor": translatable("Say who looks after what is open.")})
        _hand_over(session, mine, person, others[successor_id], facility, post, now)
    _take_role(session, person, facility, now)
    if not others:
        _tell_hubs(session, facility, post, now)


def _hand_over(
    session: Session,
    requests: Sequence[SupplyRequest],
    person: Person,
    successor: Person,
    facility: Organisation,
    post: Post,
    now: datetime,
) -> None:
    for request in requests:
        request.requested_by = successor.id
        session.add(request)
        note(session, "handed over", request, now=now, by=person.id, why=f"to {successor.id}")
    values: dict[str, str | int] = {"leaver": person.name, "count": len(requests), "facility": facility.name}
    write(session, HANDED_OVER, successor, post, now, link="/requests", **values)


def _take_role(session: Session, person: Person, facility: Organisation, now: datetime) -> None:
    held = select(Membership).where(
        Membership.person_id == person.id,
        Membership.organisation_id == facility.id,
        Membership.role == Role.REQUESTER,
    )
    people.take_membership(session, session.exec(held).one(), now=now, by=person.id)


def _tell_hubs(session: Session, facility: Organisation, post: Post, now: datetime) -> None:
    waiting = open_requests(session, facility.id)
    for hub_id in sorted({one.hub_id for one in waiting}):
        count = sum(one.hub_id == hub_id for one in waiting)
        link = f"/dispatch/facilities/{facility.id}"
        for dispatcher in people.members_of(session, hub_id, Role.DISPATCHER):
            write(session, NOBODY_LEFT, dispatcher, post, now, facility=facility.name, link=link, count=count)
