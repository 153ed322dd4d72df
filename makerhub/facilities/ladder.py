"""The ladder of evidence (pure): what is proved of a facility, and how much it may be promised at most.

Each rung asks for its own evidence, which holds from the moment it was given until it expires or is revoked:

- a draft has none. An entry of a register alone is none either: whoever made the draft could have looked it up, too;
- mail-proved: somebody of it reads mail at a domain of the field. That proves a care worker, not a hospital;
- registered: that, and a person found it in a register;
- verified: it stands in a register, and it answered by a way that the register names, a telephone number or an address.

So more evidence never lowers a facility, and time alone never raises it.
"""

from collections.abc import Iterable
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


def ladder(evidence: Iterable[Proof], now: datetime) -> Standing:
    """The rung on which a facility with this evidence stands."""
    proved = {proof.kind for proof in evidence if proof.holds(now)}
    is_registered = EvidenceKind.REGISTER_MATCH in proved
    if is_registered and proved & {EvidenceKind.CALL_BACK, EvidenceKind.POSTED_CODE}:
        return Standing.VERIFIED
    if EvidenceKind.MAIL_DOMAIN in proved:
        return Standing.REGISTERED if is_registered else Standing.MAIL_PROVED
    return Standing.DRAFT


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
