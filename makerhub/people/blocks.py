"""Keeping people out of a hub for a while, and keeping two people apart who do not want to meet.

Here is who is kept from what. What is under way and has to be held with it is the business of `moderation`.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, union, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from makerhub.audit.service import note
from makerhub.errors import Invalid, translatable
from makerhub.lifecycle import begin, move
from makerhub.people.access import action, everything, has_role, organisation_ids, visibility
from makerhub.people.block_models import PersonalBlock, Suspension, SuspensionState
from makerhub.people.models import Membership, Organisation, Person, Role
from makerhub.people.service import end_sign_ins

LONGEST_WHY = 300


def suspend(
    session: Session, person: Person, hub: Organisation, *, why: str, until: datetime | None, by: UUID, now: datetime
) -> Suspension:
    """Keep a person out of a hub: its roles rest, and every sign-in ends at once. Raises `Invalid` with `fields`."""
    _require(bool(why.strip()), "why", translatable("Say why: the person reads it."))
    _require(len(why.strip()) <= LONGEST_WHY, "why", translatable("Keep it under 300 letters."))
    _require(until is None or until > now, "until", translatable("Choose a day in the future."))
    if suspension_of(session, person.id, hub.id) is not None:
        raise Invalid(translatable("This person is blocked at this hub already."))
    suspension = Suspension(person_id=person.id, hub_id=hub.id, why=why.strip(), until=until, begun_at=now)
    begin(session, suspension, now=now, by=by)
    _let_rest(session, suspension, rests=True)
    end_sign_ins(session, person)
    note(session, "blocked at a hub", person, now=now, by=by, why=str(hub.id))
    return suspension


def lift(session: Session, suspension: Suspension, *, by: UUID | None = None, now: datetime, why: str = "") -> None:
    """Let the person work with the hub again, in the roles from before."""
    move(session, suspension, SuspensionState.LIFTED, now=now, by=by, why=why, ended_at=now)
    _let_rest(session, suspension, rests=False)
    person = session.get_one(Person, suspension.person_id)
    note(session, "block at a hub lifted", person, now=now, by=by, why=str(suspension.hub_id))


def over(session: Session, now: datetime) -> Sequence[Suspension]:
    """Those whose time is over and that still hold."""
    return session.exec(_holding().where(col(Suspension.until) <= now)).all()


def suspension_of(session: Session, person_id: UUID, hub_id: UUID) -> Suspension | None:
    """What keeps the person out of this hub now, if anything does."""
    return session.exec(_holding().where(Suspension.person_id == person_id, Suspension.hub_id == hub_id)).one_or_none()


def suspensions_of(session: Session, person_id: UUID) -> Sequence[tuple[Suspension, Organisation]]:
    """Each hub that the person is kept out of now, by name."""
    mine = select(Suspension, Organisation).join(Organisation, col(Organisation.id) == Suspension.hub_id)
    held = mine.where(Suspension.person_id == person_id, Suspension.state == SuspensionState.HOLDS)
    return session.exec(held.order_by(col(Organisation.name), col(Suspension.id))).all()


def kept_out(session: Session) -> frozenset[tuple[UUID, UUID]]:
    """Every person with the hub that he or she is kept out of now."""
    held = select(Suspension.person_id, Suspension.hub_id).where(Suspension.state == SuspensionState.HOLDS)
    return frozenset((person, hub) for person, hub in session.exec(held))


def resting_roles(session: Session, person_id: UUID) -> frozenset[Role]:
    """The roles that the person would have but for what keeps him or her out."""
    held = select(Membership.role).where(Membership.person_id == person_id, col(Membership.suspended))
    return frozenset(map(Role, session.exec(held)))


def keep_apart(
    session: Session, person_id: UUID, other_id: UUID, *, met_in: str, met_id: UUID, now: datetime
) -> PersonalBlock:
    """Bring these two together no more, where there is a choice; asking twice is one block. The other is not told."""
    if person_id == other_id:
        raise Invalid
    mine = select(PersonalBlock).where(PersonalBlock.blocker_id == person_id, PersonalBlock.blocked_id == other_id)
    known = session.exec(mine).one_or_none()
    if known is not None:
        return known
    block = PersonalBlock(blocker_id=person_id, blocked_id=other_id, met_in=met_in, met_id=met_id, at=now)
    session.add(block)
    note(session, "kept apart", block, now=now, by=person_id)
    return block


def let_meet(session: Session, block: PersonalBlock, *, now: datetime) -> None:
    """Take back that one does not want to meet somebody."""
    note(session, "kept apart no more", block, now=now, by=block.blocker_id)
    session.delete(block)


def blocks_of(session: Session, person_id: UUID) -> Sequence[PersonalBlock]:
    """Whom the person does not want to meet, the last first."""
    mine = select(PersonalBlock).where(PersonalBlock.blocker_id == person_id)
    return session.exec(mine.order_by(col(PersonalBlock.at).desc(), col(PersonalBlock.id))).all()


def apart_from(person_id: UUID) -> Select[tuple[UUID]]:
    """The select of everybody whom this person is not to be brought together with, whichever of the two said so."""
    mine = select(PersonalBlock.blocked_id).where(PersonalBlock.blocker_id == person_id)
    theirs = select(PersonalBlock.blocker_id).where(PersonalBlock.blocked_id == person_id)
    both = union(mine, theirs).subquery()
    return select(both.c[0])


def are_apart(session: Session, one: UUID, other: UUID) -> bool:
    """Whether one of the two does not want to meet the other."""
    return other in set(session.execute(apart_from(one)).scalars())


@visibility(Suspension)
def _suspensions(person: Person) -> ColumnElement[bool]:
    """One's own; dispatchers see those of their hubs, and administrators all."""
    if has_role(person, Role.ADMIN):
        return everything()
    return or_(col(Suspension.person_id) == person.id, _its_dispatchers(person))


def _its_dispatchers(person: Person) -> ColumnElement[bool]:
    """Dispatchers of the hub, but nobody for oneself."""
    at_hub = col(Suspension.hub_id).in_(organisation_ids(person, Role.DISPATCHER))
    return at_hub & (col(Suspension.person_id) != person.id)


def _who_lifts(person: Person) -> ColumnElement[bool]:
    """Dispatchers of the hub, and administrators; nobody for oneself."""
    is_another = col(Suspension.person_id) != person.id
    return is_another if has_role(person, Role.ADMIN) else _its_dispatchers(person)


@visibility(PersonalBlock)
def _personal_blocks(person: Person) -> ColumnElement[bool]:
    """Whoever said so, and nobody else."""
    return col(PersonalBlock.blocker_id) == person.id


LIFT = action(Suspension, "lift", _who_lifts)
LET_MEET = action(PersonalBlock, "take back", _personal_blocks)


def _holding() -> SelectOfScalar[Suspension]:
    return select(Suspension).where(Suspension.state == SuspensionState.HOLDS)


def _let_rest(session: Session, suspension: Suspension, *, rests: bool) -> None:
    mine = (
        col(Membership.person_id) == suspension.person_id,
        col(Membership.organisation_id) == suspension.hub_id,
    )
    session.execute(update(Membership).where(*mine).values(suspended=rests))
    session.refresh(session.get_one(Person, suspension.person_id), ["roles"])


def _require(holds: bool, field: str, problem: str) -> None:
    if not holds:
        raise Invalid(fields={field: problem})
