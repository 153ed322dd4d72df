"""What the warm worker can do, as functions of bytes: `python -m makerhub.designs.jobs` is the worker.

Every job runs in a child process with limits; see `forking.py`. Answers are MessagePack or the bytes themselves.
"""

from collections.abc import Callable, Mapping

import msgspec

from makerhub.designs.analysis import Analysis, analyse
from makerhub.designs.forking import serve
from makerhub.designs.formats import read_mesh
from makerhub.designs.geometry import (
    MeshDamaged,
    MeshReport,
    Triangles,
    canonical,
    check_triangles,
    unreadable,
    write_stl,
)
from makerhub.designs.glb import model
from makerhub.designs.mending import Change, mend
from makerhub.designs.pictures import picture, thumbnail


class Inspected(msgspec.Struct, frozen=True):
    """What a file is: its report, its mesh as canonical binary STL, and how that prints, where it is sound.

    `mending` is what was done to make it so, where that was asked for; else what could be done.
    """

    report: MeshReport
    mesh: bytes = b""
    analysis: Analysis | None = None
    mending: tuple[Change, ...] = ()


def inspect(content: bytes, bodies: int, mends: bool) -> bytes:
    """The `Inspected` of a file that somebody sent."""
    try:
        return msgspec.msgpack.encode(_inspected(read_mesh(content), bodies, mends=mends))
    except MeshDamaged as error:
        return msgspec.msgpack.encode(Inspected(unreadable(error.problem)))


def _inspected(triangles: Triangles, bodies: int, *, mends: bool) -> Inspected:
    report = check_triangles(triangles, bodies)
    mended = mend(triangles, bodies) if report.problems else None
    if mended and mends:
        found = _inspected(mended.triangles, bodies, mends=False)
        return msgspec.structs.replace(found, mending=mended.changes)
    if report.problems:
        return Inspected(report, mending=mended.changes if mended else ())
    sound = canonical(triangles)
    return Inspected(report, write_stl(sound), analyse(sound))


JOBS: Mapping[str, Callable[..., bytes]] = {"inspect": inspect, "picture": thumbnail, "scene": picture, "model": model}

if __name__ == "__main__":
    serve(JOBS)
