"""The hub's side of the poll loop: which printers to look at, and where what was seen goes."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

from makerhub.db import Database
from makerhub.fleet.changes import Changes
from makerhub.fleet.gateway import Connection
from makerhub.fleet.poll import Observation as Seen
from makerhub.keys.box import KeyBox
from makerhub.printers import service
from makerhub.printers.service import Sealed

REFRESH = timedelta(seconds=30)
"""How old what was last seen of a printer may be in the database while nothing changes."""


class Watch:
    """Roster and sink of a `PollLoop` on the hub's database; `changed` is called when a printer does something new.

    What says nothing new is written every `refresh` only. A printer's key is opened once, until its row has another.
    """

    def __init__(
        self, database: Database, key_box: KeyBox, changed: Callable[[], None], *, refresh: timedelta = REFRESH
    ) -> None:
        self._database = database
        self._key_box = key_box
        self._changed = changed
        self._changes = Changes(refresh)
        self._opened: dict[UUID, tuple[Sealed, Connection]] = {}

    def roster(self) -> Mapping[UUID, Connection]:
        """The printers to look at now; one whose key can not be read is logged and left out."""
        with self._database.reading() as session:
            listed = service.to_poll(session)
        opened = {}
        for printer_id, sealed in listed.items():
            known = self._opened.get(printer_id)
            if known is not None and known[0] == sealed:
                opened[printer_id] = known
            elif (connection := service.opened(printer_id, sealed, self._key_box)) is not None:
                opened[printer_id] = sealed, connection
        self._changes.forget(self._opened.keys() - opened.keys())
        self._opened = opened
        return {printer_id: connection for printer_id, (_, connection) in opened.items()}

    def sink(self, seen: list[Seen]) -> None:
        """Write what is new, and tell when a state is not the one before."""
        worth = self._changes.among(seen)
        if not worth:
            return
        with self._database.changing() as session:
            service.observe(session, worth.values())
        if self._changes.told(worth):
            self._changed()
