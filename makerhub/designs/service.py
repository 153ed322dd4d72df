"""The catalogue: what is published and what it consists of; and the withdrawal of a version."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.designs.models import Component, DesignVersion, Kit, KitComponent, KitPart, Part, VersionState
from makerhub.lifecycle import move


def withdraw(session: Session, version: DesignVersion, *, by: UUID, why: str, now: datetime) -> None:
    """End new requests and new prints of a version; queued work is taken back by the sweeps."""
    move(session, version, VersionState.WITHDRAWN, now=now, by=by, why=why)


def published(session: Session) -> Sequence[DesignVersion]:
    """The versions that may be asked for: of each design the newest, by name."""
    wanted = select(DesignVersion).where(DesignVersion.state == VersionState.PUBLISHED)
    newest = {version.design_id: version for version in session.exec(wanted.order_by(col(DesignVersion.published_at)))}
    return sorted(newest.values(), key=lambda version: version.name)


def parts_of(session: Session, version_id: UUID) -> Sequence[Part]:
    """The printed parts of a version, by name."""
    return session.exec(select(Part).where(Part.version_id == version_id).order_by(col(Part.name))).all()


def components_of(session: Session, version_id: UUID) -> Sequence[Component]:
    """What is bought for an item of a version, by name."""
    mine = select(Component).where(Component.version_id == version_id)
    return session.exec(mine.order_by(col(Component.name))).all()


def kits_of(session: Session, version_id: UUID) -> Sequence[Kit]:
    """What of a version may be asked for, in the manifest's order."""
    return session.exec(select(Kit).where(Kit.version_id == version_id).order_by(col(Kit.position))).all()


def kit_parts(session: Session, kit_id: UUID) -> Sequence[tuple[Part, int]]:
    """The printed parts of a kit and how many of each, by name."""
    mine = select(Part, KitPart.quantity).join(KitPart).where(KitPart.kit_id == kit_id)
    return [(part, quantity) for part, quantity in session.exec(mine.order_by(col(Part.name)))]


def kit_components(session: Session, kit_id: UUID) -> Sequence[tuple[Component, int]]:
    """What is bought for a kit and how much of each, by name."""
    mine = select(Component, KitComponent.quantity).join(KitComponent).where(KitComponent.kit_id == kit_id)
    return [(component, quantity) for component, quantity in session.exec(mine.order_by(col(Component.name)))]


def kit_name(version: DesignVersion, kit: Kit) -> str:
    """What people call a kit: the design's name, with the kit's own where a design has a choice of them."""
    return version.name if kit.name == version.name else f"{version.name}, {kit.name}"
