"""Face-shield headband, for a visor with the four holes of an office punch or with two, and the clip below the visor.

Both headbands are the same but for what holds the sheet at the temples: pegs, or pockets for its ends.
"""

from manifold3d import CrossSection, Manifold

from makerhub.designs.shapes import (
    Points,
    arc,
    at_length,
    disc,
    filleted,
    front_mark,
    mark_outline,
    offset_curve,
    soft_slab,
    stroke,
    union,
    with_mirror_image,
)
from makerhub.designs.visor import INNER_PEG_MM, OUTER_PEG_MM, bottom_clip, pegs, pocket, right_half, symmetric

CODE = "FS"
FOREHEAD_HEIGHT_MM = 12.2  # spreads the pressure on the skin
FOREHEAD_WIDTH_MM = 2.4  # bends to heads of all widths; two lines of plastic on each side
CARRIER_HEIGHT_MM = 7.4  # as high as the mark on it asks for
CARRIER_WIDTH_MM = 3.0
FOOT_WIDTH_MM = 3.0
RIB_WIDTH_MM = 3.0
CURL_RADIUS_MM = 5.8  # takes a knot of flat elastic, 6 mm
LETTER_MM = 4.2

# The right half as it is worn, seen from above, in mm: x to the right, y forwards, from the middle of the forehead on.
# The band is 155 mm wide inside, the mean breadth of grown heads; the visor hangs 26 mm in front of the forehead, which
# leaves room for glasses and a respirator.
HEAD = [(0, 95), (28, 91.5), (54, 77), (70, 50), (76.5, 18), (77.5, -12), (75.5, -40), (72, -66)]
CARRIER = [(0, 121.5), (38, 115), (69, 94), (88, 61), (94, 27), (91, -6), (84, -30), (76, -52)]

# Where ribs leave the forehead and reach the carrier, as lengths along the two from their middles.
RIBS_MM = [(20, 24), (52, 62), (82, 104)]


def build(version: str) -> dict[str, Manifold]:
    """Both headbands as they are printed and worn, standing on their lower edge, and the clip."""
    return {
        "headband-four-holes.stl": headband(version, pegs(visor(), (INNER_PEG_MM, OUTER_PEG_MM))),
        "headband-two-holes.stl": headband(version, pegs(visor(), (INNER_PEG_MM,)) + pockets()),
        "bottom-clip.stl": bottom_clip(CODE, version),
    }


def headband(version: str, holders: Manifold) -> Manifold:
    """The band with its carrier, and what holds the visor on it."""
    forehead = soft_slab(forehead_outline(), FOREHEAD_HEIGHT_MM, top=0.8, bottom=0.4, steps=2)
    carrier = soft_slab(carrier_outline(), CARRIER_HEIGHT_MM, top=0.8, bottom=0.4, steps=1)
    return (forehead + carrier + holders - mark(version)).rotate((0, 0, 180))


def forehead_outline() -> CrossSection:
    """The band around the head, with a curl at each end for the elastic."""
    return filleted(stroke(symmetric(HEAD), FOREHEAD_WIDTH_MM) + with_mirror_image(curl()), inner=1.5, outer=1.1)


def curl() -> CrossSection:
    """An open ring at the end of an arm, which it continues outwards."""
    x, y = HEAD[-1]
    ring = arc((x + CURL_RADIUS_MM, y), CURL_RADIUS_MM, 180, 415, 20)
    return stroke(ring, FOREHEAD_WIDTH_MM) + disc(*ring[-1], 1.8)


def carrier_outline() -> CrossSection:
    """The arc in front of the forehead that carries the visor, its ribs, and the foot of the band."""
    arcs = stroke(symmetric(HEAD), FOOT_WIDTH_MM) + stroke(symmetric(CARRIER), CARRIER_WIDTH_MM)
    return filleted(arcs + with_mirror_image(ribs()), inner=4.0, outer=1.2)


def ribs() -> CrossSection:
    """Slanted ribs, which brace carrier and band like a truss and leave air between them."""
    inner, outer = right_half(HEAD), right_half(CARRIER)
    return union(
        stroke([tuple(at_length(inner, start)[0]), tuple(at_length(outer, end)[0])], RIB_WIDTH_MM)
        for start, end in RIBS_MM
    )


def pockets() -> Manifold:
    """The pockets for the ends of a sheet with two holes, as high as the carrier."""
    return soft_slab(with_mirror_image(pocket(visor())), CARRIER_HEIGHT_MM, top=0.5, bottom=0.4, steps=1)


def visor() -> Points:
    """The right half of the visor where it lies against the carrier."""
    return offset_curve(right_half(CARRIER), CARRIER_WIDTH_MM / 2)


def mark(version: str) -> Manifold:
    """The mark in the front of the carrier, where it is read through the visor and nothing rubs on it."""
    face = offset_curve(symmetric(CARRIER), CARRIER_WIDTH_MM / 2)
    return front_mark(mark_outline(CODE, version, letter_mm=LETTER_MM), face, (CARRIER_HEIGHT_MM - 0.4) / 2)
