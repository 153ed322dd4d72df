"""The use cases of hubs: describing one, letting it sleep and waking it, finding the nearest, and joining."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.audit.service import note
from makerhub.errors import Invalid, translatable
from makerhub.hubs.letters import NEWS_OF
from makerhub.hubs.models import HubProfile, HubState, MakerCell
from makerhub.lifecycle import begin, move
from makerhub.notices.letters import Post
from makerhub.people import service as people
from makerhub.people.home_models import MakerSettings
from makerhub.people.joining import accept_join, ask_to_join
from makerhub.people.letters import write
from makerhub.people.models import JoinRequest, Membership, Organisation, Person, Role
from makerhub.places import cells
from makerhub.places.distance import Point, kilometres
from makerhub.places.service import has_places

JOINABLE = (Role.MAKER, Role.COURIER, Role.HELPER)
FREELY = (Role.MAKER, Role.HELPER)
"""Roles that a hub may give without asking. Couriers see where others live and work, so they always wait."""

MOST_LINKS = 5
LONGEST_LINK = 300
LONGEST_AREA = 200
LONGEST_ABOUT = 600
LONGEST_LANGUAGES = 200
LONGEST_REASON = 300
TOO_LONG = translatable("This is too long.")
WELCOMING = (HubState.ACTIVE, HubState.SLEEPING)


@dataclass(frozen=True)
class Told:
    """What a hub says of itself, as it was typed."""

    name: str
    area: str
    about: str = ""
    languages: str = ""
    place: str = ""
    postcode: str = ""
    entrance: str = ""
    opening_hours: str = ""
    chat_links: Sequence[str] = ()
    joins_freely: bool = False
    shows_address: bool = False


@dataclass(frozen=True)
class Listed:
    """A hub as everybody may find it; `kilometres` is the straight line, None where either end is not known."""

    hub: Organisation
    profile: HubProfile
    kilometres: float | None = None


def change_state(
    session: Session, profile: HubProfile, after: HubState, *, why: str, post: Post, by: UUID, now: datetime
) -> None:
    """Let a hub sleep, wake it, or close it, and tell its people why.

    Raises `Invalid` without a reason. Whether a hub may be closed is for `trace.closing` to say.
    """
    require_reason(why)
    move(session, profile, after, now=now, by=by, why=why.strip(), since=now)
    hub = session.get_one(Organisation, profile.organisation_id)
    for person in members(session, hub.id):
        write(session, NEWS_OF[after], person, post, now, link=f"/hubs/{hub.id}", hub=hub.name, why=why.strip())


def profile_for(session: Session, organisation: Organisation, *, now: datetime, by: UUID | None = None) -> HubProfile:
    """The profile of a hub; one that an administrator made known works from then on."""
    profile = profile_of(session, organisation.id)
    if profile is None:
        profile = HubProfile(organisation_id=organisation.id, since=now, state=HubState.ACTIVE)
        begin(session, profile, now=now, by=by)
    return profile


def profile_of(session: Session, organisation_id: UUID) -> HubProfile | None:
    """The profile of a hub, if it has one."""
    return session.exec(select(HubProfile).where(HubProfile.organisation_id == organisation_id)).one_or_none()


def describe(session: Session, profile: HubProfile, told: Told, *, by: UUID | None, now: datetime) -> None:
    """Write down what a hub says of itself. Raises `Invalid` with `fields`."""
    problems = problems_of(session, told)
    if problems:
        raise Invalid(fields=problems)
    organisation = session.get_one(Organisation, profile.organisation_id)
    people.describe(
        session,
        organisation,
        name=told.name,
        place=told.place,
        postcode=told.postcode,
        entrance=told.entrance,
        opening_hours=told.opening_hours,
    )
    profile.area, profile.about, profile.languages = told.area.strip(), told.about.strip(), told.languages.strip()
    profile.chat_links = [link.strip() for link in told.chat_links if link.strip()]
    profile.joins_freely, profile.shows_address = told.joins_freely, told.shows_address
    session.add(profile)
    note(session, "described", profile, now=now, by=by)


def hide_words(session: Session, profile: HubProfile, *, by: UUID, now: datetime) -> None:
    """Show nothing more of what the hub says of itself, its links included; its name and area stay."""
    profile.about, profile.chat_links = "", []
    session.add(profile)
    note(session, "texts hidden", profile, now=now, by=by)


def near(session: Session, point: Point | None) -> list[Listed]:
    """The hubs that can be joined, the nearest first; those of which nobody knows where they are come last, by name."""
    found = [
        Listed(hub, profile, kilometres(point, at) if point and (at := place_of(hub)) else None)
        for hub, profile in session.exec(
            select(Organisation, HubProfile)
            .join(HubProfile, col(HubProfile.organisation_id) == Organisation.id)
            .where(col(HubProfile.state).in_(WELCOMING))
        )
    ]
    return sorted(found, key=lambda one: (one.kilometres is None, one.kilometres or 0, one.hub.name, str(one.hub.id)))


def place_of(hub: Organisation) -> Point | None:
    """Where a hub is on the map: the middle of its postcode, to a kilometre, and never its door."""
    return None if hub.latitude is None or hub.longitude is None else Point(hub.latitude, hub.longitude).rounded()


def resting(session: Session) -> frozenset[UUID]:
    """The hubs that take no requests now: proposed, asleep, closed or declined."""
    others = select(HubProfile.organisation_id).where(HubProfile.state != HubState.ACTIVE)
    return frozenset(session.exec(others))


def join(
    session: Session,
    person: Person,
    profile: HubProfile,
    role: Role,
    *,
    message: str = "",
    place: str = "",
    now: datetime,
) -> JoinRequest:
    """Ask to join a hub, or join at once where it lets makers and helpers. Of `place` only a coarse cell is kept.

    Raises `Invalid`.
    """
    if role not in JOINABLE:
        raise Invalid(fields={"role": translatable("Choose what you want to do.")})
    if profile.state not in WELCOMING:
        raise Invalid(translatable("This hub can not be joined now."))
    point = people.point_of(session, place)
    if place.strip() and point is None:
        raise Invalid(fields={"place": translatable("We do not know this place. Leave it empty, or try another.")})
    hub = session.get_one(Organisation, profile.organisation_id)
    asked = ask_to_join(session, person, hub, role, message=message, now=now)
    if role is Role.MAKER and point is not None:
        keep_cell(session, person.id, point)
    if profile.joins_freely and role in FREELY:
        accept_join(session, asked, by=person.id, now=now, why="the hub lets everybody in")
    return asked


def keep_cell(session: Session, person_id: UUID, point: Point) -> None:
    """Keep in which cell of the map a maker is, and nothing finer."""
    session.merge(MakerCell(person_id=person_id, cell=cells.cell_at(point)))
    session.flush()


def forget_cell(session: Session, person_id: UUID) -> None:
    """Be on no map any more."""
    mine = session.get(MakerCell, person_id)
    if mine is not None:
        session.delete(mine)
        session.flush()


def is_on_map(session: Session, person_id: UUID) -> bool:
    """Whether the person is counted in a cell of the map."""
    return session.get(MakerCell, person_id) is not None


def makers_by_cell(session: Session) -> Mapping[str, int]:
    """How many makers are in each cell that may be shown: none with fewer than five."""
    makers = (
        select(MakerCell.cell)
        .join(Person, col(Person.id) == MakerCell.person_id)
        .join(Membership, col(Membership.person_id) == MakerCell.person_id)
        .join(MakerSettings, col(MakerSettings.person_id) == MakerCell.person_id, isouter=True)
        .where(Membership.role == Role.MAKER, col(Membership.suspended).is_(False))
        .where(col(Person.active), col(MakerSettings.hidden_since).is_(None))
        .group_by(col(MakerCell.person_id), col(MakerCell.cell))
    )
    return cells.shown(session.exec(makers).all())


def members(session: Session, hub_id: UUID) -> Sequence[Person]:
    """Everybody who has a role at the hub and may sign in, by name."""
    here = select(Membership.person_id).where(
        Membership.organisation_id == hub_id, col(Membership.suspended).is_(False)
    )
    people_here = select(Person).where(col(Person.id).in_(here), col(Person.active))
    return session.exec(people_here.order_by(col(Person.name), col(Person.id))).all()


def require_reason(why: str) -> None:
    """Raises `Invalid` where nobody would learn why, or where it is too long for a mail's line or two."""
    if not why.strip():
        raise Invalid(fields={"why": translatable("Say why: the people whom it concerns read it.")})
    if len(why.strip()) > LONGEST_REASON:
        raise Invalid(fields={"why": translatable("Keep it under 300 letters.")})


def problems_of(session: Session, told: Told) -> dict[str, str]:
    """What a hub can not say of itself, a sentence a field."""
    links = [link.strip() for link in told.chat_links if link.strip()]
    problems = {}
    if not told.area.strip():
        problems["area"] = translatable("Say which area the hub serves, such as “Kingston and Surbiton”.")
    longest = {"area": LONGEST_AREA, "about": LONGEST_ABOUT, "languages": LONGEST_LANGUAGES}
    problems |= {name: TOO_LONG for name, most in longest.items() if len(getattr(told, name)) > most}
    if told.postcode.strip() and has_places(session) and people.point_of(session, told.postcode) is None:
        problems["postcode"] = translatable("We do not find this postcode. Try its first half, such as “KT1”.")
    if len(links) > MOST_LINKS or not all(map(_is_link, links)):
        problems["chat_links"] = translatable("Enter up to five addresses that begin with https://, one a line.")
    return problems


def _is_link(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and len(text) <= LONGEST_LINK and " " not in text
