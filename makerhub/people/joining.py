"""Joining an organisation: somebody asks for a role, and one of its people answers."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.errors import Invalid, translatable
from makerhub.lifecycle import begin, move
from makerhub.people.blocks import suspension_of
from makerhub.people.models import JoinRequest, JoinState, Membership, Organisation, Person, Role
from makerhub.people.service import add_membership

LONGEST_MESSAGE = 300
MOST_OPEN = 10
"""Requests of one person that may wait at once."""


def ask_to_join(
    session: Session, person: Person, organisation: Organisation, role: Role, *, message: str = "", now: datetime
) -> JoinRequest:
    """Ask for the role; asking again for the same is one request. Raises `Invalid` where the role is held already."""
    if suspension_of(session, person.id, organisation.id) is not None:
        raise Invalid(translatable("You are blocked at this hub. Your start page says until when, and whom to ask."))
    if is_member(session, person.id, organisation.id, role):
        raise Invalid(translatable("You have this role there already."))
    mine = asked_by(session, person)
    same = next((one for one in mine if (one.organisation_id, one.role) == (organisation.id, role)), None)
    if same is not None:
        return same
    if len(mine) >= MOST_OPEN:
        raise Invalid(translatable("Wait for the answers to what you asked before."))
    if len(message.strip()) > LONGEST_MESSAGE:
        raise Invalid(fields={"message": translatable("Keep it under 300 letters.")})
    asked = JoinRequest(
        person_id=person.id, organisation_id=organisation.id, role=role, message=message.strip(), asked_at=now
    )
    begin(session, asked, now=now, by=person.id)
    return asked


def accept_join(session: Session, asked: JoinRequest, *, by: UUID, now: datetime, why: str = "") -> None:
    """Let the person in, with the role that was asked for."""
    move(session, asked, JoinState.ACCEPTED, now=now, by=by, why=why)
    person = session.get_one(Person, asked.person_id)
    add_membership(session, person, session.get_one(Organisation, asked.organisation_id), asked.role, now=now, by=by)


def decline_join(session: Session, asked: JoinRequest, *, by: UUID, now: datetime) -> None:
    """Do not let the person in."""
    move(session, asked, JoinState.DECLINED, now=now, by=by)


def take_join_back(session: Session, asked: JoinRequest, *, by: UUID, now: datetime) -> None:
    """The person has thought better of it."""
    move(session, asked, JoinState.TAKEN_BACK, now=now, by=by)


def asked_by(session: Session, person: Person) -> Sequence[JoinRequest]:
    """What this person asked for and nobody has answered."""
    waiting = select(JoinRequest).where(JoinRequest.person_id == person.id, JoinRequest.state == JoinState.ASKED)
    return session.exec(waiting.order_by(col(JoinRequest.asked_at), col(JoinRequest.id))).all()


def is_member(session: Session, person_id: UUID, organisation_id: UUID, *roles: Role) -> bool:
    """Whether the person has one of the roles there; any role, when none is named."""
    held = select(Membership.id).where(
        Membership.person_id == person_id,
        Membership.organisation_id == organisation_id,
        col(Membership.role).in_(roles or tuple(Role)),
        col(Membership.suspended).is_(False),
    )
    return session.exec(held).first() is not None


def waiting_to_join(session: Session, organisations: Collection[UUID]) -> Sequence[tuple[JoinRequest, Person]]:
    """Who waits for an answer of these organisations, the longest first."""
    waiting = (
        select(JoinRequest, Person)
        .join(Person, col(Person.id) == JoinRequest.person_id)
        .where(col(JoinRequest.organisation_id).in_(organisations), JoinRequest.state == JoinState.ASKED)
    )
    return session.exec(waiting.order_by(col(JoinRequest.asked_at), col(JoinRequest.id))).all()
