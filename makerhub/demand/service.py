"""The use cases of demand: submit, accept, decline, cancel, and learn what was delivered."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.audit.service import note
from makerhub.db import IntegrityError
from makerhub.demand.models import RequestLine, RequestState, SupplyRequest, TelephoneCall, Urgency
from makerhub.designs.approvals import ApprovalPolicy, grades
from makerhub.designs.models import ApprovalState, DesignVersion, Kit, KitPart, Part, VersionState
from makerhub.errors import Invalid, NotFound, translatable
from makerhub.hubs.service import resting
from makerhub.lifecycle import begin, history, move
from makerhub.people.blocks import suspension_of
from makerhub.people.models import Organisation, OrganisationKind
from makerhub.people.repointing import repoint

LONGEST_WAIT = timedelta(days=366)
NOT_APPROVED = {
    ApprovalState.PROTOTYPE: translatable("This hub makes it no more: its approval was withdrawn. Choose another one."),
    ApprovalState.COMMUNITY_REVIEWED: translatable(
        "Nobody has reviewed this design for your kind of facility yet. Choose another one, or ask your hub."
    ),
    ApprovalState.CLINICALLY_APPROVED: translatable(
        "This design is not clinically approved, which your kind of facility needs. Choose another one."
    ),
}
"""Why a kit can not be asked for, by what the facility's kind requires."""


@dataclass(frozen=True)
class NewLine:
    """One line as it was asked for; `needed_by` is aware."""

    kit_id: UUID
    quantity: int
    needed_by: datetime
    urgency: Urgency = Urgency.SOON
    stock_left: int = 0


@dataclass(frozen=True)
class NewRequest:
    """A request as it was filled in; `form_key` is the same when the same form is sent again."""

    form_key: UUID
    facility_id: UUID
    hub_id: UUID
    requested_by: UUID
    lines: Sequence[NewLine]
    note: str = ""


def submit(
    session: Session, new: NewRequest, *, largest: int, policy: ApprovalPolicy, now: datetime, why: str = ""
) -> SupplyRequest:
    """Record a request, once for each form; a second sending gives back the first one's request.

    Raises `Invalid` with a sentence for each field that is wrong; fields of line n are named `n-quantity` and so on.
    """
    again = _sent_before(session, new)
    if again is not None:
        return again
    if suspension_of(session, new.requested_by, new.hub_id) is not None:
        raise Invalid(translatable("You are blocked at this hub. Your start page says until when, and whom to ask."))
    problems = check(session, new, largest=largest, policy=policy, now=now)
    if problems:
        raise Invalid(fields=problems)
    request = SupplyRequest(
        facility_id=new.facility_id,
        hub_id=new.hub_id,
        requested_by=new.requested_by,
        form_key=new.form_key,
        note=new.note.strip(),
        submitted_at=now,
    )
    try:
        with session.begin_nested():
            begin(session, request, now=now, by=new.requested_by, why=why)
    except IntegrityError:  # the same form arrived twice at once, and the other one was first
        again = _sent_before(session, new)
        if again is None:
            raise
        return again
    session.add_all(
        RequestLine(
            request_id=request.id,
            kit_id=line.kit_id,
            quantity=line.quantity,
            needed_by=line.needed_by,
            urgency=line.urgency,
            stock_left=line.stock_left,
        )
        for line in new.lines
    )
    session.flush()
    return request


def check(
    session: Session, new: NewRequest, *, largest: int, policy: ApprovalPolicy, now: datetime
) -> Mapping[str, str]:
    """What is wrong with the request, a sentence a field; empty when nothing is."""
    facility = session.get(Organisation, new.facility_id)
    problems: dict[str, str] = {}
    if not new.lines:
        problems["lines"] = translatable("Say what you need: choose at least one design.")
    if new.hub_id in resting(session):
        problems["hub"] = translatable("This hub takes no requests now. Choose another one.")
    if len(new.note) > 500:
        problems["note"] = translatable("Keep the note under 500 characters.")
    for number, line in enumerate(new.lines):
        for field, problem in _check_line(session, line, largest, now).items():
            problems[f"{number}-{field}"] = problem
        if (
            f"{number}-kit" not in problems
            and facility is not None
            and not may_ask(session, policy, line.kit_id, facility.kind, new.hub_id, now)
        ):
            problems[f"{number}-kit"] = NOT_APPROVED[policy.needs(facility.kind)]
    return problems


def _check_line(session: Session, line: NewLine, largest: int, now: datetime) -> dict[str, str]:
    problems: dict[str, str] = {}
    if line.quantity < 1:
        problems["quantity"] = translatable("Enter how many you need, at least 1.")
    elif line.quantity > largest:
        problems["quantity"] = translatable("This is more than a hub can promise. Call your hub if you need so many.")
    if line.needed_by <= now:
        problems["needed_by"] = translatable("Choose a date in the future.")
    elif line.needed_by > now + LONGEST_WAIT:
        problems["needed_by"] = translatable("Choose a date within a year.")
    if not 0 <= line.stock_left <= 10 * largest:
        problems["stock_left"] = translatable("Enter how many you still have, 0 if none.")
    kit = session.get(Kit, line.kit_id)
    if kit is None or session.get_one(DesignVersion, kit.version_id).state is not VersionState.PUBLISHED:
        problems["kit"] = translatable("This design can no longer be asked for. Choose another one.")
    return problems


def may_ask(
    session: Session, policy: ApprovalPolicy, kit_id: UUID, kind: OrganisationKind, hub_id: UUID, now: datetime
) -> bool:
    """Whether this kind of facility may ask this hub for a kit."""
    if session.get(Organisation, hub_id) is None:
        return True  # that is another problem, and told as such
    return kit_id in askable(session, policy, [kit_id], kind, hub_id, now)


def askable(
    session: Session, policy: ApprovalPolicy, kits: Sequence[UUID], kind: OrganisationKind, hub_id: UUID, now: datetime
) -> frozenset[UUID]:
    """Those of the kits for which this kind of facility may ask: each part has a material that is approved enough."""
    parts: dict[UUID, list[Part]] = {kit_id: [] for kit_id in kits}
    for kit_id, part in session.exec(select(KitPart.kit_id, Part).join(Part).where(col(KitPart.kit_id).in_(kits))):
        parts[kit_id].append(part)
    found = grades(session, policy, [part for of_kit in parts.values() for part in of_kit], hub_id, now)
    needed = policy.needs(kind)
    return frozenset(
        kit_id
        for kit_id, of_kit in parts.items()
        if all(any(found[part.version_id, one].suffices_for(needed) for one in part.materials) for part in of_kit)
    )


def accept(session: Session, request: SupplyRequest, *, by: UUID, now: datetime) -> None:
    """The hub takes the request on; from now on it is planned for."""
    move(session, request, RequestState.ACCEPTED, now=now, by=by)


def decline(session: Session, request: SupplyRequest, *, by: UUID, why: str, now: datetime) -> None:
    """The hub can not take the request on, and says why."""
    if not why.strip():
        raise Invalid(fields={"why": translatable("Say why, so that the requester can look elsewhere.")})
    move(session, request, RequestState.DECLINED, now=now, by=by, why=why.strip())


def cancel(session: Session, request: SupplyRequest, *, now: datetime, by: UUID | None = None, why: str = "") -> None:
    """The facility no longer needs it; `by` is nobody where somebody without an account said so."""
    move(session, request, RequestState.CANCELLED, now=now, by=by, why=why)


def hold(session: Session, request: SupplyRequest, *, by: UUID | None = None, why: str, now: datetime) -> None:
    """Do nothing more for the request, for now: it is neither answered nor planned for."""
    move(session, request, RequestState.HELD, now=now, by=by, why=why)


def go_on(session: Session, request: SupplyRequest, *, by: UUID | None = None, why: str, now: datetime) -> None:
    """Go on with a request that was held, where it stood before."""
    before = next(change.before for change in reversed(history(session, request)) if change.after == RequestState.HELD)
    move(session, request, RequestState(before or RequestState.SUBMITTED), now=now, by=by, why=why)


def requests_of(session: Session, person_id: UUID, hub_id: UUID, *states: RequestState) -> Sequence[SupplyRequest]:
    """The person's own requests to a hub that are in one of the states, the oldest first; not those of callers."""
    by_telephone = col(SupplyRequest.id).in_(select(TelephoneCall.request_id))
    mine = select(SupplyRequest).where(
        SupplyRequest.requested_by == person_id, SupplyRequest.hub_id == hub_id, ~by_telephone
    )
    return session.exec(
        mine.where(col(SupplyRequest.state).in_(states)).order_by(
            col(SupplyRequest.submitted_at), col(SupplyRequest.id)
        )
    ).all()


def hide_note(session: Session, request: SupplyRequest, *, by: UUID, now: datetime) -> None:
    """Nobody reads the request's note any more."""
    request.note = ""
    session.add(request)
    note(session, "note hidden", request, now=now, by=by)


def record_delivered(session: Session, request_id: UUID, delivered: Mapping[UUID, int], *, now: datetime) -> None:
    """Learn how many complete items each line has by now; the request is fulfilled when all lines have theirs."""
    request = session.get(SupplyRequest, request_id)
    if request is None:
        raise NotFound
    complete = all(delivered.get(line.id, 0) >= line.quantity for line in lines_of(session, request_id))
    if complete and request.state is RequestState.ACCEPTED:
        move(session, request, RequestState.FULFILLED, now=now)


def lines_of(session: Session, request_id: UUID) -> Sequence[RequestLine]:
    """The lines of a request, the earliest deadline first."""
    mine = select(RequestLine).where(RequestLine.request_id == request_id)
    return session.exec(mine.order_by(col(RequestLine.needed_by), col(RequestLine.id))).all()


def change_facility(session: Session, source: UUID, target: UUID, only: Collection[UUID] | None = None) -> list[UUID]:
    """Let the requests of one facility be those of another; returns their keys. Only the merge of two calls this."""
    return repoint(session, SupplyRequest.facility_id, source, target, only)


def _sent_before(session: Session, new: NewRequest) -> SupplyRequest | None:
    """The request that this form made when it was sent before; somebody else's form is `NotFound`."""
    request = session.exec(select(SupplyRequest).where(SupplyRequest.form_key == new.form_key)).first()
    if request is not None and (request.facility_id, request.requested_by) != (new.facility_id, new.requested_by):
        raise NotFound
    return request
