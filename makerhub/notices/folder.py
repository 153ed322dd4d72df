"""A channel for a hub without mail: a folder of .eml files, which the operator reads and hands over."""

import contextlib
import os
import tempfile
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

from makerhub.notices.channel import Undelivered, Written
from makerhub.notices.message import message


class FolderChannel:
    """A `Channel` that writes each mail into a file of its own, which nobody else on this machine can read."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    def send(self, mail: Written) -> None:
        """Write the mail, whole or not at all; one that is there already is replaced by the same."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(self._file(mail.mail_id), message(mail, self._sender).as_bytes())
        except OSError as error:
            raise Undelivered from error

    def kept(self, mail_id: UUID) -> str | None:
        """The text of the file; None when it is not there."""
        try:
            found = message_from_bytes(self._file(mail_id).read_bytes(), EmailMessage, policy=policy.default)
        except FileNotFoundError:
            return None
        text: str = found.get_content()
        return text.replace("\r\n", "\n")

    def forget(self, mail_id: UUID) -> None:
        """Delete the file."""
        self._file(mail_id).unlink(missing_ok=True)

    def _file(self, mail_id: UUID) -> Path:
        return self._folder / f"{mail_id}.eml"


def _write(file: Path, content: bytes) -> None:
    descriptor, aside = tempfile.mkstemp(dir=file.parent, suffix=".part")  # for its owner alone
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(aside).replace(file)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(aside).unlink()
