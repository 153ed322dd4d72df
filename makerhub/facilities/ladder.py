"""The ladder of evidence (pure): what is proved of a facility, and how much it may be promised at most.

Each rung asks for its own evidence, which holds from the moment it was given until it expires or is revoked:

- a draft has none. An entry of a register alone is none either: whoever made the draft could have looked it up, too;
- mail-proved: somebody of it reads mail at a domain of the field. That proves a care worker, not a hospital;
- registered: that, and a person found it in a register;
- verified: it stands in a register, and it answered by a way that the register names, a telephone number or an address.

So more evidence never lowers a facility, and time alone never raises it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EvidenceKind(StrEnum):
    """What can prove something of a facility."""

    MAIL_DOMAIN = "mail_domain"
    REGISTER_MATCH = "register_match"
    CALL_BACK = "call_back"
    POSTED_CODE = "posted_code"


class Standing(StrEnum):
    """The rungs of the ladder, from the lowest."""

    DRAFT = "draft"
    MAIL_PROVED = "mail_proved"
    REGISTERED = "registered"
    VERIFIED = "verified"

    @property
    def rung(self) -> int:
        """0 for the lowest."""
        return list(Standing).index(self)


@dataclass(frozen=True)
class Proof:
    """One piece of evidence, as far as the rule wants to know; `revoked_at` is None where it was not revoked."""

    kind: EvidenceKind
    given_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it proves anything at this moment."""
        return self.given_at <= now < self.expires_at and (self.revoked_at is None or now < self.revoked_at)


WAYS: Mapping[Standing, tuple[frozenset[EvidenceKind], ...]] = {
    Standing.MAIL_PROVED: (frozenset({EvidenceKind.MAIL_DOMAIN}),),
    Standing.REGISTERED: (frozenset({EvidenceKind.MAIL_DOMAIN, EvidenceKind.REGISTER_MATCH}),),
    Standing.VERIFIED: (
        frozenset({EvidenceKind.REGISTER_MATCH, EvidenceKind.CALL_BACK}),
        frozenset({EvidenceKind.REGISTER_MATCH, EvidenceKind.POSTED_CODE}),
    ),
}
"""What each rung asks for: all of one of these."""


def ladder(evidence: Iterable[Proof], now: datetime) -> Standing:
    """The rung on which a facility with this evidence stands."""
    proved = {proof.kind for proof in evidence if proof.holds(now)}
    reached = [rung for rung, ways in WAYS.items() if any(way <= proved for way in ways)]
    return max(reached, key=lambda rung: rung.rung, default=Standing.DRAFT)


def lacking(evidence: Iterable[Proof], now: datetime) -> Mapping[Standing, tuple[frozenset[EvidenceKind], ...]]:
    """For each rung above the one that is reached what is still to be proved: all of one of these; the lowest first."""
    known = list(evidence)
    proved = {proof.kind for proof in known if proof.holds(now)}
    reached = ladder(known, now)
    return {rung: tuple(way - proved for way in ways) for rung, ways in WAYS.items() if rung.rung > reached.rung}


@dataclass(frozen=True)
class Limits:
    """How many items a facility may be promised in all while it stands on a rung; a verified one has no limit."""

    draft: int = 0
    mail_proved: int = 0
    registered: int = 0

    def most(self, standing: Standing) -> int | None:
        """The most items for a facility on this rung; None means as many as it asks for."""
        return {
            Standing.DRAFT: self.draft,
            Standing.MAIL_PROVED: self.mail_proved,
            Standing.REGISTERED: self.registered,
        }.get(standing)
