"""Use cases of the outbox. Whoever has something to tell writes it in the same transaction as what happened:

    tell(session, REQUEST_ACCEPTED, to=person.email, language=person.language, values={…}, now=now)

So what happened is told, and what was rolled back is not. `soon(send_mails)` makes it go out at once.
"""

import json
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_
from sqlmodel import Session, col, select

from makerhub.audit.service import note
from makerhub.errors import translatable
from makerhub.keys.box import KeyBox, Place, Unreadable, place
from makerhub.lifecycle import begin, move
from makerhub.notices.channel import AddressRefused, Undelivered
from makerhub.notices.letters import Letter, UnknownLetter, Values
from makerhub.notices.models import Mail, MailReading, MailState

WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720))
"""After the first, the second … failed try; one more failure and the mail is given up, after 17 hours."""
LONGEST_SENDING = timedelta(minutes=10)
"""Whoever has not recorded a result by then was killed: a channel answers within four minutes."""

INTERRUPTED = translatable("The hub was stopped while it sent this mail, so it may arrive twice.")
TOO_LATE = translatable("What it says was no longer of use.")


def tell(
    session: Session,
    letter: Letter,
    *,
    to: str,
    values: Values,
    language: str,
    now: datetime,
    useful_until: datetime | None = None,
    key_box: KeyBox | None = None,
) -> Mail:
    """Put a mail into the outbox, for this transaction to commit. It is not sent any more after `useful_until`.

    A secret letter wants the `key_box` that seals it, and raises `ValueError` without. Raises `KeyError` where `values`
    leave a place of the letter empty: now, and not when it is sent.
    """
    _ = letter.subject % values, letter.text % values
    if letter.secret and key_box is None:
        raise ValueError(f"{letter.name} is secret: it wants a key box")
    mail = Mail(
        letter=letter.name,
        address=to,
        language=language,
        content=None if letter.secret else dict(values),
        written_at=now,
        due_at=now,
        useful_until=useful_until,
    )
    if letter.secret and key_box is not None:
        mail.sealed = key_box.seal(json.dumps(dict(values)), _where(mail))
    begin(session, mail, now=now)
    return mail


def values_of(mail: Mail, key_box: KeyBox) -> Values | None:
    """What is filled in; None where it is not kept. Raises `Unreadable` where the key is not the one that sealed it."""
    if not mail.sealed:
        return mail.content
    values: Values = json.loads(key_box.open(mail.sealed, _where(mail)))
    return values


def next_due(session: Session, now: datetime) -> Mail | None:
    """The mail that has been due for longest."""
    due = select(Mail).where(Mail.state == MailState.WAITING, Mail.due_at <= now)
    return session.exec(due.order_by(col(Mail.due_at), col(Mail.written_at), col(Mail.id)).limit(1)).one_or_none()


def claim(session: Session, mail: Mail, *, now: datetime) -> None:
    """Begin a try to send it. Raises `MovedMeanwhile` when somebody else did."""
    move(session, mail, MailState.SENDING, now=now, claimed_at=now, tries=mail.tries + 1, problem="")


def is_too_late(mail: Mail, now: datetime) -> bool:
    """Whether what it says is of no use any more."""
    return mail.useful_until is not None and mail.useful_until <= now


def give_up_late(session: Session, mail: Mail, *, now: datetime) -> None:
    """Leave a mail unsent that would say nothing of use."""
    move(
        session, mail, MailState.FAILED, now=now, why=TOO_LATE, problem=TOO_LATE, ended_at=now, content=None, sealed=b""
    )


def sent(session: Session, mail: Mail, *, now: datetime) -> None:
    """It went out; what a secret letter said is dropped at once."""
    move(session, mail, MailState.SENT, now=now, ended_at=now, sealed=b"")


def not_sent(session: Session, mail: Mail, trouble: Undelivered | UnknownLetter | Unreadable, *, now: datetime) -> None:
    """It did not go out: it waits for its next try, or is given up where another can not help."""
    problem = str(trouble)
    if isinstance(trouble, AddressRefused | UnknownLetter | Unreadable) or mail.tries > len(WAITS):
        move(session, mail, MailState.FAILED, now=now, why=problem, problem=problem, ended_at=now)
        return
    due_at = now + WAITS[mail.tries - 1]
    move(session, mail, MailState.WAITING, now=now, why=problem, problem=problem, due_at=due_at)


def take_back_interrupted(session: Session, now: datetime) -> None:
    """Let mails wait again whose sender was killed: one may arrive twice, none is lost."""
    stale = select(Mail).where(Mail.state == MailState.SENDING, col(Mail.claimed_at) <= now - LONGEST_SENDING)
    for mail in session.exec(stale):
        move(session, mail, MailState.WAITING, now=now, why=INTERRUPTED, problem=INTERRUPTED, due_at=now)


def retry(session: Session, mail: Mail, *, by: UUID, now: datetime) -> None:
    """Try a mail again that was given up. Raises `IllegalMove` for any other."""
    move(session, mail, MailState.WAITING, now=now, by=by, due_at=now, tries=0, ended_at=None, problem="")


def hurry(session: Session, mail: Mail, *, now: datetime) -> None:
    """Let a mail that waits for its next try be tried at once."""
    if mail.state is MailState.WAITING:
        mail.due_at = now
        session.add(mail)


def note_reading(session: Session, mail: Mail, *, by: UUID, now: datetime) -> None:
    """Keep that somebody read the mail in place of its addressee; the log keeps it when the mail is forgotten."""
    session.add(MailReading(mail_id=mail.id, person_id=by, at=now))
    note(session, "mail read", mail, now=now, by=by, why=mail.letter)


def readings(session: Session, mail: Mail) -> list[MailReading]:
    """Who read it, the last first."""
    mine = select(MailReading).where(MailReading.mail_id == mail.id).order_by(col(MailReading.at).desc())
    return list(session.exec(mine))


def to_forget(session: Session, before: datetime) -> list[Mail]:
    """Mails that ended before that, or are nobody's any more, and of which something may still be kept."""
    ended = col(Mail.state).in_((MailState.SENT, MailState.FAILED))
    is_over = or_(col(Mail.ended_at) <= before, col(Mail.address) == "")
    return list(session.exec(select(Mail).where(ended, is_over, col(Mail.forgotten).is_(False))))


def withhold(session: Session, address: str, *, now: datetime) -> None:
    """Send nothing more of what waits for this address."""
    waiting = select(Mail).where(Mail.address == address, Mail.state == MailState.WAITING)
    for mail in session.exec(waiting).all():
        move(session, mail, MailState.FAILED, now=now, why="its reader left", ended_at=now)


def forget(session: Session, mail: Mail) -> None:
    """Keep of a mail only that there was one."""
    mail.content, mail.sealed = None, b""
    mail.forgotten = True
    session.add(mail)


def _where(mail: Mail) -> Place:
    return place(Mail, mail.id, "sealed")
