"""The two ways by which mails leave: files that nobody else reads, and a mail server."""

import ssl
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from unit.notices.mail_server import PASSWORD, USER, MailServer, mail_server

from makerhub.notices.channel import AddressRefused, ChannelDown, Undelivered, Written
from makerhub.notices.folder import FolderChannel
from makerhub.notices.smtp import NO_PASSWORD, NO_SIGN_IN, NO_TLS, OPEN_PASSWORD, Server, SmtpChannel

SENDER = "Kingston Hub <hub@example.org>"
MAIL = Written(UUID(int=7), "ruth@bücher.example", "Grüße, and a link", "Hello Ruth,\n\n.\nfrom the hub. ✓\n")


def smtp(server: MailServer, **changes: Any) -> SmtpChannel:
    settings: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "security": server.security}
    return SmtpChannel(Server(**settings | changes), SENDER, context=server.client)


def password_file(folder: Path, password: str = PASSWORD, mode: int = 0o600) -> Path:
    file = folder / "smtp.password"
    file.write_text(f"{password}\n")
    file.chmod(mode)
    return file


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_mail_server_is_given_the_mail_as_it_is(tmp_path: Path, security: str) -> None:
    with mail_server(tmp_path, security, wants_sign_in=True) as server:
        smtp(server, user=USER, password_file=password_file(tmp_path)).send(MAIL)
    [raw] = server.mails
    mail = message_from_bytes(raw, policy=policy.default)
    assert (mail["To"], mail["From"], mail["Subject"]) == ("ruth@xn--bcher-kva.example", SENDER, MAIL.subject)
    assert mail["Message-ID"] == f"<{MAIL.mail_id}@makerhub.invalid>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().replace("\r\n", "\n") == MAIL.text


@pytest.mark.parametrize(
    ("verb", "answer", "kind"),
    [
        ("RCPT", "550 nobody of that name", AddressRefused),
        ("RCPT", "450 ask again", Undelivered),
        ("MAIL", "451 ask again", Undelivered),
        ("MAIL", "550 not as this sender", ChannelDown),
        ("DATA", "554 looks bad", AddressRefused),
        ("EHLO", "421 too busy", ChannelDown),
    ],
)
def test_what_the_server_says_decides_what_happens_next(
    tmp_path: Path, verb: str, answer: str, kind: type[Undelivered]
) -> None:
    with mail_server(tmp_path, "none") as server:
        server.answers = {verb: answer, **({"HELO": answer} if verb == "EHLO" else {})}
        with pytest.raises(Undelivered) as refused:
            smtp(server).send(MAIL)
    assert type(refused.value) is kind
    assert server.mails == []


@pytest.mark.parametrize(
    ("password", "mode", "problem"),
    [("wrong", 0o600, NO_SIGN_IN), (PASSWORD, 0o644, OPEN_PASSWORD), (None, 0, NO_PASSWORD)],
)
def test_a_password_that_does_not_open_the_server_is_told(
    tmp_path: Path, password: str | None, mode: int, problem: str
) -> None:
    file = password_file(tmp_path, password, mode) if password else tmp_path / "missing"
    with mail_server(tmp_path, wants_sign_in=True) as server, pytest.raises(ChannelDown) as down:
        smtp(server, user=USER, password_file=file).send(MAIL)
    assert down.value.template == problem


def test_no_mail_goes_out_in_the_clear_where_tls_was_asked_for(tmp_path: Path) -> None:
    with mail_server(tmp_path, offers_tls=False) as server, pytest.raises(ChannelDown) as down:
        smtp(server).send(MAIL)
    assert down.value.template == NO_TLS
    assert server.mails == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path, security: str) -> None:
    with mail_server(tmp_path, security) as server:
        server.client = ssl.create_default_context()
        channel = smtp(server)
        with pytest.raises(ChannelDown) as down:
            channel.send(MAIL)
    assert down.value.template == NO_TLS


def test_a_server_that_is_not_there_is_down(tmp_path: Path) -> None:
    with mail_server(tmp_path, "none") as server:
        channel = smtp(server)
    with pytest.raises(ChannelDown):
        channel.send(MAIL)


def test_the_folder_keeps_one_file_a_mail_for_its_owner_alone(tmp_path: Path) -> None:
    channel = FolderChannel(tmp_path / "mail", SENDER)
    channel.send(MAIL)
    channel.send(MAIL)
    [file] = (tmp_path / "mail").iterdir()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert channel.kept(MAIL.mail_id) == MAIL.text
    channel.forget(MAIL.mail_id)
    channel.forget(MAIL.mail_id)
    assert channel.kept(MAIL.mail_id) is None


def test_a_folder_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file")
    with pytest.raises(Undelivered):
        FolderChannel(tmp_path / "mail", SENDER).send(MAIL)
