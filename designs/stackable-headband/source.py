"""Stackable headband: a flat plate that carries a visor with four holes, alone or as a stack of four printed at once.

The outline is the same from bottom to top, so each plate of a stack is printed upon the one below, a layer of air
between the two. Pips in that layer hold the stack together while it is printed, and break when it is taken apart.
"""

import numpy as np
from manifold3d import CrossSection, Manifold, OpType

from makerhub.designs.shapes import (
    Points,
    arc,
    at_length,
    disc,
    filleted,
    offset_curve,
    part_mark,
    polygon,
    prism,
    soft_slab,
    stroke,
    union,
    with_mirror_image,
)
from makerhub.designs.visor import INNER_PEG_MM, OUTER_PEG_MM, peg, right_half, symmetric

CODE = "SH"
LAYER_MM = 0.2
THICKNESS_MM = 24 * LAYER_MM  # whole layers, so that the gap is one layer too; 4.8 mm is stiff enough to carry a sheet
# One layer of air: what slicers leave between a part and a support that is to be broken off. The layer above sags
# a little and sticks lightly; with less it welds, with more it hangs in threads.
GAP_MM = LAYER_MM
STACK = 4  # higher ones take a night, and one that comes loose spoils them all
PIP_RADIUS_MM = 0.7
PIPS_ON_BAND_MM, PIPS_ON_CARRIER_MM = (10.0, 62.0, 120.0, 160.0), (26.0, 76.0, 110.0)

BAND_WIDTH_MM = 2.8
CARRIER_WIDTH_MM = 3.2
RIB_WIDTH_MM = 3.0
EDGE_MM = 0.5  # chamfers: no sharp edge on the skin, and a third less of what touches the next plate
HOOK_RADIUS_MM = 5.0

# The right half, seen from above, in mm, as in the standing headband, but narrower: it lies on a bed of 180 mm, and
# opens by bending. The visor hangs 22 mm in front of the forehead.
HEAD = [(0, 90), (28, 86.5), (52, 73), (66.5, 48), (71.5, 18), (71.5, -14), (68.5, -46)]
CARRIER = [(0, 112.5), (34, 107), (60, 88.5), (74.5, 61), (77.2, 34), (73.2, 6)]
RIBS_MM = [(50, 62)]
PLATE_HALF_WIDTH_MM = 22.0


def build(version: str) -> dict[str, Manifold]:
    """A plate alone, and a stack of them."""
    single = plate(version)
    copies = [single.translate((0, 0, number * (THICKNESS_MM + GAP_MM))) for number in range(STACK)]
    joints = [pips().translate((0, 0, number * (THICKNESS_MM + GAP_MM) - GAP_MM)) for number in range(1, STACK)]
    return {
        "headband.stl": single,
        "headband-stack.stl": Manifold.batch_boolean([*copies, *joints], OpType.Add),
    }


def plate(version: str) -> Manifold:
    """One headband, lying as it is printed."""
    body = soft_slab(outline(), THICKNESS_MM, top=EDGE_MM, bottom=EDGE_MM, steps=1)
    mark = part_mark(CODE, version, two_lines=True, framed=True).rotate((0, 0, 180))
    return (body - mark.translate((0, middle_of_name_plate(), THICKNESS_MM))).rotate((0, 0, 180))


def outline() -> CrossSection:
    """Band, carrier, ribs and name plate as one, with the pegs for the visor."""
    arcs = stroke(symmetric(HEAD), BAND_WIDTH_MM) + stroke(symmetric(CARRIER), CARRIER_WIDTH_MM)
    frame = filleted(arcs + name_plate() + with_mirror_image(ribs()), inner=3.5, outer=1.2)
    holders = union(peg(visor(), length) for length in (INNER_PEG_MM, OUTER_PEG_MM))
    return filleted(frame + with_mirror_image(hook()), inner=1.2, outer=1.2) + with_mirror_image(holders)


def name_plate() -> CrossSection:
    """The field in the middle that ties band and carrier together and bears the mark."""
    reach = np.linspace(-PLATE_HALF_WIDTH_MM, PLATE_HALF_WIDTH_MM, 15)
    back, front = (
        np.stack([reach, np.interp(reach, line[:, 0], line[:, 1])], axis=-1)
        for line in (symmetric(HEAD)[8:-8], symmetric(CARRIER)[8:-8])
    )
    return polygon(np.concatenate([back, front[::-1]]))


def middle_of_name_plate() -> float:
    """How far forward the mark is: half-way between band and carrier."""
    return (HEAD[0][1] + CARRIER[0][1]) / 2 - 0.8


def ribs() -> CrossSection:
    """Slanted ribs between band and carrier, from lengths along the one to lengths along the other."""
    inner, outer = right_half(HEAD), right_half(CARRIER)
    return union(
        stroke([tuple(at_length(inner, start)[0]), tuple(at_length(outer, end)[0])], RIB_WIDTH_MM)
        for start, end in RIBS_MM
    )


def hook() -> CrossSection:
    """An open ring at the end of an arm, for elastic or a rubber band."""
    x, y = HEAD[-1]
    ring = arc((x + HOOK_RADIUS_MM, y), HOOK_RADIUS_MM, 180, 400, 18)
    return stroke(ring, BAND_WIDTH_MM) + disc(*ring[-1], 1.9)


def visor() -> Points:
    """The right half of the visor where it lies against the carrier."""
    return offset_curve(right_half(CARRIER), CARRIER_WIDTH_MM / 2)


def pips() -> Manifold:
    """What holds a plate to the one below: dots in the gap, along band and carrier, a little into both plates."""
    inner, outer = right_half(HEAD), right_half(CARRIER)
    places = [at_length(inner, length)[0] for length in PIPS_ON_BAND_MM]
    places += [at_length(outer, length)[0] for length in PIPS_ON_CARRIER_MM]
    dots = with_mirror_image(union(CrossSection.circle(PIP_RADIUS_MM, 6).translate(tuple(place)) for place in places))
    return prism(dots, GAP_MM + 0.2, -0.1).rotate((0, 0, 180))
