"""What waits for a reviewer (pure): what nobody has judged at a hub, and approvals that have ended or soon will."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from makerhub.designs.approvals import scope_of, standing
from makerhub.designs.models import Approval, ApprovalState

SOON = timedelta(days=30)
"""An approval that ends within this time has to be looked at again."""


class Cause(StrEnum):
    """Why a version waits for a decision."""

    NEW = "new"
    ENDED = "ended"
    ENDING = "ending"


@dataclass(frozen=True)
class Waiting:
    """A version that waits; `at` is when its approval ended or ends, nothing for what nobody has judged."""

    cause: Cause
    at: datetime | None = None


def waiting(
    approvals: Iterable[Approval], materials: Sequence[str], hub_id: UUID, jurisdiction: str, now: datetime
) -> Waiting | None:
    """Why a version that may be made of these materials waits for a decision at a hub; None where it does not.

    It does not where it is withdrawn for every material, nor where a decision holds or was taken back: who approved
    it for one material has decided about it.
    """
    here = [row for row in approvals if scope_of(row).covers(row.material, hub_id, jurisdiction)]
    left = [one for one in materials if standing(here, one, hub_id, jurisdiction, now) is not ApprovalState.WITHDRAWN]
    if not left:
        return None
    decided = [row for row in here if row.state is not ApprovalState.WITHDRAWN]
    if not decided:
        return Waiting(Cause.NEW)
    if all(row.valid_until and row.valid_until <= now for row in decided):
        return Waiting(Cause.ENDED, max(row.valid_until for row in decided if row.valid_until))
    falls = [
        row.valid_until
        for row in decided
        if row.valid_until
        and now < row.valid_until <= now + SOON
        and any(_falls_at(here, one, hub_id, jurisdiction, row.valid_until) for one in left)
    ]
    return Waiting(Cause.ENDING, min(falls)) if falls else None


def _falls_at(rows: Sequence[Approval], material: str, hub_id: UUID, jurisdiction: str, moment: datetime) -> bool:
    """Whether a piece of the material loses standing at this moment: nothing as good holds on."""
    before = standing(rows, material, hub_id, jurisdiction, moment - timedelta(microseconds=1))
    return standing(rows, material, hub_id, jurisdiction, moment).rank < before.rank
