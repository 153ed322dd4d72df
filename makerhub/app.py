"""The composition root: settings → database → adapters → engine → pages. It alone knows every part."""

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

from flask import Flask

from makerhub.audit.tasks import seal_the_day
from makerhub.background.embedded import EmbeddedEngine
from makerhub.config import Settings
from makerhub.db import Clock, Database
from makerhub.delivery.tasks import end_lapsed_pickups
from makerhub.designs.approvals import ApprovalPolicy, policy_of
from makerhub.designs.files import FileStore
from makerhub.designs.plate_cache import PlateCache
from makerhub.designs.profiles import PrinterProfile, read_profiles
from makerhub.designs.prusa_slicer import PrusaSlicer
from makerhub.designs.slicer import Slicer
from makerhub.designs.tasks import work_on_uploads
from makerhub.designs.uploads import desk_of
from makerhub.fleet.addresses import AddressPolicy, Reach
from makerhub.fleet.gateway import PrinterGateway
from makerhub.fleet.keep_alive import KeepAlive
from makerhub.fleet.loops import connections_kept, looks_at_once
from makerhub.fleet.octoprint import JOB_PATH, OctoPrint
from makerhub.fleet.poll import DEFAULT_INTERVALS, PollIntervals, PollLoop
from makerhub.fleet.transport import Transport
from makerhub.keys.box import KeyBox
from makerhub.moderation.tasks import lift_blocks
from makerhub.notices.channel import Channel
from makerhub.notices.folder import FolderChannel
from makerhub.notices.letters import Translator
from makerhub.notices.smtp import Server, SmtpChannel
from makerhub.notices.tasks import forget_mails, send_mails
from makerhub.people.tasks import answer_sign_in_requests, expire_invitations, forget_sign_ins
from makerhub.planning.tasks import allocate_lots, dispatch_jobs, plan_jobs
from makerhub.printers.fleet import Fleet
from makerhub.printers.key_dialog import ask_for_keys
from makerhub.printers.polling import Watch
from makerhub.printers.tasks import check_printers
from makerhub.privacy.tasks import forget_what_is_over
from makerhub.production.journal import HubJournal
from makerhub.production.silence import ask_about_silent_agents
from makerhub.production.tasks import follow_attempts, prepare_attempts, start_attempts, withdraw_stale_attempts
from makerhub.production.trial_tasks import make_trial_prints
from makerhub.trace.tasks import carry_out_recalls
from makerhub.web.application import create_web
from makerhub.web.hub import Hub

TRANSLATIONS = Path(__file__).parent / "web" / "translations"

TASKS = (
    seal_the_day,
    forget_sign_ins,
    answer_sign_in_requests,
    expire_invitations,
    send_mails,
    forget_mails,
    work_on_uploads,
    ask_for_keys,
    check_printers,
    make_trial_prints,
    plan_jobs,
    dispatch_jobs,
    prepare_attempts,
    start_attempts,
    follow_attempts,
    withdraw_stale_attempts,
    ask_about_silent_agents,
    allocate_lots,
    end_lapsed_pickups,
    lift_blocks,
    forget_what_is_over,
    carry_out_recalls,
)


def utc_now() -> datetime:
    """The clock of a real hub."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Makerhub:
    """A hub that is put together and does nothing yet: `start()` begins to poll and to sweep."""

    settings: Settings
    database: Database
    files: FileStore
    key_box: KeyBox
    slicer: Slicer
    profiles: Mapping[str, PrinterProfile]
    fleet: Fleet
    engine: EmbeddedEngine
    web: Flask
    clock: Clock

    @property
    def policy(self) -> ApprovalPolicy:
        """Which approval each kind of facility requires."""
        return policy_of(self.settings)

    def start(self) -> None:
        """Begin to look at printers and to run the background tasks."""
        patience = timedelta(seconds=self.settings.offline_after_seconds)
        watch = Watch(self.database, self.key_box, self._nudge_after_change, refresh=patience / 4)
        intervals = poll_intervals(self.settings)

        async def poll(gateway: PrinterGateway) -> None:
            await PollLoop(
                gateway, watch.roster, watch.sink, intervals=intervals, concurrency=looks_at_once(), now=self.clock
            ).run()

        self.fleet.start(poll)
        self.engine.start()

    def stop(self) -> None:
        """Finish what runs and close everything."""
        self.engine.stop()
        self.fleet.stop()
        self.database.dispose()

    def _nudge_after_change(self) -> None:
        self.engine.soon(follow_attempts)
        self.engine.soon(dispatch_jobs)


def assemble(settings: Settings, clock: Clock = utc_now, slicer: Slicer | None = None) -> Makerhub:
    """Put a hub together; opens the database and starts nothing. `slicer` is PrusaSlicer by default."""
    database = Database(settings.database)
    files = FileStore(settings.files_directory)
    key_box = KeyBox(settings.key_file)
    slicer = slicer or prusa_slicer(settings)
    profiles = read_profiles(settings.printer_profiles)
    channel, translator = mail_channel(settings), Translator(TRANSLATIONS)
    fleet = Fleet(lambda: _gateway(settings))
    parts = {
        "settings": settings,
        "database": database,
        "files": files,
        "desk": desk_of(settings, database, files, clock),
        "plates": PlateCache(database, files, slicer, clock),
        "key_box": key_box,
        "channel": channel,
        "translator": translator,
        "profiles": profiles,
        "fleet": fleet,
        "journal": HubJournal(database, policy_of(settings)),
        "clock": clock,
    }
    engine = EmbeddedEngine(TASKS, parts, settings.sweep_seconds)
    web = create_web(
        Hub(
            settings=settings,
            database=database,
            soon=engine.soon,
            clock=clock,
            files=files,
            key_box=key_box,
            profiles=profiles,
            channel=channel,
            translator=translator,
        )
    )
    return Makerhub(settings, database, files, key_box, slicer, profiles, fleet, engine, web, clock)


def prusa_slicer(settings: Settings) -> PrusaSlicer:
    """The slicer that the settings name."""
    return PrusaSlicer(Path(shutil.which(settings.slicer) or settings.slicer), settings.slicer_profiles)


def mail_channel(settings: Settings) -> Channel:
    """The channel that the settings name."""
    if settings.mail_channel == "folder":
        return FolderChannel(settings.mail_directory, settings.mail_from)
    server = Server(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        user=settings.smtp_user,
        password_file=settings.smtp_password_file,
    )
    return SmtpChannel(server, settings.mail_from)


def poll_intervals(settings: Settings) -> PollIntervals:
    """How often printers are looked at."""
    return PollIntervals(
        idle_s=settings.poll_idle_seconds,
        printing_s=settings.poll_printing_seconds,
        near_end_s=min(2.0, settings.poll_printing_seconds),
        unreachable_s=settings.poll_idle_seconds,
        roster_s=min(10.0, settings.poll_idle_seconds),
        tick_s=min(DEFAULT_INTERVALS.tick_s, settings.poll_printing_seconds),
    )


def _gateway(settings: Settings) -> AbstractAsyncContextManager[PrinterGateway]:
    policy = AddressPolicy(
        reach=Reach(settings.printer_addresses),
        networks=tuple(ip_network(network) for network in settings.printer_networks),
        loopback_allowed=settings.allow_loopback_printers,
    )

    @asynccontextmanager
    async def opened() -> AsyncIterator[PrinterGateway]:
        async with Transport(policy) as transport, KeepAlive(policy, JOB_PATH, most_kept=connections_kept()) as looks:
            yield OctoPrint(transport, looks)

    return opened()
