"""The use cases of facilities: drafting one, proving it step by step, and taking evidence back."""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col, select

from makerhub.audit.service import note
from makerhub.config import Settings
from makerhub.errors import Invalid, translatable
from makerhub.facilities.domains import domain_of, is_among
from makerhub.facilities.finding import FACILITIES
from makerhub.facilities.ladder import EvidenceKind, Limits, Proof, Standing, ladder
from makerhub.facilities.models import (
    CallBack,
    CallOutcome,
    CodeState,
    Evidence,
    EvidenceState,
    ProofCode,
    RegisterEntry,
    Way,
)
from makerhub.facilities.registers import entry_of, mail_domains
from makerhub.lifecycle import begin, move
from makerhub.people import service as people
from makerhub.people.models import Organisation, OrganisationKind, Person, Role
from makerhub.people.repointing import repoint
from makerhub.places.names import tidy_postcode

MOST_DRAFTS = 5
"""Facilities without any proof that one person may make."""

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 12
"""30^12 is 59 bits: with five tries nobody guesses it, and its hash is of no use before it expires."""
CODE_TRIES = 5
LETTER_DAYS = 30
MAIL_CODE_HOURS = 24
LONGEST_REASON = 300

WRONG_CODE = translatable("This is not the code. Look again: letters and figures, no O, I, 0 or 1.")
NO_CODE = translatable(
    "No code waits to be typed: it has expired, was used, or was mistyped too often. Ask for another."
)


def limits_of(settings: Settings) -> Limits:
    """What the operator lets facilities be promised on each rung."""
    return Limits(settings.most_for_draft, settings.most_for_mail_proved, settings.most_for_registered)


def standing_of(session: Session, facility_id: UUID, now: datetime) -> Standing:
    """The rung on which the facility stands."""
    return standings(session, [facility_id], now)[facility_id]


def standings(session: Session, facilities: Collection[UUID], now: datetime) -> dict[UUID, Standing]:
    """The same for several, in one query."""
    proofs: dict[UUID, list[Proof]] = {facility: [] for facility in facilities}
    for one in session.exec(select(Evidence).where(col(Evidence.facility_id).in_(facilities))):
        proofs[one.facility_id].append(proof_of(one))
    return {facility: ladder(of_facility, now) for facility, of_facility in proofs.items()}


def proof_of(evidence: Evidence) -> Proof:
    """A piece of evidence, as far as the rule wants to know."""
    return Proof(evidence.kind, evidence.given_at, evidence.expires_at, evidence.revoked_at)


def evidence_of(session: Session, facility_id: UUID) -> Sequence[Evidence]:
    """All that was ever given for it, the newest first."""
    mine = select(Evidence).where(Evidence.facility_id == facility_id)
    return session.exec(mine.order_by(col(Evidence.given_at).desc(), col(Evidence.id))).all()


def calls_to(session: Session, facility_id: UUID) -> Sequence[CallBack]:
    """All calls that were made about it, the newest first."""
    mine = select(CallBack).where(CallBack.facility_id == facility_id)
    return session.exec(mine.order_by(col(CallBack.called_at).desc(), col(CallBack.id))).all()


def draft(
    session: Session,
    *,
    kind: OrganisationKind,
    name: str,
    place: str = "",
    postcode: str = "",
    entrance: str = "",
    opening_hours: str = "",
    time_zone: str,
    by: Person | None = None,
    now: datetime,
) -> Organisation:
    """Make a facility known without any proof; `by` asks for it from now on. Raises `Invalid`."""
    if kind not in FACILITIES:
        raise Invalid(fields={"kind": translatable("Choose a hospital or a care home.")})
    if by is not None and _drafts_of(session, by, now) >= MOST_DRAFTS:
        raise Invalid(translatable("You have entered several facilities that nobody has checked yet. Call your hub."))
    facility = people.create_organisation(session, kind=kind, name=name, time_zone=time_zone)
    describe(
        session,
        facility,
        name=name,
        place=place,
        postcode=postcode,
        entrance=entrance,
        opening_hours=opening_hours,
        by=by.id if by else None,
        now=now,
    )
    if by is not None:
        people.add_membership(session, by, facility, Role.REQUESTER, now=now, by=by.id)
    return facility


def describe(
    session: Session,
    facility: Organisation,
    *,
    name: str,
    place: str,
    postcode: str,
    entrance: str,
    opening_hours: str,
    by: UUID | None = None,
    now: datetime,
) -> None:
    """Write down where it is and how a delivery gets in. Raises `Invalid`."""
    people.describe(
        session,
        facility,
        name=name,
        place=place,
        postcode=tidy_postcode(postcode),
        entrance=entrance,
        opening_hours=opening_hours,
    )
    note(session, "described", facility, now=now, by=by)


def match_register(
    session: Session, facility: Organisation, entry: RegisterEntry, *, days: int, by: UUID, now: datetime
) -> Evidence:
    """A person found the facility in a register. What was matched before is revoked: it is one entry."""
    for earlier in _holding(session, facility.id, EvidenceKind.REGISTER_MATCH, now):
        if earlier.reference != entry.reference:
            revoke(session, earlier, by=by, why=f"another entry was matched: {entry.reference}", now=now)
    return _give(session, facility.id, EvidenceKind.REGISTER_MATCH, entry.reference, days=days, by=by, now=now)


def matched_entry(session: Session, facility_id: UUID, now: datetime) -> RegisterEntry | None:
    """The entry of a register that was matched and still holds; None without one, or when the register lost it."""
    found = _holding(session, facility_id, EvidenceKind.REGISTER_MATCH, now)
    return entry_of(session, found[0].reference) if found else None


def record_call(
    session: Session,
    facility: Organisation,
    outcome: CallOutcome,
    *,
    note: str = "",
    days: int,
    by: UUID,
    now: datetime,
) -> CallBack:
    """Somebody called the number of the register. Raises `Invalid` where no register names one."""
    entry = matched_entry(session, facility.id, now)
    if entry is None or not entry.telephone:
        raise Invalid(translatable("No register names a number. Never call one that was typed here: send a letter."))
    call = CallBack(
        facility_id=facility.id,
        number=entry.telephone,
        outcome=outcome,
        note=note.strip()[:LONGEST_REASON],
        called_by=by,
        called_at=now,
    )
    session.add(call)
    if outcome is CallOutcome.CONFIRMED:
        _give(session, facility.id, EvidenceKind.CALL_BACK, entry.telephone, days=days, by=by, now=now)
    return call


def write_letter(session: Session, facility: Organisation, *, by: UUID, now: datetime) -> tuple[ProofCode, str]:
    """A code to be posted to the address of the register; it is told here once and kept as a hash.

    Raises `Invalid` where no register names an address.
    """
    entry = matched_entry(session, facility.id, now)
    if entry is None or not entry.address:
        raise Invalid(translatable("First find the facility in a register: a letter goes to the address there."))
    address = ", ".join(filter(None, (entry.name, entry.address, entry.postcode)))
    return _send_code(session, facility.id, Way.POST, address[:300], by, now, now + timedelta(days=LETTER_DAYS))


def write_mail_code(
    session: Session, facility: Organisation, person: Person, domains: Collection[str], *, now: datetime
) -> tuple[ProofCode, str]:
    """A code for the person's own mailbox, which has to be at a domain of the operator or of a register.

    Raises `Invalid` where it is not.
    """
    known = frozenset(domains) | mail_domains(session, facility)
    if not is_among(person.email, known):
        raise Invalid(translatable("Your mail domain is none that proves a facility. Your hub will call or write."))
    until = now + timedelta(hours=MAIL_CODE_HOURS)
    return _send_code(session, facility.id, Way.MAIL, domain_of(person.email), person.id, now, until)


def waiting_code(session: Session, facility_id: UUID, now: datetime, *ways: Way) -> ProofCode | None:
    """The code that can be typed now, the newest; of any way when none is named."""
    waiting = select(ProofCode).where(
        ProofCode.facility_id == facility_id,
        ProofCode.state == CodeState.ON_ITS_WAY,
        col(ProofCode.expires_at) > now,
        col(ProofCode.way).in_(ways or tuple(Way)),
    )
    return session.exec(waiting.order_by(col(ProofCode.sent_at).desc(), col(ProofCode.id)).limit(1)).first()


def confirm_code(
    session: Session, facility: Organisation, typed: str, *, days: int, by: UUID, now: datetime
) -> str | None:
    """Type a code that was sent; returns what is wrong, or None when it became evidence.

    It does not raise, so that a try that failed is counted: the fifth locks the code.
    """
    bare = "".join(character for character in typed.upper() if character in CODE_ALPHABET)
    codes = [found for way in Way if (found := waiting_code(session, facility.id, now, way))]
    if not codes:
        return NO_CODE
    for code in codes:
        if not _take_try(session, code):
            continue
        if secrets.compare_digest(_hash(code.id, bare), code.code_sha256):
            move(session, code, CodeState.CONFIRMED, now=now, by=by)
            kind = EvidenceKind.POSTED_CODE if code.way is Way.POST else EvidenceKind.MAIL_DOMAIN
            _give(session, facility.id, kind, code.reference, days=days, by=by, now=now)
            return None
        if code.tries_left == 0:
            move(session, code, CodeState.LOCKED, now=now, by=by, why="too many wrong tries")
    return WRONG_CODE


def revoke(session: Session, evidence: Evidence, *, by: UUID, why: str, now: datetime) -> None:
    """Take evidence back; from now on it proves nothing. Raises `Invalid` without a reason."""
    if not why.strip():
        raise Invalid(fields={"why": translatable("Say why.")})
    move(session, evidence, EvidenceState.REVOKED, now=now, by=by, why=why.strip(), revoked_at=now)


def colleagues(session: Session, facility_id: UUID) -> Sequence[Person]:
    """Those who ask for the facility, by name."""
    return people.members_of(session, facility_id, Role.REQUESTER)


def move_evidence(session: Session, source: UUID, target: UUID, only: Collection[UUID] | None = None) -> list[UUID]:
    """Let the evidence for one facility be for another; returns its keys. Only the merge of two calls this."""
    return repoint(session, Evidence.facility_id, source, target, only)


def move_codes(session: Session, source: UUID, target: UUID, only: Collection[UUID] | None = None) -> list[UUID]:
    """The same for codes that were sent."""
    return repoint(session, ProofCode.facility_id, source, target, only)


def move_calls(session: Session, source: UUID, target: UUID, only: Collection[UUID] | None = None) -> list[UUID]:
    """The same for calls."""
    return repoint(session, CallBack.facility_id, source, target, only)


def _give(
    session: Session, facility_id: UUID, kind: EvidenceKind, reference: str, *, days: int, by: UUID, now: datetime
) -> Evidence:
    evidence = Evidence(
        facility_id=facility_id,
        kind=kind,
        reference=reference,
        given_by=by,
        given_at=now,
        expires_at=now + timedelta(days=days),
    )
    begin(session, evidence, now=now, by=by, why=f"{kind}: {reference}")
    return evidence


def _holding(session: Session, facility_id: UUID, kind: EvidenceKind, now: datetime) -> Sequence[Evidence]:
    given = select(Evidence).where(
        Evidence.facility_id == facility_id,
        Evidence.kind == kind,
        Evidence.state == EvidenceState.GIVEN,
        col(Evidence.expires_at) > now,
    )
    return session.exec(given.order_by(col(Evidence.given_at).desc(), col(Evidence.id))).all()


def _send_code(
    session: Session, facility_id: UUID, way: Way, reference: str, by: UUID, now: datetime, until: datetime
) -> tuple[ProofCode, str]:
    """A new code in the place of what was sent before by the same way."""
    while (earlier := waiting_code(session, facility_id, now, way)) is not None:
        move(session, earlier, CodeState.REPLACED, now=now, by=by)
    code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
    row = ProofCode(
        facility_id=facility_id,
        way=way,
        reference=reference,
        code_sha256="",
        tries_left=CODE_TRIES,
        sent_by=by,
        sent_at=now,
        expires_at=until,
    )
    row.code_sha256 = _hash(row.id, code)
    begin(session, row, now=now, by=by)
    return row, "-".join(code[start : start + 4] for start in range(0, CODE_LENGTH, 4))


def _take_try(session: Session, code: ProofCode) -> bool:
    """Use up one try; false when none is left, whoever used the last one."""
    left = update(ProofCode).where(col(ProofCode.id) == code.id, col(ProofCode.tries_left) > 0)
    one_less = left.values(tries_left=ProofCode.tries_left - 1)
    taken = session.execute(one_less.execution_options(synchronize_session=False))
    session.refresh(code)
    return cast("CursorResult[object]", taken).rowcount == 1


def _hash(key: UUID, code: str) -> str:
    return hashlib.sha256(key.bytes + code.encode()).hexdigest()


def _drafts_of(session: Session, person: Person, now: datetime) -> int:
    mine = [membership.organisation_id for membership in person.roles if membership.role is Role.REQUESTER]
    return sum(standing is Standing.DRAFT for standing in standings(session, mine, now).values())
