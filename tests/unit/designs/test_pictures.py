import io

import numpy as np
import pytest
import trimesh
from PIL import Image
from scipy.ndimage import label

from makerhub.designs.geometry import write_stl
from makerhub.designs.normals import corner_normals
from makerhub.designs.pictures import MAX_BYTES, picture, thumbnail
from makerhub.designs.raster import TooCostlyToDraw, draw


def stl_of(mesh: trimesh.Trimesh) -> bytes:
    return write_stl(np.asarray(mesh.triangles, dtype=np.float64))


def ball() -> trimesh.Trimesh:
    mesh: trimesh.Trimesh = trimesh.creation.icosphere(subdivisions=4, radius=20)
    return mesh


def box(*extents: float) -> trimesh.Trimesh:
    mesh: trimesh.Trimesh = trimesh.creation.box(extents=extents)
    return mesh


def opened(content: bytes) -> np.ndarray:
    assert len(content) <= MAX_BYTES
    image = Image.open(io.BytesIO(content))
    assert (image.format, image.size, image.mode) == ("WEBP", (512, 512), "RGB")
    return np.asarray(image, dtype=int)


def picture_of(mesh: trimesh.Trimesh) -> np.ndarray:
    return opened(thumbnail(stl_of(mesh)))


def is_plastic(pixels: np.ndarray) -> np.ndarray:
    """Where the part is: its colour has far less red than green, the ground's a little more."""
    plastic: np.ndarray = pixels[..., 1] - pixels[..., 0] > 25
    return plastic


def test_a_ball_fills_the_picture_but_for_its_margin() -> None:
    rows, columns = np.nonzero(is_plastic(picture_of(ball())))
    for low, high in ((rows.min(), rows.max()), (columns.min(), columns.max())):
        assert 30 <= low <= 50
        assert 461 <= high <= 481


def test_the_ground_is_light_and_warm_and_darker_where_the_shadow_falls() -> None:
    pixels = picture_of(ball())
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert corners.min() > 190
    assert (corners[:, 0] > corners[:, 2]).all()
    brightness = np.where(is_plastic(pixels), 999, pixels.sum(axis=-1))
    row, column = np.unravel_index(brightness.argmin(), brightness.shape)
    assert brightness[row, column] < 0.6 * corners.sum(axis=-1).mean()
    assert row > 256  # below the ball, and away from the lamp
    assert column > 256


def test_light_comes_from_the_left() -> None:
    pixels = picture_of(ball())
    rows, columns = np.nonzero(is_plastic(pixels))
    middle, row = int(columns.mean()), int(rows.mean())
    assert pixels[row, middle - 120].sum() > pixels[row, middle + 120].sum() + 60


def test_through_a_hole_one_sees_the_ground() -> None:
    plastic = is_plastic(picture_of(trimesh.creation.annulus(r_min=15, r_max=30, height=3)))
    rows, columns = np.nonzero(plastic)
    assert not plastic[int(rows.mean()), int(columns.mean())]


def test_the_same_mesh_makes_the_same_bytes() -> None:
    mesh = stl_of(ball())
    assert thumbnail(mesh) == thumbnail(mesh)


def test_where_a_mesh_lies_in_its_file_changes_nothing() -> None:
    here, there = picture_of(box(40, 30, 10)), picture_of(box(40, 30, 10).apply_translation([200, -90, 64]))
    assert np.abs(here - there).mean() < 0.5


def test_a_long_part_has_the_margin_at_its_ends() -> None:
    _, columns = np.nonzero(is_plastic(picture_of(box(150, 4, 2))))
    assert 30 <= columns.min() <= 50
    assert 461 <= columns.max() <= 481


def test_noise_still_makes_a_small_file() -> None:
    rough = trimesh.creation.icosphere(subdivisions=5, radius=20)
    rough.vertices += np.random.default_rng(1).normal(scale=0.4, size=rough.vertices.shape)
    picture_of(rough)


def test_a_picture_of_several_parts_shows_every_piece() -> None:
    pixels = opened(picture([stl_of(box(30, 30, 0.3)), stl_of(box(10, 10, 0.3))], [1, 3]))
    _, count = label(is_plastic(pixels))
    assert count == 4


def test_a_picture_of_one_piece_is_the_part_s_own() -> None:
    mesh = stl_of(box(30, 20, 5))
    assert picture([mesh], [1]) == thumbnail(mesh)


def test_round_faces_are_smooth_and_edges_sharp() -> None:
    cylinder = trimesh.creation.cylinder(radius=10, height=20, sections=40)
    triangles = np.asarray(cylinder.triangles, dtype=np.float64)
    normals = corner_normals(triangles).reshape(-1, 3)
    points = triangles.reshape(-1, 3)
    side = np.abs(normals[:, 2]) < 0.5
    outwards = points[side, :2] / np.linalg.norm(points[side, :2], axis=1, keepdims=True)
    assert (normals[side, :2] * outwards).sum(axis=1).min() > 0.99
    assert np.abs(normals[~side, 2]).min() > 0.999


def test_the_nearer_face_hides_the_other() -> None:
    triangle = np.array([[1.0, 1, 0], [18, 1, 0], [1, 18, 0]])
    nearer = triangle + np.array([0, 0, 5])
    covered = draw(np.stack([triangle, nearer]), 20, 20)
    assert set(covered.face) == {1}
    assert covered.depth == pytest.approx(5)
    assert len(covered.pixel) == pytest.approx(17 * 17 / 2, rel=0.1)


def test_neighbours_leave_no_gap_between_them() -> None:
    square = np.array([[0.0, 0, 0], [20, 0, 0], [20, 20, 0], [0, 20, 0]])
    covered = draw(square[[[0, 1, 2], [0, 2, 3]]], 20, 20)
    assert len(covered.pixel) == 400
    assert covered.weights.sum(axis=1) == pytest.approx(1)


def test_faces_beyond_the_edge_are_cut_off() -> None:
    covered = draw(np.array([[[-500.0, -500, 0], [900, -500, 0], [-500, 900, 0]]]), 20, 20)
    assert len(covered.pixel) == 400


def test_a_mesh_that_covers_everything_too_often_is_refused() -> None:
    sheet = np.array([[[-500.0, -500, 0], [900, -500, 0], [-500, 900, 0]]])
    assert len(draw(np.repeat(sheet, 30, axis=0), 100, 100).pixel) == 10_000
    with pytest.raises(TooCostlyToDraw):
        draw(np.repeat(sheet, 31, axis=0), 100, 100)
