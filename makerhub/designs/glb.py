"""Solid parts as GLB, the binary form of glTF 2.0 (pure): what browsers and most programs for 3D read.

Positions are whole numbers of 16 bits and normals of 8 (the extension KHR_mesh_quantization): 12 bytes a corner, at a
step of some µm. Each part is there once, however often it lies in the scene.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from makerhub.designs.geometry import Triangles, read_stl
from makerhub.designs.normals import Floats, corner_normals
from makerhub.designs.scenes import Place, arrange, standing

MOST_FACES = 150_000
"""What is finer is simplified: no screen shows more, and a phone has to fetch it."""

_MOST_STEPS = 65_535
_UNSIGNED_SHORT, _UNSIGNED_INT, _BYTE = 5123, 5125, 5120
_CORNERS, _INDICES = 34962, 34963
_JSON, _BINARY = 0x4E4F534A, 0x004E4942
_CORNER = np.dtype([("position", "<u2", 4), ("normal", "i1", 4)])
_FROM_MM_AND_Z_UP = (0.001, 0, 0, 0, 0, 0, -0.001, 0, 0, 0.001, 0, 0, 0, 0, 0, 1)
"""glTF measures in metres and has y up; its matrices go column by column."""

_PLASTIC = {"baseColorFactor": [0.014, 0.225, 0.240, 1], "metallicFactor": 0, "roughnessFactor": 0.6}


@dataclass(frozen=True, slots=True)
class _Solid:
    """A part: corners, faces as numbers of corners (faces, 3), and how to get from steps to mm."""

    corners: NDArray[Any]
    faces: NDArray[np.int64]
    low: Floats
    step: float


def model(meshes: Sequence[bytes], names: Sequence[str], quantities: Sequence[int]) -> bytes:
    """The GLB of so many pieces of each part, checked STL files, laid out as in their picture."""
    parts = [standing(read_stl(mesh)) for mesh in meshes]
    return write_glb(parts, names, arrange(parts, quantities))


def write_glb(parts: Sequence[Triangles], names: Sequence[str], places: Sequence[Place]) -> bytes:
    """The GLB of parts, faces of shape (faces, 3, 3) in mm with z up, at these places."""
    solids = [_solid(simplified(part)) for part in parts]
    buffer, views, accessors = bytearray(), [], []
    for solid in solids:
        for content, target, stride in (
            (solid.corners.tobytes(), _CORNERS, {"byteStride": _CORNER.itemsize}),
            (_indices(solid).tobytes(), _INDICES, {}),
        ):
            views.append(
                {"buffer": 0, "byteOffset": len(buffer), "byteLength": len(content), "target": target} | stride
            )
            buffer += content + bytes(-len(content) % 4)
        accessors += _accessors(solid, len(views) - 2)
    document = {
        "asset": {"version": "2.0", "generator": "makerhub"},
        "extensionsUsed": ["KHR_mesh_quantization"],
        "extensionsRequired": ["KHR_mesh_quantization"],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"matrix": _FROM_MM_AND_Z_UP, "children": list(range(1, len(places) + 1))}]
        + [
            {"name": names[place.part], "mesh": place.part, "matrix": _matrix(place, solids[place.part])}
            for place in places
        ],
        "meshes": [_mesh(number, name) for number, name in enumerate(names)],
        "materials": [{"name": "plastic", "pbrMetallicRoughness": _PLASTIC}],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(buffer)}],
    }
    return _packed(document, bytes(buffer))


def simplified(triangles: Triangles) -> Triangles:
    """The same faces, or with corners that lie close together made one until there are at most `MOST_FACES`."""
    low, extent = triangles.min(axis=(0, 1)), float(np.ptp(triangles, axis=(0, 1)).max())
    cells = 2048
    faces = triangles
    while len(faces) > MOST_FACES:
        cells = cells * 3 // 4
        faces = _clustered(triangles, low, extent / cells)
    return faces


def _clustered(triangles: Triangles, low: Floats, cell: float) -> Triangles:
    """With all corners in a cell moved to the mean of them, and without the faces that are no more than lines then."""
    points = triangles.reshape(-1, 3)
    x, y, z = np.rint((points - low) / cell).astype(np.int64).T
    _, number, counts = np.unique((x << 42) | (y << 21) | z, return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(number, points[:, axis]) / counts for axis in range(3)], axis=-1)
    one, two, three = number.reshape(-1, 3).T
    proper = (one != two) & (two != three) & (three != one)
    clustered: Triangles = means[number.reshape(-1, 3)[proper]]
    return clustered


def _solid(triangles: Triangles) -> _Solid:
    """Corners of which no two are the same in place and normal."""
    low = triangles.min(axis=(0, 1))
    step = float(np.ptp(triangles, axis=(0, 1)).max()) / _MOST_STEPS
    all_corners = np.zeros(len(triangles) * 3, dtype=_CORNER)
    all_corners["position"][:, :3] = np.rint((triangles.reshape(-1, 3) - low) / step)
    all_corners["normal"][:, :3] = np.rint(corner_normals(triangles).reshape(-1, 3) * 127)
    keys, number = np.unique(all_corners.view("V12"), return_inverse=True)
    corners = keys.view(_CORNER)
    order = np.lexsort(corners["position"][:, 2::-1].T)  # neighbours side by side pack better
    return _Solid(corners[order], np.argsort(order)[number].reshape(-1, 3), low, step)


def _indices(solid: _Solid) -> NDArray[Any]:
    """The faces, in an order that packs well, as small numbers as will do."""
    first = solid.faces.argmin(axis=1)[:, None]
    turned = np.take_along_axis(solid.faces, (first + np.arange(3)) % 3, axis=1)
    ordered = turned[np.lexsort(turned.T[::-1])]
    return ordered.astype("<u2" if len(solid.corners) <= _MOST_STEPS else "<u4").ravel()


def _accessors(solid: _Solid, view: int) -> list[dict[str, object]]:
    place = solid.corners["position"][:, :3]
    corners = {"bufferView": view, "count": len(solid.corners), "type": "VEC3"}
    index_type = _UNSIGNED_SHORT if len(solid.corners) <= _MOST_STEPS else _UNSIGNED_INT
    low, high = place.min(axis=0).tolist(), place.max(axis=0).tolist()
    return [
        corners | {"componentType": _UNSIGNED_SHORT, "min": low, "max": high},
        corners | {"componentType": _BYTE, "normalized": True, "byteOffset": 8},
        {"bufferView": view + 1, "count": solid.faces.size, "type": "SCALAR", "componentType": index_type},
    ]


def _mesh(number: int, name: str) -> dict[str, object]:
    attributes = {"POSITION": 3 * number, "NORMAL": 3 * number + 1}
    return {"name": name, "primitives": [{"attributes": attributes, "indices": 3 * number + 2, "material": 0}]}


def _matrix(place: Place, solid: _Solid) -> list[float]:
    """From steps to mm, then turned and moved to the place; column by column."""
    matrix = np.eye(4)
    matrix[:3, :3] *= solid.step
    matrix[:3, 3] = solid.low
    if place.turned:
        matrix = np.array([[0.0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]) @ matrix
    matrix[:2, 3] += place.x_mm, place.y_mm
    return [round(number, 9) for number in matrix.T.ravel().tolist()]


def _packed(document: dict[str, object], buffer: bytes) -> bytes:
    words = json.dumps(document, separators=(",", ":")).encode()
    words += b" " * (-len(words) % 4)
    chunks = struct.pack("<II", len(words), _JSON) + words + struct.pack("<II", len(buffer), _BINARY) + buffer
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
