"""Test prints on printers that the hub itself calls: begun, followed and tidied up in one go while the maker looks on.

Each is kept on the fleet's loop, since a print of ten seconds is over before the next sweep. Where the hub is killed
meanwhile, the next sweep takes it up again from its row.
"""

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from sqlmodel import Session, and_, col, or_, select

from makerhub.background import task
from makerhub.db import Clock, Database
from makerhub.fleet import trial as file
from makerhub.fleet.gateway import Connection, PrinterGateway, PrinterTrouble, Trouble
from makerhub.fleet.start import start
from makerhub.fleet.verdict import Outcome
from makerhub.keys.box import KeyBox
from makerhub.printers.fleet import Fleet
from makerhub.printers.models import Link, Printer
from makerhub.printers.service import connections
from makerhub.production import trials
from makerhub.production.trial_models import LIVE, TrialPrint
from makerhub.production.trials import TrialJournal

LOOK_SECONDS: Final = 1.0
LOOK_AGAIN_SECONDS: Final = 10.0
"""Between two looks at a printer that could not be asked."""

TIDIES_WITHIN: Final = timedelta(hours=1)
TRIES_TO_TIDY: Final = 5


@task
def make_trial_prints(database: Database, fleet: Fleet, key_box: KeyBox, clock: Clock) -> None:
    """Begin each test print that was asked for, at most once, find out how it ended, and remove its file."""
    now = clock()
    with database.changing() as session:
        trials.end_lost(session, now=now)
    with database.reading() as session:
        waiting = _to_look_after(session, now)
        reachable = connections([printer for _, printer in waiting], key_box)
    for trial, printer in waiting:
        if (connection := reachable.get(printer.id)) is not None:
            service = partial(_look_after, database=database, trial_id=trial.id, connection=connection, clock=clock)
            fleet.keep(("trial", trial.id), service)


def _to_look_after(session: Session, now: datetime) -> list[tuple[TrialPrint, Printer]]:
    untidied = and_(col(TrialPrint.tidied).is_(False), TrialPrint.sends > 0, TrialPrint.asked_at > now - TIDIES_WITHIN)
    mine = select(TrialPrint, Printer).join(Printer, col(Printer.id) == TrialPrint.printer_id)
    found = session.exec(mine.where(Printer.link == Link.DIRECT, or_(col(TrialPrint.state).in_(LIVE), untidied)))
    return list(found.all())


async def _look_after(
    gateway: PrinterGateway, *, database: Database, trial_id: UUID, connection: Connection, clock: Clock
) -> None:
    journal = TrialJournal(database)
    while (trial := await asyncio.to_thread(_read, database, trial_id)).state in LIVE:
        sending = trials.sending(trial, connection)
        verdict = await start(gateway, journal, sending, file.GCODE, clock())
        if verdict.outcome is Outcome.NOT_SENT:
            await asyncio.to_thread(journal.not_sent, trial_id, verdict, clock())
        if not verdict.outcome.is_conclusive or verdict.outcome is Outcome.STARTED:
            await asyncio.sleep(LOOK_SECONDS if verdict.trouble is None else LOOK_AGAIN_SECONDS)
        await asyncio.to_thread(_end_lost, database, clock())
    if trial.sends and not trial.tidied and await _tidy(gateway, connection, trial.file_name):
        await asyncio.to_thread(journal.tidied, trial_id)


async def _tidy(gateway: PrinterGateway, connection: Connection, name: str) -> bool:
    """Remove the file; whether nothing is left to do. OctoPrint holds a file for a moment after its print."""
    for _ in range(TRIES_TO_TIDY):
        try:
            await gateway.remove(connection, name)
        except PrinterTrouble as trouble:
            if trouble.trouble is Trouble.KEY_REFUSED:
                return True  # this key may not remove files, and need not be able to
            await asyncio.sleep(LOOK_SECONDS)
        else:
            return True
    return False


def _read(database: Database, trial_id: UUID) -> TrialPrint:
    with database.reading() as session:
        return session.get_one(TrialPrint, trial_id)


def _end_lost(database: Database, now: datetime) -> None:
    with database.changing() as session:
        trials.end_lost(session, now=now)
