"""Visor bottom clip: keeps the lower edge of a visor bent, away from the chin and around to the sides."""

from manifold3d import Manifold

from makerhub.designs.visor import bottom_clip


def build(version: str) -> dict[str, Manifold]:
    """The clip, standing on its floor, its slot upwards, as it is printed and worn."""
    return {"bottom-clip.stl": bottom_clip("BC", version)}
