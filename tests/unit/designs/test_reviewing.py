"""What waits for a reviewer: what nobody has judged, what has ended, what ends soon, and nothing else."""

from datetime import datetime
from uuid import UUID, uuid4

import pytest
from builders import NOW, later

from makerhub.designs.models import Approval, ApprovalState
from makerhub.designs.reviewing import Cause, Waiting, waiting

HUB, OTHER_HUB = UUID(int=1), UUID(int=2)
NINE_DAYS_AGO = later(days=-9)
PROTOTYPE, REVIEWED, APPROVED, WITHDRAWN = ApprovalState


def approval(
    state: ApprovalState = REVIEWED,
    until: datetime | None = None,
    *,
    material: str = "",
    hub_id: UUID | None = None,
    jurisdiction: str = "",
    valid_from: datetime = NINE_DAYS_AGO,
) -> Approval:
    return Approval(
        version_id=uuid4(),
        material=material,
        hub_id=hub_id,
        jurisdiction=jurisdiction,
        state=state,
        decided_by=uuid4(),
        valid_from=valid_from,
        valid_until=until,
    )


YESTERDAY, IN_NINE_DAYS, IN_A_YEAR = later(days=-1), later(days=9), later(days=365)
NEW, ENDED, ENDING = Waiting(Cause.NEW), Waiting(Cause.ENDED, YESTERDAY), Waiting(Cause.ENDING, IN_NINE_DAYS)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], NEW),
        ([approval(hub_id=OTHER_HUB)], NEW),
        ([approval(jurisdiction="DE")], NEW),
        ([approval(WITHDRAWN, material="PLA")], NEW),
        ([approval()], None),
        ([approval(jurisdiction="GB")], None),
        ([approval(material="PETG")], None),
        ([approval(WITHDRAWN)], None),
        ([approval(WITHDRAWN, material="PLA"), approval(WITHDRAWN, material="PETG")], None),
        ([approval(PROTOTYPE)], None),
        ([approval(until=YESTERDAY)], ENDED),
        ([approval(until=YESTERDAY), approval(APPROVED, later(days=-5))], ENDED),
        ([approval(until=YESTERDAY), approval(until=IN_A_YEAR)], None),
        ([approval(until=IN_A_YEAR)], None),
        ([approval(until=IN_NINE_DAYS)], ENDING),
        ([approval(until=later(days=31))], None),
        ([approval(until=IN_NINE_DAYS), approval(until=IN_A_YEAR)], None),
        ([approval(until=IN_NINE_DAYS), approval(until=IN_A_YEAR, valid_from=later(days=8))], None),
        ([approval(until=IN_NINE_DAYS), approval(until=IN_A_YEAR, valid_from=later(days=10))], ENDING),
        ([approval(APPROVED, IN_NINE_DAYS), approval()], ENDING),
        ([approval(until=IN_NINE_DAYS, material="PLA"), approval(material="PETG")], ENDING),
        ([approval(until=IN_NINE_DAYS, material="PLA"), approval(WITHDRAWN, material="PLA")], None),
    ],
)
def test_what_waits_and_why(rows: list[Approval], expected: Waiting | None) -> None:
    assert waiting(rows, ["PLA", "PETG"], HUB, "GB", NOW) == expected
