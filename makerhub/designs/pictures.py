"""Thumbnails of meshes: a soft-lit solid on a shadow, drawn without any graphics hardware.

The view is the same for every part, so that a page of them looks like one catalogue. The background is transparent,
for light and dark pages alike. About a second of processor time: draw once, when a version is published.
"""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from makerhub.designs.geometry import Triangles, read_stl
from makerhub.designs.raster import Covered, Floats, draw

SIZE = 512
MAX_BYTES = 20_000

_SAMPLES = 2
_EDGE = SIZE * _SAMPLES
_MARGIN = 0.07
_AZIMUTH, _ELEVATION = np.radians(-32.0), np.radians(38.0)
_COLOUR = np.array([0.13, 0.50, 0.62])
_KEY_LIGHT = np.array([-0.75, -0.12, 1.0])
_CREASE_COSINE = np.cos(np.radians(38.0))
_MAX_SMOOTHED_FACES = 150_000


@dataclass(frozen=True, slots=True)
class _View:
    """From mm to pixels: turn by `rotation` (rows: right, down, to the eye), then scale and shift."""

    rotation: Floats
    scale: float
    shift: Floats

    def project(self, points: Floats) -> Floats:
        projected: Floats = points @ self.rotation.T * self.scale
        projected[..., :2] += self.shift
        return projected


def thumbnail(mesh: bytes) -> bytes:
    """A picture of a checked STL file as WebP: 512 × 512, transparent around the part, at most 20 kB."""
    picture = Image.fromarray(np.rint(render(read_stl(mesh)) * 255).astype(np.uint8), "RGBA")
    for quality in (88, 80, 70, 60, 45, 30):
        content = _webp(picture, quality)
        if len(content) <= MAX_BYTES:
            return content
    return _webp(picture.resize((SIZE // 2, SIZE // 2), Image.Resampling.LANCZOS), 60)


def render(triangles: Triangles) -> Floats:
    """The picture as an array of shape (512, 512, 4): red, green, blue and opacity from 0 to 1."""
    solid = triangles - triangles.min(axis=(0, 1)) * [0, 0, 1]
    view = _view_of(solid)
    layers = _shadow(solid, view), _part(solid, view)
    return _downsampled(_over(*layers))


def _view_of(solid: Triangles) -> _View:
    """The view in which the part and its shadow fill the picture but for a margin."""
    azimuth, elevation = (np.cos(_AZIMUTH), np.sin(_AZIMUTH)), (np.cos(_ELEVATION), np.sin(_ELEVATION))
    right = np.array([azimuth[0], azimuth[1], 0.0])
    eye = np.array([azimuth[1] * elevation[0], -azimuth[0] * elevation[0], elevation[1]])
    rotation = np.stack([right, -np.cross(eye, right), eye])
    flat = np.concatenate([solid.reshape(-1, 3), _fallen(solid).reshape(-1, 3)]) @ rotation.T
    low, high = flat[:, :2].min(axis=0), flat[:, :2].max(axis=0)
    scale = _EDGE * (1 - 2 * _MARGIN) / float((high - low).max())
    return _View(rotation, scale, _EDGE / 2 - (low + high) / 2 * scale)


def _part(solid: Triangles, view: _View) -> Floats:
    projected, normals = view.project(solid), _corner_normals(solid)
    facing = np.cross(projected[:, 1] - projected[:, 0], projected[:, 2] - projected[:, 0])[:, 2] < 0
    projected, normals = projected[facing], normals[facing]
    seen = draw(projected, _EDGE, _EDGE)
    layer = np.zeros((_EDGE * _EDGE, 4))
    normal = _unit((normals[seen.face] * seen.weights[..., None]).sum(axis=1))
    layer[seen.pixel, :3] = _lit(normal, view) * _occlusion(seen)[:, None]
    layer[seen.pixel, 3] = 1
    return np.clip(layer.reshape(_EDGE, _EDGE, 4), 0, 1)


def _lit(normal: Floats, view: _View) -> Floats:
    """Colours under a soft key light, a sky, and a glint towards the eye."""
    key, eye = _KEY_LIGHT / np.linalg.norm(_KEY_LIGHT), view.rotation[2]
    halfway = (key + eye) / np.linalg.norm(key + eye)
    direct = np.clip(normal @ key, 0, 1)
    sky = 0.5 + 0.5 * normal[:, 2]
    glint = np.clip(normal @ halfway, 0, 1) ** 40
    rim = (1 - np.clip(normal @ eye, 0, 1)) ** 3
    light = 0.30 + 0.34 * sky + 0.62 * direct
    colours: Floats = light[:, None] * _COLOUR + (0.16 * glint + 0.10 * rim)[:, None]
    return colours


def _occlusion(seen: Covered) -> Floats:
    """Darkness in hollows: how far a pixel lies behind what surrounds it (unsharp masking of the depth)."""
    depth, here = np.zeros(_EDGE * _EDGE), np.zeros(_EDGE * _EDGE)
    depth[seen.pixel], here[seen.pixel] = seen.depth, 1
    shade = np.zeros(len(seen.pixel))
    for radius, strength in ((6.0, 0.5), (28.0, 0.5)):
        around = gaussian_filter(depth.reshape(_EDGE, _EDGE), radius).ravel()[seen.pixel]
        weight = gaussian_filter(here.reshape(_EDGE, _EDGE), radius).ravel()[seen.pixel]
        behind = around / np.maximum(weight, 1e-6) - seen.depth
        shade += strength * np.clip(behind / (2.5 * radius), 0, 0.7)
    left: Floats = 1 - np.clip(shade, 0, 0.6)
    return left


def _shadow(solid: Triangles, view: _View) -> Floats:
    """The part's shadow on the ground: dark and narrow where it stands, wide and faint away from the light."""
    fallen, standing = view.project(_fallen(solid)), view.project(solid * [1, 1, 0])
    wide = gaussian_filter(_mask(fallen), 22.0)
    near = gaussian_filter(_mask(standing), 8.0)
    layer = np.zeros((_EDGE, _EDGE, 4))
    layer[..., :3] = 0.05, 0.09, 0.12
    layer[..., 3] = 1 - (1 - 0.42 * wide) * (1 - 0.28 * near)
    return layer


def _fallen(solid: Triangles) -> Triangles:
    """The faces cast onto the ground along the key light, whose slant is eased to keep the shadow short."""
    slant = 0.8 * _KEY_LIGHT[:2] / _KEY_LIGHT[2]
    cast: Triangles = np.concatenate([solid[..., :2] - solid[..., 2:] * slant, np.zeros_like(solid[..., 2:])], axis=-1)
    return cast


def _mask(projected: Floats) -> Floats:
    mask = np.zeros(_EDGE * _EDGE)
    mask[draw(projected, _EDGE, _EDGE).pixel] = 1
    return mask.reshape(_EDGE, _EDGE)


def _corner_normals(solid: Triangles) -> Floats:
    """The normal at each corner of each face: the mean over the faces there that it blends into, sharp at creases."""
    across = np.cross(solid[:, 1] - solid[:, 0], solid[:, 2] - solid[:, 0])
    normals = _unit(across)
    if len(solid) > _MAX_SMOOTHED_FACES:
        return np.repeat(normals[:, None], 3, axis=1)
    corner, neighbour = _sharing(solid)
    blends = (normals[corner // 3] * normals[neighbour // 3]).sum(axis=1) > _CREASE_COSINE
    sums = np.zeros((len(solid) * 3, 3))
    np.add.at(sums, corner[blends], across[neighbour[blends] // 3])
    return _unit(sums).reshape(-1, 3, 3)


def _sharing(solid: Triangles) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every pair of corners (numbered face · 3 + corner) that lie at the same point."""
    _, point = np.unique(np.rint(solid.reshape(-1, 3) * 1000).astype(np.int64), axis=0, return_inverse=True)
    point = point.ravel()
    order = np.argsort(point, kind="stable")
    counts = np.bincount(point)
    starts = np.cumsum(counts) - counts
    degree = counts[point]
    corner = np.repeat(np.arange(len(point)), degree)
    step = np.arange(len(corner)) - np.repeat(np.cumsum(degree) - degree, degree)
    return corner, order[starts[point[corner]] + step]


def _over(below: Floats, above: Floats) -> Floats:
    """One layer on another, with colours multiplied by their opacity, which is how they may be averaged."""
    opacity = above[..., 3:]
    colour = above[..., :3] * opacity + below[..., :3] * below[..., 3:] * (1 - opacity)
    return np.concatenate([colour, opacity + below[..., 3:] * (1 - opacity)], axis=-1)


def _downsampled(samples: Floats) -> Floats:
    """The mean of each square of samples, with colours divided by their opacity again."""
    mean = samples.reshape(SIZE, _SAMPLES, SIZE, _SAMPLES, 4).mean(axis=(1, 3))
    opacity = mean[..., 3:]
    colour = np.divide(mean[..., :3], opacity, out=np.zeros_like(mean[..., :3]), where=opacity > 0)
    picture: Floats = np.clip(np.concatenate([colour, opacity], axis=-1), 0, 1)
    return picture


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Floats = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return unit


def _webp(picture: Image.Image, quality: int) -> bytes:
    content = io.BytesIO()
    picture.save(content, "WEBP", quality=quality, alpha_quality=80, method=6)
    return content.getvalue()
