import numpy as np
import pytest
import trimesh

from makerhub.designs.lighting import Light, Scene

UP = np.array([[0.0, 0, 1]])


def lit(mesh: trimesh.Trimesh, point: tuple[float, float, float], *to_lamp: float) -> Light:
    scene = Scene(np.asarray(mesh.triangles, dtype=np.float64), np.array(to_lamp or (0, 0, 1), dtype=float))
    return scene.light(np.array([point]), UP)


def box(width: float, depth: float, height: float) -> trimesh.Trimesh:
    """A box that stands on the ground, its middle at the origin."""
    mesh: trimesh.Trimesh = trimesh.creation.box(extents=(width, depth, height))
    mesh.apply_translation([0, 0, height / 2])
    return mesh


def test_a_free_place_under_a_lamp_gets_all() -> None:
    light = lit(box(20, 20, 20), (0, 0, 20))
    assert light.sky == pytest.approx(1, abs=0.02)
    assert light.lamp == pytest.approx(1, abs=0.02)


def test_a_lamp_from_the_side_gives_by_the_slant() -> None:
    assert lit(box(20, 20, 20), (0, 0, 20), 1, 0, 1).lamp == pytest.approx(np.sqrt(0.5), abs=0.02)


def test_the_foot_of_a_high_wall_sees_half_of_the_sky() -> None:
    assert lit(box(2, 400, 200), (3, 0, 0)).sky == pytest.approx(0.5, abs=0.07)


def test_the_ground_of_a_well_is_dark() -> None:
    well = trimesh.creation.annulus(r_min=10, r_max=14, height=80).apply_translation([0, 0, 40])
    light = lit(well, (0, 0, 0), 1, 0, 1)
    assert light.sky < 0.1
    assert light.lamp == 0


def test_the_shadow_lies_on_the_far_side_of_the_lamp() -> None:
    lamp = (-1.0, 0, 1)
    assert lit(box(10, 10, 30), (20, 0, 0), *lamp).lamp == 0
    assert lit(box(10, 10, 30), (-20, 0, 0), *lamp).lamp > 0.65


def test_light_does_not_leak_under_what_stands_on_the_ground() -> None:
    light = lit(box(20, 20, 2), (0, 0, 0))
    assert light.sky < 0.05
    assert light.lamp == 0
