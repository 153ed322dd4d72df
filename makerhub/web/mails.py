"""The outbox as an administrator sees it: what waits, failed or went out, and mails to hand over without mail."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import col, select

from makerhub.errors import NotFound
from makerhub.keys.box import Unreadable
from makerhub.notices import service as notices
from makerhub.notices.letters import UnknownLetter, letter_named
from makerhub.notices.models import Mail, MailState
from makerhub.notices.tasks import send_mails, written
from makerhub.people.access import find, visible
from makerhub.people.models import Person, Role
from makerhub.web.hub import hub
from makerhub.web.navigation import Audience
from makerhub.web.policy import allowed, fresh
from makerhub.web.viewer import viewer

MOST_SENT = 50

pages = Blueprint("mails", __name__, url_prefix="/admin/mails")
audience = Audience(pages)


@pages.get("")
@allowed(Role.ADMIN)
def overview() -> str:
    """What failed, what waits, and the last ones that went out."""
    with hub().database.reading() as session:
        newest = visible(viewer(), Mail).order_by(col(Mail.written_at).desc(), col(Mail.id))
        pending = session.exec(newest.where(Mail.state != MailState.SENT)).all()
        sent = session.exec(newest.where(Mail.state == MailState.SENT).limit(MOST_SENT)).all()
    return render_template(
        "mails/overview.html",
        failed=[mail for mail in pending if mail.state is MailState.FAILED],
        waiting=[mail for mail in pending if mail.state is not MailState.FAILED],
        sent=sent,
        most=MOST_SENT,
        title_of=_title,
        channel=hub().settings.mail_channel,
        days=hub().settings.mail_days,
    )


@pages.get("/<uuid:mail_id>")
@allowed(Role.ADMIN)
def mail(mail_id: UUID) -> str:
    """What became of a mail, and who has read it."""
    return _page(mail_id, None)


@pages.post("/<uuid:mail_id>/read")
@allowed(Role.ADMIN)
@fresh
def read(mail_id: UUID) -> str:
    """What it says; that it was read is kept."""
    with hub().database.changing() as session:
        row = find(session, viewer(), Mail, mail_id)
        text = _text(row)
        if text is None:
            raise NotFound
        notices.note_reading(session, row, by=viewer().id, now=hub().clock())
    return _page(mail_id, text)


@pages.post("/<uuid:mail_id>/retry")
@allowed(Role.ADMIN)
def retry(mail_id: UUID) -> ResponseReturnValue:
    """Try it again, now."""
    with hub().database.changing() as session:
        row = find(session, viewer(), Mail, mail_id)
        if row.state is MailState.WAITING:
            notices.hurry(session, row, now=hub().clock())
        else:
            notices.retry(session, row, by=viewer().id, now=hub().clock())
    hub().soon(send_mails)
    return redirect(url_for("mails.mail", mail_id=mail_id))


def _page(mail_id: UUID, text: str | None) -> str:
    with hub().database.reading() as session:
        row = find(session, viewer(), Mail, mail_id)
        readings = notices.readings(session, row)
        readers = select(Person.id, Person.name).where(col(Person.id).in_({reading.person_id for reading in readings}))
        return render_template(
            "mails/mail.html",
            mail=row,
            title=_title(row),
            text=text,
            is_kept=_is_kept(row),
            readings=readings,
            names=dict(session.exec(readers).all()),
        )


def _text(row: Mail) -> str | None:
    """What the mail says, from the outbox or from where the channel keeps it; None when it is forgotten."""
    if row.content is None and not row.sealed:
        return None if row.forgotten else hub().channel.kept(row.id)
    try:
        return written(row, hub().translator, hub().key_box).text
    except (UnknownLetter, Unreadable):
        return None


def _is_kept(row: Mail) -> bool:
    return _text(row) is not None


def _title(row: Mail) -> str:
    try:
        return letter_named(row.letter).title
    except UnknownLetter:
        return row.letter
