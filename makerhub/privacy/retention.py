"""What is kept for how long: one list, from which the background task forgets and the public page tells.

Each rule names the setting with its period. A rule without a `forget` is carried out by a task of its own slice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import ColumnElement, CursorResult, Executable, and_, delete, or_, update
from sqlmodel import Session, col, func, select

from makerhub.config import Settings
from makerhub.delivery import pickups
from makerhub.delivery.models import AddressView, Pickup, PickupState
from makerhub.demand.models import RequestState, SupplyRequest, TelephoneCall
from makerhub.errors import translatable
from makerhub.facilities.models import CallBack, ProofCode
from makerhub.lifecycle import Transition
from makerhub.moderation.models import Report
from makerhub.people.block_models import Suspension
from makerhub.people.entry_models import Invitation, InvitationState
from makerhub.people.home_models import MakerAddress
from makerhub.people.models import JoinRequest, JoinState
from makerhub.printers.agent_models import PairingCode
from makerhub.printers.models import Observation, Printer, PrinterState

Forget = Callable[[Session, datetime, datetime], int]
"""Forget what ended before the second moment, now being the first; returns how many rows."""


@dataclass(frozen=True)
class Kept:
    """What is kept, from when its period counts, and the setting that holds it, in days or hours."""

    what: str
    since: str
    setting: str
    forget: Forget | None = None

    @property
    def is_in_hours(self) -> bool:
        """Whether the setting counts hours; else days."""
        return self.setting.endswith("_hours")

    def period(self, settings: Settings) -> int:
        """So many days or hours."""
        return cast("int", getattr(settings, self.setting))

    def ends_before(self, settings: Settings, now: datetime) -> datetime:
        """What ended before this moment is forgotten."""
        amount = self.period(settings)
        return now - (timedelta(hours=amount) if self.is_in_hours else timedelta(days=amount))


def _addresses(session: Session, now: datetime, before: datetime) -> int:
    """Unless a pickup is open; counted from the end of the last one, or from the entry where that is later."""
    old = session.exec(select(MakerAddress).where(col(MakerAddress.entered_at) <= before)).all()
    forgotten = 0
    for address in old:
        last = pickups.last_pickup_ended(session, address.person_id)
        if pickups.open_pickup(session, address.person_id) is None and (last is None or last <= before):
            forgotten += pickups.remove_address(session, address.person_id, now=now)
    return forgotten


def _views(session: Session, _: datetime, before: datetime) -> int:
    return _done(session, delete(AddressView).where(col(AddressView.at) <= before))


def _pickups(session: Session, _: datetime, before: datetime) -> int:
    ended = col(Pickup.state).in_((PickupState.COLLECTED, PickupState.CANCELLED))
    return _done(session, delete(Pickup).where(ended, col(Pickup.ended_at) <= before))


def _observations(session: Session, _: datetime, before: datetime) -> int:
    retired = select(Printer.id).where(Printer.state == PrinterState.RETIRED)
    is_over = or_(col(Observation.asked_at) <= before, col(Observation.printer_id).in_(retired))
    return _done(session, delete(Observation).where(is_over))


def _pairing_codes(session: Session, _: datetime, before: datetime) -> int:
    return _done(session, delete(PairingCode).where(col(PairingCode.expires_at) <= before))


def _invitations(session: Session, _: datetime, before: datetime) -> int:
    is_over = col(Invitation.state) != InvitationState.INVITED, col(Invitation.expires_at) <= before
    return _done(session, update(Invitation).where(*is_over, col(Invitation.email) != "").values(email=""))


def _notes(session: Session, _: datetime, before: datetime) -> int:
    is_over = _ended_before(before), col(SupplyRequest.note) != ""
    return _done(session, update(SupplyRequest).where(*is_over).values(note=""))


def _calls(session: Session, _: datetime, before: datetime) -> int:
    ended = select(SupplyRequest.id).where(_ended_before(before))
    return _done(session, delete(TelephoneCall).where(col(TelephoneCall.request_id).in_(ended)))


def _joins(session: Session, _: datetime, before: datetime) -> int:
    last = select(func.max(Transition.at)).where(
        Transition.entity == JoinRequest.__tablename__, Transition.entity_id == JoinRequest.id
    )
    answered = col(JoinRequest.state) != JoinState.ASKED
    return _done(session, delete(JoinRequest).where(answered, last.scalar_subquery() <= before))


def _proof_codes(session: Session, _: datetime, before: datetime) -> int:
    return _done(session, delete(ProofCode).where(col(ProofCode.expires_at) <= before))


def _call_notes(session: Session, _: datetime, before: datetime) -> int:
    is_over = col(CallBack.called_at) <= before, col(CallBack.note) != ""
    return _done(session, update(CallBack).where(*is_over).values(note=""))


def _ended_before(before: datetime) -> ColumnElement[bool]:
    """Requests whose last change was their end, by then."""
    last = select(func.max(Transition.at)).where(
        Transition.entity == SupplyRequest.__tablename__, Transition.entity_id == SupplyRequest.id
    )
    ended = col(SupplyRequest.state).in_((RequestState.FULFILLED, RequestState.CANCELLED, RequestState.DECLINED))
    return and_(ended, last.scalar_subquery() <= before)


def _reports(session: Session, _: datetime, before: datetime) -> int:
    reports = _done(session, delete(Report).where(col(Report.ended_at) <= before))
    return reports + _done(session, delete(Suspension).where(col(Suspension.ended_at) <= before))


def _done(session: Session, statement: Executable) -> int:
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return cast("CursorResult[object]", result).rowcount


KEPT: tuple[Kept, ...] = (
    Kept(
        translatable("Where you are signed in: browser and network address"),
        translatable("after you last used it"),
        "sign_in_hours",
    ),
    Kept(translatable("What our mails said"), translatable("after they were sent"), "mail_days"),
    Kept(
        translatable("The e-mail address of an invitation"),
        translatable("after it ended"),
        "keep_invitation_days",
        _invitations,
    ),
    Kept(
        translatable("A maker's address, under seal"),
        translatable("after the last pickup, or after it was entered"),
        "keep_address_days",
        _addresses,
    ),
    Kept(translatable("Who was shown an address"), translatable("after the look"), "keep_view_days", _views),
    Kept(
        translatable("Pickups: who asked, who came, and when"),
        translatable("after they ended"),
        "keep_pickup_days",
        _pickups,
    ),
    Kept(
        translatable("What was last heard of a printer"),
        translatable("after it was last asked; of a printer that was taken back nothing"),
        "keep_observation_days",
        _observations,
    ),
    Kept(
        translatable("Codes that pair an agent with a printer"),
        translatable("after they ran out"),
        "keep_observation_days",
        _pairing_codes,
    ),
    Kept(
        translatable("The note of a request, in which a contact may stand"),
        translatable("after the request ended"),
        "keep_note_days",
        _notes,
    ),
    Kept(
        translatable("Who asked to join a hub or a facility, and what they wrote"),
        translatable("after it was answered or taken back"),
        "keep_join_days",
        _joins,
    ),
    Kept(
        translatable("Codes that prove a facility"),
        translatable("after they ran out"),
        "keep_invitation_days",
        _proof_codes,
    ),
    Kept(
        translatable("The note of a call to a facility, in which a name may stand"),
        translatable("after the call"),
        "keep_note_days",
        _call_notes,
    ),
    Kept(
        translatable("Who asked on the telephone: name, number, mail address"),
        translatable("after the request ended"),
        "keep_call_days",
        _calls,
    ),
    Kept(
        translatable("Reports, and who was blocked at a hub and why"),
        translatable("after they ended"),
        "keep_report_days",
        _reports,
    ),
)
