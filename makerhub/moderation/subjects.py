"""What can be reported, each kind with how it is found, who is behind it, what it says, and how that is hidden."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.delivery import access as delivery_access
from makerhub.delivery.models import AddressView, Pickup, Shipment
from makerhub.demand import access as demand_access
from makerhub.demand import service as demand
from makerhub.demand.models import SupplyRequest, TelephoneCall
from makerhub.designs import access as designs_access
from makerhub.designs import uploads
from makerhub.designs.models import Upload, UploadState
from makerhub.errors import NotFound
from makerhub.hubs import service as hubs
from makerhub.hubs.models import HubProfile, HubState
from makerhub.moderation.models import Kind, Report
from makerhub.people import service as people
from makerhub.people.access import find, has_role, organisation_ids, visible
from makerhub.people.models import Organisation, OrganisationKind, Person, Role

ACCESS = (delivery_access, demand_access, designs_access)
"""Importing them states who may see which rows."""

MOST_SAID = 2000
NOT_SHOWN = (HubState.PROPOSED, HubState.DECLINED)


@dataclass(frozen=True)
class Subject:
    """A thing as whoever reports it met it: the hub whose it is, and the person behind it, where there is one."""

    kind: Kind
    thing_id: UUID
    title: str
    hub_id: UUID | None
    person_id: UUID | None = None
    said: str = ""


def subject_of(session: Session, kind: Kind, thing_id: UUID, reporter: Person) -> Subject:
    """The thing that `reporter` met. Raises `NotFound` for what he or she does not see."""
    return FOUND[kind](session, thing_id, reporter)


def can_be_hidden(session: Session, report: Report) -> bool:
    """Whether there is a text that can be hidden."""
    if report.kind is Kind.UPLOAD:
        upload = session.get(Upload, report.thing_id)
        return upload is not None and upload.state in (UploadState.CHECKED, UploadState.REFUSED)
    return report.kind in HIDDEN


def hide(session: Session, report: Report, *, by: UUID, now: datetime) -> None:
    """Hide what the thing says from everybody; what it is for goes on."""
    HIDDEN[report.kind](session, report.thing_id, by, now)


def _request(session: Session, thing_id: UUID, reporter: Person) -> Subject:
    request = find(session, reporter, SupplyRequest, thing_id)
    facility = session.get_one(Organisation, request.facility_id)
    return Subject(Kind.REQUEST, request.id, facility.name, request.hub_id, _asker(session, request), request.note)


def _asker(session: Session, request: SupplyRequest) -> UUID | None:
    """Whoever asked; nobody who can sign in where it was on the telephone."""
    call = session.exec(select(TelephoneCall.id).where(TelephoneCall.request_id == request.id)).first()
    return request.requested_by if call is None else None


def _facility(session: Session, thing_id: UUID, reporter: Person) -> Subject:
    facility = find(session, reporter, Organisation, thing_id)
    if facility.kind is OrganisationKind.HUB:
        raise NotFound
    asked = visible(reporter, SupplyRequest).where(SupplyRequest.facility_id == facility.id)
    last = session.exec(asked.order_by(col(SupplyRequest.submitted_at).desc())).first()
    said = _lines(facility.name, facility.place, facility.entrance, facility.opening_hours)
    return Subject(Kind.FACILITY, facility.id, facility.name, last.hub_id if last else None, None, said)


def _shipment(session: Session, thing_id: UUID, reporter: Person) -> Subject:
    """To the courier the person behind it is whoever asked for it, to everybody else the courier."""
    shipment = find(session, reporter, Shipment, thing_id)
    facility = session.get_one(Organisation, shipment.facility_id)
    is_courier = reporter.id == shipment.courier_id or shipment.hub_id in organisation_ids(reporter, Role.COURIER)
    request = session.get_one(SupplyRequest, shipment.request_id)
    person_id = _asker(session, request) if is_courier else shipment.courier_id
    return Subject(Kind.SHIPMENT, shipment.id, facility.name, shipment.hub_id, person_id)


def _pickup(session: Session, thing_id: UUID, reporter: Person) -> Subject:
    """To the maker the person behind it is the courier, to everybody else the maker."""
    pickup = find(session, reporter, Pickup, thing_id)
    hub = session.get_one(Organisation, pickup.hub_id)
    is_maker = reporter.id == pickup.maker_id
    person_id = (pickup.courier_id or _last_viewer(session, pickup)) if is_maker else pickup.maker_id
    return Subject(Kind.PICKUP, pickup.id, hub.name, pickup.hub_id, person_id)


def _last_viewer(session: Session, pickup: Pickup) -> UUID | None:
    """The courier who was shown the address, and may have given the pickup back since."""
    seen = select(AddressView.viewer_id).where(AddressView.pickup_id == pickup.id)
    return session.exec(seen.order_by(col(AddressView.at).desc())).first()


def _upload(session: Session, thing_id: UUID, reporter: Person) -> Subject:
    upload = find(session, reporter, Upload, thing_id)
    told = {name: str(upload.findings.get(name, "")) for name in ("name", "function", "licensor", "repo")}
    title = told["name"] or upload.file_name
    return Subject(Kind.UPLOAD, upload.id, title[:200], upload.hub_id, upload.uploaded_by, _lines(*told.values()))


def _hub(session: Session, thing_id: UUID, _reporter: Person) -> Subject:
    """What a hub says of itself is its dispatchers' doing: no hub of its own decides about it."""
    hub, profile = session.get(Organisation, thing_id), hubs.profile_of(session, thing_id)
    if hub is None or profile is None or profile.state in NOT_SHOWN:
        raise NotFound
    said = _lines(hub.name, profile.area, profile.about, *profile.chat_links)
    return Subject(Kind.HUB, hub.id, hub.name, None, None, said)


FOUND: Mapping[Kind, Callable[[Session, UUID, Person], Subject]] = {
    Kind.REQUEST: _request,
    Kind.FACILITY: _facility,
    Kind.SHIPMENT: _shipment,
    Kind.PICKUP: _pickup,
    Kind.UPLOAD: _upload,
    Kind.HUB: _hub,
}


def _hide_request(session: Session, thing_id: UUID, by: UUID, now: datetime) -> None:
    demand.hide_note(session, session.get_one(SupplyRequest, thing_id), by=by, now=now)


def _hide_facility(session: Session, thing_id: UUID, by: UUID, now: datetime) -> None:
    people.hide_words(session, session.get_one(Organisation, thing_id), by=by, now=now)


def _hide_upload(session: Session, thing_id: UUID, by: UUID, now: datetime) -> None:
    uploads.discard(session, session.get_one(Upload, thing_id), by=by, now=now)


def _hide_hub(session: Session, thing_id: UUID, by: UUID, now: datetime) -> None:
    profile = session.exec(select(HubProfile).where(HubProfile.organisation_id == thing_id)).one()
    hubs.hide_words(session, profile, by=by, now=now)


HIDDEN: Mapping[Kind, Callable[[Session, UUID, UUID, datetime], None]] = {
    Kind.REQUEST: _hide_request,
    Kind.FACILITY: _hide_facility,
    Kind.UPLOAD: _hide_upload,
    Kind.HUB: _hide_hub,
}


def is_for_administrators(subject: Subject, person: Person | None) -> bool:
    """Whether nobody of the hub may decide: it is about one of its dispatchers, an administrator, or no hub's."""
    if subject.hub_id is None:
        return True
    if person is None:
        return False
    return has_role(person, Role.ADMIN) or subject.hub_id in organisation_ids(person, Role.DISPATCHER)


def _lines(*texts: str) -> str:
    return "\n".join(text for text in texts if text)[:MOST_SAID]
