"""The hub's side of the poll loop: which printers to look at, and where what was seen goes."""

from collections.abc import Callable, Mapping
from uuid import UUID

from sqlmodel import col, select

from makerhub.db import Database
from makerhub.fleet.gateway import Connection
from makerhub.fleet.poll import Observation as Seen
from makerhub.keys.box import KeyBox
from makerhub.printers import service
from makerhub.printers.models import Observation


class Watch:
    """Roster and sink of a `PollLoop` on the hub's database; `changed` is called when a printer does something new."""

    def __init__(self, database: Database, key_box: KeyBox, changed: Callable[[], None]) -> None:
        self._database = database
        self._key_box = key_box
        self._changed = changed

    def roster(self) -> Mapping[UUID, Connection]:
        """The printers to look at now."""
        with self._database.reading() as session:
            printers = service.to_poll(session)
        return service.connections(printers, self._key_box)

    def sink(self, seen: list[Seen]) -> None:
        """Write what was seen, and tell when a state is not the one before."""
        ids = {one.printer_id for one in seen}
        wanted = select(Observation.printer_id, Observation.state).where(col(Observation.printer_id).in_(ids))
        with self._database.changing() as session:
            before = dict(session.exec(wanted).all())
            service.observe(session, seen)
            after = dict(session.exec(wanted).all())
        if before != after:
            self._changed()
