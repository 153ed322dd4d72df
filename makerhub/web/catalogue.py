"""The catalogue as pages show it: of each design the version that counts, with its key and its picture."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.designs.models import Component, Design, DesignVersion, Kit, Part, VersionState
from makerhub.designs.service import kit_components, kit_name, kit_parts, kits_of
from makerhub.errors import NotFound
from makerhub.lifecycle import history


@dataclass(frozen=True)
class Card:
    """One design; `picture` is the SHA-256 of its version's picture, empty when there is none."""

    key: str
    version: DesignVersion
    picture: str

    @property
    def is_published(self) -> bool:
        """Whether it may be asked for."""
        return self.version.state is VersionState.PUBLISHED


@dataclass(frozen=True)
class Choice:
    """A kit that may be asked for; `key` stands for it in addresses: the design's, and its own if there are several.

    It is of the design's newest version, or of an older one where the newest may not be asked for.
    """

    key: str
    card: Card
    kit: Kit
    is_newest: bool = True

    @property
    def name(self) -> str:
        """What people call it."""
        return kit_name(self.card.version, self.kit)


def choices(session: Session, may_ask: Callable[[Sequence[UUID]], Collection[UUID]]) -> list[Choice]:
    """Of each design the kits of the newest version of which something may be asked for, or else of the newest.

    Designs by name, kits in the design's order; `may_ask` picks from ids of kits those that somebody may ask for.
    """
    versions = published_versions(session)
    rows = session.exec(
        select(Kit)
        .where(col(Kit.version_id).in_([one.id for of_design in versions.values() for one in of_design]))
        .order_by(col(Kit.position))
    ).all()
    askable = may_ask([kit.id for kit in rows])
    allowed = {kit.version_id for kit in rows if kit.id in askable}
    chosen = {
        key: next((one for one in of_design if one.id in allowed), of_design[0]) for key, of_design in versions.items()
    }
    pictures = pictures_of(session, list(chosen.values()))
    found = []
    for key, version in sorted(chosen.items(), key=lambda one: (one[1].name.casefold(), one[0])):
        card = Card(key, version, pictures.get(version.id, ""))
        kits = [kit for kit in rows if kit.version_id == version.id]
        for kit in kits:
            name = key if len(kits) == 1 else f"{key}.{_slug(kit.name)}"
            found.append(Choice(name, card, kit, version is versions[key][0]))
    return found


def published_versions(session: Session) -> dict[str, list[DesignVersion]]:
    """The versions of each design that are not withdrawn, the newest first, by the design's key."""
    wanted = select(Design.key, DesignVersion).join(Design).where(DesignVersion.state == VersionState.PUBLISHED)
    found: dict[str, list[DesignVersion]] = {}
    for key, version in session.exec(wanted.order_by(col(DesignVersion.published_at).desc())):
        found.setdefault(key, []).append(version)
    return found


def _slug(name: str) -> str:
    """A name as it may stand in an address: letters and figures of any script, joined by hyphens."""
    return "-".join(re.findall(r"\w+", name.casefold()))


def cards(session: Session) -> list[Card]:
    """Every design by name: its newest published version, or its newest one when all are withdrawn."""
    rows = session.exec(select(Design.key, DesignVersion).join(Design).order_by(col(DesignVersion.published_at)))
    newest: dict[str, DesignVersion] = {}
    for key, version in rows:
        known = newest.get(key)
        if known is None or version.state is VersionState.PUBLISHED or known.state is VersionState.WITHDRAWN:
            newest[key] = version
    pictures = pictures_of(session, list(newest.values()))
    found = [Card(key, version, pictures.get(version.id, "")) for key, version in newest.items()]
    return sorted(found, key=lambda card: (card.version.name.casefold(), card.key))


def card(session: Session, key: str) -> Card:
    """The design with this key; raises `NotFound`."""
    for found in cards(session):
        if found.key == key:
            return found
    raise NotFound


def versions_of(session: Session, key: str) -> Sequence[DesignVersion]:
    """All versions of a design, the newest first."""
    mine = select(DesignVersion).join(Design).where(Design.key == key)
    return session.exec(mine.order_by(col(DesignVersion.published_at).desc())).all()


def why_withdrawn(session: Session, version: DesignVersion) -> str:
    """The reason that was given for withdrawing the version; empty while it is published."""
    withdrawn = [change for change in history(session, version) if change.after == VersionState.WITHDRAWN]
    return withdrawn[-1].why if withdrawn else ""


def find_version(session: Session, key: str, version: str) -> DesignVersion:
    """The version of a design by its number; raises `NotFound`."""
    wanted = select(DesignVersion).join(Design).where(Design.key == key, DesignVersion.version == version)
    found = session.exec(wanted.order_by(col(DesignVersion.published_at).desc())).first()
    if found is None:
        raise NotFound
    return found


def key_of(session: Session, version: DesignVersion) -> str:
    """The name of the design in addresses."""
    return session.get_one(Design, version.design_id).key


def pictures_of(session: Session, versions: Sequence[DesignVersion]) -> dict[UUID, str]:
    """The picture of each version, or else that of its largest part, by the version's id."""
    ids = [version.id for version in versions]
    drawn = select(Part.version_id, Part.picture_sha256).where(col(Part.version_id).in_(ids), Part.picture_sha256 != "")
    of_parts = dict(session.exec(drawn.order_by(col(Part.volume_mm3))).all())
    return of_parts | {version.id: version.picture_sha256 for version in versions if version.picture_sha256}


def is_picture(session: Session, sha256: str) -> bool:
    """Whether this is the picture of a version or of a part of the catalogue, and so may be seen by everybody."""
    of_version = select(DesignVersion.id).where(DesignVersion.picture_sha256 == sha256)
    of_part = select(Part.id).where(Part.picture_sha256 == sha256)
    return any(session.exec(wanted).first() is not None for wanted in (of_part, of_version))


@dataclass(frozen=True)
class ShownKit:
    """A kit with its bill of materials: printed parts, the largest first, and what is bought, each with how many."""

    kit: Kit
    parts: Sequence[tuple[Part, int]]
    components: Sequence[tuple[Component, int]]


def shown_kits(session: Session, version_id: UUID) -> list[ShownKit]:
    """The kits of a version, each with its bill of materials."""
    return [
        ShownKit(
            kit,
            sorted(kit_parts(session, kit.id), key=lambda part: -part[0].volume_mm3),
            kit_components(session, kit.id),
        )
        for kit in kits_of(session, version_id)
    ]
