"""Proposing a hub: somebody says where and why, and a neighbour or an administrator answers with a reason."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.errors import Invalid, translatable
from makerhub.hubs.letters import ACCEPTED, DECLINED
from makerhub.hubs.models import HubProfile, HubState
from makerhub.hubs.service import TOO_LONG, Told, describe, problems_of, require_reason
from makerhub.lifecycle import begin, history, move
from makerhub.notices.letters import Letter, Post
from makerhub.people import service as people
from makerhub.people.letters import write
from makerhub.people.models import Organisation, OrganisationKind, Person, Role
from makerhub.places.service import has_places

LONGEST_WHY = 500


def propose(session: Session, told: Told, *, why: str, time_zone: str, by: Person, now: datetime) -> HubProfile:
    """Propose a new hub, which a neighbour or an administrator has to accept; they read `why`. Raises `Invalid`."""
    if waiting_of(session, by) is not None:
        raise Invalid(translatable("You have proposed a hub already. Wait for the answer."))
    problems = problems_of(session, told) | _missing(session, told, why)
    if problems:
        raise Invalid(fields=problems)
    organisation = people.create_organisation(session, kind=OrganisationKind.HUB, name=told.name, time_zone=time_zone)
    profile = HubProfile(organisation_id=organisation.id, proposed_by=by.id, since=now)
    begin(session, profile, now=now, by=by.id, why=why.strip())
    describe(session, profile, told, by=by.id, now=now)
    return profile


def accept(session: Session, profile: HubProfile, *, why: str = "", post: Post, by: UUID, now: datetime) -> None:
    """The proposed hub begins to work, and whoever proposed it dispatches for it."""
    move(session, profile, HubState.ACTIVE, now=now, by=by, why=why.strip(), since=now)
    if profile.proposed_by is not None:
        person = session.get_one(Person, profile.proposed_by)
        organisation = session.get_one(Organisation, profile.organisation_id)
        people.add_membership(session, person, organisation, Role.DISPATCHER, now=now, by=by)
        _tell(session, ACCEPTED, profile, why, post, f"/dispatch/hub/{organisation.id}", now)


def decline(session: Session, profile: HubProfile, *, why: str, post: Post, by: UUID, now: datetime) -> None:
    """Do not accept the hub; whoever proposed it reads why. Raises `Invalid` without a reason."""
    require_reason(why)
    move(session, profile, HubState.DECLINED, now=now, by=by, why=why.strip(), since=now)
    _tell(session, DECLINED, profile, why, post, "/hubs", now)


def take_back(session: Session, profile: HubProfile, *, by: UUID, now: datetime) -> None:
    """Whoever proposed it has thought better of it."""
    move(session, profile, HubState.TAKEN_BACK, now=now, by=by, since=now)


def waiting_of(session: Session, person: Person) -> HubProfile | None:
    """The proposal of this person that waits for an answer."""
    waiting = select(HubProfile).where(HubProfile.proposed_by == person.id, HubProfile.state == HubState.PROPOSED)
    return session.exec(waiting).first()


def reason_for(session: Session, profile: HubProfile) -> str:
    """Why the hub was proposed."""
    return history(session, profile)[0].why


def answer_to(session: Session, profile: HubProfile) -> str:
    """What was said to the proposal when it was answered; empty before."""
    answers = (HubState.ACTIVE, HubState.DECLINED)
    said = [one.why for one in history(session, profile) if one.before == HubState.PROPOSED and one.after in answers]
    return said[0] if said else ""


def proposed_by(session: Session, person: Person) -> Sequence[tuple[HubProfile, Organisation]]:
    """The hubs that this person proposed, the newest first."""
    mine = (
        select(HubProfile, Organisation)
        .join(Organisation, col(Organisation.id) == HubProfile.organisation_id)
        .where(HubProfile.proposed_by == person.id)
    )
    return session.exec(mine.order_by(col(HubProfile.since).desc(), col(HubProfile.id))).all()


def _missing(session: Session, told: Told, why: str) -> dict[str, str]:
    """What a proposal needs besides what any hub says of itself, so that neighbours can judge it."""
    problems = {}
    if not why.strip():
        problems["why"] = translatable("Say why a hub is needed there, and who would take part.")
    elif len(why.strip()) > LONGEST_WHY:
        problems["why"] = TOO_LONG
    if not told.postcode.strip() and has_places(session):
        problems["postcode"] = translatable("Enter a postcode, so that neighbours see it on the map.")
    return problems


def _tell(
    session: Session, letter: Letter, profile: HubProfile, why: str, post: Post, path: str, now: datetime
) -> None:
    if profile.proposed_by is None:
        return
    person = session.get_one(Person, profile.proposed_by)
    name = session.get_one(Organisation, profile.organisation_id).name
    write(session, letter, person, post, now, link=path, hub=name, why=why.strip())
