"""The outbox: what is told with what happened, goes out in the end, twice at worst, and is forgotten."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from builders import NOW, at_once, later
from sqlmodel import select
from unit.notices.sample_letters import LINK, NEWS
from unit.web.browsers import Time

from makerhub.config import Settings
from makerhub.db import Database
from makerhub.lifecycle import history
from makerhub.notices import service
from makerhub.notices.channel import AddressRefused, ChannelDown, Undelivered, Written
from makerhub.notices.folder import FolderChannel
from makerhub.notices.letters import Letter, Translator, letter
from makerhub.notices.models import Mail, MailState
from makerhub.notices.tasks import forget_mails, send_mails


class Killed(BaseException):
    """The process ended."""


class Line:
    """A channel that has troubles in a row, then none; it notes what arrived."""

    def __init__(self, *troubles: BaseException) -> None:
        self.arrived: list[Written] = []
        self._troubles = list(troubles)

    def send(self, mail: Written) -> None:
        trouble = self._troubles.pop(0) if self._troubles else None
        if trouble is None or isinstance(trouble, Killed):
            self.arrived.append(mail)
        if trouble is not None:
            raise trouble

    def kept(self, _mail_id: UUID, /) -> str | None:
        return None

    def forget(self, _mail_id: UUID, /) -> None:
        pass


@pytest.fixture
def time() -> Time:
    return Time(NOW)


def told(database: Database, letter: Letter = NEWS, *, until: datetime | None = None, now: datetime = NOW) -> UUID:
    with database.changing() as session:
        values = {"what": "masks"} if letter is NEWS else {"link": "https://x/1"}
        mail = service.tell(
            session, letter, to="ruth@example.org", values=values, language="en", now=now, useful_until=until
        )
        return mail.id


def sweep(database: Database, line: Line, time: Time) -> None:
    send_mails.function(database, line, Translator(Path("nowhere")), time)


def the(database: Database, key: UUID) -> Mail:
    with database.reading() as session:
        return session.get_one(Mail, key)


def test_what_is_told_arrives_once_in_words(database: Database, time: Time) -> None:
    key, line = told(database), Line()
    sweep(database, line, time)
    sweep(database, line, time)
    assert line.arrived == [Written(key, "ruth@example.org", "News of masks", "masks!")]
    mail = the(database, key)
    assert (mail.state, mail.ended_at, mail.content) == (MailState.SENT, NOW, {"what": "masks"})


def test_what_did_not_happen_is_not_told(database: Database, time: Time) -> None:
    with database.changing() as session:
        service.tell(session, NEWS, to="a@b.example", values={"what": "x"}, language="en", now=NOW)
        session.rollback()
    line = Line()
    sweep(database, line, time)
    assert line.arrived == []


def test_a_letter_with_an_empty_place_is_refused_when_it_is_written(database: Database) -> None:
    with pytest.raises(KeyError), database.changing() as session:
        service.tell(session, NEWS, to="a@b.example", values={}, language="en", now=NOW)


def test_of_a_secret_letter_nothing_is_kept_once_it_is_sent(database: Database, time: Time) -> None:
    key, line = told(database, LINK), Line()
    sweep(database, line, time)
    assert line.arrived[0].text == "Open https://x/1"
    assert the(database, key).content is None


def test_it_is_tried_again_ever_later_and_given_up(database: Database, time: Time) -> None:
    key, line = told(database), Line(*[Undelivered() for _ in range(7)])
    for wait in service.WAITS:
        sweep(database, line, time)
        mail = the(database, key)
        assert (mail.state, mail.due_at, mail.problem) == (MailState.WAITING, time.now + wait, Undelivered.template)
        time.now += wait - timedelta(seconds=1)
        sweep(database, line, time)
        assert the(database, key).tries == mail.tries
        time.now += timedelta(seconds=1)
    sweep(database, line, time)
    assert the(database, key).state is MailState.FAILED
    assert line.arrived == []


def test_an_address_that_is_refused_is_not_tried_again(database: Database, time: Time) -> None:
    key = told(database)
    sweep(database, Line(AddressRefused()), time)
    mail = the(database, key)
    assert (mail.state, mail.problem) == (MailState.FAILED, AddressRefused.template)
    with database.changing() as session:
        service.retry(session, session.get_one(Mail, key), by=UUID(int=1), now=NOW)
    line = Line()
    sweep(database, line, time)
    assert len(line.arrived) == 1


def test_a_channel_that_is_down_is_asked_once_a_sweep(database: Database, time: Time) -> None:
    first, second = told(database), told(database, now=later(seconds=-1))
    line = Line(ChannelDown())
    sweep(database, line, time)
    assert line.arrived == []
    assert {the(database, first).tries, the(database, second).tries} == {0, 1}


def test_one_bad_mail_does_not_hold_the_others_up(database: Database, time: Time) -> None:
    told(database)
    told(database)
    line = Line(Undelivered())
    sweep(database, line, time)
    assert len(line.arrived) == 1


def test_killed_between_the_call_and_the_record_it_arrives_twice_and_is_known_for_the_same(
    database: Database, time: Time
) -> None:
    key, line = told(database), Line(Killed())
    with pytest.raises(Killed):
        sweep(database, line, time)
    assert the(database, key).state is MailState.SENDING
    sweep(database, line, time)
    assert len(line.arrived) == 1  # somebody may still be at it
    time.now += service.LONGEST_SENDING
    sweep(database, line, time)
    assert line.arrived == [line.arrived[0]] * 2
    with database.reading() as session:
        log = [change.why for change in history(session, session.get_one(Mail, key))]
    assert service.INTERRUPTED in log


def test_killed_before_the_call_it_is_not_lost(database: Database, time: Time) -> None:
    key, line = told(database), Line()
    with database.changing() as session:
        service.claim(session, session.get_one(Mail, key), now=NOW)
    time.now += service.LONGEST_SENDING
    sweep(database, line, time)
    assert len(line.arrived) == 1


def test_what_is_of_no_use_any_more_is_not_sent_and_forgotten(database: Database, time: Time) -> None:
    key, line = told(database, LINK, until=later(hours=1)), Line()
    time.now = later(hours=1)
    sweep(database, line, time)
    mail = the(database, key)
    assert (mail.state, mail.content, mail.problem) == (MailState.FAILED, None, service.TOO_LATE)
    assert line.arrived == []


def test_two_sweeps_at_once_send_each_mail_once(database: Database, time: Time) -> None:
    for _ in range(6):
        told(database)
    line = Line()
    results = at_once(*[lambda: sweep(database, line, time)] * 4)
    while any(mail.state is MailState.WAITING for mail in everything(database)):
        sweep(database, line, time)  # one that met another at the same mail left the rest to it
    assert [result for result in results if result is not None] == []
    assert len({mail.mail_id for mail in line.arrived}) == len(line.arrived) == 6


def everything(database: Database) -> list[Mail]:
    with database.reading() as session:
        return list(session.exec(select(Mail)))


def test_a_letter_of_another_version_waits_for_the_operator(database: Database, time: Time) -> None:
    with database.changing() as session:
        stranger = replace(NEWS, name="of_the_future")
        key = service.tell(session, stranger, to="a@b.example", values={"what": "x"}, language="en", now=NOW).id
    sweep(database, Line(), time)
    mail = the(database, key)
    assert mail.state is MailState.FAILED
    assert "of_the_future" in mail.problem


def test_what_mails_said_is_forgotten_here_and_in_the_folder(database: Database, time: Time, tmp_path: Path) -> None:
    channel, settings = FolderChannel(tmp_path / "mail", "hub <hub@localhost>"), Settings(mail_days=7)
    key = told(database)
    send_mails.function(database, channel, Translator(tmp_path), time)
    time.now = later(days=7, seconds=-1)
    forget_mails.function(database, channel, settings, time)
    assert the(database, key).content is not None
    assert channel.kept(key) == "masks!\n"
    time.now = later(days=7)
    forget_mails.function(database, channel, settings, time)
    assert (the(database, key).content, channel.kept(key)) == (None, None)
    assert list((tmp_path / "mail").iterdir()) == []


def test_letters_have_names_of_their_own() -> None:
    with pytest.raises(ValueError, match="already"):
        letter("test_news", title="", subject="", text="")


def test_a_name_with_a_line_break_stays_in_its_subject() -> None:
    subject, _ = Translator(Path("nowhere")).written(NEWS, {"what": "x\r\nBcc: everybody@example.org"}, "en")
    assert subject == "News of x Bcc: everybody@example.org"
