"""What a mesh is like to print, measured on shapes of which one knows it."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from makerhub.designs.analysis import Analysis, analyse
from makerhub.designs.formats import read_mesh

REAL_MESHES = Path(__file__).parents[3].parent / "shared/data/meshes"


def of(solid: object) -> Analysis:
    assert isinstance(solid, trimesh.Trimesh)
    return analyse(np.asarray(solid.triangles))


def test_a_box() -> None:
    found = of(trimesh.creation.box((10, 20, 30)))
    assert found.faces == 12
    assert (found.volume_mm3, found.area_mm2) == pytest.approx((6000, 2200))
    assert (found.side_mm2, found.flat_mm2) == pytest.approx((1800, 400))
    assert (found.overhang_mm2, found.contact_mm2, found.footprint_mm2) == pytest.approx((0, 200, 200))
    assert found.wall_p1_mm == pytest.approx(10, abs=0.01)
    assert len(found.outline_mm) == 4
    assert found.lies_well
    assert found.best.height_mm == pytest.approx(10)  # lower is steadier, where nothing else tells two ways apart


def test_the_silhouette_has_the_holes_and_the_hollows_that_a_convex_outline_hides() -> None:
    rings = [trimesh.creation.annulus(8, 10, 30, sections=64).apply_translation((x, 0, 0)) for x in (0, 50)]
    silhouette = of(trimesh.util.concatenate(rings)).silhouette_mm
    assert len(silhouette) == 4
    assert sum(signed_area(loop) for loop in silhouette) == pytest.approx(2 * np.pi * (10**2 - 8**2), rel=0.06)
    assert max(x for loop in silhouette for x, _ in loop) == pytest.approx(60, abs=0.3)


def test_a_very_large_mesh_has_no_silhouette(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("makerhub.designs.silhouette.MOST_FACES", 11)
    assert of(trimesh.creation.box((10, 20, 30))).silhouette_mm == ()


def signed_area(loop: tuple[tuple[float, float], ...]) -> float:
    x, y = np.array(loop).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


@pytest.mark.parametrize("thickness", [0.4, 0.8, 1.6])
def test_a_tube_of_a_known_wall(thickness: float) -> None:
    found = of(trimesh.creation.annulus(20 - thickness, 20, 30, sections=256))
    assert found.wall_p5_mm == pytest.approx(thickness, rel=0.02)


def test_one_thin_fin_shows_in_the_percentile() -> None:
    fin = trimesh.creation.box((0.3, 20, 20))
    both = trimesh.util.concatenate([trimesh.creation.box((20, 20, 20)).apply_translation((30, 0, 0)), fin])
    assert of(both).wall_p1_mm == pytest.approx(0.3, abs=0.01)


def test_a_mushroom_overhangs_and_would_lie_better_on_its_head() -> None:
    cap = trimesh.creation.cylinder(20, 5).apply_translation((0, 0, 32.5))
    mushroom = trimesh.boolean.union(
        [trimesh.creation.cylinder(5, 30).apply_translation((0, 0, 15)), cap], engine="manifold"
    )
    found = of(mushroom)
    assert found.overhang_mm2 == pytest.approx(np.pi * (20**2 - 5**2), rel=0.01)
    assert not found.lies_well
    assert found.best.up == pytest.approx((0, 0, -1), abs=1e-3)
    assert found.best.overhang_mm2 == 0


@pytest.mark.parametrize(("degrees", "overhangs"), [(40, False), (50, True)])
def test_the_limit_is_45_degrees(degrees: float, overhangs: bool) -> None:
    spread = 20 * np.tan(np.radians(degrees))
    corners = [(x, y, z) for z, r in ((0, 10), (20, 10 + spread)) for x in (-r, r) for y in (-r, r)]
    cone = trimesh.convex.convex_hull(np.array(corners))
    assert (of(cone).overhang_mm2 > 0) == overhangs


def test_the_same_mesh_gives_the_same_figures() -> None:
    assert of(trimesh.creation.torus(20, 5)) == of(trimesh.creation.torus(20, 5))


@pytest.mark.parametrize(("name", "wall"), [("3dverkstan_visor_eu80_v2.stl", 0.6), ("titanous_strap_adapter.stl", 3.2)])
def test_real_meshes_by_others(name: str, wall: float) -> None:
    if not (REAL_MESHES / name).exists():
        pytest.skip("the meshes by others are not on this machine")
    found = analyse(read_mesh((REAL_MESHES / name).read_bytes()))
    assert found.wall_p1_mm == pytest.approx(wall, abs=0.1)
    assert found.lies_well
