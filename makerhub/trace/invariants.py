"""What holds in every hub at every moment; `makerhub doctor` checks it on a live database."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from makerhub.delivery.models import Allocation, AllocationState, Pickup, Shipment
from makerhub.demand.models import SupplyRequest, TelephoneCall
from makerhub.designs.models import Approval, DesignVersion, Part, Upload, VersionState
from makerhub.facilities.models import Evidence, FacilityMerge, ProofCode
from makerhub.hubs.models import HubProfile
from makerhub.lifecycle import Transition
from makerhub.moderation.models import Report
from makerhub.notices.models import Mail
from makerhub.people.block_models import Suspension
from makerhub.people.entry_models import Invitation
from makerhub.people.models import JoinRequest
from makerhub.printers.agent_models import Agent
from makerhub.printers.models import BuildPlate, Printer, Spool
from makerhub.production.models import LIVE, Attempt, AttemptState, JobState, PrintJob
from makerhub.production.trial_models import TrialPrint
from makerhub.stock.models import AccountKind, Entry, Lot, LotState
from makerhub.trace.models import RecallNotice


@dataclass(frozen=True)
class Breach:
    """An invariant that does not hold, and for which row."""

    invariant: str
    what: str


STATEFUL: tuple[Any, ...] = (
    Agent,
    Allocation,
    Approval,
    Attempt,
    BuildPlate,
    DesignVersion,
    Invitation,
    Evidence,
    FacilityMerge,
    HubProfile,
    JoinRequest,
    Lot,
    Mail,
    Pickup,
    Printer,
    PrintJob,
    ProofCode,
    RecallNotice,
    Report,
    Shipment,
    Spool,
    SupplyRequest,
    Suspension,
    TelephoneCall,
    TrialPrint,
    Upload,
)
"""Every model with a state machine; a test compares it with the models that have `MOVES`."""


def breaches(session: Session) -> list[Breach]:
    """Every breach of every invariant; an empty list is what should be."""
    return [Breach(name, what) for name, check in INVARIANTS.items() for what in check(session)]


def _one_live_attempt(session: Session) -> Iterator[str]:
    for column, name in ((Attempt.job_id, "job"), (Attempt.printer_id, "printer")):
        crowded = select(column).where(col(Attempt.state).in_(LIVE)).group_by(col(column)).having(func.count() > 1)
        yield from (f"{name} {key} has more than one live attempt" for key in session.exec(crowded))


def _sent_once(session: Session) -> Iterator[str]:
    """An attempt that was sent has a time and a sending, and one that was not has neither."""
    unsent = (AttemptState.OFFERED, AttemptState.PREPARING, AttemptState.READY, AttemptState.WITHDRAWN)
    wrong = select(Attempt).where(
        (col(Attempt.state).in_(unsent) & (col(Attempt.sends) > 0))
        | (col(Attempt.state).in_((AttemptState.SENDING, AttemptState.PRINTING)) & col(Attempt.sent_at).is_(None))
    )
    yield from (
        f"attempt {attempt.file_name} is {attempt.state} after {attempt.sends} sendings"
        for attempt in session.exec(wrong)
    )


def _transfers_balance(session: Session) -> Iterator[str]:
    uneven = select(Entry.transfer_id).group_by(col(Entry.transfer_id)).having(func.sum(Entry.quantity) != 0)
    yield from (f"transfer {key} does not sum to zero" for key in session.exec(uneven))


def _nothing_below_zero(session: Session) -> Iterator[str]:
    totals = (
        select(Entry.lot_id, Entry.account, func.sum(Entry.quantity))
        .where(Entry.account != AccountKind.PRODUCTION)
        .group_by(col(Entry.lot_id), col(Entry.account), col(Entry.account_of))
        .having(func.sum(Entry.quantity) < 0)
    )
    yield from (f"lot {lot} has {total} pieces in {account}" for lot, account, total in session.exec(totals))


def _every_print_counted_once(session: Session) -> Iterator[str]:
    """What a counted attempt says is what the ledger booked for it."""
    counted = select(Attempt).where(Attempt.state == AttemptState.COUNTED)
    for attempt in session.exec(counted):
        booked = session.exec(
            select(func.coalesce(func.sum(Entry.quantity), 0)).where(
                Entry.attempt_id == attempt.id, Entry.account == AccountKind.PRODUCTION
            )
        ).one()
        if -booked != (attempt.good or 0) + (attempt.bad or 0):
            yield f"attempt {attempt.file_name} counted {attempt.good} + {attempt.bad}, booked {-booked}"


def _promised_is_there(session: Session) -> Iterator[str]:
    """What is reserved of a lot lies in its hub's stock."""
    at_hub = (
        select(Entry.lot_id, func.sum(Entry.quantity).label("pieces"))
        .where(Entry.account == AccountKind.HUB)
        .group_by(col(Entry.lot_id))
        .subquery()
    )
    there, reserved = func.coalesce(at_hub.c.pieces, 0), func.sum(Allocation.quantity)
    promised = (
        select(Allocation.lot_id, reserved, there)
        .join(at_hub, at_hub.c.lot_id == Allocation.lot_id, isouter=True)
        .where(Allocation.state == AllocationState.RESERVED)
        .group_by(col(Allocation.lot_id), at_hub.c.pieces)
        .having(reserved > there)
    )
    yield from (
        f"lot {lot} has {pieces} pieces at the hub, {wanted} are promised"
        for lot, wanted, pieces in session.exec(promised)
    )


def _nothing_recalled_is_promised(session: Session) -> Iterator[str]:
    promised = (
        select(Lot.label)
        .join(Allocation, col(Allocation.lot_id) == Lot.id)
        .where(Lot.state == LotState.RECALLED, Allocation.state == AllocationState.RESERVED)
    )
    yield from (f"lot {label} is recalled and reserved for somebody" for label in session.exec(promised))


def _assigned_while_live(session: Session) -> Iterator[str]:
    """A job is assigned exactly while one of its attempts is live; else nobody would ever take it on again."""
    live = select(Attempt.job_id).where(col(Attempt.state).in_(LIVE))
    assigned, has_attempt = col(PrintJob.state) == JobState.ASSIGNED, col(PrintJob.id).in_(live)
    astray = select(PrintJob).where((assigned & ~has_attempt) | (~assigned & has_attempt))
    yield from (f"job {job.id} is {job.state}, which its attempts do not say" for job in session.exec(astray))


def _nothing_withdrawn_is_started(session: Session) -> Iterator[str]:
    """By the order of the log: clocks are given, and two of them need not agree."""
    withdrawal, start = aliased(Transition), aliased(Transition)
    wrong = (
        select(Attempt.file_name)
        .join(start, _of(start, Attempt, Attempt.id) & (col(start.after) == AttemptState.SENDING))
        .join(PrintJob, col(PrintJob.id) == Attempt.job_id)
        .join(Part, col(Part.id) == PrintJob.part_id)
        .join(
            withdrawal,
            _of(withdrawal, DesignVersion, Part.version_id) & (col(withdrawal.after) == VersionState.WITHDRAWN),
        )
        .where(col(start.number) > col(withdrawal.number))
    )
    yield from (f"attempt {name} was started after its design was withdrawn" for name in session.exec(wrong))


def _of(change: type[Transition], model: Any, key: UUID) -> ColumnElement[bool]:
    """Whether the change is one of the row of `model` with this key."""
    is_its: ColumnElement[bool] = (col(change.entity) == model.__tablename__) & (col(change.entity_id) == key)
    return is_its


def _delivered_is_traceable(session: Session) -> Iterator[str]:
    delivered = (
        select(Lot.label)
        .join(Allocation, col(Allocation.lot_id) == Lot.id)
        .join(Attempt, col(Attempt.id) == Lot.attempt_id)
        .where(Allocation.state == AllocationState.DELIVERED, col(Attempt.plate_slice_id).is_(None))
    )
    yield from (f"lot {label} was delivered and has no G-code" for label in session.exec(delivered))


def _doubt_has_a_question(session: Session) -> Iterator[str]:
    silent = select(Attempt).where(Attempt.state == AttemptState.IN_DOUBT, Attempt.doubt == "")
    yield from (f"attempt {attempt.file_name} is in doubt and nobody is asked why" for attempt in session.exec(silent))


def _every_state_is_logged(session: Session) -> Iterator[str]:
    for model in STATEFUL:
        name = model.__tablename__
        last = select(func.max(Transition.number)).where(Transition.entity == name).group_by(col(Transition.entity_id))
        rows = select(Transition.entity_id, Transition.after).where(col(Transition.number).in_(last))
        logged = dict(session.exec(rows).all())
        for key, state in session.exec(select(model.id, model.state)):
            if logged.get(key) != state:
                yield f"{name} {key} is {state}, the log says {logged.get(key)}"


INVARIANTS: dict[str, Callable[[Session], Iterator[str]]] = {
    "one live attempt per job and printer": _one_live_attempt,
    "what was sent is recorded as sent": _sent_once,
    "transfers sum to zero": _transfers_balance,
    "no account is below zero": _nothing_below_zero,
    "every print is counted once": _every_print_counted_once,
    "what is promised is there": _promised_is_there,
    "nothing recalled is promised": _nothing_recalled_is_promised,
    "jobs are assigned while an attempt is live": _assigned_while_live,
    "no withdrawn design is started": _nothing_withdrawn_is_started,
    "delivered lots can be traced": _delivered_is_traceable,
    "doubt has a question": _doubt_has_a_question,
    "every change of a state is logged": _every_state_is_logged,
}
