"""The measure that judges the catalogue, on shapes of which every maker knows whether they print."""

import pytest
from manifold3d import CrossSection, Manifold
from unit.designs.printability import hanging, inradius, thinnest

LAYER_MM = 0.2


def block(width: float, depth: float, height: float, z: float = 0.0) -> Manifold:
    return Manifold.cube((width, depth, height)).translate((-width / 2, -depth / 2, z))


def cone(degrees_from_upright: float) -> Manifold:
    lean = {30: 0.5774, 45: 1.0, 60: 1.732}[int(degrees_from_upright)]
    return Manifold.cylinder(10, 4, 4 + 10 * lean, 64)


def tunnel(width: float) -> Manifold:
    return block(width + 8, 20, 12) - block(width, 30, 6)


@pytest.mark.parametrize(
    "solid",
    [
        cone(30),
        cone(45),
        tunnel(8),
        block(10, 10, 5) + block(11, 11, 2, z=5),
        block(20, 20, 10) - block(14, 0.6, 1, z=4).translate((0, -9.7, 0)),
        block(20, 20, 4) + block(3, 3, 1, z=3.8) + block(20, 20, 4, z=4 + LAYER_MM),
    ],
    ids=["30 degrees", "45 degrees", "short bridge", "narrow ledge", "engraving", "plate a layer above another"],
)
def test_what_prints_without_support_is_let_through(solid: Manifold) -> None:
    assert hanging(solid, LAYER_MM) == []


@pytest.mark.parametrize(
    ("solid", "height_mm"),
    [
        (cone(60), 0.2),
        (tunnel(14), 6),
        (block(10, 10, 5) + block(16, 10, 2, z=5), 5),
        (block(20, 20, 4) + block(3, 3, 3, z=3) + block(20, 20, 4, z=5), 5),
        (block(4, 4, 10) + Manifold.sphere(8, 48).translate((0, 0, 12)), 4),
    ],
    ids=["60 degrees", "long bridge", "shelf", "plate in the air", "ball on a stick"],
)
def test_what_needs_support_is_found_where_it_begins(solid: Manifold, height_mm: float) -> None:
    found = hanging(solid, LAYER_MM)
    assert found
    assert found[0][0] == pytest.approx(height_mm, abs=2.0)


def test_walls_are_as_thick_as_they_are() -> None:
    fin = block(20, 20, 3) + block(12, 0.7, 10)
    assert thinnest(fin, LAYER_MM, 0.6) == 0
    assert thinnest(fin, LAYER_MM, 0.9) == pytest.approx(12 * 0.7, abs=0.7)


def test_a_ridge_on_a_thick_wall_is_no_thin_wall() -> None:
    wedge = Manifold.batch_hull([block(20, 4, 5), block(20, 0.2, 0.1, z=6.6)])
    assert thinnest(wedge, LAYER_MM, 0.9) == 0


def test_the_inradius_of_a_strip_is_half_its_width() -> None:
    assert inradius(CrossSection.square((30, 4))) == pytest.approx(2, abs=0.05)
