"""The use cases of moderation: report, withdraw, and decide: nothing wrong, hide the text, or block the person."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_
from sqlmodel import Session, col, func, select

from makerhub.db import IntegrityError
from makerhub.errors import Invalid, NotAllowed, translatable
from makerhub.lifecycle import begin, move
from makerhub.moderation import holding, subjects
from makerhub.moderation.letters import BLOCKED, LIFTED
from makerhub.moderation.models import Reason, Report, ReportState
from makerhub.moderation.subjects import Subject, is_for_administrators
from makerhub.notices.letters import Letter, Post
from makerhub.people import blocks
from makerhub.people.access import has_role, organisation_ids
from makerhub.people.block_models import Suspension
from makerhub.people.letters import write
from makerhub.people.models import Organisation, Person, Role

LONGEST_WORDS = 1000
MOST_A_DAY = 20
"""Reports of one person; more than that is harassment in itself."""
TIME_IS_OVER = "its time is over"


def report(session: Session, subject: Subject, reason: Reason, words: str, *, by: Person, now: datetime) -> Report:
    """Report a thing; while a report of it waits, reporting it again is the same. Raises `Invalid` with `fields`."""
    if subject.person_id == by.id:
        raise Invalid(translatable("This is your own."))
    if len(words.strip()) > LONGEST_WORDS:
        raise Invalid(fields={"words": translatable("Keep it under 1000 letters.")})
    if reason is Reason.OTHER and not words.strip():
        raise Invalid(fields={"words": translatable("Say in a few words what is wrong.")})
    waiting = _waiting(session, subject, by)
    if waiting is not None:
        return waiting
    _require_patience(session, by, now)
    person = session.get(Person, subject.person_id) if subject.person_id else None
    new = Report(
        kind=subject.kind,
        thing_id=subject.thing_id,
        title=subject.title,
        said=subject.said,
        reason=reason,
        words=words.strip(),
        reporter_id=by.id,
        person_id=subject.person_id,
        hub_id=subject.hub_id,
        for_administrators=is_for_administrators(subject, person),
        reported_at=now,
    )
    try:
        with session.begin_nested():
            begin(session, new, now=now, by=by.id)
    except IntegrityError:  # the same form arrived twice at once, and the other one was first
        first = _waiting(session, subject, by)
        if first is None:
            raise
        return first
    return new


def withdraw(session: Session, row: Report, *, by: UUID, now: datetime) -> None:
    """Whoever reported it takes it back, as long as nobody has decided."""
    move(session, row, ReportState.WITHDRAWN, now=now, by=by, ended_at=now)


def dismiss(session: Session, row: Report, *, by: UUID, now: datetime) -> None:
    """Nothing is wrong with it."""
    move(session, row, ReportState.DISMISSED, now=now, by=by, ended_at=now)


def hide(session: Session, row: Report, *, by: UUID, now: datetime) -> None:
    """Hide what it says; no report of it keeps a copy. Raises `Invalid` where there is no text."""
    if not subjects.can_be_hidden(session, row):
        raise Invalid(translatable("There is no text that could be hidden."))
    move(session, row, ReportState.HIDDEN, now=now, by=by, ended_at=now)
    subjects.hide(session, row, by=by, now=now)
    for same in session.exec(select(Report).where(Report.kind == row.kind, Report.thing_id == row.thing_id)):
        same.said = ""
        session.add(same)
    session.flush()


def block(
    session: Session, row: Report, *, why: str, until: datetime | None, post: Post, by: Person, now: datetime
) -> Suspension:
    """Keep the person behind it out of the hub. Raises `Invalid` with `fields`, and `NotAllowed` for one's equals."""
    if row.person_id is None or row.hub_id is None:
        raise Invalid(
            translatable("There is no person of a hub behind this. Hide the text, or turn to an administrator.")
        )
    person = session.get_one(Person, row.person_id)
    if not may_block(by, person, row.hub_id):
        raise NotAllowed
    hub = session.get_one(Organisation, row.hub_id)
    suspension = blocks.suspend(session, person, hub, why=why, until=until, by=by.id, now=now)
    move(session, row, ReportState.BLOCKED, now=now, by=by.id, ended_at=now)
    holding.hold_all(session, suspension, by=by.id, now=now)
    _tell(session, BLOCKED, suspension, post, now)
    return suspension


def may_block(by: Person, person: Person, hub_id: UUID) -> bool:
    """Administrators block anybody but administrators, dispatchers whoever does not dispatch for the same hub."""
    if by.id == person.id or has_role(person, Role.ADMIN):
        return False
    is_equal = hub_id in organisation_ids(person, Role.DISPATCHER)
    return has_role(by, Role.ADMIN) or (hub_id in organisation_ids(by, Role.DISPATCHER) and not is_equal)


def lift(
    session: Session, suspension: Suspension, *, post: Post, by: UUID | None = None, now: datetime, why: str = ""
) -> None:
    """Let the person work with the hub again, and what was held go on."""
    blocks.lift(session, suspension, by=by, now=now, why=why)
    holding.go_on(session, suspension, by=by, now=now)
    _tell(session, LIFTED, suspension, post, now)


def lift_what_is_over(session: Session, *, post: Post, now: datetime) -> int:
    """Lift what was for a time that is over; returns how many."""
    ended = blocks.over(session, now)
    for suspension in ended:
        lift(session, suspension, post=post, now=now, why=TIME_IS_OVER)
    return len(ended)


def earlier(session: Session, row: Report) -> Sequence[Report]:
    """The other reports of the same thing or the same person, the last first."""
    same_thing = (col(Report.kind) == row.kind) & (col(Report.thing_id) == row.thing_id)
    same = same_thing if row.person_id is None else or_(same_thing, col(Report.person_id) == row.person_id)
    others = select(Report).where(same, Report.id != row.id)
    return session.exec(others.order_by(col(Report.reported_at).desc(), col(Report.id))).all()


def reports_of(session: Session, person_id: UUID) -> Sequence[Report]:
    """What the person reported, the last first."""
    mine = select(Report).where(Report.reporter_id == person_id)
    return session.exec(mine.order_by(col(Report.reported_at).desc(), col(Report.id))).all()


def _waiting(session: Session, subject: Subject, by: Person) -> Report | None:
    mine = select(Report).where(Report.reporter_id == by.id, Report.state == ReportState.OPEN)
    return session.exec(mine.where(Report.kind == subject.kind, Report.thing_id == subject.thing_id)).first()


def _require_patience(session: Session, by: Person, now: datetime) -> None:
    lately = select(func.count()).where(Report.reporter_id == by.id, Report.reported_at > now - timedelta(days=1))
    if session.exec(lately).one() >= MOST_A_DAY:
        raise Invalid(translatable("You have reported a great deal today. Call your hub if this can not wait."))


def _tell(session: Session, letter: Letter, suspension: Suspension, post: Post, now: datetime) -> None:
    person = session.get_one(Person, suspension.person_id)
    hub = session.get_one(Organisation, suspension.hub_id)
    write(session, letter, person, post, now, link="/blocked", hub=hub.name, why=suspension.why)
