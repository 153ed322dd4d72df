"""What production does in the background: prepare G-code, start prints, and find out what became of them."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.background import Nudge, task
from makerhub.config import Settings
from makerhub.db import Clock, Database
from makerhub.designs.approvals import policy_of
from makerhub.designs.files import FileStore
from makerhub.designs.models import DesignVersion, Part, PlateSlice, VersionState
from makerhub.designs.plate_cache import PlateCache
from makerhub.designs.profiles import PrinterProfile
from makerhub.errors import MakerhubError, MovedMeanwhile
from makerhub.fleet.gateway import FOLDER, Connection, PrinterGateway, PrinterTrouble
from makerhub.fleet.gateway import PrinterState as Doing
from makerhub.fleet.start import StartJournal, cancel, reconcile, start
from makerhub.fleet.verdict import Attempt as Sending
from makerhub.fleet.verdict import Verdict
from makerhub.keys.box import KeyBox
from makerhub.lifecycle import history
from makerhub.printers.fleet import Fleet
from makerhub.printers.models import Link, Observation, Printer, PrinterState
from makerhub.printers.own import profile_of
from makerhub.printers.service import connections
from makerhub.production import service
from makerhub.production.models import ON_THE_PRINTER, Attempt, AttemptState, PrintJob
from makerhub.production.staggering import may_begin_now

log = logging.getLogger(__name__)

SLICERS = os.cpu_count() or 1
"""How many plates are sliced at the same time, each in a process of its own."""

AT_ONCE = 50
"""How many printers one sweep speaks with at the same time."""


WAITING = (AttemptState.OFFERED, AttemptState.PREPARING, AttemptState.READY)
"""Nothing has been sent yet."""


@task
def withdraw_stale_attempts(database: Database, settings: Settings, clock: Clock) -> None:
    """Take back what waits for ever: unanswered offers, starts that never came, withdrawn designs, paused printers."""
    now = clock()
    with database.reading() as session:
        waiting = service.in_states(session, *WAITING)
        stale = [attempt.id for attempt in waiting if _why_stale(session, attempt, settings, now)]
    for attempt_id in stale:
        try:
            with database.changing() as session:
                attempt = session.get_one(Attempt, attempt_id)
                why = _why_stale(session, attempt, settings, now)
                if why:
                    service.withdraw(session, attempt, why=why, now=now)
        except MovedMeanwhile as error:
            log.info("Attempt %s goes on: %s", attempt_id, error)


@task
def prepare_attempts(
    database: Database, plates: PlateCache, profiles: Mapping[str, PrinterProfile], clock: Clock, soon: Nudge
) -> None:
    """Have a plate sliced and guarded for each attempt that waits for it; the slice comes from the cache if it can."""

    def prepare(waiting: tuple[UUID, PrintJob, Printer]) -> None:
        attempt_id, job, printer = waiting
        try:
            plate: PlateSlice | MakerhubError = plates.plate(
                job.part_id, job.copies, profile_of(printer, profiles), printer.material
            )
        except MakerhubError as error:
            plate = error
        except Exception:
            log.exception("Attempt %s could not be prepared; the next sweep tries again", attempt_id)
            return
        _record_preparation(database, attempt_id, plate, clock())
        soon(start_attempts)

    with database.reading() as session:
        waiting = [_order(session, attempt) for attempt in service.in_states(session, AttemptState.PREPARING)]
    with ThreadPoolExecutor(SLICERS) as pool:
        list(pool.map(prepare, waiting))


@task
def start_attempts(
    database: Database,
    files: FileStore,
    fleet: Fleet,
    journal: StartJournal,
    key_box: KeyBox,
    profiles: Mapping[str, PrinterProfile],
    clock: Clock,
) -> None:
    """Start each ready attempt whose printer is free, at most once; send again what surely never arrived.

    Printers of one household begin one after the other, as its breaker bears.
    """

    async def begin(gateway: PrinterGateway, sending: Sending) -> Verdict:
        gcode = await asyncio.to_thread(files.get, content[sending.id])
        return await start(gateway, journal, sending, gcode, clock())

    with database.reading() as session:
        found = service.in_states(session, AttemptState.READY, AttemptState.SENDING)
        ready = [attempt for attempt in found if attempt.stop_asked_at is None]
        attempts = may_begin_now(session, ready, profiles, clock())
        content = {attempt.id: _plate_slice(session, attempt).gcode_sha256 for attempt in attempts}
        sendings = _sendings(session, attempts, key_box)
    _with_each(fleet, begin, sendings)


@task
def follow_attempts(
    database: Database, fleet: Fleet, journal: StartJournal, key_box: KeyBox, settings: Settings, clock: Clock
) -> None:
    """Find out what became of each print that the last observation of its printer does not show as printing.

    What its maker wants stopped is cancelled first, again and again until it no longer prints.
    """

    async def look(gateway: PrinterGateway, sending: Sending) -> Verdict:
        if sending.id in unwanted:
            await _cancel(gateway, sending)
        return await reconcile(gateway, journal, sending, clock())

    since = clock() - timedelta(seconds=settings.offline_after_seconds)
    with database.reading() as session:
        attempts = service.in_states(session, *ON_THE_PRINTER)
        unwanted = {attempt.id for attempt in attempts if attempt.stop_asked_at is not None}
        unclear = [one for one in attempts if one.id in unwanted or _is_unclear(session, one, since)]
        sendings = _sendings(session, unclear, key_box)
    _with_each(fleet, look, sendings)


async def _cancel(gateway: PrinterGateway, sending: Sending) -> None:
    """Cancel the print if it still prints; a printer that does not answer is asked again in the next sweep."""
    try:
        await cancel(gateway, sending)
    except PrinterTrouble as trouble:
        log.info("%s could not be stopped yet: %s", sending.file_name, trouble)


def _with_each(
    fleet: Fleet, act: Callable[[PrinterGateway, Sending], Awaitable[Verdict]], sendings: Sequence[Sending]
) -> None:
    """Act on every attempt, some at once; what goes wrong with one is logged and leaves the others alone."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(gateway: PrinterGateway, sending: Sending) -> None:
        async with room:
            try:
                verdict = await act(gateway, sending)
                log.debug("%s: %s, %s", sending.file_name, verdict.outcome, verdict.reason)
            except Exception:
                log.exception("Attempt %s could not be looked after; the next sweep tries again", sending.file_name)

    async def everyone(gateway: PrinterGateway) -> None:
        await asyncio.gather(*(one(gateway, sending) for sending in sendings))

    if sendings:
        fleet.run(everyone)


def _why_stale(session: Session, attempt: Attempt, settings: Settings, now: datetime) -> str:
    """Why an attempt of which nothing was sent yet is to be taken back; empty when it may go on."""
    if attempt.state not in WAITING:
        return ""
    job = service.job_of(session, attempt)
    printer = session.get_one(Printer, attempt.printer_id)
    version = session.get_one(DesignVersion, session.get_one(Part, job.part_id).version_id)
    if version.state is not VersionState.PUBLISHED:
        return "the design was withdrawn"
    if not service.is_approved(session, policy_of(settings), job, printer, now=now):
        return "the design is not approved for it any more"
    if printer.state is not PrinterState.ACTIVE:
        return "the printer takes no jobs now"
    waits_for_maker = attempt.state is AttemptState.OFFERED or printer.link is Link.BY_HAND
    patience = settings.offer_minutes if waits_for_maker else settings.start_minutes
    return "it took too long" if now - _waits_since(session, attempt) > timedelta(minutes=patience) else ""


def _waits_since(session: Session, attempt: Attempt) -> datetime:
    """Since when its maker has had the offer, or since when it was to be started."""
    first = AttemptState.OFFERED if attempt.state is AttemptState.OFFERED else AttemptState.PREPARING
    return next(change.at for change in history(session, attempt) if change.after == first)


def _order(session: Session, attempt: Attempt) -> tuple[UUID, PrintJob, Printer]:
    return attempt.id, service.job_of(session, attempt), session.get_one(Printer, attempt.printer_id)


def _record_preparation(database: Database, attempt_id: UUID, plate: PlateSlice | MakerhubError, now: datetime) -> None:
    with database.changing() as session:
        attempt = session.get_one(Attempt, attempt_id)
        if attempt.state is not AttemptState.PREPARING:
            return
        if isinstance(plate, MakerhubError):
            log.warning("Attempt %s has no G-code: %s", attempt.file_name, plate)
            service.not_prepared(session, attempt, why=str(plate), now=now)
        else:
            service.prepared(session, attempt, plate.id, now=now)


def _plate_slice(session: Session, attempt: Attempt) -> PlateSlice:
    return session.exec(select(PlateSlice).where(PlateSlice.id == attempt.plate_slice_id)).one()


def _sendings(session: Session, attempts: Sequence[Attempt], key_box: KeyBox) -> list[Sending]:
    """What the start protocol wants to know of each attempt whose printer can be reached."""
    printers = select(Printer).where(col(Printer.id).in_({attempt.printer_id for attempt in attempts}))
    reachable = connections(session.exec(printers), key_box)
    return [
        _sending(session, attempt, reachable[attempt.printer_id])
        for attempt in attempts
        if attempt.printer_id in reachable
    ]


def _sending(session: Session, attempt: Attempt, connection: Connection) -> Sending:
    plate = _plate_slice(session, attempt)
    return Sending(
        id=attempt.id,
        connection=connection,
        file_name=attempt.file_name,
        size=plate.gcode_bytes,
        sha1=plate.gcode_sha1,
        sent_at=attempt.sent_at,
        sends=attempt.sends,
        file_seen=attempt.file_seen,
        quiet_since=attempt.quiet_since,
    )


def _is_unclear(session: Session, attempt: Attempt, since: datetime) -> bool:
    """Whether only a look can tell what became of it; of what is being sent, the next sending finds out by itself."""
    return attempt.state is not AttemptState.SENDING and not _is_seen_printing(session, attempt, since)


def _is_seen_printing(session: Session, attempt: Attempt, since: datetime) -> bool:
    seen = session.exec(select(Observation).where(col(Observation.printer_id) == attempt.printer_id)).first()
    return (
        attempt.state is AttemptState.PRINTING
        and seen is not None
        and not seen.trouble
        and seen.asked_at >= since
        and Doing(seen.state or Doing.UNKNOWN).is_active
        and seen.file_path == f"{FOLDER}/{attempt.file_name}"
    )
