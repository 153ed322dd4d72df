"""Proving a facility step by step: registers, calls, letters, mail, and what is taken back."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from builders import NOW, World, at_once, later, organisation, person
from sqlmodel import Session, select

from makerhub.db import Database
from makerhub.errors import IllegalMove, Invalid
from makerhub.facilities import registers, service
from makerhub.facilities.domains import domain_of, is_among
from makerhub.facilities.finding import duplicates
from makerhub.facilities.ladder import EvidenceKind, Standing
from makerhub.facilities.models import CallOutcome, CodeState, Evidence, ProofCode, RegisterEntry
from makerhub.facilities.registers import NoRegister, candidates, import_register
from makerhub.facilities.similar import ALIKE, likeness
from makerhub.people.models import Organisation, OrganisationKind, Person, Role

CQC = """Care Quality Commission,,,,,
Data as at 1 March 2020,,,,,
Name,Postcode,Phone number,CQC Location ID,Service types,Mail domain,Address
Elm House Care Home,KT2 5AA,020 7946 0001,1-101,Residential homes,elmhouse.example,"2 Elm Road, Kingston"
Oak Lodge,KT2 5AA,,1-102,Nursing homes,,
Elm House Care Home,M1 1AA,0161 496 0002,1-103,Residential homes,,
,KT2 5AA,020 7946 0003,1-104,,,
Elm House again,KT2 5AA,,1-101,,,
"""
_FIELDS = {0: "RAX01", 1: "KINGSTON HOSPITAL", 4: "GALSWORTHY RD", 9: "KT2 7QB", 17: "02085467711"}
ODS = ",".join(f'"{_FIELDS.get(column, "")}"' for column in range(27))


@pytest.fixture
def register(database: Database, tmp_path: Path) -> Callable[[str], registers.Imported]:
    def take_in(text: str, name: str = "cqc") -> registers.Imported:
        file = tmp_path / "register.csv"
        file.write_text(text, encoding="utf-8")
        return import_register(database, file, name)

    return take_in


@pytest.fixture
def elm(world: World) -> Organisation:
    with world.database.changing() as session:
        return service.draft(
            session, kind=OrganisationKind.CARE_HOME, name="Elm House", postcode="kt25aa", time_zone="UTC", now=NOW
        )


def row(session: Session, elm: Organisation) -> Organisation:
    return session.get_one(Organisation, elm.id)


def standing(world: World, facility: Organisation, **after: float) -> Standing:
    with world.database.reading() as session:
        return service.standing_of(session, facility.id, later(**after))


def match(world: World, elm: Organisation, code: str = "1-101") -> Evidence:
    with world.database.changing() as session:
        entry = session.exec(select(RegisterEntry).where(RegisterEntry.code == code)).one()
        return service.match_register(session, row(session, elm), entry, days=30, by=world.dispatcher.id, now=NOW)


def call(world: World, elm: Organisation, outcome: CallOutcome) -> None:
    with world.database.changing() as session:
        service.record_call(session, row(session, elm), outcome, days=30, by=world.dispatcher.id, now=NOW)


def send_letter(world: World, elm: Organisation) -> tuple[ProofCode, str]:
    with world.database.changing() as session:
        return service.write_letter(session, row(session, elm), by=world.dispatcher.id, now=NOW)


def confirm(world: World, elm: Organisation, code: str, **after: float) -> str | None:
    with world.database.changing() as session:
        return service.confirm_code(
            session, row(session, elm), code, days=30, by=world.requester.id, now=later(**after)
        )


def test_registers_are_read_with_their_preamble_and_bad_lines_are_named(
    database: Database, register: Callable[..., registers.Imported]
) -> None:
    found = register(CQC)
    assert (found.entries, found.bad) == (3, 2)
    assert found.examples == ["line 7: it has no code or no name", "line 8: the code 1-101 stood before"]
    with database.reading() as session:
        elm = session.exec(select(RegisterEntry).where(RegisterEntry.code == "1-101")).one()
    assert (elm.kind, elm.telephone, elm.mail_domain) == (
        OrganisationKind.CARE_HOME, "020 7946 0001", "elmhouse.example",
    )  # fmt: skip


def test_a_register_without_a_heading_is_read_when_it_is_the_nhs_s(
    database: Database, register: Callable[..., registers.Imported]
) -> None:
    assert register(ODS, "ods").entries == 1
    with database.reading() as session:
        entry = session.exec(select(RegisterEntry)).one()
    assert (entry.reference, entry.postcode, entry.telephone) == ("ods:RAX01", "KT2 7QB", "02085467711")


def test_a_register_again_replaces_its_entries_and_no_other(
    database: Database, register: Callable[..., registers.Imported]
) -> None:
    register(CQC)
    register(ODS, "ods")
    register("code,name,postcode\n9,New,KT1\n")
    with database.reading() as session:
        assert sorted(entry.reference for entry in session.exec(select(RegisterEntry))) == ["cqc:9", "ods:RAX01"]
    with pytest.raises(NoRegister, match="code"):
        register("what,is,this\n1,2,3\n")
    with database.reading() as session:
        assert len(session.exec(select(RegisterEntry)).all()) == 2


def test_entries_are_offered_by_postcode_and_likeness_and_a_person_decides(
    world: World, elm: Organisation, register: Callable[..., registers.Imported]
) -> None:
    register(CQC)
    with world.database.reading() as session:
        offered = candidates(session, row(session, elm))
    assert [one.entry.code for one in offered] == ["1-101", "1-102"]
    assert standing(world, elm) is Standing.DRAFT


def test_a_call_to_the_number_of_the_register_verifies(
    world: World, elm: Organisation, register: Callable[..., registers.Imported]
) -> None:
    register(CQC)
    with pytest.raises(Invalid, match="No register names a number"):
        call(world, elm, CallOutcome.CONFIRMED)
    match(world, elm)
    assert standing(world, elm) is Standing.DRAFT
    call(world, elm, CallOutcome.NOBODY_REACHED)
    assert standing(world, elm) is Standing.DRAFT
    call(world, elm, CallOutcome.CONFIRMED)
    assert standing(world, elm) is Standing.VERIFIED
    assert standing(world, elm, days=30) is Standing.DRAFT
    with world.database.reading() as session:
        numbers = {one.number for one in service.calls_to(session, elm.id)}
        evidence = service.evidence_of(session, elm.id)
    assert numbers == {"020 7946 0001"}
    assert {(one.kind, one.reference) for one in evidence} == {
        (EvidenceKind.REGISTER_MATCH, "cqc:1-101"), (EvidenceKind.CALL_BACK, "020 7946 0001"),
    }  # fmt: skip


def test_another_entry_takes_the_place_of_the_first(
    world: World, elm: Organisation, register: Callable[..., registers.Imported]
) -> None:
    register(CQC)
    first = match(world, elm)
    match(world, elm, "1-102")
    assert world.get(Evidence, first.id).revoked_at == NOW
    with world.database.reading() as session:
        entry = service.matched_entry(session, elm.id, NOW)
    assert entry is not None
    assert entry.code == "1-102"


def test_a_letter_goes_to_the_address_of_the_register_and_its_code_verifies_once(
    world: World, elm: Organisation, register: Callable[..., registers.Imported]
) -> None:
    register(CQC)
    with pytest.raises(Invalid, match="letter goes to the address there"):
        send_letter(world, elm)
    match(world, elm)
    letter, code = send_letter(world, elm)
    assert letter.reference == "Elm House Care Home, 2 Elm Road, Kingston, KT2 5AA"
    assert code.replace("-", "") not in str(world.all(ProofCode))
    assert confirm(world, elm, code.lower().replace("-", " ")) is None
    assert standing(world, elm) is Standing.VERIFIED
    assert confirm(world, elm, code) == service.NO_CODE


def test_the_fifth_wrong_code_locks_and_the_right_one_is_refused_then(world: World) -> None:
    letter, code = world.letter()
    assert [confirm(world, world.care_home, "ABCD-EFGH-JKLM") for _ in range(5)] == [service.WRONG_CODE] * 5
    assert world.get(ProofCode, letter.id).state is CodeState.LOCKED
    assert confirm(world, world.care_home, code) == service.NO_CODE


def test_a_code_expires_and_a_new_letter_replaces_it(world: World) -> None:
    _, code = world.letter()
    assert confirm(world, world.care_home, code, days=30) == service.NO_CODE
    second, newer = send_letter(world, world.care_home)
    assert confirm(world, world.care_home, code) == service.WRONG_CODE
    assert world.get(ProofCode, second.id).tries_left == 4
    assert confirm(world, world.care_home, newer, days=29) is None


def test_of_many_who_type_the_code_at_once_one_makes_it_evidence(world: World) -> None:
    _, code = world.letter()
    results = at_once(*[lambda: confirm(world, world.care_home, code)] * 8)
    assert results.count(None) == 1
    posted = [one for one in world.all(Evidence) if one.kind is EvidenceKind.POSTED_CODE]
    assert len(posted) == 1


def test_a_mail_code_goes_only_to_a_domain_that_is_listed_or_in_the_register(
    world: World, elm: Organisation, register: Callable[..., registers.Imported]
) -> None:
    register(CQC)
    with world.database.changing() as session:
        facility = row(session, elm)
        outsider, of_trust, of_home = (person(session, name) for name in ("Olaf", "Tara", "Hope"))
        of_trust.email, of_home.email = "tara@NHS.net", "hope@elmhouse.example"
        with pytest.raises(Invalid, match="none that proves"):
            service.write_mail_code(session, facility, outsider, ["nhs.net"], now=NOW)
        _, code = service.write_mail_code(session, facility, of_home, [], now=NOW)
        service.write_mail_code(session, facility, of_trust, ["nhs.net"], now=NOW)
        assert service.confirm_code(session, facility, code, days=1, by=of_home.id, now=NOW) == service.WRONG_CODE
        _, code = service.write_mail_code(session, facility, of_home, [], now=NOW)
        assert service.confirm_code(session, facility, code, days=1, by=of_home.id, now=NOW) is None
    assert standing(world, elm) is Standing.MAIL_PROVED


@pytest.mark.parametrize(
    ("email", "is_one"),
    [
        ("a@nhs.net", True),
        ("a@NHS.NET", True),
        ("a@ward.nhs.net", False),
        ("a@evilnhs.net", False),
        ("a@nhs.net.example", False),
        ("a@nhs", False),
        ("a@kliniK-köln.example", True),
        ("a@xn--klinik-kln-lcb.example", True),
        ("", False),
    ],
)
def test_domains_are_compared_whole_in_idna_and_lower_case(email: str, is_one: bool) -> None:
    assert is_among(email, ["nhs.net", "Klinik-Köln.example"]) == is_one
    assert domain_of("x@" + "a" * 70 + ".example") == ""


def test_revoked_evidence_proves_nothing_and_needs_a_reason(world: World) -> None:
    given = world.all(Evidence)[0]
    facility = world.get(Organisation, given.facility_id)
    with world.database.changing() as session:
        evidence = session.get_one(Evidence, given.id)
        with pytest.raises(Invalid):
            service.revoke(session, evidence, by=world.dispatcher.id, why=" ", now=NOW)
        service.revoke(session, evidence, by=world.dispatcher.id, why="a fake", now=NOW)
        with pytest.raises(IllegalMove):
            service.revoke(session, evidence, by=world.dispatcher.id, why="a fake", now=NOW)
    assert standing(world, facility) is Standing.DRAFT


def test_nobody_makes_more_than_five_drafts(world: World) -> None:
    def draft(name: str) -> UUID:
        with world.database.changing() as session:
            by = session.get_one(Person, world.maker.id)
            kind = OrganisationKind.HOSPITAL
            return service.draft(session, kind=kind, name=name, time_zone="UTC", by=by, now=NOW).id

    made = [draft(f"Hospital {number}") for number in range(5)]
    with pytest.raises(Invalid, match="several facilities"):
        draft("Hospital 6")
    with world.database.reading() as session:
        mine = {
            one.organisation_id for one in session.get_one(Person, world.maker.id).roles if one.role is Role.REQUESTER
        }
    assert mine == set(made)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("St Anne's Hospital", "Saint Annes Hosp.", True),
        ("Willow Court Care Home", "Willow Court", True),
        ("The Willows Nursing Home Ltd", "Willows", True),
        ("Willow Court", "Oak Lodge", False),
        ("Care Home", "Nursing Home", False),
        ("", "Willow Court", False),
    ],
)
def test_names_are_alike_but_for_what_says_little(one: str, other: str, alike: bool) -> None:
    assert (likeness(one, other) >= ALIKE) == alike
    assert likeness(one, other) == pytest.approx(likeness(other, one), abs=0.15)


def test_duplicates_are_suggested_at_one_postcode_or_of_one_name(world: World, elm: Organisation) -> None:
    with world.database.changing() as session:
        again = service.draft(
            session,
            kind=OrganisationKind.CARE_HOME,
            name="ELM HOUSE care home",
            postcode="KT2 5AA",
            time_zone="UTC",
            now=NOW,
        )
        far = service.draft(
            session, kind=OrganisationKind.CARE_HOME, name="Elm House", postcode="M1 1AA", time_zone="UTC", now=NOW
        )
        bare = organisation(session, OrganisationKind.CARE_HOME, "Elm house")
        found = {one.id for one in duplicates(session, row(session, elm))}
    assert found == {again.id, bare.id}
    assert far.id not in found
