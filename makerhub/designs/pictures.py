"""Pictures of designs as for a shop: matt plastic on warm ground under a soft lamp, drawn without graphics hardware.

View, light and margin are the same for all, so that a page of pictures looks like one catalogue. The ground is part of
the picture, since a shadow needs one, and so stands alike on light and dark pages. One to two seconds of processor
time: draw once, when a version is published.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, zoom

from makerhub.designs.geometry import Triangles, read_stl
from makerhub.designs.lighting import Scene
from makerhub.designs.normals import corner_normals, unit
from makerhub.designs.raster import Covered, Floats, draw
from makerhub.designs.scenes import arrange, standing

SIZE = 512
MAX_BYTES = 20_000

_SAMPLES = 2
_EDGE = SIZE * _SAMPLES
_MARGIN = 0.075
_AZIMUTH, _ELEVATION = np.radians(-32.0), np.radians(42.0)
_DISTANCE = 4.2
_TO_LAMP = np.array([-0.80, -0.05, 1.0])
_GROUND_STEP = 2

_PLASTIC = np.array([0.014, 0.225, 0.240])
_GROUND = np.array([0.880, 0.842, 0.775])
_LAMP = np.array([1.00, 0.95, 0.86]) * 1.25
_SKY = np.array([0.90, 0.96, 1.00]) * 0.55
_BOUNCE = np.array([1.00, 0.92, 0.80]) * 0.20


@dataclass(frozen=True, slots=True)
class _View:
    """A camera `distance` mm before the point `middle`, then scaled and shifted so that the scene fills the picture.

    `rotation` has the rows right, down and to the eye.
    """

    rotation: Floats
    middle: Floats
    distance: float
    scale: float
    shift: Floats

    def project(self, points: Floats) -> Floats:
        """Pixels to the right and down, and the inverse of the distance, in which everything straight stays so."""
        turned = (points - self.middle) @ self.rotation.T
        nearness = 1 / (self.distance - turned[..., 2:])
        return np.concatenate([turned[..., :2] * nearness * self.scale + self.shift, nearness], axis=-1)

    def ground(self, step: int) -> Floats:
        """Where the eye meets the ground in the middle of each square of `step` pixels of the finished picture."""
        middles = (np.arange(SIZE // step) + 0.5) * step * _SAMPLES
        right, down = np.meshgrid(middles, middles)
        flat = (np.stack([right, down], axis=-1).reshape(-1, 2) - self.shift) / self.scale
        rays = np.concatenate([flat, np.full((len(flat), 1), -1.0)], axis=1) @ self.rotation
        eye = self.middle + self.rotation[2] * self.distance
        points: Floats = eye - rays * (eye[2] / rays[:, 2:])
        return points


def thumbnail(mesh: bytes) -> bytes:
    """A picture of one part, a checked STL file, as WebP: 512 × 512, at most 20 kB."""
    return _webp(render(standing(read_stl(mesh))))


def picture(meshes: Sequence[bytes], quantities: Sequence[int]) -> bytes:
    """A picture of what belongs together: so many of each part, checked STL files, laid out side by side, as WebP."""
    parts = [standing(read_stl(mesh)) for mesh in meshes]
    places = arrange(parts, quantities)
    return _webp(render(np.concatenate([place.of(parts[place.part]) for place in places])))


def render(triangles: Triangles) -> Floats:
    """The picture of faces that stand on the ground z = 0, as an array of shape (512, 512, 3) from 0 to 1 (sRGB)."""
    view, scene = _view_of(triangles), Scene(triangles, _TO_LAMP)
    colour, cover = _part(triangles, view, scene)
    linear = colour + _floor(view, scene) * (1 - cover)
    return _developed(linear)


def _view_of(triangles: Triangles) -> _View:
    points = triangles.reshape(-1, 3)
    low, high = points.min(axis=0), points.max(axis=0)
    azimuth, elevation = (np.cos(_AZIMUTH), np.sin(_AZIMUTH)), (np.cos(_ELEVATION), np.sin(_ELEVATION))
    right = np.array([azimuth[0], azimuth[1], 0.0])
    eye = np.array([azimuth[1] * elevation[0], -azimuth[0] * elevation[0], elevation[1]])
    rotation = np.stack([right, -np.cross(eye, right), eye])
    plain = _View(rotation, (low + high) / 2, _DISTANCE * float(np.linalg.norm(high - low)) / 2, 1.0, np.zeros(2))
    seen = plain.project(points)[:, :2]
    least, most = seen.min(axis=0), seen.max(axis=0)
    scale = _EDGE * (1 - 2 * _MARGIN) / float((most - least).max())
    return _View(rotation, plain.middle, plain.distance, scale, _EDGE / 2 - (least + most) / 2 * scale)


def _part(triangles: Triangles, view: _View, scene: Scene) -> tuple[Floats, Floats]:
    """The scene's own light, multiplied by how much of each pixel it covers, and that: (512, 512, 3) and (…, 1)."""
    projected = view.project(triangles)
    facing = _turned_to_the_eye(projected)
    projected, solid = projected[facing], triangles[facing]
    normals = corner_normals(triangles)[facing]
    seen = draw(projected, _EDGE, _EDGE)
    share = seen.weights * projected[seen.face][..., 2]
    share = (share / share.sum(axis=1, keepdims=True))[..., None]
    normal = unit((normals[seen.face] * share).sum(axis=1))
    light = scene.light((solid[seen.face] * share).sum(axis=1), normal)
    colour = _shaded(normal, light.sky, light.lamp, view) * _hollows(seen, view)[:, None]
    layer = np.zeros((_EDGE * _EDGE, 4))
    layer[seen.pixel, :3], layer[seen.pixel, 3] = colour, 1
    mean = layer.reshape(SIZE, _SAMPLES, SIZE, _SAMPLES, 4).mean(axis=(1, 3))
    return mean[..., :3], mean[..., 3:]


def _turned_to_the_eye(projected: Floats) -> NDArray[np.bool_]:
    """The faces whose corners run counter-clockwise on the picture, where y points down."""
    along, across = projected[:, 1] - projected[:, 0], projected[:, 2] - projected[:, 0]
    facing: NDArray[np.bool_] = along[:, 0] * across[:, 1] < along[:, 1] * across[:, 0]
    return facing


def _shaded(normal: Floats, sky: Floats, lamp: Floats, view: _View) -> Floats:
    """Linear colours of matt plastic: lamp, sky and what the ground throws back, with a glint and a brighter rim."""
    to_lamp, eye = unit(_TO_LAMP), view.rotation[2]
    below = (0.5 - 0.5 * normal[:, 2])[:, None]
    light = lamp[:, None] * _LAMP + sky[:, None] * _SKY + below * _BOUNCE + 0.10
    glint = np.clip(normal @ unit(to_lamp + eye), 0, 1) ** 24 * np.minimum(lamp * 2, 1)
    rim = (1 - np.clip(normal @ eye, 0, 1)) ** 4 * np.minimum(sky * 1.5, 1)
    colours: Floats = light * _PLASTIC + (0.16 * glint + 0.10 * rim)[:, None]
    return colours


def _floor(view: _View, scene: Scene) -> Floats:
    """The ground with its soft shadows, linear, (512, 512, 3), a little darker towards the corners."""
    points = view.ground(_GROUND_STEP)
    light = scene.light(points, np.broadcast_to([0.0, 0.0, 1.0], points.shape))
    side = SIZE // _GROUND_STEP
    shade = 0.52 * light.sky + 0.48 * light.lamp / float(unit(_TO_LAMP)[2])
    soft = gaussian_filter(shade.reshape(side, side), 1.2)
    soft = zoom(soft, _GROUND_STEP, order=1, grid_mode=True, mode="nearest")
    across = np.linspace(-1, 1, SIZE)
    corner = 1 - 0.10 * (across[:, None] ** 2 + across[None, :] ** 2)
    ground: Floats = (np.clip(soft, 0, 1) * corner)[..., None] * _GROUND
    return ground


def _hollows(seen: Covered, view: _View) -> Floats:
    """Darkness in what is finer than the light's grid, such as letters: how far a pixel lies behind those around it."""
    depth, here = np.zeros(_EDGE * _EDGE), np.zeros(_EDGE * _EDGE)
    depth[seen.pixel], here[seen.pixel] = 1 / seen.depth, 1
    around = gaussian_filter(depth.reshape(_EDGE, _EDGE), 4.0).ravel()[seen.pixel]
    weight = gaussian_filter(here.reshape(_EDGE, _EDGE), 4.0).ravel()[seen.pixel]
    behind = (depth[seen.pixel] - around / weight) * view.scale / view.distance
    left: Floats = 1 - np.clip(behind / 10, 0, 0.35)
    return left


def _developed(linear: Floats) -> Floats:
    """From light to what a screen shows: highlights bent softly towards white, then the curve of sRGB."""
    bent = np.where(linear > 0.7, 0.7 + 0.3 * np.tanh((linear - 0.7) / 0.3), linear)
    curve: Floats = np.where(bent <= 0.0031308, bent * 12.92, 1.055 * np.maximum(bent, 1e-9) ** (1 / 2.4) - 0.055)
    return np.clip(curve, 0, 1)


def _webp(pixels: Floats) -> bytes:
    """The best quality that fits into `MAX_BYTES`, or else half the size."""
    image = Image.fromarray(np.rint(pixels * 255).astype(np.uint8), "RGB")
    for quality in (94, 88, 80, 70, 55, 35):
        content = _encoded(image, quality)
        if len(content) <= MAX_BYTES:
            return content
    return _encoded(image.resize((SIZE // 2, SIZE // 2), Image.Resampling.LANCZOS), 60)


def _encoded(image: Image.Image, quality: int) -> bytes:
    content = io.BytesIO()
    image.save(content, "WEBP", quality=quality, method=5)
    return content.getvalue()
