"""What a printer of fused filament can not make of a mesh, measured layer by layer, as a slicer sees it."""

import numpy as np
import trimesh
from manifold3d import CrossSection, Manifold, Mesh

STEEPEST_DEGREES = (
    50.0  # from upright; each layer then leans out by 1.2 of its height, two thirds of it still on plastic
)
LEDGE_MM = 0.8  # two lines beside the wall below droop by less than a layer: engraved letters, undersides of frames
BRIDGE_MM = 10.0  # threads between two walls hang through beyond that
LINE_MM = 0.45  # what a nozzle of 0.4 mm draws
_ROUNDING_MM = 0.03
_LEAST_AREA_MM2 = 0.05


def solid_of(content: bytes) -> Manifold:
    """The solid in a binary STL file."""
    loaded = trimesh.load_mesh(trimesh.util.wrap_as_stream(content), file_type="stl")
    return Manifold(Mesh(np.asarray(loaded.vertices, np.float32), np.asarray(loaded.faces, np.uint32)))


def hanging(solid: Manifold, layer_mm: float) -> list[tuple[float, float]]:
    """Places that would be printed on air: the height in mm, and half the width of what droops there.

    Plastic holds what leans out by no more than the limit above it, layer after layer, so a slope that is a little too
    flat is found some layers up. What hovers a single layer above plastic is held too, as the plates of a stack are.
    """
    lean = layer_mm * float(np.tan(np.radians(STEEPEST_DEGREES)))
    below, held, found = CrossSection(), CrossSection(), list[tuple[float, float]]()
    for number, layer in enumerate(sections(solid, layer_mm)):
        firm = (layer ^ (_grown(held, lean) + below)).simplify(_ROUNDING_MM) if number else layer
        loose = [piece for piece in (layer - firm).decompose() if piece.area() > _LEAST_AREA_MM2]
        bridges = [piece for piece in loose if _is_bridge(piece, firm)]
        drooping = [inradius(piece) for piece in loose if piece not in bridges]
        found += [(number * layer_mm, radius) for radius in drooping if radius > LEDGE_MM / 2]
        below, held = held, sum(bridges, start=firm)
    return found


def thinnest(solid: Manifold, layer_mm: float, width_mm: float) -> float:
    """The area in mm² of what is thinner than `width_mm` in the worst layer; ridges on thicker walls do not count."""
    layers = sections(solid, layer_mm)
    depth = max(1, round(2 * width_mm / layer_mm))
    worst = 0.0
    for number, layer in enumerate(layers):
        below = layers[max(0, number - depth)]
        thick = _opened(layer, width_mm) + _opened(below, width_mm)
        thin = [piece for piece in (layer - thick).decompose() if piece.area() > width_mm**2 / 2]
        worst = max(worst, sum(piece.area() for piece in thin))
    return worst


def sections(solid: Manifold, layer_mm: float) -> list[CrossSection]:
    """The middle of each layer, from the bed upwards."""
    top = solid.bounding_box()[5]
    return [solid.slice(float(z)) for z in np.arange(layer_mm / 2, top, layer_mm)]


def inradius(section: CrossSection) -> float:
    """The radius of the largest disc inside, to a few hundredths of a mm."""
    low, high = 0.0, 200.0
    while high - low > _ROUNDING_MM:
        middle = (low + high) / 2
        low, high = (low, middle) if section.offset(-middle).is_empty() else (middle, high)
    return low


def _is_bridge(piece: CrossSection, firm: CrossSection) -> bool:
    """Whether what is firm lies on both sides of a piece, or all around it, and no further apart than threads bear."""
    anchors = (piece.offset(3 * _ROUNDING_MM) ^ firm).hull()
    return (piece - anchors).area() < 0.1 * piece.area() and inradius(piece) <= BRIDGE_MM / 2


def _grown(section: CrossSection, distance_mm: float) -> CrossSection:
    return section.offset(distance_mm, circular_segments=16)


def _opened(section: CrossSection, width_mm: float) -> CrossSection:
    """What a disc of that width can reach inside."""
    return section.offset(-width_mm / 2 + _ROUNDING_MM).offset(width_mm / 2)
