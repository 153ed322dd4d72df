"""How far versions have come, as pages show it: at which hub, of which material, by whom and on which evidence."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.demand.service import askable
from makerhub.designs.approvals import approvals_of, grades
from makerhub.designs.models import Approval, ApprovalState, DesignVersion, Kit, Part, VersionState
from makerhub.errors import translatable
from makerhub.people.models import Organisation, OrganisationKind, Person
from makerhub.web.hub import hub

KINDS = (OrganisationKind.CARE_HOME, OrganisationKind.HOSPITAL)
"""The kinds of facilities that ask, the least demanding first as policies go."""

ENDED, COMING, TAKEN_BACK = translatable("Ended"), translatable("Not yet"), translatable("Taken back")


@dataclass(frozen=True)
class Standings:
    """The standing of a version in each of its materials at each hub."""

    version: DesignVersion
    cells: Mapping[tuple[UUID, str], ApprovalState]
    hubs: Sequence[Organisation]

    @property
    def best(self) -> ApprovalState:
        """The highest anywhere; a prototype, where there is no hub yet."""
        if self.version.state is VersionState.WITHDRAWN:
            return ApprovalState.WITHDRAWN
        return max(self.cells.values(), key=lambda state: state.rank, default=ApprovalState.PROTOTYPE)

    @property
    def is_the_same_everywhere(self) -> bool:
        """Whether nothing has to be said of materials and hubs."""
        return len(set(self.cells.values())) <= 1

    @property
    def places(self) -> list[tuple[ApprovalState, list[str], list[str]]]:
        """Each standing with materials and the names of the hubs where it holds for all of these, the best first."""
        found: dict[tuple[ApprovalState, tuple[str, ...]], list[str]] = {}
        for one in self.hubs:
            here = {material: state for (hub_id, material), state in self.cells.items() if hub_id == one.id}
            for state in set(here.values()):
                materials = tuple(sorted(material for material in here if here[material] is state))
                found.setdefault((state, materials), []).append(one.name)
        told = [(state, list(materials), names) for (state, materials), names in found.items()]
        return sorted(told, key=lambda place: (-place[0].rank, place[1:]))


@dataclass(frozen=True)
class ShownApproval:
    """An approval with the names of those whom it concerns; `hub` is empty for all hubs."""

    approval: Approval
    by: str
    hub: str
    now: datetime

    @property
    def remark(self) -> str:
        """Why it does not count now, in English; empty where it does."""
        row = self.approval
        if row.state is ApprovalState.WITHDRAWN:
            return ""
        if row.state is ApprovalState.PROTOTYPE:
            return TAKEN_BACK
        if row.valid_from > self.now:
            return COMING
        return ENDED if row.valid_until and row.valid_until <= self.now else ""

    @property
    def evidence(self) -> str:
        """What it rests on, without the link."""
        return self.approval.evidence.removesuffix(self.link).rstrip()

    @property
    def link(self) -> str:
        """The address of the report; empty where none was given."""
        last = (self.approval.evidence.split() or [""])[-1]
        return last if last.startswith(("https://", "http://")) else ""


@dataclass(frozen=True)
class Asker:
    """A kind of facility: what it requires, and the names of the hubs that it may ask for some kit of the version.

    Where it may ask none, `instead` is the number of the newest earlier version for which it may.
    """

    kind: OrganisationKind
    needed: ApprovalState
    hubs: Sequence[str]
    instead: str = ""

    @property
    def may_ask(self) -> bool:
        """Whether it gets this design at all."""
        return bool(self.hubs or self.instead)


def all_hubs(session: Session) -> Sequence[Organisation]:
    """Every hub, by name."""
    hubs = select(Organisation).where(Organisation.kind == OrganisationKind.HUB)
    return session.exec(hubs.order_by(col(Organisation.name))).all()


def standings(
    session: Session, versions: Iterable[DesignVersion], hubs: Sequence[Organisation] | None = None
) -> dict[UUID, Standings]:
    """The standings of versions at these hubs (at all of them, when none are named), by the version's id."""
    every = {version.id: version for version in versions}
    hubs = all_hubs(session) if hubs is None else hubs
    parts = session.exec(select(Part).where(col(Part.version_id).in_(every))).all()
    cells: dict[UUID, dict[tuple[UUID, str], ApprovalState]] = {version_id: {} for version_id in every}
    for one in hubs:
        for (version_id, material), state in grades(session, hub().policy, parts, one.id, hub().clock()).items():
            cells[version_id][one.id, material] = state
    return {version_id: Standings(version, cells[version_id], hubs) for version_id, version in every.items()}


def shown_approvals(session: Session, version_id: UUID) -> list[ShownApproval]:
    """Every approval of a version, the newest first."""
    rows = approvals_of(session, version_id)
    deciders = select(Person.id, Person.name).where(col(Person.id).in_([row.decided_by for row in rows]))
    names = dict(session.exec(deciders).all())
    places = {one.id: one.name for one in all_hubs(session)}
    now = hub().clock()
    return [
        ShownApproval(row, names.get(row.decided_by, ""), places.get(row.hub_id, "") if row.hub_id else "", now)
        for row in reversed(rows)
    ]


def askers(
    session: Session,
    version: DesignVersion,
    hubs: Sequence[Organisation] | None = None,
    earlier: Sequence[DesignVersion] = (),
) -> list[Asker]:
    """What each kind of facility requires, and which of the hubs (or of all) it may ask for the version now.

    `earlier` are versions that may be asked for instead, the newest first.
    """
    hubs = all_hubs(session) if hubs is None else hubs
    found = []
    for kind in KINDS:
        names = _asked(session, version, kind, hubs)
        others = () if names else (one.version for one in earlier if _asked(session, one, kind, hubs))
        found.append(Asker(kind, hub().policy.needs(kind), names, next(iter(others), "")))
    return found


def _asked(session: Session, version: DesignVersion, kind: OrganisationKind, hubs: Sequence[Organisation]) -> list[str]:
    """The names of the hubs that this kind of facility may ask for some kit of the version."""
    kits = session.exec(select(Kit.id).where(Kit.version_id == version.id)).all()
    return [one.name for one in hubs if askable(session, hub().policy, kits, kind, one.id, hub().clock())]
