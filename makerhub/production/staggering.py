"""Staggered starts: of the prints that are ready in one household only so many begin as its breaker bears."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.designs.profiles import PrinterProfile
from makerhub.printers.models import Link, Printer
from makerhub.printers.own import base_of
from makerhub.printers.power import HEATING, limit_of, may_begin
from makerhub.production.models import ON_THE_PRINTER, Attempt, AttemptState

UNKNOWN_WATTS = 400
"""What a home printer's power supply gives at most, where no profile says."""


def may_begin_now(
    session: Session, attempts: Sequence[Attempt], profiles: Mapping[str, PrinterProfile], now: datetime
) -> list[Attempt]:
    """Of these attempts those that may go on now: whatever was sent already, and of the ready ones those that may heat.

    The others come with a later sweep; the oldest is first, so none waits for ever. What is started by hand is not
    ours to start.
    """
    households = _households(session, attempts)
    ready = defaultdict(list)
    for attempt in attempts:
        if attempt.state is AttemptState.READY and households[attempt.printer_id].link is not Link.BY_HAND:
            ready[households[attempt.printer_id].owner_id].append(attempt)
    begin = {attempt.id for attempt in attempts if attempt.state is not AttemptState.READY}
    for owner_id, waiting in ready.items():
        watts = [_watts(households[attempt.printer_id], profiles) for attempt in waiting]
        heating, printing = _drawing(session, owner_id, profiles, now)
        count = may_begin(watts, heating, printing, limit_of(session, owner_id))
        begin.update(attempt.id for attempt in waiting[:count])
    return [attempt for attempt in attempts if attempt.id in begin]


def _households(session: Session, attempts: Sequence[Attempt]) -> dict[UUID, Printer]:
    wanted = select(Printer).where(col(Printer.id).in_({attempt.printer_id for attempt in attempts}))
    return {printer.id: printer for printer in session.exec(wanted)}


def _drawing(
    session: Session, owner_id: UUID, profiles: Mapping[str, PrinterProfile], now: datetime
) -> tuple[list[int], list[int]]:
    """The watts of the owner's printers that heat up now, and of those that have done so."""
    running = (
        select(Printer, Attempt.sent_at)
        .join(Attempt, col(Attempt.printer_id) == Printer.id)
        .where(Printer.owner_id == owner_id, col(Attempt.state).in_(ON_THE_PRINTER))
    )
    heating: list[int] = []
    printing: list[int] = []
    for printer, sent_at in session.exec(running):
        is_heating = sent_at is not None and now - sent_at < HEATING
        (heating if is_heating else printing).append(_watts(printer, profiles))
    return heating, printing


def _watts(printer: Printer, profiles: Mapping[str, PrinterProfile]) -> int:
    profile = base_of(printer, profiles)
    return profile.power_watts if profile else UNKNOWN_WATTS
