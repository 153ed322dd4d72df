"""What pages show of a printer: its row, its plate, what was last heard of it, and what is on it now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from makerhub.designs.models import DesignVersion, Part, PlateSlice
from makerhub.designs.profiles import PrinterProfile
from makerhub.fleet.gateway import FOLDER, NEEDED, READS_PROFILES, Permission, Trouble
from makerhub.fleet.gateway import PrinterState as Doing
from makerhub.fleet.messages import Unwilling
from makerhub.fleet.verdict import Reason
from makerhub.people.access import find, permitted
from makerhub.printers import spools, upkeep
from makerhub.printers.access import LOOK_AFTER
from makerhub.printers.agent_models import AgentLink
from makerhub.printers.fit import PrinterFit, fit_of
from makerhub.printers.models import BuildPlate, Link, Observation, PlateState, Printer, PrinterState, Spool
from makerhub.printers.own import base_of
from makerhub.printers.service import is_reachable
from makerhub.production import material
from makerhub.production import service as production
from makerhub.production.access import ANSWER
from makerhub.production.models import LIVE, Attempt, AttemptState, PrintJob
from makerhub.production.trial_models import last_trial
from makerhub.web.hub import hub
from makerhub.web.shown_trial import ShownTrial, shown_trial
from makerhub.web.viewer import viewer

_QUESTIONS = frozenset({AttemptState.OFFERED, AttemptState.IN_DOUBT, AttemptState.FINISHED})
_BY_HAND = frozenset({AttemptState.READY, AttemptState.PRINTING})
_NOT_SENT = frozenset({AttemptState.OFFERED, AttemptState.PREPARING, AttemptState.READY})


@dataclass(frozen=True)
class ShownAttempt:
    """An attempt with what it prints; `plate_slice` is None until its G-code is ready."""

    attempt: Attempt
    job: PrintJob
    part: Part
    version: DesignVersion
    plate_slice: PlateSlice | None

    @property
    def question(self) -> str:
        """The sentence for the maker of a print in doubt."""
        return Reason(self.attempt.doubt).message if self.attempt.doubt else ""


@dataclass(frozen=True)
class ShownPrinter:
    """A printer as its page shows it; what was last known is never shown without when.

    `spool_left` is in mg by our count; `missing_milligrams` is how much more the waiting print needs.
    """

    printer: Printer
    plate: BuildPlate
    seen: Observation | None
    is_reachable: bool
    on_it: ShownAttempt | None
    trial: ShownTrial
    spool: Spool | None = None
    spool_left: int = 0
    missing_milligrams: int = 0
    print_seconds: int = 0
    upkeep_is_due: bool = False
    agent_link: AgentLink | None = None
    fit: PrinterFit | None = None

    @property
    def profile(self) -> PrinterProfile | None:
        """What we slice for; None where the profile is no longer here."""
        return base_of(self.printer, hub().profiles)

    @property
    def model(self) -> str:
        """The model's name, or the key of a profile that is no longer here."""
        return self.profile.name if self.profile else self.printer.profile

    @property
    def reads_profile(self) -> bool:
        """Whether the key may read bed and nozzle from OctoPrint."""
        return bool(READS_PROFILES & set(self.printer.excess_permissions))

    @property
    def is_by_hand(self) -> bool:
        """Whether its maker carries files to it, and tells us what it does."""
        return self.printer.link is Link.BY_HAND

    @property
    def waits_for_key(self) -> bool:
        """Whether its owner is asked for a key in OctoPrint."""
        return self.printer.link is Link.DIRECT and not self.printer.encrypted_key

    @property
    def has_agent(self) -> bool:
        """Whether an agent looks after it, or will."""
        return self.printer.link is Link.AGENT

    @property
    def agent_trouble(self) -> str:
        """Why its agent begins nothing now although it could; what the printer itself does is said elsewhere."""
        if self.agent_link is None or self.agent_link.unwilling not in (Unwilling.PAUSED, Unwilling.QUIET_HOURS):
            return ""
        return Unwilling(self.agent_link.unwilling).message

    @property
    def should_be_done(self) -> datetime | None:
        """When the print that was started by hand will be done by the slicer's estimate."""
        it = self.on_it
        if not self.is_by_hand or it is None or it.plate_slice is None or it.attempt.started_at is None:
            return None
        return it.attempt.started_at + timedelta(seconds=it.plate_slice.seconds)

    @property
    def last_seen(self) -> datetime | None:
        """When the printer last answered."""
        return self.seen.seen_at if self.seen else None

    @property
    def trouble(self) -> str:
        """Why the last question to the printer, or the check of its key, had no good answer."""
        reason = (self.seen.trouble if self.seen else "") or self.printer.trouble
        return Trouble(reason).message if reason else ""

    @property
    def asks(self) -> bool:
        """Whether its maker is asked something: then the page keeps still, so that nobody's answer is swept away."""
        if self.on_it is None:
            return False
        state = self.on_it.attempt.state
        is_answered_here = self.is_by_hand and state in _BY_HAND
        return state in _QUESTIONS or is_answered_here or self.missing_milligrams > 0

    @property
    def wants_clear_plate(self) -> bool:
        """Whether nothing goes on before the maker says that the plate is clear."""
        is_ours = self.on_it is not None and self.on_it.attempt.state not in _NOT_SENT
        return self.plate.state is PlateState.OCCUPIED and not is_ours and not self.is_busy_otherwise

    @property
    def is_printing_for_us(self) -> bool:
        """Whether the last answer shows our file being printed."""
        attempt, seen = self.on_it, self.seen
        if attempt is None or seen is None or not Doing(seen.state or Doing.UNKNOWN).is_active:
            return False
        return seen.file_path == f"{FOLDER}/{attempt.attempt.file_name}"

    @property
    def is_busy_otherwise(self) -> bool:
        """Whether the maker prints something of his or her own."""
        seen = self.seen
        if seen is None or not self.is_reachable or not Doing(seen.state or Doing.UNKNOWN).is_active:
            return False
        return not (seen.file_path or "").startswith(f"{FOLDER}/")

    @property
    def permissions(self) -> Sequence[str]:
        """What is needed and the key can do; nothing as long as the key was not looked at."""
        if self.is_by_hand or self.printer.state is PrinterState.UNCHECKED or self.printer.trouble:
            return []
        held = [permission for permission in Permission if permission in NEEDED]
        return [permission.message for permission in held if permission not in self.printer.missing_permissions]

    @property
    def missing_permissions(self) -> Sequence[str]:
        """What the key would have to be able to do besides."""
        return [Permission(name).message for name in self.printer.missing_permissions]

    @property
    def excess_permissions(self) -> Sequence[str]:
        """What the key can do beyond what is needed."""
        return [Permission(name).message for name in self.printer.excess_permissions]


def my_printers() -> SelectOfScalar[Printer]:
    """The viewer's own printers; a dispatcher who is a maker too sees others' elsewhere, and changes none of them."""
    return permitted(viewer(), LOOK_AFTER)


def my_printer(session: Session, printer_id: UUID) -> Printer:
    """One of the viewer's own printers. Raises `NotFound`."""
    return find(session, viewer(), LOOK_AFTER, printer_id)


def my_attempt(session: Session, attempt_id: UUID) -> Attempt:
    """An attempt on one of the viewer's own printers. Raises `NotFound`."""
    return find(session, viewer(), ANSWER, attempt_id)


def show_printer(session: Session, printer: Printer) -> ShownPrinter:
    """Everything that a page shows of a printer."""
    settings, now = hub().settings, hub().clock()
    seen = session.get(Observation, printer.id)
    attempt = production.live_attempt(session, printer.id)
    is_waiting = attempt is not None and attempt.state in _NOT_SENT and not attempt.spool_confirmed
    spool, print_seconds = spools.loaded(session, printer.id), material.print_seconds(session, printer.id)
    return ShownPrinter(
        printer=printer,
        plate=production.plate_of(session, printer.id),
        seen=seen,
        is_reachable=is_reachable(seen, now, timedelta(seconds=settings.offline_after_seconds)),
        on_it=show_attempt(session, attempt) if attempt else None,
        trial=shown_trial(printer, last_trial(session, printer.id), is_free=attempt is None),
        spool=spool,
        spool_left=spools.left(session, spool) if spool else 0,
        missing_milligrams=material.missing_milligrams(session, attempt) if is_waiting and attempt else 0,
        print_seconds=print_seconds,
        upkeep_is_due=upkeep.is_due(upkeep.log_of(session, printer.id), print_seconds),
        agent_link=session.get(AgentLink, printer.id),
        fit=fit_of(session, printer),
    )


def show_briefly(session: Session, printers: Sequence[Printer]) -> list[ShownPrinter]:
    """What a list shows of printers, with a few queries for all of them: no spools, hours, trials or agents."""
    settings, now, ids = hub().settings, hub().clock(), [printer.id for printer in printers]
    plates = select(BuildPlate).where(col(BuildPlate.printer_id).in_(ids))
    plate_of = {plate.printer_id: plate for plate in session.exec(plates)}
    observations = select(Observation).where(col(Observation.printer_id).in_(ids))
    seen_of = {seen.printer_id: seen for seen in session.exec(observations)}
    live = select(Attempt).where(col(Attempt.printer_id).in_(ids), col(Attempt.state).in_(LIVE))
    on_it = {attempt.printer_id: show_attempt(session, attempt) for attempt in session.exec(live).all()}
    patience = timedelta(seconds=settings.offline_after_seconds)
    return [
        ShownPrinter(
            printer=printer,
            plate=plate_of[printer.id],
            seen=seen_of.get(printer.id),
            is_reachable=is_reachable(seen_of.get(printer.id), now, patience),
            on_it=on_it.get(printer.id),
            trial=shown_trial(printer, None, is_free=False),
        )
        for printer in printers
    ]


def show_attempt(session: Session, attempt: Attempt) -> ShownAttempt:
    """An attempt with what it prints."""
    job = production.job_of(session, attempt)
    part = session.get_one(Part, job.part_id)
    return ShownAttempt(
        attempt=attempt,
        job=job,
        part=part,
        version=session.get_one(DesignVersion, part.version_id),
        plate_slice=session.get(PlateSlice, attempt.plate_slice_id) if attempt.plate_slice_id else None,
    )
