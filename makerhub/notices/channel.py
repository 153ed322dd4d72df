"""The port by which mails leave the hub."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from makerhub.errors import MakerhubError, translatable


@dataclass(frozen=True)
class Written:
    """A mail as it goes out. Its `mail_id` names it for ever, so that one that was sent twice is known for the same."""

    mail_id: UUID
    address: str
    subject: str
    text: str


class Undelivered(MakerhubError):
    """The mail did not go out; the same may work later."""

    template = translatable("The mail could not be sent.")


class ChannelDown(Undelivered):
    """Nothing goes out just now, this mail or another."""

    template = translatable("The mail server can not be reached.")


class AddressRefused(Undelivered):
    """It will not work later either."""

    template = translatable("The mail server refuses this address.")


class Channel(Protocol):
    """Takes mails away. No transaction is open while it works."""

    def send(self, mail: Written) -> None:
        """Send the mail, or raise `Undelivered` or one of its kinds."""

    def kept(self, mail_id: UUID, /) -> str | None:
        """The text of a mail that was sent, where the channel keeps it to be read; else None."""

    def forget(self, mail_id: UUID, /) -> None:
        """Keep the mail no longer; does nothing where it is not kept."""
