import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from makerhub.designs.geometry import (
    MAX_ASCII_BYTES,
    MAX_BINARY_BYTES,
    MeshProblem,
    Triangles,
    canonical,
    check_mesh,
    check_triangles,
    read_stl,
    write_stl,
)

REAL_MESHES = Path(__file__).parents[3].parent / "shared/data/meshes"


def cube(size: float = 10.0, at: float = 0.0) -> Triangles:
    return np.asarray(trimesh.creation.box().triangles, dtype=np.float64) * size + at


def ascii_stl(triangles: Triangles) -> bytes:
    facets = []
    for corners in triangles:
        vertices = "\n".join("vertex {} {} {}".format(*corner) for corner in corners)
        facets.append(f"facet normal 0 0 0\nouter loop\n{vertices}\nendloop\nendfacet")
    return ("solid part\n" + "\n".join(facets) + "\nendsolid part\n").encode()


def test_measures_a_cube() -> None:
    report = check_mesh(write_stl(cube(10, at=3)))
    assert report.problems == ()
    assert report.faces == 12
    assert report.bodies == 1
    assert report.volume_mm3 == pytest.approx(1000)
    assert report.size_mm == pytest.approx((10, 10, 10))
    assert report.low_mm == pytest.approx((-2, -2, -2))


def test_reads_text_as_it_reads_binary() -> None:
    assert check_mesh(ascii_stl(cube())) == check_mesh(write_stl(cube()))


def test_a_binary_file_may_begin_with_solid() -> None:
    content = b"solid but binary".ljust(80) + write_stl(cube())[80:]
    assert check_mesh(content).problems == ()


def test_the_same_faces_are_the_same_bytes() -> None:
    content = write_stl(cube())
    assert write_stl(read_stl(content)) == content


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"", MeshProblem.EMPTY, id="zero bytes"),
        pytest.param(bytes(84), MeshProblem.EMPTY, id="no faces"),
        pytest.param(b"solid empty\nendsolid empty\n", MeshProblem.EMPTY, id="text without facets"),
        pytest.param(write_stl(cube())[:-7], MeshProblem.DAMAGED, id="cut off"),
        pytest.param(write_stl(cube()) + b"x", MeshProblem.DAMAGED, id="too long"),
        pytest.param(bytes(80) + struct.pack("<I", 4_000_000_000), MeshProblem.DAMAGED, id="lying count"),
        pytest.param(bytes(80) + struct.pack("<I", 3) + bytes(50 * 12), MeshProblem.DAMAGED, id="count too small"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(5000), MeshProblem.DAMAGED, id="another format"),
        pytest.param(b"solid x\n" + b"vertex 1 2 3\n" * 1000, MeshProblem.DAMAGED, id="vertices without end"),
        pytest.param(
            b"solid x\n" + b"facet " * 21 + b"\nendsolid x\n", MeshProblem.DAMAGED, id="the right count of wrong words"
        ),
        pytest.param(ascii_stl(cube()).replace(b"vertex", b"vortex", 1), MeshProblem.DAMAGED, id="one wrong word"),
        pytest.param(ascii_stl(cube()).replace(b"5.0", b"five", 1), MeshProblem.DAMAGED, id="a number in letters"),
        pytest.param(ascii_stl(cube()).replace(b"5.0", b"nan", 1), MeshProblem.NOT_FINITE, id="not a number, as text"),
        pytest.param(write_stl(np.zeros((2, 3, 3))), MeshProblem.OPEN, id="faces without area"),
    ],
)
def test_refuses_what_is_no_mesh(content: bytes, problem: MeshProblem) -> None:
    assert check_mesh(content).problems[0] == problem


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_refuses_corners_that_are_no_numbers(value: float) -> None:
    content = bytearray(write_stl(cube()))
    struct.pack_into("<f", content, 84 + 3 * 50 + 12 + 12 + 8, value)
    assert check_mesh(bytes(content)).problems == (MeshProblem.NOT_FINITE,)


@pytest.mark.parametrize(
    ("triangles", "problems"),
    [
        pytest.param(cube()[:-1], (MeshProblem.OPEN,), id="a hole"),
        pytest.param(cube()[:, ::-1], (MeshProblem.INVERTED,), id="inside out"),
        pytest.param(np.concatenate([cube(), cube(at=30)]), (MeshProblem.SEVERAL_BODIES,), id="two bodies"),
        pytest.param(cube(1e-6), (MeshProblem.OPEN, MeshProblem.FLAT, MeshProblem.SEVERAL_BODIES), id="a mote"),
        pytest.param(cube(2000), (MeshProblem.TOO_BIG,), id="two metres"),
        pytest.param(cube(1e30), (MeshProblem.TOO_BIG,), id="astronomical"),
        pytest.param(cube(at=50_000), (MeshProblem.TOO_BIG,), id="far away"),
    ],
)
def test_names_what_keeps_a_mesh_from_being_printed(triangles: Triangles, problems: tuple[MeshProblem, ...]) -> None:
    assert check_mesh(write_stl(triangles)).problems == problems


def test_a_face_turned_over_is_twisted() -> None:
    triangles = cube()
    triangles[0] = triangles[0, ::-1]
    assert MeshProblem.TWISTED in check_mesh(write_stl(triangles)).problems


def test_counts_the_bodies_that_the_manifest_promises() -> None:
    both = write_stl(np.concatenate([cube(), cube(at=30)]))
    assert check_mesh(both, bodies=2).problems == ()


def test_text_beyond_the_cap_is_refused_without_reading_it() -> None:
    assert check_mesh(b"solid " + bytes(MAX_ASCII_BYTES)).problems == (MeshProblem.TOO_LARGE,)


def test_a_million_faces_are_the_most() -> None:
    count = (MAX_BINARY_BYTES - 84) // 50 + 1
    assert check_mesh(bytes(80) + struct.pack("<I", count) + bytes(50 * count)).problems == (MeshProblem.TOO_LARGE,)


def test_last_bits_do_not_open_a_mesh() -> None:
    corners = cube(100).astype(np.float32)
    corners[0] = np.nextafter(corners[0], np.float32(np.inf))
    assert check_mesh(write_stl(corners.astype(np.float64))).problems == ()


@pytest.mark.parametrize("problem", MeshProblem)
def test_every_problem_is_a_sentence(problem: MeshProblem) -> None:
    assert problem.sentence.endswith((".", "?"))


@pytest.mark.skipif(not REAL_MESHES.is_dir(), reason="the shared meshes are not beside the project")
def test_agrees_with_a_slower_way_of_loading_on_real_meshes() -> None:
    files = sorted(REAL_MESHES.glob("*.stl"))
    assert len(files) >= 5
    for file in files:
        report, reference = check_mesh(file.read_bytes()), trimesh.load_mesh(file)
        assert report.watertight == reference.is_watertight
        assert report.consistent == reference.is_winding_consistent
        assert report.bodies == reference.body_count
        assert report.volume_mm3 == pytest.approx(reference.volume, rel=1e-5)
        assert report.size_mm == pytest.approx(tuple(reference.extents), abs=1e-4)


IN_ONE_CORNER = 4


def shapes() -> list[trimesh.Trimesh]:
    """Closed, open, torn, inverted, touching and doubled ones."""
    box, ball = trimesh.creation.box(), trimesh.creation.icosphere(subdivisions=2)
    apart = trimesh.util.concatenate([box, ball.copy().apply_translation((5, 0, 0))])
    in_one_edge = trimesh.util.concatenate([box, box.copy().apply_translation((1, 1, 0))])
    in_one_corner = trimesh.util.concatenate([box, box.copy().apply_translation((1, 1, 1))])
    torn = trimesh.Trimesh(ball.vertices, ball.faces[:-3])
    twisted = trimesh.Trimesh(box.vertices, np.vstack([box.faces[:-1], box.faces[-1:, ::-1]]), process=False)
    doubled = trimesh.Trimesh(box.vertices, np.vstack([box.faces, box.faces[:1]]), process=False)
    ring = trimesh.creation.torus(10, 3)
    return [box, ball, apart, in_one_edge, in_one_corner, torn, twisted, doubled, ring]


@pytest.mark.parametrize("number", range(9))
def test_says_what_trimesh_says(number: int) -> None:
    solid = shapes()[number]
    found = check_triangles(np.asarray(solid.triangles) * 10)
    welded = trimesh.Trimesh(solid.vertices * 10, solid.faces)
    assert found.watertight == welded.is_watertight
    assert found.bodies == (2 if number == IN_ONE_CORNER else welded.body_count)  # there trimesh says 1: it would break
    assert found.consistent == (welded.is_watertight and welded.is_winding_consistent)
    if found.consistent:
        assert found.volume_mm3 == pytest.approx(welded.volume, rel=1e-9)


@given(st.integers(0, 10_000))
def test_corners_that_differ_in_the_last_bit_are_one_wherever_the_grid_lies(seed: int) -> None:
    dice = np.random.default_rng(seed)
    ball = np.asarray(trimesh.creation.icosphere(subdivisions=3, radius=dice.uniform(1, 80)).triangles, np.float32)
    shaken = np.where(dice.random(ball.shape) < 0.5, np.nextafter(ball, np.float32(0)), ball).astype(np.float64)
    assert check_triangles(shaken).problems == ()
    again = check_mesh(write_stl(canonical(shaken)))
    assert (again.problems, again.faces) == ((), 1280)


def test_the_order_of_faces_changes_no_corner() -> None:
    ball = np.asarray(trimesh.creation.icosphere(subdivisions=3).triangles) * 20
    turned = np.random.default_rng(1).permutation(ball)
    assert {tuple(corner) for corner in canonical(turned).reshape(-1, 3)} == {
        tuple(corner) for corner in canonical(ball).reshape(-1, 3)
    }
