"""Reading meshes of every format that people send: STL, 3MF, OBJ and STEP, told apart by their content, not their name.

All become `Triangles` in mm. Sizes are looked at before anything is unpacked, and every damage is a `MeshDamaged`,
since libraries were seen to read truncated, lying and hostile files as empty or wrong meshes without a word. All the
same this module is meant to run in a child process with limits.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path

import cascadio
import numpy as np
import trimesh

from makerhub.designs.geometry import MAX_FACES, MeshDamaged, MeshProblem, Triangles, read_stl
from makerhub.designs.threemf import read_3mf

MAX_OBJ_BYTES = 60_000_000
MAX_STEP_BYTES = 20_000_000
STEP_TOLERANCE_MM = 0.05
"""How far a facet may be from the true surface: a quarter of a layer, far below what a nozzle can show."""

STEP_ANGLE_RADIANS = 0.2
_MM_PER_METRE = 1000.0


def read_mesh(content: bytes) -> Triangles:
    """The faces in a file of any known format, in mm, all finite and at least one; raises `MeshDamaged`."""
    triangles = _reader_of(content)(content)
    if not len(triangles):
        raise MeshDamaged(MeshProblem.EMPTY)
    if len(triangles) > MAX_FACES:
        raise MeshDamaged(MeshProblem.TOO_LARGE)
    if not np.isfinite(triangles).all():
        raise MeshDamaged(MeshProblem.NOT_FINITE)
    return triangles


def _reader_of(content: bytes) -> Callable[[bytes], Triangles]:
    """Which reader the first bytes ask for; whatever is not recognised is taken for STL, which has no mark."""
    head = content[:2000]
    if head.startswith(b"PK\x03\x04"):
        return read_3mf
    if head.lstrip().startswith(b"ISO-10303-21"):
        return read_step
    if _looks_like_obj(head):
        return read_obj
    return read_stl


def _looks_like_obj(head: bytes) -> bool:
    """Whether a first line that is no comment begins as lines of OBJ do, and all is text."""
    if b"\0" in head:
        return False
    words = (
        line.split(None, 1)[0] for line in head.splitlines() if line.strip() and not line.lstrip().startswith(b"#")
    )
    return next(words, b"") in (b"v", b"vn", b"vt", b"o", b"g", b"mtllib", b"usemtl", b"s")


def read_obj(content: bytes) -> Triangles:
    """The faces of a Wavefront OBJ file, which has no unit: mm. Polygons become fans; textures, lines and so on go."""
    if len(content) > MAX_OBJ_BYTES:
        raise MeshDamaged(MeshProblem.TOO_LARGE)
    lines = content.replace(b"\\\n", b" ").replace(b"\\\r\n", b" ").splitlines()
    try:
        points = np.array([line.split()[1:4] for line in lines if line[:2] in (b"v ", b"v\t")], dtype=np.float64)
        corners = np.array(list(chain.from_iterable(_obj_faces(lines))), dtype=np.int64)
    except MeshDamaged:
        raise
    except (ValueError, OverflowError) as error:
        raise MeshDamaged(MeshProblem.DAMAGED) from error
    if not len(corners):
        raise MeshDamaged(MeshProblem.EMPTY)
    if points.ndim != 2 or corners.min() < 0 or corners.max() >= len(points):
        raise MeshDamaged(MeshProblem.DAMAGED)
    return points[corners].reshape(-1, 3, 3)


def _obj_faces(lines: Sequence[bytes]) -> Iterator[tuple[int, ...]]:
    """The corners of each triangle, counted from 0; negative numbers count back from the last point so far."""
    known, found = 0, 0
    for line in lines:
        kind = line[:2]
        if kind in (b"v ", b"v\t"):
            known += 1
        elif kind in (b"f ", b"f\t"):
            numbers = [int(word.partition(b"/")[0]) for word in line.split()[1:]]
            if len(numbers) < 3 or 0 in numbers:
                raise MeshDamaged(MeshProblem.DAMAGED)
            first, *others = (number - 1 if number > 0 else known + number for number in numbers)
            found += len(others) - 1
            if found > MAX_FACES:
                raise MeshDamaged(MeshProblem.TOO_LARGE)
            yield tuple(chain.from_iterable((first, one, two) for one, two in pairwise(others)))


def read_step(content: bytes) -> Triangles:
    """The surfaces of a STEP file (ISO 10303-21), faceted to `STEP_TOLERANCE_MM`; needs a place to write a file."""
    if len(content) > MAX_STEP_BYTES:
        raise MeshDamaged(MeshProblem.TOO_LARGE)
    with tempfile.TemporaryDirectory() as folder:
        source, meshed = Path(folder, "part.step"), Path(folder, "part.glb")
        source.write_bytes(content)
        cascadio.step_to_glb(str(source), str(meshed), STEP_TOLERANCE_MM, STEP_ANGLE_RADIANS)
        if not meshed.exists() or not meshed.stat().st_size:
            raise MeshDamaged(MeshProblem.DAMAGED)
        scene = trimesh.load_scene(meshed, process=False)
    solids = [np.asarray(solid.triangles) for solid in scene.dump() if isinstance(solid, trimesh.Trimesh)]
    if not solids:
        raise MeshDamaged(MeshProblem.EMPTY)
    return np.concatenate(solids) * _MM_PER_METRE
