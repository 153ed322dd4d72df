"""What a mesh looks like from straight above (pure): its outline with its holes, as it is drawn on a plate."""

from typing import Final

import manifold3d
import numpy as np
from numpy.typing import NDArray

from makerhub.designs.geometry import Welded

Loops = tuple[tuple[tuple[float, float], ...], ...]
"""Closed lines in mm, without the last point again; what an odd number of them encloses is covered by the part."""

MOST_FACES: Final = 300_000
"""Half a second of work, most of it for the solid. Larger meshes are drawn by their convex outline."""

_TOLERANCE_MM = 0.2  # a line's width is more, and no screen shows a bed of 200 mm any finer


def silhouette(mesh: Welded) -> Loops:
    """The shadow of a closed mesh under a light from +z, in its own coordinates; empty where it can't be told."""
    if len(mesh.faces) > MOST_FACES:
        return ()
    points, faces = np.asarray(mesh.points, np.float32), np.asarray(mesh.faces, np.uint32)
    solid = manifold3d.Manifold(manifold3d.Mesh(points, faces))
    if solid.status() is not manifold3d.Error.NoError:
        return ()
    return tuple(_rounded(loop) for loop in solid.project().simplify(_TOLERANCE_MM).to_polygons())


def _rounded(loop: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    return tuple((round(float(x), 1), round(float(y), 1)) for x, y in loop)
