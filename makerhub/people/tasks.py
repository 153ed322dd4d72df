"""What happens to people's data in the background: mails to let them in, and what ran out is forgotten."""

from makerhub.background import Nudge, task
from makerhub.config import Settings
from makerhub.db import Clock, Database
from makerhub.keys.box import KeyBox
from makerhub.notices.tasks import send_mails
from makerhub.people import invitations, mailed
from makerhub.people.models import SignInRequest
from makerhub.people.service import forget_expired_sign_ins
from makerhub.people.tries import forget_old_tries


@task
def forget_sign_ins(database: Database, clock: Clock) -> None:
    """Delete the browser sessions and the requests to sign in by mail that ran out, and old counts of guesses."""
    with database.changing() as session:
        forget_expired_sign_ins(session, clock())
        mailed.forget_expired(session, clock())
        forget_old_tries(session, clock())


@task
def expire_invitations(database: Database, clock: Clock) -> None:
    """Let invitations that nobody took up be over."""
    with database.changing() as session:
        invitations.expire(session, clock())


@task
def answer_sign_in_requests(database: Database, key_box: KeyBox, settings: Settings, clock: Clock, soon: Nudge) -> None:
    """Write a mail to everybody who asked to be let in by one, where their address is known."""
    with database.reading() as session:
        waiting = mailed.unanswered(session, clock())
    for request in waiting:
        with database.changing() as session:
            row = session.get(SignInRequest, request.id)
            if row is not None and row.answered_at is None:
                mailed.answer(session, row, key_box=key_box, pages=settings.address, now=clock())
    if waiting:
        soon(send_mails)
