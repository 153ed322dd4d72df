"""Solids around an upright axis: turned as on a lathe, or with lobes for fingers; and marks on their curved sides.

They grow upwards as everything else in the catalogue: a profile that widens by more than it rises would hang.
"""

from collections.abc import Sequence

import numpy as np
from manifold3d import CrossSection, Manifold, Mesh
from numpy.typing import NDArray

from makerhub.designs.shapes import prism

_SEGMENTS = 72
_FAR_MM = 200.0


def turned(
    profile: Sequence[tuple[float, float]],
    *,
    lobes: int = 0,
    depth_mm: float | NDArray[np.float64] = 0.0,
    segments: int = _SEGMENTS,
) -> Manifold:
    """A solid around the z axis through a profile of radii and heights, which runs from below upwards.

    Between its `lobes`, evenly spread with the first towards -y, it is hollowed by `depth_mm`, or by one depth for
    each point of the profile; the radii are those at the lobes. Raises `ValueError` where nothing would be left.
    """
    rings = np.asarray(profile, dtype=np.float64)
    angles = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    hollow = (1 - np.cos(lobes * (angles + np.pi / 2))) / 2
    depths = np.broadcast_to(depth_mm, len(rings))
    radii = rings[:, :1] - depths[:, None] * hollow
    if radii.min() <= 0:
        raise ValueError("a turned solid has no radius left somewhere: take a wider profile, or a smaller depth")
    around = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=-1)
    heights = np.broadcast_to(rings[:, 1:, None], (*radii.shape, 1))
    corners = np.concatenate([around, heights], axis=-1).reshape(-1, 3)
    ends = np.array([[0.0, 0.0, rings[0, 1]], [0.0, 0.0, rings[-1, 1]]])
    mesh = Mesh(np.concatenate([corners, ends]).astype(np.float32), _faces(len(rings), segments).astype(np.uint32))
    return Manifold(mesh)


def engraved(body: Manifold, core: Manifold, outline: CrossSection, z: float) -> Manifold:
    """The body with an outline cut into its front (-y), its middle at x = 0 and the height `z`.

    It is cut down to `core`, the same body with a skin as thick as the engraving is deep taken off, so it follows
    every curve. The outline is read from the front.
    """
    letters = prism(outline, _FAR_MM).rotate((90, 0, 0)).translate((0, 0, z))
    return body - (letters - core)


def _faces(ring_count: int, segments: int) -> NDArray[np.int64]:
    """Two faces for every step around and upwards, and a fan at each end."""
    here = np.arange(segments)
    there = (here + 1) % segments
    low = np.arange(ring_count - 1)[:, None] * segments
    high = low + segments
    lower = np.stack([low + here, low + there, high + there], axis=-1)
    upper = np.stack([low + here, high + there, high + here], axis=-1)
    top = (ring_count - 1) * segments
    bottom_middle, top_middle = ring_count * segments, ring_count * segments + 1
    bottom = np.stack([there, here, np.full(segments, bottom_middle)], axis=-1)
    roof = np.stack([top + here, top + there, np.full(segments, top_middle)], axis=-1)
    return np.concatenate([lower.reshape(-1, 3), upper.reshape(-1, 3), bottom, roof])
