"""What the warm worker can do, as functions of bytes: `python -m makerhub.designs.jobs` is the worker.

Every job runs in a child process with limits; see `forking.py`. Answers are MessagePack or the bytes themselves.
"""

from collections.abc import Callable, Mapping

import msgspec

from makerhub.designs.forking import serve
from makerhub.designs.formats import read_mesh
from makerhub.designs.geometry import MeshDamaged, MeshReport, canonical, check_triangles, unreadable, write_stl
from makerhub.designs.pictures import picture, thumbnail


class Inspected(msgspec.Struct, frozen=True):
    """What a file is: its report, and its mesh as canonical binary STL (empty where it could not be read)."""

    report: MeshReport
    mesh: bytes


def inspect(content: bytes, bodies: int) -> bytes:
    """The `Inspected` of a file that somebody sent."""
    try:
        triangles = read_mesh(content)
    except MeshDamaged as error:
        return msgspec.msgpack.encode(Inspected(unreadable(error.problem), b""))
    report = check_triangles(triangles, bodies)
    return msgspec.msgpack.encode(Inspected(report, b"" if report.faces == 0 else write_stl(canonical(triangles))))


JOBS: Mapping[str, Callable[..., bytes]] = {"inspect": inspect, "picture": thumbnail, "scene": picture}

if __name__ == "__main__":
    serve(JOBS)
