"""Approvals: who judged a version fit for what, on which evidence, and what a kind of facility requires.

An approval holds for a version within a scope: a material, a hub and a jurisdiction, each of which may be left open.
A prototype is what nobody has judged yet. What is withdrawn within a scope is made and given away there no more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.config import Settings
from makerhub.designs.models import Approval, ApprovalState, DesignVersion, Part, VersionState
from makerhub.errors import IllegalMove, Invalid, NotAllowed, translatable
from makerhub.lifecycle import begin, move
from makerhub.people.models import Organisation, OrganisationKind

LONGEST_EVIDENCE = 500
NOTHING_TO_TAKE_BACK = translatable("Nothing is approved there, so there is nothing to take back.")


class NotYourOwn(NotAllowed):
    """Nobody judges what they made themselves."""

    template = translatable("You published this version. Somebody else has to review it.")


@dataclass(frozen=True)
class ApprovalPolicy:
    """What each kind of facility requires, and the jurisdiction of a hub that names none; prototypes do otherwise."""

    jurisdiction: str = ""
    required: Mapping[OrganisationKind, ApprovalState] = field(default_factory=dict)

    def needs(self, kind: OrganisationKind) -> ApprovalState:
        """The least standing that a design must have for this kind of facility."""
        return self.required.get(kind, ApprovalState.PROTOTYPE)


@dataclass(frozen=True)
class Scope:
    """Where an approval holds: "" and None mean every material, every hub and every jurisdiction."""

    material: str = ""
    hub_id: UUID | None = None
    jurisdiction: str = ""

    def covers(self, material: str, hub_id: UUID, jurisdiction: str) -> bool:
        """Whether a piece of this material, at this hub, falls under it."""
        return (
            self.material in ("", material)
            and self.hub_id in (None, hub_id)
            and self.jurisdiction in ("", jurisdiction)
        )

    def contains(self, other: "Scope") -> bool:
        """Whether whatever falls under the other falls under this one, going by what they name."""
        return (
            self.material in ("", other.material)
            and self.hub_id in (None, other.hub_id)
            and self.jurisdiction in ("", other.jurisdiction)
        )


@dataclass(frozen=True)
class Decision:
    """What a reviewer decides, with its evidence; `valid_until` is None where it holds until it is withdrawn."""

    scope: Scope
    state: ApprovalState
    evidence: str
    valid_from: datetime
    valid_until: datetime | None = None


def policy_of(settings: Settings) -> ApprovalPolicy:
    """The policy that the operator has set."""
    return ApprovalPolicy(
        settings.jurisdiction,
        {
            OrganisationKind.HOSPITAL: ApprovalState(settings.approval_for_hospitals),
            OrganisationKind.CARE_HOME: ApprovalState(settings.approval_for_care_homes),
        },
    )


def standing(
    approvals: Iterable[Approval], material: str, hub_id: UUID, jurisdiction: str, now: datetime
) -> ApprovalState:
    """How far a version has come for a piece of this material at this hub, at this time.

    In doubt, no: one withdrawal that covers the piece outweighs every approval, however narrow that is. Otherwise the
    highest of the approvals that hold now counts; those that have not begun or have expired do not.
    """
    covering = [row for row in approvals if scope_of(row).covers(material, hub_id, jurisdiction)]
    if any(row.state is ApprovalState.WITHDRAWN for row in covering):
        return ApprovalState.WITHDRAWN
    holding = (
        row.state for row in covering if row.valid_from <= now and (not row.valid_until or now < row.valid_until)
    )
    return max(holding, key=lambda state: state.rank, default=ApprovalState.PROTOTYPE)


def scope_of(row: Approval) -> Scope:
    """Where an approval holds."""
    return Scope(row.material, row.hub_id, row.jurisdiction)


def approvals_of(session: Session, version_id: UUID) -> Sequence[Approval]:
    """Every approval of a version, the oldest first."""
    mine = select(Approval).where(Approval.version_id == version_id)
    return session.exec(mine.order_by(col(Approval.valid_from), col(Approval.id))).all()


def jurisdiction_of(hub: Organisation, policy: ApprovalPolicy) -> str:
    """Whose rules hold at a hub; empty where nobody has said."""
    return hub.jurisdiction or policy.jurisdiction


def grade(
    session: Session, policy: ApprovalPolicy, part: Part, material: str, hub_id: UUID, now: datetime
) -> ApprovalState:
    """The standing of a piece of a part; whatever is of a withdrawn version is withdrawn."""
    version = session.get_one(DesignVersion, part.version_id)
    if version.state is VersionState.WITHDRAWN:
        return ApprovalState.WITHDRAWN
    jurisdiction = jurisdiction_of(session.get_one(Organisation, hub_id), policy)
    return standing(approvals_of(session, version.id), material, hub_id, jurisdiction, now)


def grades(
    session: Session, policy: ApprovalPolicy, parts: Iterable[Part], hub_id: UUID, now: datetime
) -> dict[tuple[UUID, str], ApprovalState]:
    """The standing at a hub of many parts at once, in each of their materials: by version and material."""
    wanted = {(part.version_id, material) for part in parts for material in part.materials}
    versions = {version_id for version_id, _ in wanted}
    ended = select(DesignVersion.id).where(
        col(DesignVersion.id).in_(versions), DesignVersion.state == VersionState.WITHDRAWN
    )
    withdrawn = set(session.exec(ended))
    rows = session.exec(select(Approval).where(col(Approval.version_id).in_(versions))).all()
    approvals = {version_id: [row for row in rows if row.version_id == version_id] for version_id in versions}
    jurisdiction = jurisdiction_of(session.get_one(Organisation, hub_id), policy)
    return {
        (version_id, material): ApprovalState.WITHDRAWN
        if version_id in withdrawn
        else standing(approvals[version_id], material, hub_id, jurisdiction, now)
        for version_id, material in wanted
    }


def approved_materials(
    session: Session, policy: ApprovalPolicy, part: Part, kind: OrganisationKind, hub_id: UUID, now: datetime
) -> frozenset[str]:
    """The materials of which a piece of this part may be made by this hub for this kind of facility."""
    needed = policy.needs(kind)
    found = grades(session, policy, [part], hub_id, now)
    return frozenset(material for (_, material), state in found.items() if state.suffices_for(needed))


def check(session: Session, version: DesignVersion, decision: Decision, *, by: UUID, now: datetime) -> Approval | None:
    """Raise what `decide` would raise, and change nothing; gives the approval that the decision would carry on."""
    problems = dict(_problems(decision, now))
    if problems:
        raise Invalid(fields=problems)
    if version.state is VersionState.WITHDRAWN:
        raise IllegalMove(before=str(version.state), after=str(decision.state))
    if version.published_by == by and decision.state is not ApprovalState.WITHDRAWN:
        raise NotYourOwn
    row = _row_for(session, version, decision)
    if row is not None and decision.state not in row.MOVES.get(row.state, frozenset()):
        raise IllegalMove(before=str(row.state), after=str(decision.state))
    return row


def decide(session: Session, version: DesignVersion, decision: Decision, *, by: UUID, now: datetime) -> Approval:
    """Record a reviewer's decision: a step on from an earlier one for the same scope, or a new approval beside it.

    So an approval is renewed by another one, and the first keeps its evidence. Raises `Invalid` by field, `NotYourOwn`,
    and `IllegalMove` for what was withdrawn: that stays so. Every step stays in the log with its evidence.
    """
    _lock(session, version)
    row = check(session, version, decision, by=by, now=now)
    if row is None:
        row = Approval(
            version_id=version.id,
            material=decision.scope.material,
            hub_id=decision.scope.hub_id,
            jurisdiction=decision.scope.jurisdiction,
            valid_from=decision.valid_from,
            decided_by=by,
        )
        begin(session, row, now=now, by=by)
    evidence = decision.evidence.strip()
    move(
        session,
        row,
        decision.state,
        now=now,
        by=by,
        why=evidence,
        evidence=evidence,
        decided_by=by,
        valid_from=decision.valid_from,
        valid_until=decision.valid_until,
    )
    return row


def take_back(
    session: Session, version: DesignVersion, scope: Scope, *, evidence: str, by: UUID, now: datetime
) -> list[Approval]:
    """Make the version a prototype again within the scope: every approval that lies in it ends, which the log keeps.

    What a wider approval allows stays allowed. Raises `Invalid` by field, also when there is nothing to take back.
    """
    _lock(session, version)
    ending = check_take_back(session, version, scope, evidence, now)
    why = evidence.strip()
    for row in ending:
        after = ApprovalState.PROTOTYPE
        move(
            session, row, after, now=now, by=by, why=why, evidence=why, decided_by=by, valid_from=now, valid_until=None
        )
    return ending


def check_take_back(
    session: Session, version: DesignVersion, scope: Scope, evidence: str, now: datetime
) -> list[Approval]:
    """Raise what `take_back` would raise, and change nothing; gives the approvals that would end."""
    problems = dict(_evidence_problems(evidence))
    if problems:
        raise Invalid(fields=problems)
    ending = _lying_in(approvals_of(session, version.id), scope, now)
    if not ending:
        raise Invalid(fields={"state": NOTHING_TO_TAKE_BACK})
    return ending


def _lying_in(approvals: Iterable[Approval], scope: Scope, now: datetime) -> list[Approval]:
    """The approvals within a scope that hold now or will; those that end when it becomes a prototype there again."""
    judged = (ApprovalState.COMMUNITY_REVIEWED, ApprovalState.CLINICALLY_APPROVED)
    return [
        row
        for row in approvals
        if row.state in judged and scope.contains(scope_of(row)) and (not row.valid_until or now < row.valid_until)
    ]


def _problems(decision: Decision, now: datetime) -> Iterable[tuple[str, str]]:
    yield from _evidence_problems(decision.evidence)
    if decision.state is ApprovalState.PROTOTYPE:
        yield "state", translatable("Choose what you have decided.")
    if decision.valid_until is not None and decision.valid_until <= max(now, decision.valid_from):
        yield "valid_until", translatable("Choose a day after today and after the day from which it holds.")
    if decision.state is ApprovalState.CLINICALLY_APPROVED and decision.valid_until is None:
        yield "valid_until", translatable("A clinical approval ends some day. Say when.")


def _evidence_problems(evidence: str) -> Iterable[tuple[str, str]]:
    if not evidence.strip():
        yield "evidence", translatable("Say on what this rests: who tested what, and where the report is.")
    if len(evidence.strip()) > LONGEST_EVIDENCE:
        yield "evidence", translatable("Keep this under 500 characters, and link to the report.")


def _lock(session: Session, version: DesignVersion) -> None:
    """Two decisions come one after the other, and none while a print is being started."""
    session.exec(select(DesignVersion.id).where(DesignVersion.id == version.id).with_for_update()).one()


def _row_for(session: Session, version: DesignVersion, decision: Decision) -> Approval | None:
    """The approval of exactly this scope that this decision carries on, if there is one."""
    same = [row for row in approvals_of(session, version.id) if scope_of(row) == decision.scope]
    ended = next((row for row in same if row.state is ApprovalState.WITHDRAWN), None)
    return ended or next((row for row in same if decision.state in row.MOVES[row.state]), None)
