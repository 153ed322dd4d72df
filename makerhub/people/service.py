"""Use cases of people: making persons and organisations known, their memberships, passwords and browser sessions."""

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import cast
from uuid import UUID, uuid4
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email
from passlib.hash import argon2  # type: ignore[import-untyped]
from sqlalchemy import delete
from sqlmodel import Session, col, select

from makerhub.audit.service import note
from makerhub.errors import Invalid, translatable
from makerhub.people.block_models import Suspension, SuspensionState
from makerhub.people.models import BrowserSession, JoinRequest, Membership, Organisation, OrganisationKind, Person, Role
from makerhub.people.repointing import repoint
from makerhub.places.distance import Point
from makerhub.places.service import find as find_place

LONGEST_NAME = 200
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 200

argon2.set_backend()  # now: loading it at the first use is not safe where two threads come first at once


def create_person(
    session: Session,
    *,
    email: str,
    name: str,
    now: datetime,
    password: str | None = None,
    language: str = "",
    time_zone: str = "",
) -> Person:
    """Make a person known. Without a password the person can not sign in by password.

    Raises `Invalid` with `fields` for an address that is none or is taken, an empty name, a weak password or an
    unknown time zone.
    """
    email = normal_email(email)
    _require_name(name)
    _require(not time_zone or time_zone in available_timezones(), time_zone=translatable("There is no such time zone."))
    _require(find_by_email(session, email) is None, email=translatable("This e-mail address is taken."))
    person = Person(
        email=email,
        name=name.strip(),
        password=None if password is None else hash_password(password),
        language=language,
        time_zone=time_zone,
        created_at=now,
    )
    session.add(person)
    session.flush()
    session.refresh(person, ["roles"])  # so that it can be read after the session has ended
    return person


def create_organisation(
    session: Session, *, kind: OrganisationKind, name: str, place: str = "", entrance: str = "", time_zone: str
) -> Organisation:
    """Make a hospital, a care home or a hub known. Raises `Invalid` for an empty name or an unknown time zone."""
    _require_name(name)
    _require(time_zone in available_timezones(), time_zone=translatable("There is no such time zone."))
    organisation = Organisation(kind=kind, name=name.strip(), place=place, entrance=entrance, time_zone=time_zone)
    session.add(organisation)
    session.flush()
    return organisation


def describe(
    session: Session,
    organisation: Organisation,
    *,
    name: str,
    place: str,
    postcode: str,
    entrance: str,
    opening_hours: str,
) -> None:
    """Write down where an organisation is and how a delivery gets in; the point is that of the postcode.

    Raises `Invalid` with `fields` for an empty name or a text that is too long.
    """
    _require_name(name)
    longest = {"place": 200, "postcode": 16, "entrance": 500, "opening_hours": 300}
    given = {"place": place, "postcode": postcode, "entrance": entrance, "opening_hours": opening_hours}
    too_long = {field: translatable("This is too long.") for field, text in given.items() if len(text) > longest[field]}
    if too_long:
        raise Invalid(fields=too_long)
    point = point_of(session, postcode)
    organisation.name = name.strip()
    organisation.place, organisation.postcode = place.strip(), postcode.strip()
    organisation.entrance, organisation.opening_hours = entrance.strip(), opening_hours.strip()
    organisation.latitude, organisation.longitude = (point.latitude, point.longitude) if point else (None, None)
    session.add(organisation)
    session.flush()


def hide_words(session: Session, organisation: Organisation, *, by: UUID, now: datetime) -> None:
    """Show nothing more of what was typed for deliveries: entrance and opening hours."""
    organisation.entrance = organisation.opening_hours = ""
    session.add(organisation)
    note(session, "texts hidden", organisation, now=now, by=by)


def point_of(session: Session, postcode: str) -> Point | None:
    """Where a postcode or a place is, to a kilometre; None where nothing, or several, are called so."""
    found = find_place(session, postcode) if postcode.strip() else []
    return found[0].point.rounded() if len(found) == 1 else None


def add_membership(
    session: Session, person: Person, organisation: Organisation, role: Role, *, now: datetime, by: UUID | None = None
) -> Membership:
    """Give `person` the `role` in `organisation`; a role that is held already stays as it is.

    It rests as long as the person is kept out of there.
    """
    held = select(Membership).where(
        Membership.person_id == person.id,
        Membership.organisation_id == organisation.id,
        Membership.role == role,
    )
    membership = session.exec(held).one_or_none()
    if membership is None:
        rests = _is_kept_out(session, person.id, organisation.id)
        membership = Membership(person_id=person.id, organisation_id=organisation.id, role=role, suspended=rests)
        session.add(membership)
        note(session, "role given", membership, now=now, by=by, why=f"{role.value} of {person.id} at {organisation.id}")
        session.refresh(person, ["roles"])
    return membership


def offer_pickup(session: Session, place: Organisation, offers: bool, *, by: UUID, now: datetime) -> None:
    """Let makers of a hub ask for couriers, or no more; what was asked for stays."""
    place.offers_pickup = offers
    session.add(place)
    note(session, "pickups offered" if offers else "pickups offered no more", place, now=now, by=by)


def members_of(session: Session, organisation_id: UUID, role: Role) -> Sequence[Person]:
    """Those who have a role in an organisation that does not rest, and can sign in, by name."""
    held = Membership.organisation_id == organisation_id, Membership.role == role, col(Membership.suspended).is_(False)
    members = select(Person).join(Membership, col(Membership.person_id) == Person.id).where(*held, col(Person.active))
    return session.exec(members.order_by(col(Person.name), col(Person.id))).all()


def take_membership(session: Session, membership: Membership, *, now: datetime, by: UUID | None = None) -> None:
    """Take a role back."""
    why = f"{membership.role.value} of {membership.person_id} at {membership.organisation_id}"
    note(session, "role taken", membership, now=now, by=by, why=why)
    session.delete(membership)


def move_members(session: Session, source: UUID, target: UUID, only: Collection[UUID] | None = None) -> list[UUID]:
    """Let the people of one organisation be of another; returns the keys of their memberships.

    Who has the same role in both keeps both. Only the merge of two organisations calls this.
    """
    there_now = select(Membership).where(Membership.organisation_id == target)
    there = {(one.person_id, one.role) for one in session.exec(there_now)}
    mine = session.exec(select(Membership).where(Membership.organisation_id == source)).all()
    free = {one.id for one in mine if (one.person_id, one.role) not in there and (only is None or one.id in only)}
    return repoint(session, Membership.organisation_id, source, target, free)


def move_join_requests(
    session: Session, source: UUID, target: UUID, only: Collection[UUID] | None = None
) -> list[UUID]:
    """The same for those who want to join."""
    return repoint(session, JoinRequest.organisation_id, source, target, only)


def mark_merged(session: Session, organisation_id: UUID, into: UUID | None) -> None:
    """Write down that all of an organisation belongs to another now, or no longer."""
    organisation = session.get_one(Organisation, organisation_id)
    organisation.merged_into = into
    session.add(organisation)
    session.flush()


def roles_of(person: Person) -> frozenset[Role]:
    """All roles that `person` has, wherever."""
    return frozenset(membership.role for membership in person.roles)


def facilities_of(session: Session, person: Person) -> list[Organisation]:
    """The hospitals and care homes for which `person` may ask, by name."""
    return _organisations(session, person, (OrganisationKind.HOSPITAL, OrganisationKind.CARE_HOME), (Role.REQUESTER,))


def hubs_of(session: Session, person: Person, *roles: Role) -> list[Organisation]:
    """The hubs in which `person` has one of `roles` (any role, when none is given), by name."""
    return _organisations(session, person, (OrganisationKind.HUB,), roles or tuple(Role))


def find_by_email(session: Session, email: str) -> Person | None:
    """The person with this e-mail address, in whatever case it is typed."""
    return session.exec(select(Person).where(Person.email == email.strip().lower())).one_or_none()


def set_language(session: Session, person: Person, language: str) -> None:
    """Speak to `person` in this language from now on."""
    person.language = language
    session.add(person)


def set_password(session: Session, person: Person, password: str, *, now: datetime) -> None:
    """Give `person` a new password and end every sign-in that the old one opened. Raises `Invalid`."""
    person.password = hash_password(password)
    end_sign_ins(session, person)
    note(session, "password changed", person, now=now, by=person.id)


def is_password_of(person: Person, password: str) -> bool:
    """Whether this is the person's password; it takes a tenth of a second, on purpose."""
    if person.password is None or len(password) > LONGEST_PASSWORD:
        return False
    return cast("bool", argon2.verify(unicodedata.normalize("NFKD", password), person.password))


def disable(session: Session, person: Person, *, now: datetime, by: UUID | None = None, why: str = "") -> None:
    """Let `person` sign in no more, from now on; what they made and asked for stays."""
    person.active = False
    end_sign_ins(session, person)
    note(session, "disabled", person, now=now, by=by, why=why)


def enable(session: Session, person: Person, *, now: datetime, by: UUID | None = None, why: str = "") -> None:
    """Let `person` sign in again."""
    person.active = True
    session.add(person)
    note(session, "enabled", person, now=now, by=by, why=why)


def end_sign_ins(session: Session, person: Person) -> None:
    """End every sign-in of `person`, on all devices.

    Two locks: the rows are gone, and what a request under way may still write names a dead `fs_uniquifier`.
    """
    person.fs_uniquifier = uuid4().hex
    session.add(person)
    session.flush()
    session.execute(delete(BrowserSession).where(col(BrowserSession.person_id) == person.id))


def forget_expired_sign_ins(session: Session, now: datetime) -> int:
    """Delete the browser sessions that ran out; returns how many there were."""
    forgotten = session.execute(delete(BrowserSession).where(col(BrowserSession.expires_at) <= now))
    return cast("int", forgotten.rowcount)  # type: ignore[attr-defined]


def normal_email(text: str) -> str:
    """The address as it is stored: domain in IDNA, all in lower case. Raises `Invalid` when it is no address."""
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise _invalid(email=translatable("Enter an e-mail address, like name@example.org.")) from error


def hash_password(password: str) -> str:
    """The argon2id hash of a password of 12 to 200 characters, in NFKD as the sign-in compares it. Raises `Invalid`."""
    _require(len(password) >= SHORTEST_PASSWORD, password=translatable("Use at least 12 characters."))
    _require(len(password) <= LONGEST_PASSWORD, password=translatable("Use at most 200 characters."))
    return cast("str", argon2.hash(unicodedata.normalize("NFKD", password)))


def _is_kept_out(session: Session, person_id: UUID, organisation_id: UUID) -> bool:
    held = select(Suspension.id).where(
        Suspension.person_id == person_id,
        Suspension.hub_id == organisation_id,
        Suspension.state == SuspensionState.HOLDS,
    )
    return session.exec(held).first() is not None


def _organisations(
    session: Session, person: Person, kinds: Iterable[OrganisationKind], roles: Iterable[Role]
) -> list[Organisation]:
    member_of: frozenset[UUID] = frozenset(m.organisation_id for m in person.roles if m.role in roles)
    mine = select(Organisation).where(
        col(Organisation.id).in_(member_of), col(Organisation.kind).in_(kinds), col(Organisation.merged_into).is_(None)
    )
    return list(session.exec(mine.order_by(col(Organisation.name), col(Organisation.id))))


def _require_name(name: str) -> None:
    _require(bool(name.strip()), name=translatable("Enter a name."))
    _require(len(name.strip()) <= LONGEST_NAME, name=translatable("Keep the name under 200 letters."))


def _require(holds: bool, **field: str) -> None:
    if not holds:
        raise _invalid(**field)


def _invalid(**field: str) -> Invalid:
    return Invalid(fields=field)
