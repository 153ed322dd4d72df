"""Checking a mesh that somebody sent, in the warm worker's children: this process only reads a report."""

from collections.abc import Sequence

import msgspec

from makerhub.designs.geometry import MeshProblem, MeshReport, unreadable
from makerhub.designs.jobs import Inspected
from makerhub.designs.sandbox import SandboxFailed, SandboxLimits
from makerhub.designs.worker import LIMITS, worker
from makerhub.errors import Invalid, translatable

MAX_FILE_BYTES = 60_000_000


class MeshRefused(Invalid):
    """The mesh of a part can not be printed as it is; `report` says what was found, `fields` why, under its name."""

    template = translatable("The mesh of “%(part)s” can not be used as it is.")

    def __init__(self, report: MeshReport, part: str, *, can_be_mended: bool) -> None:
        super().__init__(fields={part: " ".join(problem.sentence for problem in report.problems)}, part=part)
        self.report = report
        self.can_be_mended = can_be_mended


def inspect_mesh(content: bytes, bodies: int = 1, limits: SandboxLimits = LIMITS, *, mends: bool = False) -> Inspected:
    """What a file is, with all of its problems; blocks for some seconds at most, and never raises for bad content.

    `bodies` is how many bodies the manifest promises. With `mends` it is mended first, where that can be done.
    """
    if len(content) > MAX_FILE_BYTES:
        return Inspected(unreadable(MeshProblem.TOO_LARGE))
    try:
        return msgspec.msgpack.decode(worker.run("inspect", content, bodies, mends, limits=limits), type=Inspected)
    except (SandboxFailed, msgspec.DecodeError):
        return Inspected(unreadable(MeshProblem.UNREADABLE))


def picture_of(mesh: bytes) -> bytes:
    """The picture of a canonical mesh as WebP; raises `SandboxFailed` where it can not be drawn within the limits."""
    return worker.run("picture", mesh)


def scene_of(meshes: Sequence[bytes], quantities: Sequence[int]) -> bytes:
    """As `picture_of`, of so many pieces of each canonical mesh side by side: the picture of a version or a kit."""
    return worker.run("scene", list(meshes), list(quantities))


def model_of(meshes: Sequence[bytes], names: Sequence[str], quantities: Sequence[int]) -> bytes:
    """What `scene_of` shows as a solid model, GLB, that can be turned; raises `SandboxFailed` as it does."""
    return worker.run("model", list(meshes), list(names), list(quantities))
