"""The outbox empties in the background: claim, call, record. A mail may go out twice, and none is lost."""

from datetime import timedelta

from makerhub.background import task
from makerhub.config import Settings
from makerhub.db import Clock, Database
from makerhub.errors import MovedMeanwhile
from makerhub.keys.box import KeyBox, Unreadable
from makerhub.notices import service
from makerhub.notices.channel import Channel, ChannelDown, Undelivered, Written
from makerhub.notices.letters import Translator, UnknownLetter, letter_named
from makerhub.notices.models import Mail


@task
def send_mails(database: Database, channel: Channel, translator: Translator, key_box: KeyBox, clock: Clock) -> None:
    """Send what is due, one after the other, until nothing is or the channel is down."""
    with database.changing() as session:
        service.take_back_interrupted(session, clock())
    while mail := _claim_next(database, clock):
        try:
            channel.send(written(mail, translator, key_box))
        except (Undelivered, UnknownLetter, Unreadable) as trouble:
            with database.changing() as session:
                service.not_sent(session, session.get_one(Mail, mail.id), trouble, now=clock())
            if isinstance(trouble, ChannelDown):
                return
        else:
            with database.changing() as session:
                service.sent(session, session.get_one(Mail, mail.id), now=clock())


@task
def forget_mails(database: Database, channel: Channel, settings: Settings, clock: Clock) -> None:
    """Forget what old mails said, here and where the channel keeps it."""
    with database.reading() as session:
        old = service.to_forget(session, clock() - timedelta(days=settings.mail_days))
    for mail in old:
        channel.forget(mail.id)  # first: killed between the two, it is asked once more
        with database.changing() as session:
            service.forget(session, session.get_one(Mail, mail.id))


def written(mail: Mail, translator: Translator, key_box: KeyBox) -> Written:
    """The mail in its addressee's language. Raises `UnknownLetter` and `Unreadable`."""
    values = service.values_of(mail, key_box) or {}
    subject, text = translator.written(letter_named(mail.letter), values, mail.language)
    return Written(mail.id, mail.address, subject, text)


def _claim_next(database: Database, clock: Clock) -> Mail | None:
    """The next mail that is due and worth sending, claimed; None when there is none, or somebody else is at it."""
    while True:
        now = clock()
        try:
            with database.changing() as session:
                mail = service.next_due(session, now)
                if mail is None:
                    return None
                if not service.is_too_late(mail, now):
                    service.claim(session, mail, now=now)
                    return mail
                service.give_up_late(session, mail, now=now)
        except MovedMeanwhile:
            return None
