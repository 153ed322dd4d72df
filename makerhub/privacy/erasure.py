"""Erasing a person: what is under way is ended, all that names the person goes, and the chain of the lots stays.

Lots carry a reference of the maker that stood in one place beside the name, the person's row. That row gets another
reference: which lots were one maker's is still known, and whose they were is known to nobody.
"""

import logging
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from makerhub.audit.service import note
from makerhub.delivery import pickups
from makerhub.delivery import service as delivery
from makerhub.delivery.models import OPEN_PICKUPS, Pickup, PickupState, Shipment, ShipmentState
from makerhub.designs import uploads
from makerhub.designs.models import Upload, UploadState
from makerhub.lifecycle import move
from makerhub.notices import service as notices
from makerhub.people.entry_models import Invitation, InvitationState
from makerhub.people.models import Person
from makerhub.printers import agents
from makerhub.printers import service as printers
from makerhub.printers.agent_models import Agent, AgentState
from makerhub.printers.models import Printer, PrinterState
from makerhub.privacy.export import subject_of
from makerhub.privacy.register import REGISTER, Subject
from makerhub.production import service as production
from makerhub.production.models import ON_THE_PRINTER, Attempt, AttemptState
from makerhub.stock import service as stock

log = logging.getLogger(__name__)

LEFT = "the person left"
NOT_PUBLISHED = (UploadState.RECEIVED, UploadState.CHECKED, UploadState.REFUSED)


def erase(session: Session, person: Person, *, by: UUID | None, now: datetime) -> None:
    """Erase the person, in one transaction; erasing somebody again changes nothing.

    What is under way ends first, by the rules of each slice: prints count as failed, pickups are cancelled.
    """
    subject = subject_of(person)
    if subject.email == _nobodys_address(subject):
        return
    _end_pickups(session, person, now)
    _end_deliveries(session, person, now)
    _end_printing(session, person, now)
    _end_uploads(session, person, now)
    _end_invitations(session, subject, now)
    notices.withhold(session, subject.email, now=now)
    session.flush()
    note(session, "erased", person, now=now, by=by)
    _forget(session, subject)
    _empty(session, subject)
    session.expire_all()
    log.info("Person %s was erased by %s", subject.id, by or "the operator")


def _end_pickups(session: Session, person: Person, now: datetime) -> None:
    pickups.remove_address(session, person.id, now=now)
    given = select(Pickup).where(Pickup.courier_id == person.id, col(Pickup.state).in_(OPEN_PICKUPS))
    for pickup in session.exec(given).all():
        if pickup.state is not PickupState.ASKED:
            pickups.give_back(session, pickup, by=person.id, now=now)


def _end_deliveries(session: Session, person: Person, now: datetime) -> None:
    """What a courier carries is to be looked for at the hub again: nobody else would take it."""
    carried = select(Shipment).where(Shipment.courier_id == person.id, Shipment.state == ShipmentState.IN_TRANSIT)
    for shipment in session.exec(carried).all():
        delivery.give_back(session, shipment, why=LEFT, courier_id=person.id, now=now)


def _end_printing(session: Session, person: Person, now: datetime) -> None:
    for printer in session.exec(select(Printer).where(Printer.owner_id == person.id)).all():
        attempt = production.live_attempt(session, printer.id)
        if attempt is not None:
            _end_attempt(session, attempt, person, now)
        if printer.state is not PrinterState.RETIRED:
            printers.retire(session, printer, by=person.id, now=now)
    for agent in session.exec(select(Agent).where(Agent.owner_id == person.id)).all():
        if agent.state is AgentState.PAIRED:
            agents.revoke(session, agent, by=person.id, now=now)


def _end_attempt(session: Session, attempt: Attempt, person: Person, now: datetime) -> None:
    if attempt.state in ON_THE_PRINTER:
        production.end(session, attempt, production.Outcome(AttemptState.FAILED, LEFT), by=person.id, now=now)
    elif attempt.state is AttemptState.FINISHED:
        stock.count_print(session, attempt, good=0, by=person.id, now=now)
    else:
        production.withdraw(session, attempt, why=LEFT, now=now)


def _end_uploads(session: Session, person: Person, now: datetime) -> None:
    mine = select(Upload).where(Upload.uploaded_by == person.id, col(Upload.state).in_(NOT_PUBLISHED))
    for upload in session.exec(mine).all():
        uploads.discard(session, upload, by=person.id, now=now)


def _end_invitations(session: Session, subject: Subject, now: datetime) -> None:
    sent = select(Invitation).where(Invitation.email == subject.email, Invitation.state == InvitationState.INVITED)
    for invitation in session.exec(sent).all():
        move(session, invitation, InvitationState.REVOKED, now=now, by=subject.id, why=LEFT)


def _forget(session: Session, subject: Subject) -> None:
    """Delete and empty what the register says; rows that others refer to come last."""
    order = {table: place for place, table in enumerate(Person.metadata.sorted_tables)}
    for held in sorted(REGISTER, key=lambda held: -order[held.model.__table__]):  # type: ignore[attr-defined]
        if held.erased:
            session.execute(delete(held.model).where(held.whose(subject)), execution_options=_UNSEEN)
        elif held.blanks and held.model is not Person:
            blank = update(held.model).where(held.whose(subject)).values(**held.blanks)
            session.execute(blank, execution_options=_UNSEEN)


def _empty(session: Session, subject: Subject) -> None:
    """Leave an empty row to which all that stays points; nobody can sign in by it, or find it by an address."""
    (held,) = (held for held in REGISTER if held.model is Person)
    nobody = {"email": _nobodys_address(subject), "fs_uniquifier": uuid4().hex, "maker_reference": uuid4()}
    session.execute(
        update(Person).where(held.whose(subject)).values(**held.blanks, **nobody), execution_options=_UNSEEN
    )


def _nobodys_address(subject: Subject) -> str:
    return f"{subject.id.hex}@erased.invalid"


_UNSEEN = {"synchronize_session": False}
