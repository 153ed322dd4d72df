import io

import numpy as np
import pytest
import trimesh
from PIL import Image

from makerhub.designs.geometry import write_stl
from makerhub.designs.pictures import MAX_BYTES, thumbnail
from makerhub.designs.raster import TooCostlyToDraw, draw


def picture_of(mesh: trimesh.Trimesh) -> np.ndarray:
    content = thumbnail(write_stl(np.asarray(mesh.triangles, dtype=np.float64)))
    assert len(content) <= MAX_BYTES
    image = Image.open(io.BytesIO(content))
    assert (image.format, image.size, image.mode) == ("WEBP", (512, 512), "RGBA")
    return np.asarray(image, dtype=int)


def test_a_ball_fills_the_picture_and_leaves_the_corners_clear() -> None:
    picture = picture_of(trimesh.creation.icosphere(subdivisions=4, radius=20))
    solid = picture[..., 3] > 250
    assert 0.35 < solid.mean() < 0.8
    assert picture[[0, 0, -1, -1], [0, -1, 0, -1], 3].max() == 0


def test_light_comes_from_the_left_and_the_shadow_falls_to_the_right() -> None:
    picture = picture_of(trimesh.creation.icosphere(subdivisions=4, radius=20))
    rows, columns = np.nonzero(picture[..., 3] > 250)
    middle, row = int(columns.mean()), int(rows.mean())
    brightness = picture[..., :3].sum(axis=-1)
    assert brightness[row, middle - 80] > brightness[row, middle + 80] + 60
    faint = (picture[..., 3] > 10) & (picture[..., 3] < 200)
    assert faint[:, middle:].sum() > 2 * faint[:, :middle].sum()


def test_through_a_hole_one_sees_the_ground() -> None:
    ring = trimesh.creation.annulus(r_min=15, r_max=30, height=3)
    picture = picture_of(ring)
    rows, columns = np.nonzero(picture[..., 3] > 250)
    assert picture[int(rows.mean()), int(columns.mean()), 3] < 200


def test_noise_still_makes_a_small_file() -> None:
    ball = trimesh.creation.icosphere(subdivisions=5, radius=20)
    ball.vertices += np.random.default_rng(1).normal(scale=0.4, size=ball.vertices.shape)
    picture_of(ball)


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
