"""Persons, organisations and memberships are made known, and passwords hold what they promise."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from passlib.hash import argon2  # type: ignore[import-untyped]
from sqlmodel import select

from makerhub.db import Database, Session
from makerhub.errors import Invalid
from makerhub.people import service
from makerhub.people.models import BrowserSession, Organisation, OrganisationKind, Person, Role

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


def a_person(session: Session, email: str = "ada@example.org", password: str | None = None) -> Person:
    return service.create_person(session, email=email, name="Ada", now=NOW, password=password)


def an_organisation(session: Session, kind: OrganisationKind, name: str) -> Organisation:
    return service.create_organisation(session, kind=kind, name=name, time_zone="Europe/Berlin")


def test_a_person_can_be_read_after_the_session_has_ended(database: Database) -> None:
    with database.changing() as session:
        person = a_person(session)
        hub = an_organisation(session, OrganisationKind.HUB, "North")
        service.add_membership(session, person, hub, Role.MAKER, now=NOW)
    assert service.roles_of(person) == {Role.MAKER}


def test_an_address_is_kept_in_one_spelling_and_is_unique(database: Database) -> None:
    with database.changing() as session:
        assert a_person(session, " Ada@Example.ORG ").email == "ada@example.org"
        assert service.find_by_email(session, "ADA@example.org") is not None
        with pytest.raises(Invalid) as refused:
            a_person(session, "ada@EXAMPLE.org")
        assert refused.value.fields.keys() == {"email"}


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@", "@example.org", "ada@example", "a da@example.org", "ada@example.org\n,b@c.de"]
)
def test_what_is_no_address_is_refused(database: Database, email: str) -> None:
    with database.changing() as session, pytest.raises(Invalid) as refused:
        a_person(session, email)
    assert refused.value.fields.keys() == {"email"}


def test_names_and_time_zones_are_checked(database: Database) -> None:
    with database.changing() as session:
        with pytest.raises(Invalid, check=lambda error: "name" in error.fields):
            service.create_person(session, email="ada@example.org", name=" ", now=NOW)
        with pytest.raises(Invalid, check=lambda error: "time_zone" in error.fields):
            service.create_person(session, email="ada@example.org", name="Ada", now=NOW, time_zone="Mars/Base")
        with pytest.raises(Invalid, check=lambda error: "time_zone" in error.fields):
            service.create_organisation(session, kind=OrganisationKind.HUB, name="North", time_zone="")


@pytest.mark.parametrize(("length", "fits"), [(11, False), (12, True), (200, True), (201, False)])
def test_a_password_has_12_to_200_characters(length: int, fits: bool) -> None:
    if fits:
        assert argon2.verify("x" * length, service.hash_password("x" * length))
    else:
        with pytest.raises(Invalid, check=lambda error: "password" in error.fields):
            service.hash_password("x" * length)


def test_a_password_is_kept_as_argon2id(database: Database) -> None:
    with database.changing() as session:
        assert (a_person(session, password=PASSWORD).password or "").startswith("$argon2id$")


def test_a_membership_is_held_once(database: Database) -> None:
    with database.changing() as session:
        person = a_person(session)
        hub = an_organisation(session, OrganisationKind.HUB, "North")
        first = service.add_membership(session, person, hub, Role.MAKER, now=NOW)
        assert service.add_membership(session, person, hub, Role.MAKER, now=NOW).id == first.id
        assert service.add_membership(session, person, hub, Role.COURIER, now=NOW).id != first.id
        assert len(person.roles) == 2


def test_facilities_and_hubs_are_those_of_the_role(database: Database) -> None:
    with database.changing() as session:
        person = a_person(session)
        hub, other_hub = (an_organisation(session, OrganisationKind.HUB, name) for name in ("North", "South"))
        home = an_organisation(session, OrganisationKind.CARE_HOME, "Home")
        hospital = an_organisation(session, OrganisationKind.HOSPITAL, "General")
        an_organisation(session, OrganisationKind.HOSPITAL, "Not mine")
        for organisation, role in (
            (hub, Role.MAKER),
            (other_hub, Role.DISPATCHER),
            (home, Role.REQUESTER),
            (hospital, Role.REQUESTER),
        ):
            service.add_membership(session, person, organisation, role, now=NOW)
        assert service.facilities_of(session, person) == [hospital, home]
        assert service.hubs_of(session, person) == [hub, other_hub]
        assert service.hubs_of(session, person, Role.DISPATCHER) == [other_hub]


def a_sign_in(session: Session, person: Person, name: str, expires_at: datetime) -> None:
    session.add(BrowserSession(id=name, person_id=person.id, created_at=NOW, seen_at=NOW, expires_at=expires_at))


@pytest.mark.parametrize(
    "end", [lambda s, p: service.set_password(s, p, PASSWORD, now=NOW), partial(service.disable, now=NOW)]
)
def test_a_new_password_and_disabling_end_all_sign_ins_of_that_person_alone(database: Database, end) -> None:  # type: ignore[no-untyped-def]
    with database.changing() as session:
        ada, bob = a_person(session), a_person(session, "bob@example.org")
        for person, name in ((ada, "a1"), (ada, "a2"), (bob, "b1")):
            a_sign_in(session, person, name, NOW + timedelta(days=1))
        before = ada.fs_uniquifier
        session.flush()
        end(session, ada)
        assert [row.id for row in session.exec(select(BrowserSession))] == ["b1"]
        assert ada.fs_uniquifier != before


def test_expired_sign_ins_are_forgotten(database: Database) -> None:
    with database.changing() as session:
        ada = a_person(session)
        a_sign_in(session, ada, "old", NOW)
        a_sign_in(session, ada, "new", NOW + timedelta(seconds=1))
        session.flush()
        assert service.forget_expired_sign_ins(session, NOW) == 1
        assert [row.id for row in session.exec(select(BrowserSession))] == ["new"]
