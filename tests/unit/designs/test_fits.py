"""What the shipped aids must hold, take or grip: the sizes of the real things against what the sources make."""

from functools import cache

import numpy as np
import pytest
from manifold3d import CrossSection, Manifold
from unit.designs.test_catalogue import source_of

GRIPS = ["grip-small.stl", "grip-medium.stl", "grip-large.stl"]


@cache
def made(name: str, export: str) -> Manifold:
    """A part in the axes of its source."""
    solid: Manifold = source_of(name).build("1.0.0")[export]
    return solid


def disc(diameter_mm: float) -> CrossSection:
    return CrossSection.circle(diameter_mm / 2, 96)


@pytest.mark.parametrize("export", GRIPS)
def test_a_thin_pen_is_touched_by_all_tongues_and_a_thick_one_finds_room(export: str) -> None:
    middle = made("pen-grip", export).slice(25.0)
    assert (disc(6.4) ^ middle).is_empty()
    assert len((disc(7.2) ^ middle).decompose()) == 3
    source = source_of("pen-grip")
    assert 2 * (source.BORE_RADIUS_MM - source.TONGUE_MM) > 10.5, "tongues pressed to the wall leave no room for 10 mm"


def test_pen_grips_grow_and_keep_a_wall_around_the_bore() -> None:
    outsides = [
        max(made("pen-grip", export).slice(17.0).to_polygons(), key=lambda contour: float(np.ptp(contour[:, 0])))
        for export in GRIPS
    ]
    thinnest = [float(np.linalg.norm(outside, axis=1).min()) for outside in outsides]
    assert thinnest == sorted(thinnest)
    assert thinnest[0] - source_of("pen-grip").BORE_RADIUS_MM > 1.8


@pytest.mark.parametrize(
    ("export", "lid_mm"),
    [("jar-opener.stl", lid) for lid in (56.3, 66.4, 73.4, 85.1)]
    + [("cap-opener.stl", cap) for cap in (26.0, 30.5, 41.0)],
)
def test_a_lid_is_bitten_from_both_sides_somewhere_in_the_wedge(export: str, lid_mm: float) -> None:
    """Twist-off lids of 53, 63, 70 and 82 across, and caps of small and large bottles."""
    ring = made("jar-opener", export).slice(6.0)
    places = [x for x in np.arange(-5, 80, 0.25) if (disc(lid_mm).translate((x, 0)) ^ ring).is_empty()]
    assert places, "it does not go into the ring"
    bites = (disc(lid_mm).translate((places[0] - 0.5, 0)) ^ ring).decompose()
    sides = {bool(bite.bounds()[1] > 0) for bite in bites}
    assert sides == {True, False}
    across = max(bite.bounds()[3] for bite in bites) - min(bite.bounds()[1] for bite in bites)
    assert across > 0.9 * lid_mm, "its end stops the lid before the teeth do"


@pytest.mark.parametrize(
    ("export", "thin_mm", "thick_mm"), [("pusher-narrow.stl", 18.0, 20.5), ("pusher-wide.stl", 30.0, 32.5)]
)
def test_a_pump_head_is_pressed_by_the_block_and_held_by_the_legs(export: str, thin_mm: float, thick_mm: float) -> None:
    across, ceiling = (
        made("bottle-pump-elbow-pusher", export).slice(20.0),
        source_of("bottle-pump-elbow-pusher").CEILING_MM,
    )
    thin, thick = (
        CrossSection.square((width - 2, 14.0)).translate((1 - width / 2, ceiling - 15.2)).offset(1.0)
        for width in (thin_mm - 0.4, thick_mm)
    )
    assert (thin ^ across).is_empty()
    assert len((thick ^ across).decompose()) == 2, "both legs are spread, and nothing else is in the way"
    lifted = thin.translate((0, 0.5))
    assert (lifted ^ across).area() > 0.25 * thin_mm
    assert (thick ^ made("bottle-pump-elbow-pusher", export).slice(1.5)).area() > 100, "the tongue stops it"


CAPS = [("cap-small.stl", 15.0), ("cap-medium.stl", 17.0), ("cap-large.stl", 19.0)]


@pytest.mark.parametrize(("export", "o_ring_mm"), CAPS)
def test_a_vent_squeezes_the_o_ring_and_touches_nothing_else(export: str, o_ring_mm: float) -> None:
    solid, source = made("goggle-vent-cap", export), source_of("goggle-vent-cap")
    thickest = Manifold.cylinder(10, (o_ring_mm + 1.5) / 2, circular_segments=96).translate(
        (0, 0, source.LEDGE_AT_MM + 0.6)
    )
    assert (thickest ^ solid).is_empty()
    behind = (disc(o_ring_mm + 5.2) - disc(o_ring_mm + 4.0)) ^ solid.slice(source.GROOVE_AT_MM + source.CORD_MM / 2)
    assert behind.area() > 0.2 * (disc(o_ring_mm + 5.2) - disc(o_ring_mm + 4.0)).area(), "nothing backs the O-ring"
    fleece = Manifold.cylinder(0.4, (o_ring_mm + 2.0) / 2, circular_segments=96).translate(
        (0, 0, source.LEDGE_AT_MM + 0.02)
    )
    assert (fleece ^ solid).is_empty()
    assert not (fleece.translate((0, 0, -0.3)) ^ solid).is_empty()


@pytest.mark.parametrize(("export", "o_ring_mm"), CAPS)
def test_air_gets_in_through_six_arches_and_nothing_flies_straight_in(export: str, o_ring_mm: float) -> None:
    solid, source = made("goggle-vent-cap", export), source_of("goggle-vent-cap")
    radius = o_ring_mm / 2 + source.LIP_MM + 0.6
    foot = solid.slice(source.FLOOR_MM + source.ARCH_FOOT_MM)
    rim = CrossSection.circle(radius + 0.3, 96) - CrossSection.circle(radius - 0.3, 96)
    assert len((rim - foot).decompose()) == source.ARCHES
    skirt = solid.slice(source.SKIRT_TOP_MM - 1.0)
    outermost = max(skirt.decompose(), key=lambda piece: float(piece.bounds()[2]))
    assert len(outermost.to_polygons()) == 2, "the skirt is closed all around, where it shields the arches"


@pytest.mark.parametrize(("export", "o_ring_mm"), CAPS)
def test_the_mark_lies_on_the_flat_of_the_face(export: str, o_ring_mm: float) -> None:
    face = made("goggle-vent-cap", export).slice(0.2)
    assert face.hull().area() == pytest.approx(np.pi * (face.bounds()[2]) ** 2, rel=0.02)
    outside = max(face.to_polygons(), key=len)
    assert np.linalg.norm(outside, axis=1).min() > o_ring_mm / 2 + 5.5, "a letter cuts the rim"
