"""Face-shield headband: carries a visor made of an A4 sheet with the four holes of an office punch, 80 mm apart."""

import numpy as np
from manifold3d import CrossSection, Manifold
from numpy.typing import NDArray

from makerhub.designs.shapes import (
    arc,
    at_length,
    disc,
    filleted,
    lettering,
    prism,
    soft_slab,
    spline,
    stroke,
    union,
    with_mirror_image,
)

HOLE_DISTANCE_MM = 80.0
FOREHEAD_HEIGHT_MM = 12.2
FOREHEAD_WIDTH_MM = 2.4
CARRIER_HEIGHT_MM = 7.4
CARRIER_WIDTH_MM = 3.0
FOOT_WIDTH_MM = 3.0
RIB_WIDTH_MM = 3.0
PEG_HEIGHT_MM = 4.4
MARK_DEPTH_MM = 0.5

# The right half as it is worn, seen from above, in mm: x to the right, y forwards, from the middle of the forehead on.
HEAD = [(0, 95), (28, 91.5), (54, 77), (70, 50), (76.5, 18), (77.5, -12), (75.5, -40), (72, -66)]
CARRIER = [(0, 121.5), (38, 115), (69, 94), (88, 61), (94, 27), (91, -6), (84, -30), (76, -52)]

# Where ribs leave the forehead and reach the carrier, as lengths along the two from their middles.
RIBS_MM = [(20, 24), (52, 62), (82, 104)]


def build(version: str) -> dict[str, Manifold]:
    """The headband as it is printed and worn: standing on its lower edge, in one piece."""
    forehead = soft_slab(forehead_outline(), FOREHEAD_HEIGHT_MM, top=0.8, bottom=0.4, steps=2)
    carrier = soft_slab(carrier_outline(), CARRIER_HEIGHT_MM, top=0.8, bottom=0.4, steps=1)
    pegs = with_mirror_image(union(peg(HOLE_DISTANCE_MM * number) for number in (0.5, 1.5)))
    return {
        "face-shield-headband.stl": forehead
        + carrier
        + soft_slab(pegs, PEG_HEIGHT_MM, top=0.6, bottom=0.3, steps=1)
        - mark(f"FS {version}")
    }


def forehead_outline() -> CrossSection:
    """The band around the head, with a curl at each end for the elastic."""
    return filleted(stroke(head(), FOREHEAD_WIDTH_MM) + with_mirror_image(curl()), inner=1.5, outer=1.1)


def curl() -> CrossSection:
    """An open ring at the end of an arm, which it continues outwards."""
    (x, y), radius = HEAD[-1], 5.8
    ring = arc((x + radius, y), radius, 180, 415, 20)
    return stroke(ring, FOREHEAD_WIDTH_MM) + disc(*ring[-1], 1.8)


def carrier_outline() -> CrossSection:
    """The arc in front of the forehead that carries the visor, its ribs, and the foot of the band."""
    foot = stroke(head(), FOOT_WIDTH_MM)
    return filleted(foot + stroke(carrier(), CARRIER_WIDTH_MM) + with_mirror_image(ribs()), inner=4.0, outer=1.2)


def ribs() -> CrossSection:
    """Slanted ribs, which brace carrier and band like a truss and leave air between them."""
    inner, outer = right_half(HEAD), right_half(CARRIER)
    return union(
        stroke([tuple(at_length(inner, start)[0]), tuple(at_length(outer, end)[0])], RIB_WIDTH_MM)
        for start, end in RIBS_MM
    )


def peg(length: float) -> CrossSection:
    """A mushroom at a distance along the visor: the sheet's hole slips over its head and rests on its stem."""
    root, along = at_length(visor(), length)
    outwards = np.array([-along[1], along[0]])
    stem = stroke([tuple(root - outwards), tuple(root + outwards * 1.9)], 3.4)
    cap = stroke([tuple(root + outwards * 3.2 + along * side) for side in (-1.5, 1.5)], 2.2)
    return filleted(stem + cap, inner=0.3, outer=0.8)


def visor() -> NDArray[np.float64]:
    """The right half of the visor where it lies against the carrier: a little longer than the carrier's middle."""
    line = right_half(CARRIER)
    along = np.gradient(line, axis=0)
    outwards = np.stack([-along[:, 1], along[:, 0]], axis=-1) / np.linalg.norm(along, axis=1, keepdims=True)
    return line + outwards * CARRIER_WIDTH_MM / 2


def head() -> NDArray[np.float64]:
    """The middle of the band, from the left end to the right."""
    return whole(HEAD)


def carrier() -> NDArray[np.float64]:
    """The middle of the carrier, from the left end to the right."""
    return whole(CARRIER)


def whole(right: list[tuple[float, float]]) -> NDArray[np.float64]:
    """A curve through the points of the right half and their mirror images."""
    return spline([(-x, y) for x, y in right[:0:-1]] + right, 51)


def right_half(right: list[tuple[float, float]]) -> NDArray[np.float64]:
    """From the middle of the forehead to the right end."""
    return whole(right)[25:]


def mark(text: str) -> Manifold:
    """The version, to be cut into the front of the carrier, where it is read through the visor."""
    letters = (
        prism(lettering(text, height=4.8), 4.0)
        .rotate((90, 0, 180))
        .translate((0, CARRIER[0][1] - 0.9, CARRIER_HEIGHT_MM / 2))
    )
    skin = stroke(carrier(), CARRIER_WIDTH_MM + 2) - stroke(carrier(), CARRIER_WIDTH_MM - 2 * MARK_DEPTH_MM)
    return letters ^ prism(skin, CARRIER_HEIGHT_MM)
