"""What it costs to read and check a large mesh: `python -m benchmarks.mesh`.

A torus of a million faces (a 50 MB STL file, its faces in random order) is loaded, welded, and asked whether it is
closed and wound alike, for its bodies, volume and bounds: by makerhub, by the same steps written down in plain numpy
around a hash of the corners, and by trimesh. Each runs in a process of its own, which
reports its processor time (best of some runs) and its memory's peak. The last line is one JSON object.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from makerhub.designs.geometry import check_mesh, write_stl

RINGS, SIDES = 1000, 500
REPEATS = 5
_FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def main() -> None:
    """Measure each contestant and print a table, then the JSON object."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "torus.stl")
        file.write_bytes(torus(RINGS, SIDES))
        measured = {name: _measured(name, file) for name in CONTESTANTS}
    print(f"{'':12} {'CPU s':>8} {'peak MB':>9}   closed, bodies, volume in mm³")
    for name, (seconds, megabytes, answer) in measured.items():
        print(f"{name:12} {seconds:8.2f} {megabytes:9.0f}   {answer}")
    answers = {tuple(answer) for _, _, answer in measured.values()}
    if len(answers) != 1:
        raise SystemExit("they do not agree")
    ours, base = measured["makerhub"], measured["hash weld"]
    result = {
        "cpu_ratio_to_hash_weld": round(ours[0] / base[0], 2),
        "peak_mb": round(ours[1]),
        "cpu_s": round(ours[0], 2),
        "hash_weld_cpu_s": round(base[0], 2),
        "trimesh_cpu_s": round(measured["trimesh"][0], 2),
        "trimesh_peak_mb": round(measured["trimesh"][1]),
        "faces": 2 * RINGS * SIDES,
    }
    print(json.dumps(result))


def torus(rings: int, sides: int) -> bytes:
    """A closed torus of 2 × rings × sides faces."""
    ring, side = np.meshgrid(np.arange(rings), np.arange(sides), indexing="ij")
    around, across = 2 * np.pi * ring / rings, 2 * np.pi * side / sides
    distance = 30 + 10 * np.cos(across)
    points = np.stack([distance * np.cos(around), distance * np.sin(around), 10 * np.sin(across)], axis=-1)
    number = ring * sides + side
    right, up = np.roll(number, -1, axis=0), np.roll(number, -1, axis=1)
    over = np.roll(right, -1, axis=1)
    quads = np.stack([number, right, over, number, over, up], axis=-1).reshape(-1, 3)
    dice = np.random.default_rng(2020)
    corners = points.reshape(-1, 3)[dice.permutation(quads)].astype(np.float32)
    return write_stl(corners.astype(np.float64))


def _ours(content: bytes) -> tuple[bool, int, float]:
    found = check_mesh(content)
    return found.watertight and found.consistent, found.bodies, found.volume_mm3


def _hash_weld(content: bytes) -> tuple[bool, int, float]:
    """The least that numpy needs for the same answers."""
    corners = np.frombuffer(content, _FACET, offset=84)["corners"].reshape(-1, 3).astype(np.float64)
    low, _high = corners.min(axis=0), corners.max(axis=0)
    cells = np.rint((corners - low) / 0.0005).astype(np.int64)
    hashes = cells @ np.array([1, 2_654_435_761, 40_503_000_000_193], dtype=np.int64)
    _, first, numbers = np.unique(hashes, return_index=True, return_inverse=True)
    points, faces = corners[first] - low, numbers.reshape(-1, 3)
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = np.sort(sides, axis=1) @ np.array([len(points), 1])
    order = np.argsort(edges)
    pairs = order.reshape(-1, 2)
    closed = bool((edges[pairs[:, 0]] == edges[pairs[:, 1]]).all())
    wound = bool((sides[pairs[:, 0], 0] == sides[pairs[:, 1], 1]).all())
    one, two = (pairs % len(faces)).T
    graph = coo_array((np.ones(len(one), np.bool_), (one, two)), shape=(len(faces), len(faces)))
    bodies = int(connected_components(graph, directed=False, return_labels=False))
    return closed and wound, bodies, _volume(points, faces)


def _volume(points: NDArray[np.float64], faces: NDArray[np.int64]) -> float:
    one, two, three = points[faces].transpose(1, 0, 2)
    return float((one * np.cross(two, three)).sum() / 6)


def _trimesh(content: bytes) -> tuple[bool, int, float]:
    import io

    import trimesh

    solid = trimesh.load_mesh(io.BytesIO(content), file_type="stl")
    solid.merge_vertices(digits_vertex=3)
    return bool(solid.is_watertight and solid.is_winding_consistent), int(solid.body_count), float(solid.volume)


CONTESTANTS: dict[str, Callable[[bytes], tuple[bool, int, float]]] = {
    "makerhub": _ours,
    "hash weld": _hash_weld,
    "trimesh": _trimesh,
}


def _measured(name: str, file: Path) -> tuple[float, float, list[object]]:
    """Seconds, megabytes and the answer of one contestant, from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.mesh", name, str(file)]
    run = subprocess.run(command, check=True, capture_output=True)  # noqa: S603 # our own words
    seconds, megabytes, answer = json.loads(run.stdout)
    return seconds, megabytes, answer


def _contestant(name: str, file: str) -> None:
    content, seconds = Path(file).read_bytes(), []
    for _ in range(REPEATS):
        start = time.process_time()
        closed, bodies, volume = CONTESTANTS[name](content)
        seconds.append(time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([min(seconds), peak, [closed, bodies, round(volume)]]))


if __name__ == "__main__":
    _contestant(*sys.argv[1:]) if len(sys.argv) > 1 else main()
