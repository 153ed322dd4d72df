"""A small network of people and places, as the demo and the tests use it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from makerhub.designs.approvals import Decision, Scope, decide
from makerhub.designs.models import ApprovalState
from makerhub.designs.service import published
from makerhub.facilities import service as facilities
from makerhub.facilities.models import CallOutcome, RegisterEntry
from makerhub.hubs import service as hubs
from makerhub.people import service as people
from makerhub.people.models import Organisation, OrganisationKind, Person, Role
from makerhub.places.names import key_of, postcode_key

PASSWORD = "makerhub-demo-only"  # noqa: S105 (shown to everybody who runs the demo; accounts exist in its database alone)


EVIDENCE_DAYS = 365
EVIDENCE = "This is a demonstration: nobody has tested anything."


@dataclass(frozen=True)
class Network:
    """A hub, two facilities, and one person for each role (three makers)."""

    hub: Organisation
    hospital: Organisation
    care_home: Organisation
    nurse: Person
    manager: Person
    makers: tuple[Person, ...]
    dispatcher: Person
    courier: Person
    reviewer: Person
    admin: Person

    @property
    def sign_ins(self) -> Mapping[str, Person]:
        """Whom to sign in as, to see which pages."""
        return {
            "requester (hospital)": self.nurse,
            "requester (care home)": self.manager,
            **{f"maker {number}": maker for number, maker in enumerate(self.makers, start=1)},
            "dispatcher": self.dispatcher,
            "courier": self.courier,
            "reviewer": self.reviewer,
            "admin": self.admin,
        }


def review_all(session: Session, network: Network, now: datetime) -> None:
    """Let the reviewer pass every published version for the hub: its hospital may not ask for prototypes."""
    decision = Decision(Scope(hub_id=network.hub.id), ApprovalState.COMMUNITY_REVIEWED, EVIDENCE, now)
    for version in published(session):
        decide(session, version, decision, by=network.reviewer.id, now=now)


def settle(session: Session, time_zone: str, now: datetime) -> Network:
    """Make the network's people and places known to an empty hub."""

    def place(kind: OrganisationKind, name: str, where: str, entrance: str) -> Organisation:
        return people.create_organisation(
            session, kind=kind, name=name, place=where, entrance=entrance, time_zone=time_zone
        )

    def person(name: str, role: Role, organisation: Organisation) -> Person:
        email = f"{name.split()[0].lower()}@demo.example"
        created = people.create_person(session, email=email, name=name, password=PASSWORD, now=now)
        people.add_membership(session, created, organisation, role, now=now)
        return created

    hub = place(OrganisationKind.HUB, "Riverside Makers", "12 Mill Lane, Riverside", "The blue door in the yard.")
    hospital = place(
        OrganisationKind.HOSPITAL, "St Anne's Hospital", "1 Hill Road, Riverside", "Deliveries: back entrance, bay 2."
    )
    care_home = place(
        OrganisationKind.CARE_HOME, "Willow Court", "8 Orchard Close, Riverside", "Ring the bell, wait outside."
    )
    network = Network(
        hub=hub,
        hospital=hospital,
        care_home=care_home,
        nurse=person("Nadia Osei", Role.REQUESTER, hospital),
        manager=person("Carol Whitfield", Role.REQUESTER, care_home),
        makers=(
            person("Mira Novak", Role.MAKER, hub),
            person("Tom Hughes", Role.MAKER, hub),
            person("Ines Duarte", Role.MAKER, hub),
        ),
        dispatcher=person("Dev Patel", Role.DISPATCHER, hub),
        courier=person("Kim Larsen", Role.COURIER, hub),
        reviewer=person("Rose Adeyemi", Role.REVIEWER, hub),
        admin=person("Ada Bello", Role.ADMIN, hub),
    )
    _describe(session, network, now)
    for facility, telephone in ((hospital, "020 7946 0101"), (care_home, "020 7946 0102")):
        _prove(session, facility, telephone, network.dispatcher, now)
    return network


def _describe(session: Session, network: Network, now: datetime) -> None:
    """What the hub says of itself, and when and where its facilities take deliveries."""
    told = hubs.Told(
        name=network.hub.name,
        area="Riverside, Kingston and Surbiton",
        about="We make face shields and ear savers for the homes along the river, and show new makers how.",
        place=network.hub.place,
        postcode="KT1",
        entrance=network.hub.entrance,
        opening_hours="Drop-off Monday to Friday 17:00 to 19:00, Saturday 10:00 to 13:00",
        chat_links=["https://chat.example.org/riverside-makers"],
        shows_address=True,
    )
    profile = hubs.profile_for(session, network.hub, now=now, by=network.admin.id)
    hubs.describe(session, profile, told, by=network.admin.id, now=now)
    for facility, postcode, opening_hours in (
        (network.hospital, "KT2", "Goods in: every day 7:00 to 20:00"),
        (network.care_home, "KT5", "Every day 9:00 to 18:00, please not between 12:00 and 13:00"),
    ):
        facilities.describe(
            session,
            facility,
            name=facility.name,
            place=facility.place,
            postcode=postcode,
            entrance=facility.entrance,
            opening_hours=opening_hours,
            now=now,
        )


def _prove(session: Session, facility: Organisation, telephone: str, by: Person, now: datetime) -> None:
    """The dispatcher found the facility in a register of the demo's own, called the number there, and was answered."""
    entry = RegisterEntry(
        source="demo",
        code=f"D{telephone[-4:]}",
        name=facility.name,
        name_key=key_of(facility.name),
        address=facility.place,
        postcode=facility.postcode,
        postcode_key=postcode_key(facility.postcode),
        kind=facility.kind,
        telephone=telephone,
    )
    session.add(entry)
    session.flush()
    facilities.match_register(session, facility, entry, days=EVIDENCE_DAYS, by=by.id, now=now)
    facilities.record_call(
        session, facility, CallOutcome.CONFIRMED, note="A demonstration.", days=EVIDENCE_DAYS, by=by.id, now=now
    )
