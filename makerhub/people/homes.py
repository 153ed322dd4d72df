"""The use cases of a maker's home: the address, quiet hours, how pieces leave it, and hiding.

The address is sealed and opened here and nowhere else. Who may have it opened is decided by `people.disclosure`;
couriers come through `delivery.pickups`, which writes down the view first.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from makerhub.audit.service import note
from makerhub.errors import Invalid, NotFound, translatable
from makerhub.keys.box import KeyBox, place
from makerhub.people.disclosure import Home
from makerhub.people.home_models import HandingOver, MakerAddress, MakerSettings
from makerhub.people.models import Membership, Organisation, Person, Role
from makerhub.people.quiet_hours import QuietHours

SHORTEST_ADDRESS = 8
LONGEST_ADDRESS = 400


def settings_of(session: Session, person_id: UUID) -> MakerSettings:
    """What the maker has said; the defaults when nothing was."""
    return session.get(MakerSettings, person_id) or MakerSettings(person_id=person_id)


def enter_address(session: Session, person_id: UUID, text: str, key_box: KeyBox, *, now: datetime) -> MakerAddress:
    """Keep this address instead of the one before. Raises `Invalid` for one that leads nowhere."""
    lines = [" ".join(line.split()) for line in text.strip().splitlines()]
    address = "\n".join(line for line in lines if line)
    if not SHORTEST_ADDRESS <= len(address) <= LONGEST_ADDRESS:
        problem = translatable("Enter street, number and place, in 8 to 400 letters.")
        raise Invalid(fields={"address": problem})
    row = address_row(session, person_id) or MakerAddress(person_id=person_id, sealed_address=b"", entered_at=now)
    row.sealed_address = key_box.seal(address, place(MakerAddress, row.id, "sealed_address"))
    row.entered_at = now
    session.add(row)
    _note(session, person_id, "address entered", now)
    return row


def forget_address(session: Session, person_id: UUID) -> bool:
    """Delete the maker's address; returns whether there was one. Whoever has pickups open cancels them first."""
    row = address_row(session, person_id)
    if row is not None:
        session.delete(row)
        session.flush()
    return row is not None


def has_address(session: Session, person_id: UUID) -> bool:
    """Whether the maker has entered an address."""
    return address_row(session, person_id) is not None


def open_address(session: Session, person_id: UUID, key_box: KeyBox) -> str:
    """The address in the clear: for the maker, and for whoever `disclosure` lets see it. Raises `NotFound`."""
    row = address_row(session, person_id)
    if row is None:
        raise NotFound(translatable("There is no address: the maker has removed it, or never entered one."))
    return key_box.open(row.sealed_address, place(MakerAddress, row.id, "sealed_address"))


def set_quiet_hours(session: Session, person_id: UUID, quiet: QuietHours | None, *, now: datetime) -> None:
    """Leave the maker alone in these hours, or at no special hours."""
    said = settings_of(session, person_id)
    said.quiet_from, said.quiet_until = (quiet.begins, quiet.ends) if quiet else (None, None)
    session.add(said)
    _note(session, person_id, "quiet hours set", now)


def choose_handing_over(session: Session, person_id: UUID, chosen: HandingOver, *, now: datetime) -> None:
    """How the maker's pieces leave home."""
    said = settings_of(session, person_id)
    said.handing_over = chosen
    session.add(said)
    _note(session, person_id, "handing over chosen", now)


def set_hidden(session: Session, person_id: UUID, since: datetime | None, *, now: datetime) -> None:
    """Hide the maker from this moment on, or show him or her again. Pickups: see `delivery.pickups.hide`."""
    said = settings_of(session, person_id)
    said.hidden_since = since
    session.add(said)
    _note(session, person_id, "hidden" if since else "shown again", now)


def home_of(session: Session, person_id: UUID) -> Home:
    """The maker as `disclosure` wants to know."""
    made_for = Membership.person_id == person_id, Membership.role == Role.MAKER, col(Membership.suspended).is_(False)
    mine = select(Membership.organisation_id).where(*made_for)
    hubs = frozenset(session.exec(mine))
    return Home(person_id, hubs, is_hidden=settings_of(session, person_id).hidden_since is not None)


def quiet_hours_of(said: MakerSettings) -> QuietHours | None:
    """The quiet hours that the maker has set."""
    if said.quiet_from is None or said.quiet_until is None:
        return None
    return QuietHours(said.quiet_from, said.quiet_until)


def left_alone(session: Session, makers: Iterable[UUID], now: datetime) -> frozenset[UUID]:
    """Those of the makers whose quiet hours it is."""
    quiet = col(MakerSettings.person_id).in_(set(makers)), col(MakerSettings.quiet_from).is_not(None)
    return frozenset(
        said.person_id
        for said in session.exec(select(MakerSettings).where(*quiet))
        if (hours := quiet_hours_of(said)) and hours.holds(now, zone_of(session, said.person_id))
    )


def zone_of(session: Session, person_id: UUID) -> ZoneInfo:
    """The time zone that the person has chosen, else that of the first organisation by name; UTC without either."""
    mine = select(Organisation.time_zone).join(Membership, col(Membership.organisation_id) == Organisation.id)
    first = mine.where(Membership.person_id == person_id).order_by(col(Organisation.name)).limit(1)
    return ZoneInfo(session.get_one(Person, person_id).time_zone or session.exec(first).first() or "UTC")


def _note(session: Session, person_id: UUID, what: str, now: datetime) -> None:
    note(session, what, session.get_one(Person, person_id), now=now, by=person_id)


def address_row(session: Session, person_id: UUID) -> MakerAddress | None:
    """The sealed row, if there is one."""
    return session.exec(select(MakerAddress).where(MakerAddress.person_id == person_id)).one_or_none()
