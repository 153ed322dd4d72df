"""Jar opener: a drop-shaped ring with soft teeth that wedges itself on a lid, and a smaller one with a lever for caps.

The ring is a wedge: the further it is pulled towards its narrow end, the harder its teeth bite, so the hand only pushes
and never grips. Both are outlines grown upwards, so the layers run along the walls, where they bend.
"""

from dataclasses import dataclass

import numpy as np
from manifold3d import CrossSection, Manifold

from makerhub.designs.shapes import Points, disc, filleted, part_mark, soft_slab, spline, stroke, union

# Half the angle of the wedge. Turned by its far end the ring holds by itself as long as tan(angle) is less than about
# half of what teeth and lid rub with: 0.26 here, against 0.6 and more of teeth in the flutes of a lid.
WEDGE_DEGREES = 14.5
TOOTH_RADIUS_MM, TOOTH_DEPTH_MM, TOOTH_PITCH_MM = 1.9, 1.2, 5.6
TOP_EDGE_MM, BOTTOM_EDGE_MM = 2.4, 0.8
TEETH_BELOW_TOP_MM = 2.0
HOLE_RADIUS_MM = 3.2


@dataclass(frozen=True)
class Opener:
    """One opener: the thinnest and the thickest lid it turns, its wall, and the lever beyond its narrow end.

    The lever is a line of points along the axis, each with the full width there; `hole_at_mm` is one to hang it by.
    """

    code: str
    thinnest_mm: float
    thickest_mm: float
    wall_mm: float
    height_mm: float
    lever: tuple[tuple[float, float], ...]
    mark_at_mm: float
    mark_degrees: float
    lot_mm: float
    hole_at_mm: float = 0.0

    @property
    def narrow_mm(self) -> float:
        """The radius of the opening at its narrow end, whose middle is the origin."""
        return self.thinnest_mm / 2 + TOOTH_DEPTH_MM

    @property
    def wide_mm(self) -> float:
        """The radius of the opening at its wide end."""
        return self.thickest_mm / 2 + TOOTH_DEPTH_MM

    @property
    def length_mm(self) -> float:
        """From the middle of the narrow end to that of the wide one."""
        return (self.wide_mm - self.narrow_mm) / float(np.sin(np.radians(WEDGE_DEGREES)))


JAR = Opener("JO", 55.0, 86.0, 8.5, 16.0, ((-20, 58), (-28, 48), (-34, 37)), -37.5, -90.0, 11.0)
CAP = Opener("CO", 25.0, 43.0, 7.5, 13.0, ((-14, 28), (-32, 19), (-56, 22), (-86, 18)), -51.0, 0.0, 16.0, -84.0)
OPENERS = {"jar-opener.stl": JAR, "cap-opener.stl": CAP}


def build(version: str) -> dict[str, Manifold]:
    """Both openers, flat on the bed."""
    return {export: opener(kind, version) for export, kind in OPENERS.items()}


def opener(kind: Opener, version: str) -> Manifold:
    """One opener, its wide end to the right."""
    body = soft_slab(outline(kind), kind.height_mm, top=TOP_EDGE_MM, bottom=BOTTOM_EDGE_MM, steps=3)
    body += soft_slab(teeth(kind), kind.height_mm - TEETH_BELOW_TOP_MM, top=1.0, bottom=0.6, steps=2)
    mark = part_mark(kind.code, version, letter_mm=4.2, lot_mm=kind.lot_mm, two_lines=True)
    return body - mark.rotate((0, 0, kind.mark_degrees)).translate((kind.mark_at_mm, 0, kind.height_mm))


def outline(kind: Opener) -> CrossSection:
    """Ring and lever, without the teeth."""
    solid = filleted(drop(kind, kind.wall_mm) + lever(kind), inner=40.0, outer=3.0) - drop(kind)
    return solid - disc(kind.hole_at_mm, 0, HOLE_RADIUS_MM) if kind.hole_at_mm else solid


def drop(kind: Opener, beyond: float = 0.0) -> CrossSection:
    """The opening, or what lies within a distance of it."""
    ends = (0.0, kind.narrow_mm), (kind.length_mm, kind.wide_mm)
    return CrossSection.batch_hull([CrossSection.circle(r + beyond, 96).translate((x, 0)) for x, r in ends])


def lever(kind: Opener) -> CrossSection:
    """What the palm pushes, in a smooth line from the ring to its round end."""
    line: Points = spline(list(kind.lever), 24)
    return stroke(np.column_stack([line[:, 0], np.zeros(len(line))]), line[:, 1])


def teeth(kind: Opener) -> CrossSection:
    """Round teeth along both walls, half sunk into them, from where the thinnest lid bites to the thickest one."""
    lean = np.radians(WEDGE_DEGREES)
    outwards, along = np.array([-np.sin(lean), np.cos(lean)]), np.array([np.cos(lean), np.sin(lean)])
    start = outwards * (kind.narrow_mm + TOOTH_RADIUS_MM - TOOTH_DEPTH_MM)
    reach = kind.length_mm * float(np.cos(lean))
    places = np.linspace(0, reach, 1 + round(reach / TOOTH_PITCH_MM))
    wall = union(disc(*(start + along * place).tolist(), TOOTH_RADIUS_MM) for place in places)
    return wall + wall.mirror((0, 1))
