"""Versions side by side: all that is known of one as plain facts, and the way back from it to its parents."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from makerhub.designs.approvals import ApprovalPolicy, grades
from makerhub.designs.differences import ComponentFacts, KitFacts, PartFacts, VersionFacts
from makerhub.designs.models import ApprovalState, DesignVersion, Part
from makerhub.designs.service import components_of, kit_components, kit_parts, kits_of, parts_of


def facts_of(session: Session, version: DesignVersion) -> VersionFacts:
    """All of a version that can differ from another one."""
    return VersionFacts(
        name=version.name,
        function=version.function,
        license=version.license,
        licensor=version.licensor,
        repo=version.repo,
        readme=version.readme,
        parts=tuple(_part_facts(part) for part in parts_of(session, version.id)),
        components=tuple(ComponentFacts(one.name, one.unit, one.note) for one in components_of(session, version.id)),
        kits=tuple(
            KitFacts(
                kit.name,
                kit.fits,
                {part.name: quantity for part, quantity in kit_parts(session, kit.id)},
                {component.name: quantity for component, quantity in kit_components(session, kit.id)},
            )
            for kit in kits_of(session, version.id)
        ),
    )


def ancestors(session: Session, version: DesignVersion) -> Iterator[DesignVersion]:
    """The version that it was made from, the one before that, and so on."""
    while version.parent_id is not None:
        version = session.get_one(DesignVersion, version.parent_id)
        yield version


def approved_ancestor(
    session: Session, policy: ApprovalPolicy, version: DesignVersion, hub_id: UUID, now: datetime
) -> DesignVersion | None:
    """The nearest ancestor that is approved at a hub, in one of its materials at least; None where none is."""
    for ancestor in ancestors(session, version):
        states = grades(session, policy, parts_of(session, ancestor.id), hub_id, now).values()
        if any(state.suffices_for(ApprovalState.COMMUNITY_REVIEWED) for state in states):
            return ancestor
    return None


def _part_facts(part: Part) -> PartFacts:
    return PartFacts(
        name=part.name,
        mesh_sha256=part.mesh_sha256,
        materials=tuple(part.materials),
        settings=part.settings,
        size_mm=(part.width_mm, part.depth_mm, part.height_mm),
        volume_mm3=part.volume_mm3,
        faces=_known(part.analysis.get("faces"), int),
        grams=_known(part.analysis.get("grams"), float),
        picture_sha256=part.picture_sha256,
    )


def _known(measured: Any, kind: type[Any]) -> Any:
    """A measure of the analysis, if it has been taken and is a number."""
    return kind(measured) if isinstance(measured, int | float) else None
