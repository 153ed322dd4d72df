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
from makerhub.keys.box import KeyBox
from makerhub.lifecycle import history
from makerhub.notices import service
from makerhub.notices.channel import AddressRefused, Channel, ChannelDown, Undelivered, Written
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


class Post:
    """A hub's outbox, with its key and its clock."""

    def __init__(self, database: Database, key_box: KeyBox) -> None:
        self.database = database
        self.key_box = key_box
        self.time = Time(NOW)

    def told(self, letter: Letter = NEWS, *, until: datetime | None = None, now: datetime = NOW) -> UUID:
        values = {"what": "masks"} if letter is NEWS else {"link": "https://x/1"}
        with self.database.changing() as session:
            mail = service.tell(
                session, letter, to="ruth@example.org", values=values, language="en", now=now, useful_until=until,
                key_box=self.key_box,
            )  # fmt: skip
            return mail.id

    def sweep(self, channel: Channel) -> None:
        send_mails.function(self.database, channel, Translator(Path("nowhere")), self.key_box, self.time)

    def the(self, key: UUID) -> Mail:
        with self.database.reading() as session:
            return session.get_one(Mail, key)


@pytest.fixture
def post(database: Database, key_box: KeyBox) -> Post:
    return Post(database, key_box)


def test_what_is_told_arrives_once_in_words(post: Post) -> None:
    key, line = post.told(), Line()
    post.sweep(line)
    post.sweep(line)
    assert line.arrived == [Written(key, "ruth@example.org", "News of masks", "masks!")]
    mail = post.the(key)
    assert (mail.state, mail.ended_at, mail.content) == (MailState.SENT, NOW, {"what": "masks"})


def test_what_did_not_happen_is_not_told(post: Post) -> None:
    with post.database.changing() as session:
        service.tell(session, NEWS, to="a@b.example", values={"what": "x"}, language="en", now=NOW)
        session.rollback()
    line = Line()
    post.sweep(line)
    assert line.arrived == []


def test_a_letter_with_an_empty_place_is_refused_when_it_is_written(post: Post) -> None:
    with pytest.raises(KeyError), post.database.changing() as session:
        service.tell(session, NEWS, to="a@b.example", values={}, language="en", now=NOW)


def test_of_a_secret_letter_nothing_is_kept_once_it_is_sent(post: Post) -> None:
    key, line = post.told(LINK), Line()
    assert (post.the(key).content, b"https" in post.the(key).sealed) == (None, False)
    post.sweep(line)
    assert line.arrived[0].text == "Open https://x/1"
    assert post.the(key).sealed == b""


def test_it_is_tried_again_ever_later_and_given_up(post: Post) -> None:
    key, line = post.told(), Line(*[Undelivered() for _ in range(7)])
    for wait in service.WAITS:
        post.sweep(line)
        mail = post.the(key)
        assert (mail.state, mail.due_at, mail.problem) == (
            MailState.WAITING,
            post.time.now + wait,
            Undelivered.template,
        )
        post.time.now += wait - timedelta(seconds=1)
        post.sweep(line)
        assert post.the(key).tries == mail.tries
        post.time.now += timedelta(seconds=1)
    post.sweep(line)
    assert post.the(key).state is MailState.FAILED
    assert line.arrived == []


def test_an_address_that_is_refused_is_not_tried_again(post: Post) -> None:
    key = post.told()
    post.sweep(Line(AddressRefused()))
    mail = post.the(key)
    assert (mail.state, mail.problem) == (MailState.FAILED, AddressRefused.template)
    with post.database.changing() as session:
        service.retry(session, session.get_one(Mail, key), by=UUID(int=1), now=NOW)
    line = Line()
    post.sweep(line)
    assert len(line.arrived) == 1


def test_a_channel_that_is_down_is_asked_once_a_sweep(post: Post) -> None:
    first, second = post.told(), post.told(now=later(seconds=-1))
    line = Line(ChannelDown())
    post.sweep(line)
    assert line.arrived == []
    assert {post.the(first).tries, post.the(second).tries} == {0, 1}


def test_one_bad_mail_does_not_hold_the_others_up(post: Post) -> None:
    post.told()
    post.told()
    line = Line(Undelivered())
    post.sweep(line)
    assert len(line.arrived) == 1


def test_killed_between_the_call_and_the_record_it_arrives_twice_and_is_known_for_the_same(post: Post) -> None:
    key, line = post.told(), Line(Killed())
    with pytest.raises(Killed):
        post.sweep(line)
    assert post.the(key).state is MailState.SENDING
    post.sweep(line)
    assert len(line.arrived) == 1  # somebody may still be at it
    post.time.now += service.LONGEST_SENDING
    post.sweep(line)
    assert line.arrived == [line.arrived[0]] * 2
    with post.database.reading() as session:
        log = [change.why for change in history(session, session.get_one(Mail, key))]
    assert service.INTERRUPTED in log


def test_killed_before_the_call_it_is_not_lost(post: Post) -> None:
    key, line = post.told(), Line()
    with post.database.changing() as session:
        service.claim(session, session.get_one(Mail, key), now=NOW)
    post.time.now += service.LONGEST_SENDING
    post.sweep(line)
    assert len(line.arrived) == 1


def test_what_is_of_no_use_any_more_is_not_sent_and_forgotten(post: Post) -> None:
    key, line = post.told(LINK, until=later(hours=1)), Line()
    post.time.now = later(hours=1)
    post.sweep(line)
    mail = post.the(key)
    assert (mail.state, mail.sealed, mail.problem) == (MailState.FAILED, b"", service.TOO_LATE)
    assert line.arrived == []


def test_two_sweeps_at_once_send_each_mail_once(post: Post) -> None:
    for _ in range(6):
        post.told()
    line = Line()
    results = at_once(*[lambda: post.sweep(line)] * 4)
    while any(mail.state is MailState.WAITING for mail in everything(post)):
        post.sweep(line)  # one that met another at the same mail left the rest to it
    assert [result for result in results if result is not None] == []
    assert len({mail.mail_id for mail in line.arrived}) == len(line.arrived) == 6


def everything(post: Post) -> list[Mail]:
    with post.database.reading() as session:
        return list(session.exec(select(Mail)))


def test_a_letter_of_another_version_waits_for_the_operator(post: Post) -> None:
    with post.database.changing() as session:
        stranger = replace(NEWS, name="of_the_future")
        key = service.tell(session, stranger, to="a@b.example", values={"what": "x"}, language="en", now=NOW).id
    post.sweep(Line())
    mail = post.the(key)
    assert mail.state is MailState.FAILED
    assert "of_the_future" in mail.problem


def test_what_mails_said_is_forgotten_here_and_in_the_folder(post: Post, tmp_path: Path) -> None:
    channel, settings = FolderChannel(tmp_path / "mail", "hub <hub@localhost>"), Settings(mail_days=7)
    key = post.told()
    post.sweep(channel)
    post.time.now = later(days=7, seconds=-1)
    forget_mails.function(post.database, channel, settings, post.time)
    assert post.the(key).content is not None
    assert channel.kept(key) == "masks!\n"
    post.time.now = later(days=7)
    forget_mails.function(post.database, channel, settings, post.time)
    assert (post.the(key).content, channel.kept(key)) == (None, None)
    assert list((tmp_path / "mail").iterdir()) == []


def test_letters_have_names_of_their_own() -> None:
    with pytest.raises(ValueError, match="already"):
        letter("test_news", title="", subject="", text="")


def test_a_name_with_a_line_break_stays_in_its_subject() -> None:
    subject, _ = Translator(Path("nowhere")).written(NEWS, {"what": "x\r\nBcc: everybody@example.org"}, "en")
    assert subject == "News of x Bcc: everybody@example.org"


def test_a_secret_letter_is_not_written_in_the_clear(post: Post) -> None:
    with pytest.raises(ValueError, match="key box"), post.database.changing() as session:
        service.tell(session, LINK, to="a@b.example", values={"link": "x"}, language="en", now=NOW)


def test_a_secret_letter_under_another_key_is_given_up(post: Post, tmp_path: Path) -> None:
    key, line = post.told(LINK), Line()
    post.key_box = KeyBox(tmp_path / "other.key")
    post.sweep(line)
    assert (line.arrived, post.the(key).state) == ([], MailState.FAILED)
