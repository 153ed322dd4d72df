"""What has stood still for longer than it should, and why: every state has a clock, and here it is read."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import Select

from makerhub.delivery.models import Shipment, ShipmentState
from makerhub.demand.models import RequestLine, RequestState, SupplyRequest
from makerhub.designs.models import DesignVersion, Part, PlateSlice
from makerhub.errors import translatable
from makerhub.fleet.gateway import Trouble
from makerhub.fleet.verdict import Reason
from makerhub.lifecycle import Stateful, Transition
from makerhub.moderation.models import Report, ReportState
from makerhub.people.models import Organisation
from makerhub.printers.agent_models import Agent, AgentLink, AgentState
from makerhub.printers.models import BuildPlate, Link, Observation, PlateState, Printer, PrinterState
from makerhub.production import material
from makerhub.production.material import SpoolShort
from makerhub.production.models import LIVE, Attempt, AttemptState, JobState, PrintJob
from makerhub.stock.models import Lot, LotState
from makerhub.web.clocks import AT_ONCE, PATIENCE
from makerhub.web.reporting import REASONS

QUIET = timedelta(hours=1)
"""How long a printer without a print of ours may be silent."""
AGENT_QUIET = timedelta(minutes=5)
"""How long an agent may be silent that speaks once a minute."""
SLOWER = 1.5
"""A print may take so many times what the slicer estimated."""

NOT_SEEN = translatable("It is to be used and does not answer.")
LATE = translatable("Not everything has arrived, and it was needed by then.")
TOO_WEAK = translatable("The key of its server may not do all that is needed.")
ALONE = translatable("It does not answer, and a print of ours is on it.")
BY_HAND = translatable("Its maker has not started it yet; it is started by hand.")
AGENT_SILENT = translatable("Its agent is not heard of. Is the computer beside the printer on, and online?")
NO_AGENT = translatable("No agent is paired with it.")
PAUSED_BY_US = translatable("It was paused because it took three files and began none of them.")


@dataclass(frozen=True)
class Overdue:
    """Something that stands still: what, since when, and what about it; `reason` says more where more is known.

    `endpoint` with `arguments` is the page on which a dispatcher can do something about it, if there is one.
    """

    what: str
    text: str
    since: datetime
    reason: str = ""
    endpoint: str = ""
    arguments: Mapping[str, UUID] = field(default_factory=dict)


def overdue(session: Session, hubs: Collection[UUID], *, offline_after: timedelta, now: datetime) -> list[Overdue]:
    """Everything of these hubs that has stood still for too long, the longest first; texts are to be translated."""
    found = [
        *_requests(session, hubs, now),
        *_late_lines(session, hubs, now),
        *_attempts(session, hubs, now),
        *_jobs(session, hubs, now),
        *_printers(session, hubs, offline_after, now),
        *_lots(session, hubs, now),
        *_shipments(session, hubs, now),
        *_reports(session, hubs, now),
    ]
    return sorted(found, key=lambda one: one.since)


def in_words(why: str) -> str:
    """A reason of the log as a sentence to be translated; what is no word of the protocol stays as it is."""
    for words in (Reason, Trouble):
        if why in set(words):
            return words(why).message
    return why


def _requests(session: Session, hubs: Collection[UUID], now: datetime) -> Iterator[Overdue]:
    asked = (
        select(SupplyRequest, Organisation.name)
        .join(Organisation, col(Organisation.id) == SupplyRequest.facility_id)
        .where(col(SupplyRequest.hub_id).in_(hubs))
        .where(col(SupplyRequest.state).in_((RequestState.SUBMITTED, RequestState.HELD)))
    )
    for request, since, name in _stuck(session, session.exec(asked), now):
        yield _overdue(request, name, since.at, "dispatcher.supply_request", request_id=request.id)


def _late_lines(session: Session, hubs: Collection[UUID], now: datetime) -> Iterator[Overdue]:
    late = (
        select(SupplyRequest.id, Organisation.name, func.min(RequestLine.needed_by))
        .join(Organisation, col(Organisation.id) == SupplyRequest.facility_id)
        .join(RequestLine, col(RequestLine.request_id) == SupplyRequest.id)
        .where(col(SupplyRequest.hub_id).in_(hubs), SupplyRequest.state == RequestState.ACCEPTED)
        .where(RequestLine.needed_by < now)
        .group_by(col(SupplyRequest.id), col(Organisation.name))
    )
    for request_id, name, since in session.exec(late):
        yield Overdue(name, LATE, since, "", "dispatcher.supply_request", {"request_id": request_id})


def _attempts(session: Session, hubs: Collection[UUID], now: datetime) -> Iterator[Overdue]:
    live = (
        select(Attempt, PrintJob.copies, Part.name, Printer)
        .join(PrintJob, col(PrintJob.id) == Attempt.job_id)
        .join(Part, col(Part.id) == PrintJob.part_id)
        .join(Printer, col(Printer.id) == Attempt.printer_id)
        .where(col(PrintJob.hub_id).in_(hubs), col(Attempt.state).in_(LIVE))
    )
    estimates = _estimates(session)
    for attempt, since, copies, part, printer in _stuck(session, session.exec(live), now):
        if attempt.state is AttemptState.PRINTING and not _is_beyond(attempt, since.at, estimates, now):
            continue
        found = _overdue(
            attempt,
            f"{copies} × {part}, {printer.name}",
            since.at,
            "jobs.job",
            reason=_why_it_waits(session, attempt),
            job_id=attempt.job_id,
        )
        is_carried = attempt.state is AttemptState.READY and printer.link is Link.BY_HAND
        yield replace(found, text=BY_HAND) if is_carried else found


def _estimates(session: Session) -> Mapping[UUID, int]:
    """The slicer's seconds for each print that goes on."""
    plates = select(Attempt.id, PlateSlice.seconds).join(PlateSlice, col(PlateSlice.id) == Attempt.plate_slice_id)
    return dict(session.exec(plates.where(Attempt.state == AttemptState.PRINTING)).all())


def _is_beyond(attempt: Attempt, since: datetime, estimates: Mapping[UUID, int], now: datetime) -> bool:
    """Whether a print goes on for longer than its estimate allows, and some patience more."""
    patience, _ = PATIENCE["attempt", AttemptState.PRINTING]
    estimate = timedelta(seconds=SLOWER * estimates.get(attempt.id, 0))
    return now - (attempt.started_at or since) > estimate + patience


def _why_it_waits(session: Session, attempt: Attempt) -> str:
    """What is asked about it: a print in doubt, or a spool on which there is not enough."""
    if attempt.state in material.WAITING_FOR_SPOOL and material.is_held(session, attempt):
        return SpoolShort.template
    return in_words(attempt.doubt)


def _jobs(session: Session, hubs: Collection[UUID], now: datetime) -> Iterator[Overdue]:
    waiting = (
        select(PrintJob, Part.name, DesignVersion.name)
        .join(Part, col(Part.id) == PrintJob.part_id)
        .join(DesignVersion, col(DesignVersion.id) == Part.version_id)
        .where(col(PrintJob.hub_id).in_(hubs), col(PrintJob.state).in_((JobState.HELD, JobState.QUEUED)))
    )
    for job, since, part, design in _stuck(session, session.exec(waiting), now):
        yield _overdue(
            job, f"{job.copies} × {part}, {design}", since.at, "jobs.job", reason=in_words(since.why), job_id=job.id
        )


def _printers(session: Session, hubs: Collection[UUID], offline_after: timedelta, now: datetime) -> Iterator[Overdue]:
    timed = [state for entity, state in PATIENCE if entity == Printer.__tablename__]
    waiting = session.exec(select(Printer).where(col(Printer.hub_id).in_(hubs), col(Printer.state).in_(timed)))
    for printer, since in _stuck(session, ((printer,) for printer in waiting), now):
        paused = PAUSED_BY_US if _is_our_doing(since) else ""
        reason = paused or in_words(printer.trouble) or (TOO_WEAK if printer.missing_permissions else "")
        yield _overdue(printer, printer.name, since.at, reason=reason)
    with_prints = set(session.exec(select(Attempt.printer_id).where(col(Attempt.state).in_(LIVE))))
    for printer, heard, agent in session.exec(_silent(hubs, now - min(offline_after, QUIET))):
        since = (heard.seen_at if heard else None) or printer.registered_at
        is_on_it = printer.id in with_prints
        is_silent = now - since > (offline_after if is_on_it else QUIET)
        if is_silent and (is_on_it or printer.state is PrinterState.ACTIVE):
            reason = _why_silent(printer, heard, agent, now)
            yield Overdue(printer.name, ALONE if is_on_it else NOT_SEEN, since, reason)
    yield from _plates(session, hubs, now)


def _why_silent(printer: Printer, heard: Observation | None, agent: Agent | None, now: datetime) -> str:
    if printer.link is Link.AGENT and (agent is None or agent.state is AgentState.REVOKED):
        return NO_AGENT
    if agent is not None and now - agent.heard_at > AGENT_QUIET:
        return AGENT_SILENT
    return in_words(heard.trouble) if heard else ""


def _silent(hubs: Collection[UUID], since: datetime) -> Select[Printer, Observation, Agent]:
    """The printers that have not answered since then, of those that answer by themselves; what was last heard."""
    used = (
        select(Printer, Observation, Agent)
        .outerjoin(Observation, col(Observation.printer_id) == Printer.id)
        .outerjoin(AgentLink, col(AgentLink.printer_id) == Printer.id)
        .outerjoin(Agent, col(Agent.id) == AgentLink.agent_id)
        .where(col(Printer.hub_id).in_(hubs), Printer.state != PrinterState.RETIRED, Printer.link != Link.BY_HAND)
    )
    return used.where(col(Observation.seen_at).is_(None) | (col(Observation.seen_at) < since))


def _plates(session: Session, hubs: Collection[UUID], now: datetime) -> Iterator[Overdue]:
    """Those of printers that would print, on which nothing of ours is and something lies."""
    busy = select(Attempt.printer_id).where(col(Attempt.state).in_(LIVE))
    occupied = (
        select(BuildPlate, Printer.name)
        .join(Printer, col(Printer.id) == BuildPlate.printer_id)
        .where(col(Printer.hub_id).in_(hubs), Printer.state == PrinterState.ACTIVE)
        .where(BuildPlate.state == PlateState.OCCUPIED, col(Printer.id).not_in(busy))
    )
    for plate, since, name in _stuck(session, session.exec(occupied), now):
        yield _overdue(plate, name, since.at)


def _lots(session: Session, hubs: Collection[UUID], now: datetime) -> Iterator[Overdue]:
    made = (
        select(Lot, Part.name)
        .join(Part, col(Part.id) == Lot.part_id)
        .where(col(Lot.hub_id).in_(hubs), Lot.state == LotState.AT_MAKER)
    )
    for lot, since, part in _stuck(session, session.exec(made), now):
        yield _overdue(lot, f"{lot.label}, {lot.quantity} × {part}", since.at, "dispatcher.lot", lot_id=lot.id)


def _shipments(session: Session, hubs: Collection[UUID], now: datetime) -> Iterator[Overdue]:
    open_ones = (
        select(Shipment, Organisation.name)
        .join(Organisation, col(Organisation.id) == Shipment.facility_id)
        .where(col(Shipment.hub_id).in_(hubs), Shipment.state != ShipmentState.DELIVERED)
    )
    for shipment, since, name in _stuck(session, session.exec(open_ones), now):
        yield _overdue(shipment, name, since.at, "dispatcher.supply_request", request_id=shipment.request_id)


def _reports(session: Session, hubs: Collection[UUID], now: datetime) -> Iterator[Overdue]:
    waiting = select(Report).where(col(Report.hub_id).in_(hubs), Report.state == ReportState.OPEN)
    decided_here = session.exec(waiting.where(col(Report.for_administrators).is_(False))).all()
    for report, since in _stuck(session, ((one,) for one in decided_here), now):
        reason = REASONS[report.reason]
        yield _overdue(report, report.title, since.at, "moderation.report", reason=reason, report_id=report.id)


def _stuck(session: Session, found: Iterable[Any], now: datetime) -> Iterator[tuple[Any, ...]]:
    """Of rows (with whatever was selected beside them) those past their patience, each with its last change."""
    rows = [(one[0], one[1:]) for one in found]
    changes = _last_changes(session, [row for row, _ in rows])
    for row, beside in rows:
        patience = PATIENCE.get((row.__tablename__, row.state))
        since = changes[row.id]
        if patience is not None and now - since.at >= (AT_ONCE if _is_our_doing(since) else patience[0]):
            yield (row, since, *beside)


def _is_our_doing(change: Transition) -> bool:
    """Whether the hub itself paused a printer, of which nobody may know."""
    return change.entity == Printer.__tablename__ and change.after == PrinterState.PAUSED and change.by is None


def _last_changes(session: Session, rows: list[Stateful]) -> Mapping[UUID, Transition]:
    if not rows:
        return {}
    numbers = (
        select(func.max(Transition.number))
        .where(Transition.entity == rows[0].__tablename__, col(Transition.entity_id).in_([row.id for row in rows]))
        .group_by(col(Transition.entity_id))
    )
    last = session.exec(select(Transition).where(col(Transition.number).in_(numbers)))
    return {change.entity_id: change for change in last}


def _overdue(
    row: Stateful, what: str, since: datetime, endpoint: str = "", *, reason: str = "", **arguments: UUID
) -> Overdue:
    text = PATIENCE[str(row.__tablename__), row.state][1]
    return Overdue(what, text, since, reason, endpoint, arguments)
