"""Reading and checking a mesh (pure): sizes first, then whether it is one closed solid that can be printed.

Only STL is read here: libraries load truncated and lying files as empty meshes without a word. Whether faces are
closed, wound alike and one body is told by sorted edges, in a fraction of the time and memory that trimesh takes; a
test compares the two. Self-intersections are not looked for, since slicers resolve them.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from makerhub.errors import translatable

MAX_FACES = 1_000_000
MAX_BINARY_BYTES = 84 + 50 * MAX_FACES
MAX_ASCII_BYTES = 20_000_000
MAX_EXTENT_MM = 1_000.0
MAX_COORDINATE_MM = 10_000.0
_GRID_MM = 0.0005
_AXIS_BITS = 21
_LEAST_VOLUME_MM3 = 0.001
_HEADER_BYTES = 84
_FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_WORDS_PER_FACET = 21

Triangles = NDArray[np.float64]
"""Corners of faces in mm: shape (faces, 3 corners, 3 coordinates)."""


class MeshProblem(StrEnum):
    """Why a mesh is refused; `sentence` is its translatable message."""

    EMPTY = "empty"
    TOO_LARGE = "too-large"
    DAMAGED = "damaged"
    NOT_FINITE = "not-finite"
    TOO_BIG = "too-big"
    FLAT = "flat"
    OPEN = "open"
    TWISTED = "twisted"
    INVERTED = "inverted"
    SEVERAL_BODIES = "several-bodies"
    UNREADABLE = "unreadable"
    UNKNOWN_FORMAT = "unknown-format"

    @property
    def sentence(self) -> str:
        """What to tell the person who sent the mesh, in English."""
        return _SENTENCES[self]


_SENTENCES = {
    MeshProblem.EMPTY: translatable("The file holds no faces."),
    MeshProblem.TOO_LARGE: translatable("The file is too large: at most 1,000,000 faces, or 20 MB as text."),
    MeshProblem.DAMAGED: translatable("The file is no STL, 3MF, OBJ or STEP file, or it is damaged or cut off."),
    MeshProblem.UNKNOWN_FORMAT: translatable("The archive holds no 3MF model."),
    MeshProblem.NOT_FINITE: translatable("A corner of the mesh is not a number."),
    MeshProblem.TOO_BIG: translatable("The mesh is larger than one metre or very far from the origin; is it in mm?"),
    MeshProblem.FLAT: translatable("The mesh has no volume."),
    MeshProblem.OPEN: translatable("The mesh is not closed: some edges do not belong to exactly two faces."),
    MeshProblem.TWISTED: translatable("Some faces of the mesh point inwards and others outwards."),
    MeshProblem.INVERTED: translatable("The mesh is inside out."),
    MeshProblem.SEVERAL_BODIES: translatable(
        "The mesh has another number of separate bodies than it should, which is one where okh.toml does not say more. "
        "Save each body as a file of its own. If one piece is of several bodies, send it with an okh.toml that says so."
    ),
    MeshProblem.UNREADABLE: translatable("The file could not be checked within the limits of memory and time."),
}


@dataclass(frozen=True, slots=True)
class MeshReport:
    """What a mesh is: lengths in mm, volume in mm³; everything is 0 when the file could not be read."""

    faces: int
    bodies: int
    watertight: bool
    consistent: bool
    volume_mm3: float
    low_mm: tuple[float, float, float]
    high_mm: tuple[float, float, float]
    problems: tuple[MeshProblem, ...]

    @property
    def size_mm(self) -> tuple[float, float, float]:
        """Width (x), depth (y) and height (z); the first two are the footprint on the bed."""
        width, depth, height = (high - low for low, high in zip(self.low_mm, self.high_mm, strict=True))
        return width, depth, height


class MeshDamaged(ValueError):
    """The bytes are no mesh; `problem` says why."""

    def __init__(self, problem: MeshProblem) -> None:
        super().__init__(problem.sentence)
        self.problem = problem


def check_mesh(content: bytes, bodies: int = 1) -> MeshReport:
    """What the mesh is and all of its problems, if it should have so many `bodies`; never raises for bad content."""
    try:
        triangles = read_stl(content)
    except MeshDamaged as error:
        return unreadable(error.problem)
    return check_triangles(triangles, bodies)


def unreadable(problem: MeshProblem) -> MeshReport:
    """The report of a file of which nothing can be said but its problem."""
    nothing = (0.0, 0.0, 0.0)
    return MeshReport(0, 0, False, False, 0.0, nothing, nothing, (problem,))


def read_stl(content: bytes) -> Triangles:
    """The faces of a binary or ASCII STL file, all finite and at least one; raises `MeshDamaged`."""
    if not content:
        raise MeshDamaged(MeshProblem.EMPTY)
    triangles = _read_binary(content) if _is_binary(content) else _read_ascii(content)
    if not len(triangles):
        raise MeshDamaged(MeshProblem.EMPTY)
    if not np.isfinite(triangles).all():
        raise MeshDamaged(MeshProblem.NOT_FINITE)
    return triangles


def write_stl(triangles: Triangles) -> bytes:
    """The binary STL file of these faces, with an empty header and the normals of the corners as they are written.

    So the same faces give the same bytes, and what was read from such a file does, too.
    """
    facets = np.zeros(len(triangles), dtype=_FACET)
    facets["corners"] = triangles
    facets["normal"] = _unit(_normals(facets["corners"].astype(np.float64)))
    return bytes(80) + struct.pack("<I", len(facets)) + facets.tobytes()


def canonical(triangles: Triangles) -> Triangles:
    """The same faces with corners that are meant to be one made one, and without faces that are only lines.

    This is what is kept and sliced. Faces whose corners are exact stay as they are, bit by bit.
    """
    solid = weld(triangles)
    return solid.points[solid.faces]


def check_triangles(triangles: Triangles, bodies: int = 1) -> MeshReport:
    """As `check_mesh`, for faces that are already read."""
    low, high = triangles.min(axis=(0, 1)), triangles.max(axis=(0, 1))
    if (high - low).max() > MAX_EXTENT_MM or max(-low.min(), high.max()) > MAX_COORDINATE_MM:
        return unreadable(MeshProblem.TOO_BIG)
    solid = weld(triangles)
    shell = solid.shell
    found = MeshReport(
        faces=len(triangles),
        bodies=shell.bodies,
        watertight=shell.closed,
        consistent=shell.closed and shell.consistent,
        volume_mm3=_volume(solid.points - low, solid.faces),
        low_mm=_point(low),
        high_mm=_point(high),
        problems=(),
    )
    return replace(found, problems=_problems_of(found, bodies))


def _problems_of(found: MeshReport, bodies: int) -> tuple[MeshProblem, ...]:
    rules = {
        MeshProblem.OPEN: not found.watertight,
        MeshProblem.TWISTED: found.watertight and not found.consistent,
        MeshProblem.FLAT: abs(found.volume_mm3) < _LEAST_VOLUME_MM3,
        MeshProblem.INVERTED: found.volume_mm3 <= -_LEAST_VOLUME_MM3,
        MeshProblem.SEVERAL_BODIES: found.bodies != bodies,
    }
    return tuple(problem for problem, broken in rules.items() if broken)


def _is_binary(content: bytes) -> bool:
    """Whether the size is what the count in the header promises; binary files may begin with “solid” too."""
    if len(content) < _HEADER_BYTES:
        return False
    (count,) = struct.unpack_from("<I", content, 80)
    return len(content) == _HEADER_BYTES + _FACET.itemsize * int(count)


def _read_binary(content: bytes) -> Triangles:
    if len(content) > MAX_BINARY_BYTES:
        raise MeshDamaged(MeshProblem.TOO_LARGE)
    facets = np.frombuffer(content, dtype=_FACET, offset=_HEADER_BYTES)
    return facets["corners"].astype(np.float64)


def _read_ascii(content: bytes) -> Triangles:
    """Every facet is 21 words: `facet normal x y z outer loop` and so on to `endfacet`, in this order."""
    if not content[:200].lstrip().startswith(b"solid"):
        raise MeshDamaged(MeshProblem.DAMAGED)
    if len(content) > MAX_ASCII_BYTES:
        raise MeshDamaged(MeshProblem.TOO_LARGE)
    first, last = content.find(b"facet"), content.rfind(b"endsolid")
    if first < 0 or last < first:
        raise MeshDamaged(MeshProblem.EMPTY if first < 0 < last else MeshProblem.DAMAGED)
    return _read_words(content[first:last].split())


def _read_words(words: Sequence[bytes]) -> Triangles:
    if not words or len(words) % _WORDS_PER_FACET:
        raise MeshDamaged(MeshProblem.DAMAGED)
    table = np.array(words).reshape(-1, _WORDS_PER_FACET)
    keywords = table[:, [0, 1, 5, 6, 7, 11, 15, 19, 20]]
    expected = [b"facet", b"normal", b"outer", b"loop", b"vertex", b"vertex", b"vertex", b"endloop", b"endfacet"]
    if (keywords != np.array(expected)).any():
        raise MeshDamaged(MeshProblem.DAMAGED)
    try:
        numbers = table[:, [8, 9, 10, 12, 13, 14, 16, 17, 18]].astype(np.float32)
    except ValueError as error:
        raise MeshDamaged(MeshProblem.DAMAGED) from error
    return numbers.reshape(-1, 3, 3).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Shell:
    """What the edges of a mesh say of it."""

    closed: bool
    consistent: bool
    bodies: int


@dataclass(frozen=True, slots=True)
class Welded:
    """A mesh whose faces share their corners: points in mm (n × 3), and each face as three of their numbers."""

    points: NDArray[np.float64]
    faces: NDArray[np.int64]
    shell: Shell


def weld(triangles: Triangles) -> Welded:
    """The faces with corners that are meant to be one made one, and without faces that are only lines."""
    first, faces = _merged(triangles)
    points = triangles.reshape(-1, 3)[first]
    keys, shell = _shell_of(faces, len(points))
    if not shell.closed and len(faces):
        faces = _stitched(points, faces, _loose(keys, len(points)))
        _, shell = _shell_of(faces, len(points))
    return Welded(points, faces, shell)


def _stitched(points: NDArray[np.float64], faces: NDArray[np.int64], loose: NDArray[np.int64]) -> NDArray[np.int64]:
    """The faces with `loose` corners joined that lie together, though a border of the grid runs between them."""
    pairs = cKDTree(points[loose]).query_pairs(_GRID_MM, output_type="ndarray")
    if not len(pairs):
        return faces
    graph = coo_array((np.ones(len(pairs), np.bool_), pairs.T), shape=(len(loose), len(loose)))
    _, groups = connected_components(graph, directed=False)
    meant = np.arange(len(points))
    meant[loose] = loose[np.unique(groups, return_index=True)[1]][groups]
    return _without_lines(meant[faces])


def _merged(triangles: Triangles) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which corners are kept, one of each cell of a fine grid, and the faces as numbers of kept corners.

    Real files write one corner in two ways that differ in the last bit. A corner's cell is one 64-bit key, which fits
    as long as the mesh is no longer than a metre. Of each cell the first corner in the file is kept, so that the same
    file gives the same mesh on every machine. A face with two equal corners is a line and left out: that joins the two
    faces beside it, so nothing opens.
    """
    keys = _cells(triangles)
    order = np.argsort(keys)
    keys = keys[order]
    is_new = np.empty(len(keys), np.bool_)
    is_new[:1] = True
    np.not_equal(keys[1:], keys[:-1], out=is_new[1:])
    numbers = np.empty(len(keys), np.int64)
    numbers[order] = np.cumsum(is_new) - 1
    first = np.minimum.reduceat(order, np.flatnonzero(is_new)) if len(order) else order
    return first, _without_lines(numbers.reshape(-1, 3))


def _without_lines(faces: NDArray[np.int64]) -> NDArray[np.int64]:
    proper = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return faces if proper.all() else faces[proper]


def _cells(triangles: Triangles) -> NDArray[np.int64]:
    """The cell of each corner, its three numbers in one."""
    keys = np.zeros(3 * len(triangles), np.int64)
    for axis, low in enumerate(triangles.min(axis=(0, 1))):
        cells = (triangles[:, :, axis].reshape(-1) - low) / _GRID_MM
        keys = (keys << _AXIS_BITS) | np.rint(cells, out=cells).astype(np.int64)
    return keys


def _shell_of(faces: NDArray[np.int64], points: int) -> tuple[NDArray[np.int64], Shell]:
    """The edges, sorted, and whether each lies between two faces that run along it in opposite directions.

    An edge is one key: its smaller corner, its larger one, and its direction in the lowest bit. Sorted, the two sides
    of an edge stand beside each other. Bodies are counted over shared edges: two that touch in one corner stay two.
    """
    if not len(faces):
        return np.zeros(0, np.int64), Shell(closed=False, consistent=False, bodies=0)
    keys = np.empty(3 * len(faces), np.int64)
    for side in range(3):
        start, end = faces[:, side], faces[:, (side + 1) % 3]
        keys[side::3] = ((np.minimum(start, end) * points + np.maximum(start, end)) << 1) | (start > end)
    order = np.argsort(keys)
    keys = keys[order]
    edges = keys >> 1
    same = edges[1:] == edges[:-1]
    order //= 3
    graph = coo_array((same[same], (order[:-1][same], order[1:][same])), shape=(len(faces), len(faces)))
    closed = len(keys) % 2 == 0 and bool(same[::2].all()) and not same[1::2].any()
    return edges, Shell(
        closed=closed,
        consistent=closed and bool((keys[::2] & 1 != keys[1::2] & 1).all()),
        bodies=int(connected_components(graph, directed=False, return_labels=False)),
    )


def _loose(edges: NDArray[np.int64], points: int) -> NDArray[np.int64]:
    """The corners at sorted edges that do not lie between exactly two faces."""
    each, counts = np.unique(edges, return_counts=True)
    loose = each[counts != 2]
    return np.unique(np.concatenate([loose // points, loose % points]))


def _volume(points: NDArray[np.float64], faces: NDArray[np.int64]) -> float:
    """The signed volume, negative for a solid that is inside out: the sum of the tetrahedra over all faces."""
    one, two, three = (points[faces[:, corner]] for corner in range(3))
    return float(np.einsum("ij,ij->", one, np.cross(two, three))) / 6


def _normals(triangles: Triangles) -> NDArray[np.float64]:
    """Across each face, with twice its area as length."""
    normals: NDArray[np.float64] = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    return normals


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: NDArray[np.float64] = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return unit


def _point(coordinates: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = coordinates.tolist()
    return x, y, z
