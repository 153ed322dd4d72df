"""Joining a facility: its people are told who asks, and whoever asked what became of it."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from makerhub.errors import translatable
from makerhub.facilities.service import colleagues
from makerhub.notices.letters import Post, letter
from makerhub.people import joining
from makerhub.people.letters import write
from makerhub.people.models import JoinRequest, Organisation, Person, Role

ASKED = letter(
    "facility_join_asked",
    title=translatable("Somebody asks to join a facility"),
    subject=translatable("%(asker)s asks to join %(facility)s"),
    text=translatable(
        "Hello %(name)s,\n\n"
        "%(asker)s (%(email)s) says to work at %(facility)s and wants to see its requests and ask for equipment, as "
        "you do. Only let in whom you know:\n\n%(link)s\n"
    ),
)
LET_IN = letter(
    "facility_joined",
    title=translatable("Somebody joined a facility"),
    subject=translatable("You can ask for %(facility)s now"),
    text=translatable(
        "Hello %(name)s,\n\nyou are let in: you see the requests of %(facility)s and can ask for it now.\n\n%(link)s\n"
    ),
)
NOT_LET_IN = letter(
    "facility_not_joined",
    title=translatable("Somebody was not let into a facility"),
    subject=translatable("You were not let in at %(facility)s"),
    text=translatable(
        "Hello %(name)s,\n\nyou asked to join %(facility)s, and were not let in. If that is a mistake, speak with a "
        "colleague there, or call your hub.\n\n%(link)s\n"
    ),
)


def ask(
    session: Session, person: Person, facility: Organisation, message: str, post: Post, *, now: datetime
) -> JoinRequest:
    """Ask to join; asking again while nobody has answered is one request, of which nobody is told again.

    Raises `Invalid`, as `joining.ask_to_join` does.
    """
    asked_before = {one.id for one in joining.asked_by(session, person)}
    asked = joining.ask_to_join(session, person, facility, Role.REQUESTER, message=message, now=now)
    if asked.id not in asked_before:
        for colleague in colleagues(session, facility.id):
            values = {"asker": person.name, "email": person.email, "facility": facility.name}
            write(session, ASKED, colleague, post, now, link=f"/facilities/{facility.id}", **values)
    return asked


def answer(session: Session, asked: JoinRequest, is_welcome: bool, post: Post, *, by: UUID, now: datetime) -> None:
    """Let the person in, or do not, and tell them."""
    if is_welcome:
        joining.accept_join(session, asked, by=by, now=now)
    else:
        joining.decline_join(session, asked, by=by, now=now)
    facility = session.get_one(Organisation, asked.organisation_id)
    person = session.get_one(Person, asked.person_id)
    write(session, LET_IN if is_welcome else NOT_LET_IN, person, post, now, facility=facility.name, link="/facilities")
