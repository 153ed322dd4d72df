"""Reading 3MF, the package of 3D Manufacturing Format (Core Specification 1.3, with parts in several files).

A package is a ZIP archive of XML models. Its bombs were seen to fill 3 GB from 3 MB: so the sizes of its members are
added up before one is unpacked, XML is streamed without any entity, and the copies that components ask for are counted
before they are made.
"""

import io
import math
import xml.parsers.expat
import zipfile
import zlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from makerhub.designs.geometry import MAX_FACES, MeshDamaged, MeshProblem, Triangles

MAX_PACKAGE_BYTES = 60_000_000
MAX_MODEL_BYTES = 250_000_000
MAX_MEMBERS = 2_000
MAX_DEPTH = 8
_ENTRY = b"PK\x01\x02"
_MM_PER_UNIT = {
    "micron": 0.001,
    "millimeter": 1.0,
    "centimeter": 10.0,
    "inch": 25.4,
    "foot": 304.8,
    "meter": 1000.0,
}
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError),
    *(ValueError, IndexError, OverflowError, KeyError, xml.parsers.expat.ExpatError),
)

Transform = NDArray[np.float64]
"""4 rows of 3: a linear map and a move, applied to row vectors."""

_AS_IT_IS: Transform = np.vstack([np.eye(3), np.zeros(3)])


@dataclass
class _Use:
    """An object as an item or component uses it: in which model, its number there, and where it is put."""

    model: str
    number: str
    transform: Transform


@dataclass
class _Object:
    points: "array[float]" = field(default_factory=lambda: array("d"))
    corners: "array[int]" = field(default_factory=lambda: array("q"))
    components: list[_Use] = field(default_factory=list)

    def triangles(self) -> Triangles:
        """The faces of the object's own mesh."""
        points = np.frombuffer(self.points, dtype=np.float64).reshape(-1, 3)
        corners = np.frombuffer(self.corners, dtype=np.int64)
        if len(corners) and (corners.min() < 0 or corners.max() >= len(points)):
            raise MeshDamaged(MeshProblem.DAMAGED)
        return points[corners].reshape(-1, 3, 3)


@dataclass
class _Model:
    """One model of a package: its objects by number, and what is to be built."""

    millimetres: float = 1.0
    objects: dict[str, _Object] = field(default_factory=dict)
    items: list[_Use] = field(default_factory=list)


def read_3mf(content: bytes) -> Triangles:
    """The faces of everything that the package builds, in mm; raises `MeshDamaged`."""
    if len(content) > MAX_PACKAGE_BYTES or content.count(_ENTRY) > MAX_MEMBERS:
        raise MeshDamaged(MeshProblem.TOO_LARGE)
    try:
        models = _models_in(content)
        return _built(models)
    except MeshDamaged:
        raise
    except _UNREADABLE as error:
        raise MeshDamaged(MeshProblem.DAMAGED) from error


def _models_in(content: bytes) -> Mapping[str, _Model]:
    """Every model of the package by its name; the one to be built is the first."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        parts = [entry for entry in package.infolist() if entry.filename.lower().endswith(".model")]
        if sum(entry.file_size for entry in parts) > MAX_MODEL_BYTES:
            raise MeshDamaged(MeshProblem.TOO_LARGE)
        root = _root(package, [entry.filename for entry in parts])
        ordered = sorted(parts, key=lambda entry: entry.filename != root)
        return {entry.filename.lower(): _Reader(entry.filename).read(package, entry) for entry in ordered}


def _root(package: zipfile.ZipFile, names: list[str]) -> str:
    """The model that the package's relations name, else the one that everybody writes."""
    if not names:
        raise MeshDamaged(MeshProblem.UNKNOWN_FORMAT)
    if "_rels/.rels" in package.namelist() and package.getinfo("_rels/.rels").file_size < 100_000:
        relations = package.read("_rels/.rels").decode("utf-8", "replace").lower()
        for name in names:
            if f'/{name.lower()}"' in relations:
                return name
    return next((name for name in names if name.lower() == "3d/3dmodel.model"), names[0])


def _built(models: Mapping[str, _Model]) -> Triangles:
    root = next(iter(models.values()))
    room = [MAX_FACES]
    pieces = [piece for item in root.items for piece in _placed(models, item, room, 0)]
    if not pieces:
        raise MeshDamaged(MeshProblem.EMPTY)
    return np.concatenate(pieces) * root.millimetres


def _placed(models: Mapping[str, _Model], use: _Use, room: list[int], depth: int) -> list[Triangles]:
    """The faces of an object with all its components, placed; `room` is how many faces may still come."""
    if depth > MAX_DEPTH:
        raise MeshDamaged(MeshProblem.DAMAGED)
    found = models[use.model].objects[use.number]
    room[0] -= max(1, len(found.corners) // 3)  # an empty one counts, too: a thousand of them are no mesh
    if room[0] < 0:
        raise MeshDamaged(MeshProblem.TOO_LARGE)
    pieces = [found.triangles()] if len(found.corners) else []
    for component in found.components:
        pieces += _placed(models, component, room, depth + 1)
    return [piece @ use.transform[:3] + use.transform[3] for piece in pieces]


class _Reader:
    """Streams one model. Names are taken without their namespace; whatever is unknown is passed over."""

    def __init__(self, name: str) -> None:
        self.name = name.lower()
        self.model = _Model()
        self.object = _Object()

    def read(self, package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> _Model:
        """The model in a member of the package."""
        parser = xml.parsers.expat.ParserCreate(namespace_separator="|")
        parser.StartElementHandler = self._start
        parser.StartDoctypeDeclHandler = _refuse_doctype
        with package.open(entry) as stream:
            parser.ParseFile(stream)
        return self.model

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        handler = self._handlers.get(tag.rpartition("|")[2])
        if handler:
            handler(self, attributes)

    def _model(self, attributes: dict[str, str]) -> None:
        self.model.millimetres = _MM_PER_UNIT[attributes.get("unit", "millimeter")]

    def _object(self, attributes: dict[str, str]) -> None:
        self.object = self.model.objects[attributes["id"]] = _Object()
        if attributes.get("type", "model") in ("support", "other"):
            self.object = _Object()  # read, and forgotten: it is nothing to be printed

    def _vertex(self, attributes: dict[str, str]) -> None:
        self.object.points.extend((float(attributes["x"]), float(attributes["y"]), float(attributes["z"])))

    def _triangle(self, attributes: dict[str, str]) -> None:
        self.object.corners.extend((int(attributes["v1"]), int(attributes["v2"]), int(attributes["v3"])))
        if len(self.object.corners) > 3 * MAX_FACES:
            raise MeshDamaged(MeshProblem.TOO_LARGE)

    def _component(self, attributes: dict[str, str]) -> None:
        self.object.components.append(self._use(attributes))

    def _item(self, attributes: dict[str, str]) -> None:
        if attributes.get("printable", "1") != "0":
            self.model.items.append(self._use(attributes))

    def _use(self, attributes: dict[str, str]) -> _Use:
        path = next((value for name, value in attributes.items() if name.endswith("|path")), self.name)
        return _Use(path.lstrip("/").lower(), attributes["objectid"], _transform(attributes.get("transform", "")))

    _handlers: Mapping[str, Any] = {
        "model": _model,
        "object": _object,
        "vertex": _vertex,
        "triangle": _triangle,
        "component": _component,
        "item": _item,
    }


def _transform(text: str) -> Transform:
    if not text:
        return _AS_IT_IS
    numbers = [float(word) for word in text.split()]
    if len(numbers) != 12 or not all(map(math.isfinite, numbers)):
        raise MeshDamaged(MeshProblem.DAMAGED)
    return np.array(numbers).reshape(4, 3)


def _refuse_doctype(*_: object) -> None:
    """3MF forbids document types; entities, inside or outside, come with nothing else."""
    raise MeshDamaged(MeshProblem.DAMAGED)
