"""What a version is approved for: the rule as a table and as properties, and the reviewer's decisions."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from builders import NOW, World, design_version, later, review
from hypothesis import given
from hypothesis import strategies as st

from makerhub.config import Settings
from makerhub.designs import approvals
from makerhub.designs.approvals import ApprovalPolicy, Decision, NotYourOwn, Scope, policy_of, standing
from makerhub.designs.models import Approval, ApprovalState, DesignVersion
from makerhub.errors import IllegalMove, Invalid
from makerhub.lifecycle import history
from makerhub.people.models import OrganisationKind

HUB, OTHER_HUB = UUID(int=1), UUID(int=2)
PROTOTYPE, REVIEWED, APPROVED, WITHDRAWN = ApprovalState


def approval(
    state: ApprovalState = REVIEWED,
    *,
    material: str = "",
    hub_id: UUID | None = None,
    jurisdiction: str = "",
    valid_from: datetime = NOW,
    valid_until: datetime | None = None,
) -> Approval:
    return Approval(
        version_id=uuid4(),
        material=material,
        hub_id=hub_id,
        jurisdiction=jurisdiction,
        state=state,
        decided_by=uuid4(),
        valid_from=valid_from,
        valid_until=valid_until,
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], PROTOTYPE),
        ([approval(PROTOTYPE)], PROTOTYPE),
        ([approval()], REVIEWED),
        ([approval(APPROVED), approval()], APPROVED),
        ([approval(material="PETG", hub_id=HUB, jurisdiction="GB")], REVIEWED),
        ([approval(material="PLA")], PROTOTYPE),
        ([approval(hub_id=OTHER_HUB)], PROTOTYPE),
        ([approval(jurisdiction="DE")], PROTOTYPE),
        ([approval(valid_from=later(seconds=1))], PROTOTYPE),
        ([approval(valid_from=later(days=-9), valid_until=NOW)], PROTOTYPE),
        ([approval(valid_from=later(days=-9), valid_until=later(seconds=1))], REVIEWED),
        ([approval(APPROVED, material="PETG", hub_id=HUB), approval(WITHDRAWN)], WITHDRAWN),
        ([approval(APPROVED), approval(WITHDRAWN, material="PETG")], WITHDRAWN),
        ([approval(APPROVED), approval(WITHDRAWN, material="PLA")], APPROVED),
        ([approval(APPROVED), approval(WITHDRAWN, valid_until=later(days=-1))], WITHDRAWN),
    ],
)
def test_the_highest_that_holds_counts_and_a_withdrawal_outweighs_all(
    rows: list[Approval], expected: ApprovalState
) -> None:
    assert standing(rows, "PETG", HUB, "GB", NOW) is expected


rows = st.lists(
    st.builds(
        approval,
        st.sampled_from(ApprovalState),
        material=st.sampled_from(["", "PETG", "PLA"]),
        hub_id=st.sampled_from([None, HUB, OTHER_HUB]),
        jurisdiction=st.sampled_from(["", "GB", "DE"]),
        valid_from=st.integers(-3, 3).map(lambda days: NOW + timedelta(days=days)),
        valid_until=st.one_of(st.none(), st.integers(-3, 3).map(lambda days: NOW + timedelta(days=days))),
    ),
    max_size=6,
)


@given(rows, rows)
def test_more_approvals_never_mend_a_withdrawal_nor_lower_what_holds(one: list[Approval], more: list[Approval]) -> None:
    before, after = (standing(every, "PETG", HUB, "GB", NOW) for every in (one, one + more))
    if before is WITHDRAWN:
        assert after is WITHDRAWN
    else:
        assert after is WITHDRAWN or after.rank >= before.rank


@given(rows)
def test_a_standing_is_never_better_than_what_somebody_decided_for_it(every: list[Approval]) -> None:
    found = standing(every, "PETG", HUB, "GB", NOW)
    assert found is PROTOTYPE or any(
        row.state is found
        and row.material in ("", "PETG")
        and row.hub_id in (None, HUB)
        and row.jurisdiction in ("", "GB")
        for row in every
    )


@pytest.mark.parametrize(
    ("state", "suffices"),
    [(PROTOTYPE, "1000"), (REVIEWED, "1100"), (APPROVED, "1110"), (WITHDRAWN, "0000")],
)
def test_what_suffices_for_what(state: ApprovalState, suffices: str) -> None:
    assert "".join(str(int(state.suffices_for(needed))) for needed in (PROTOTYPE, REVIEWED, APPROVED)) == suffices[:3]


def test_the_shipped_policy_wants_a_review_for_hospitals() -> None:
    policy = policy_of(Settings())
    assert policy.needs(OrganisationKind.HOSPITAL) is REVIEWED
    assert policy.needs(OrganisationKind.CARE_HOME) is PROTOTYPE
    assert ApprovalPolicy().needs(OrganisationKind.HOSPITAL) is PROTOTYPE


@pytest.fixture
def version(world: World) -> DesignVersion:
    with world.database.changing() as session:
        return design_version(session, "new", band=1)


def decide(
    world: World, version: DesignVersion, state: ApprovalState = REVIEWED, scope: Scope | None = None, **changes: object
) -> Approval:
    fields = {"evidence": "Tested.", "valid_from": NOW} | changes
    with world.database.changing() as session:
        row = session.get_one(DesignVersion, version.id)
        decision = Decision(scope or Scope(), state, **fields)  # type: ignore[arg-type]
        return approvals.decide(session, row, decision, by=world.dispatcher.id, now=NOW)


def test_a_decision_goes_on_from_the_one_before_and_the_log_keeps_both(world: World, version: DesignVersion) -> None:
    first = decide(world, version, evidence="Worn for a week.")
    second = decide(world, version, APPROVED, evidence="Report 12.", valid_until=later(days=90))
    assert first.id == second.id
    assert (second.state, second.evidence, second.valid_until) == (APPROVED, "Report 12.", later(days=90))
    with world.database.reading() as session:
        assert [(step.after, step.why) for step in history(session, second)] == [
            ("prototype", ""),
            ("community_reviewed", "Worn for a week."),
            ("clinically_approved", "Report 12."),
        ]


def test_an_approval_is_renewed_by_another_one_beside_it(world: World, version: DesignVersion) -> None:
    first = decide(world, version, valid_until=later(days=9))
    again = decide(world, version, evidence="Tested again.", valid_until=later(days=99))
    assert first.id != again.id
    assert world.get(Approval, first.id).evidence == "Tested."


def test_what_was_withdrawn_stays_so(world: World, version: DesignVersion) -> None:
    decide(world, version)
    decide(world, version, WITHDRAWN, evidence="It cracks.")
    with pytest.raises(IllegalMove):
        decide(world, version)


def test_one_scope_says_nothing_of_another(world: World, version: DesignVersion) -> None:
    decide(world, version, WITHDRAWN, Scope(material="PLA"), evidence="It softens.")
    decide(world, version, REVIEWED, Scope(material="PETG"))
    with world.database.reading() as session:
        every = approvals.approvals_of(session, version.id)
    assert standing(every, "PLA", HUB, "GB", NOW) is WITHDRAWN
    assert standing(every, "PETG", HUB, "GB", NOW) is REVIEWED


@pytest.mark.parametrize(
    ("state", "changes", "field"),
    [
        (REVIEWED, {"evidence": "  "}, "evidence"),
        (REVIEWED, {"evidence": "x" * 501}, "evidence"),
        (PROTOTYPE, {}, "state"),
        (REVIEWED, {"valid_until": NOW}, "valid_until"),
        (REVIEWED, {"valid_from": later(days=9), "valid_until": later(days=8)}, "valid_until"),
        (APPROVED, {}, "valid_until"),
    ],
)
def test_a_decision_without_its_grounds_is_refused(
    world: World, version: DesignVersion, state: ApprovalState, changes: dict[str, object], field: str
) -> None:
    before = len(world.all(Approval))
    with pytest.raises(Invalid) as refusal:
        decide(world, version, state, None, **changes)
    assert list(refusal.value.fields) == [field]
    assert len(world.all(Approval)) == before


def test_nobody_reviews_what_they_published(world: World, version: DesignVersion) -> None:
    with world.database.changing() as session:
        row = session.get_one(DesignVersion, version.id)
        row.published_by = world.dispatcher.id
    with pytest.raises(NotYourOwn), world.database.changing() as session:
        review(session, session.get_one(DesignVersion, version.id), world.dispatcher)


def take_back(world: World, version: DesignVersion, scope: Scope, evidence: str = "It cracked.") -> list[Approval]:
    with world.database.changing() as session:
        row = session.get_one(DesignVersion, version.id)
        return approvals.take_back(session, row, scope, evidence=evidence, by=world.dispatcher.id, now=later(days=1))


def test_what_is_taken_back_is_a_prototype_again_and_can_be_approved_again(
    world: World, version: DesignVersion
) -> None:
    first = decide(world, version, scope=Scope(hub_id=world.hub.id))
    renewed = decide(world, version, scope=Scope(hub_id=world.hub.id, material="PETG"), valid_until=later(days=9))
    assert {row.id for row in take_back(world, version, Scope(hub_id=world.hub.id))} == {first.id, renewed.id}
    ended = world.get(Approval, first.id)
    assert (ended.state, ended.evidence, ended.valid_until) == (PROTOTYPE, "It cracked.", None)
    again = decide(world, version, scope=Scope(hub_id=world.hub.id), evidence="Mended by annealing.")
    assert (again.id, again.state) == (first.id, REVIEWED)


def test_only_what_lies_within_the_scope_is_taken_back(world: World, version: DesignVersion) -> None:
    wide, other = decide(world, version), decide(world, version, scope=Scope(material="PLA", hub_id=world.hub.id))
    withdrawn = decide(world, version, WITHDRAWN, Scope(hub_id=world.hub.id, jurisdiction="GB"))
    here = decide(world, version, scope=Scope(material="PETG", hub_id=world.hub.id))
    assert [row.id for row in take_back(world, version, Scope(material="PETG", hub_id=world.hub.id))] == [here.id]
    left = {row.id: row.state for row in world.all(Approval)}
    assert (left[wide.id], left[other.id], left[withdrawn.id]) == (REVIEWED, REVIEWED, WITHDRAWN)


@pytest.mark.parametrize(("evidence", "field"), [(" ", "evidence"), ("It cracked.", "state")])
def test_to_take_back_needs_a_reason_and_something_to_take_back(
    world: World, version: DesignVersion, evidence: str, field: str
) -> None:
    decide(world, version, valid_until=later(hours=9))  # which has expired a day later
    with pytest.raises(Invalid) as refusal:
        take_back(world, version, Scope(), evidence)
    assert list(refusal.value.fields) == [field]


def test_a_check_raises_what_the_decision_would_and_changes_nothing(world: World, version: DesignVersion) -> None:
    decide(world, version, WITHDRAWN, Scope(material="PLA"), evidence="It softens.")
    before = [row.model_dump() for row in world.all(Approval)]
    decision = Decision(Scope(material="PLA"), REVIEWED, "Tested.", NOW)
    with world.database.reading() as session:
        with pytest.raises(IllegalMove):
            approvals.check(session, version, decision, by=world.dispatcher.id, now=NOW)
        fine = Decision(Scope(material="PETG"), REVIEWED, "Tested.", NOW)
        assert approvals.check(session, version, fine, by=world.dispatcher.id, now=NOW) is None
    assert [row.model_dump() for row in world.all(Approval)] == before


def test_who_published_a_version_may_still_withdraw_it(world: World, version: DesignVersion) -> None:
    with world.database.changing() as session:
        session.get_one(DesignVersion, version.id).published_by = world.dispatcher.id
    assert decide(world, version, WITHDRAWN).state is WITHDRAWN


def test_grades_are_those_of_each_part_alone(world: World, version: DesignVersion) -> None:
    decide(world, version, scope=Scope(material="PETG"))
    world.withdraw(world.kit)
    parts = [world.part(of) for of in (version, world.headband, world.kit)]
    with world.database.reading() as session:
        found = approvals.grades(session, ApprovalPolicy(), parts, world.hub.id, NOW)
        assert found == {
            (part.version_id, "PETG"): approvals.grade(session, ApprovalPolicy(), part, "PETG", world.hub.id, NOW)
            for part in parts
        }
    assert set(found.values()) == {REVIEWED, WITHDRAWN}
