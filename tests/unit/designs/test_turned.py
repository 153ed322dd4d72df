"""Solids around an axis: as large as they should be, hollowed where the fingers lie, marked along their curves."""

import numpy as np
import pytest
from manifold3d import CrossSection, Error

from makerhub.designs.turned import engraved, turned

CONE = [(4.0, 0.0), (8.0, 4.0), (8.0, 10.0)]


def test_a_cone_has_the_volume_of_a_cone() -> None:
    solid = turned([(6.0, 0.0), (3.0, 9.0)], segments=256)
    assert solid.status() == Error.NoError
    assert solid.volume() == pytest.approx(np.pi * 9 / 3 * (36 + 18 + 9), rel=1e-3)


def test_lobes_stand_out_and_the_first_is_in_front() -> None:
    section = turned(CONE, lobes=3, depth_mm=2.0, segments=360).slice(8.0)
    edge = section.to_polygons()[0]
    radii, angles = np.linalg.norm(edge, axis=1), np.degrees(np.arctan2(edge[:, 1], edge[:, 0]))
    assert radii.max() == pytest.approx(8.0, abs=0.01)
    assert radii.min() == pytest.approx(6.0, abs=0.01)
    assert radii[np.abs(angles + 90) < 1] == pytest.approx(8.0, abs=0.01)
    assert radii[np.abs(angles - 90) < 1] == pytest.approx(6.0, abs=0.01)


def test_hollows_may_deepen_along_the_axis() -> None:
    solid = turned(CONE, lobes=4, depth_mm=np.array([0.0, 1.0, 3.0]))
    areas = [solid.slice(height).area() for height in (5.0, 7.0, 9.0)]
    assert areas == sorted(areas, reverse=True)


def test_a_solid_without_a_radius_is_refused() -> None:
    with pytest.raises(ValueError, match="no radius left"):
        turned(CONE, lobes=3, depth_mm=4.0)


def test_an_engraving_is_as_deep_everywhere_on_a_curve() -> None:
    body, core = turned(CONE), turned([(radius - 0.5, height) for radius, height in CONE])
    marked = engraved(body, core, CrossSection.square((10, 3), center=True), 7.0)
    cut = (body - marked).slice(7.0)
    middles = np.linalg.norm(cut.to_polygons()[0], axis=1)
    assert middles.min() == pytest.approx(7.5, abs=0.03)
    assert middles.max() == pytest.approx(8.0, abs=0.03)
    assert cut.bounds()[3] < 0, "only the front is marked"
