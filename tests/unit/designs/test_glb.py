import io
import json
import struct
from typing import Any

import numpy as np
import pytest
import trimesh

from makerhub.designs.geometry import write_stl
from makerhub.designs.glb import MOST_FACES, model, simplified, write_glb
from makerhub.designs.inspection import model_of
from makerhub.designs.scenes import Place


def triangles_of(mesh: trimesh.Trimesh) -> np.ndarray:
    return np.asarray(mesh.triangles, dtype=np.float64)


def stl_of(mesh: trimesh.Trimesh) -> bytes:
    return write_stl(triangles_of(mesh))


def loaded(content: bytes) -> trimesh.Scene:
    """As another program reads it."""
    scene = trimesh.load_scene(io.BytesIO(content), file_type="glb")
    assert isinstance(scene, trimesh.Scene)
    return scene


def document(content: bytes) -> dict[str, Any]:
    assert content[:4] == b"glTF"
    version, length, words = struct.unpack_from("<III", content, 4)
    assert (version, length) == (2, len(content))
    parsed: dict[str, Any] = json.loads(content[20 : 20 + words])
    return parsed


def test_another_program_reads_the_same_solid_in_metres_with_y_up() -> None:
    box = trimesh.creation.box(extents=(40, 20, 10))
    read = loaded(write_glb([triangles_of(box)], ["box"], [Place(0, 0, 0, False)])).to_geometry()
    assert isinstance(read, trimesh.Trimesh)
    assert read.extents == pytest.approx([0.040, 0.010, 0.020], abs=1e-6)
    read.merge_vertices(merge_norm=True)
    assert read.is_watertight
    assert read.volume == pytest.approx(box.volume * 1e-9, rel=1e-4)


def test_corners_lie_within_a_few_micrometres() -> None:
    ball = trimesh.creation.icosphere(subdivisions=4, radius=50)
    read = loaded(write_glb([triangles_of(ball)], ["ball"], [Place(0, 0, 0, False)])).to_geometry()
    assert isinstance(read, trimesh.Trimesh)
    assert np.linalg.norm(read.vertices, axis=1) == pytest.approx(0.050, abs=3e-6)
    outwards = read.vertices / np.linalg.norm(read.vertices, axis=1, keepdims=True)
    assert (read.vertex_normals * outwards).sum(axis=1).min() > 0.99


def test_a_sharp_edge_has_corners_of_its_own_on_each_side_and_a_round_one_shares_them() -> None:
    box, ball = trimesh.creation.box(), trimesh.creation.icosphere(subdivisions=3)
    parts = [triangles_of(box), triangles_of(ball)]
    scene = document(write_glb(parts, ["box", "ball"], [Place(0, 0, 0, False), Place(1, 9, 0, False)]))
    corners = [scene["accessors"][mesh["primitives"][0]["attributes"]["POSITION"]]["count"] for mesh in scene["meshes"]]
    assert corners == [24, len(ball.vertices)]


def test_a_part_that_lies_there_often_is_stored_once_and_turned_where_it_lies_turned() -> None:
    box = trimesh.creation.box(extents=(40, 20, 10))
    places = [Place(0, 0, 0, False), Place(0, 100, 5, True)]
    content = write_glb([triangles_of(box)], ["box"], places)
    assert len(document(content)["meshes"]) == 1
    scene = loaded(content)
    assert scene.bounds == pytest.approx(np.array([[-0.020, -0.005, -0.025], [0.110, 0.005, 0.015]]), abs=1e-6)


def test_parts_stand_side_by_side_under_their_names() -> None:
    meshes = [stl_of(trimesh.creation.box(extents=extents)) for extents in ((40, 20, 10), (10, 10, 5))]
    content = model(meshes, ["Band, large", "Clip"], [1, 2])
    assert [node.get("name") for node in document(content)["nodes"][1:]] == ["Band, large", "Clip", "Clip"]
    assert loaded(content).bounds[0, 1] == pytest.approx(0, abs=1e-6)


def test_the_same_mesh_makes_the_same_bytes_also_in_the_worker() -> None:
    mesh = stl_of(trimesh.creation.icosphere(subdivisions=3))
    content = model([mesh], ["ball"], [1])
    assert model([mesh], ["ball"], [1]) == content == model_of([mesh], ["ball"], [1])


def test_what_is_finer_than_a_screen_is_simplified() -> None:
    ball = triangles_of(trimesh.creation.icosphere(subdivisions=7, radius=30))
    assert len(ball) > 2 * MOST_FACES
    fewer = simplified(ball)
    assert MOST_FACES / 4 < len(fewer) <= MOST_FACES
    assert np.linalg.norm(fewer, axis=-1) == pytest.approx(30, abs=0.1)
    assert simplified(fewer) is fewer
