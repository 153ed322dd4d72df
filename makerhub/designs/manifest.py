"""Reading and checking a design's `okh.toml`, an Open Know-How manifest.

The required fields are those of OKH (okhv, name, repo, version, license, licensor, function; for each part a name and
a source or an export). Three tables are this project's own: `[[component]]`, what is bought to make one complete item,
`[part.print]`, how a part is printed, and `[[kit]]`, the choices of parts and components that may be asked for, such as
sizes. Of a part the export is what is printed; designs of others may come without source. Further fields of OKH-LOSH
are let through unread. No validator is published, so the JSON Schema beside this module is our own.
"""

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import jsonschema

from makerhub.errors import Invalid, translatable

MANIFEST_NAME = "okh.toml"
MAX_MANIFEST_BYTES = 256_000


class ManifestInvalid(Invalid):
    """A manifest breaks a rule; names the file and the field."""

    template = translatable("%(file)s: %(field)s: %(problem)s")


@dataclass(frozen=True, slots=True)
class PrintSettings:
    """How a part is printed; whole numbers, so that a hash of them means the same everywhere."""

    layer_height_um: int = 200
    infill_percent: int = 15
    perimeters: int = 2
    brim_mm: int = 0
    supports: bool = False


@dataclass(frozen=True, slots=True)
class PartManifest:
    """One printed part: `source` and `export` are paths inside the design's folder; others' may have no source ("").

    `quantity` is pieces in one kit, where the manifest has no kits of its own.

    `bodies` is of how many separate solids the mesh consists, which are printed as they lie and counted as one piece.
    `materials` holds what the part may be printed from, the preferred one first ("PETG", "PLA").
    """

    name: str
    source: str
    export: str
    printing_process: str
    materials: tuple[str, ...]
    quantity: int
    bodies: int
    settings: PrintSettings


@dataclass(frozen=True, slots=True)
class ComponentManifest:
    """Something bought, counted in `unit` ("piece", "mm"); `quantity` goes into one kit, as for a part."""

    name: str
    quantity: int
    unit: str
    note: str


@dataclass(frozen=True, slots=True)
class KitManifest:
    """What may be asked for as one: names of parts and of components, each with its quantity."""

    name: str
    fits: str
    parts: tuple[tuple[str, int], ...]
    components: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A design as its folder tells it; `key` is the folder's name, the notes are `file`, `file#heading` or ""."""

    key: str
    okhv: str
    name: str
    repo: str
    version: str
    license: str
    licensor: str
    function: str
    readme: str
    assembly: str
    cleaning: str
    use: str
    parts: tuple[PartManifest, ...]
    components: tuple[ComponentManifest, ...]
    kits: tuple[KitManifest, ...]


def read_manifest(folder: Path, *, built: bool = True) -> Manifest:
    """The manifest in `folder`; raises `ManifestInvalid`, also for a file that it names and lacks.

    With `built=False` the exports may be missing: they are about to be built.
    """
    file = folder / MANIFEST_NAME
    manifest = parse_manifest(_text_of(file, _label(folder.name)), key=folder.name)
    require_files(manifest, lambda name: (folder / name).is_file(), built=built)
    return manifest


def require_files(manifest: Manifest, is_there: Callable[[str], bool], *, built: bool = True) -> None:
    """Raise `ManifestInvalid` for the first file that the manifest names and that is not there."""
    for field, name in _files_named_by(manifest):
        if (built or not field.endswith(".export")) and not is_there(name):
            raise _refused(_label(manifest.key), field, f"there is no file “{name}” in this folder")


def parse_manifest(text: str, *, key: str) -> Manifest:
    """The manifest in `text`, checked; `key` names the design in errors. Looks at no file."""
    label = _label(key)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _refused(label, "TOML", str(error)) from error
    _check_schema(document, label)
    manifest = _manifest_of(document, key)
    _check_paths(manifest, label)
    _check_names(manifest, label)
    _check_kits(manifest, document, label)
    return manifest


def _label(key: str) -> str:
    return f"{key}/{MANIFEST_NAME}"


def _text_of(file: Path, label: str) -> str:
    try:
        if file.stat().st_size > MAX_MANIFEST_BYTES:
            raise _refused(label, "size", f"more than {MAX_MANIFEST_BYTES} bytes")
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise _refused(label, "file", "there is no such file") from error
    except UnicodeDecodeError as error:
        raise _refused(label, "encoding", "the file is not UTF-8") from error


@cache
def _validator() -> jsonschema.Draft202012Validator:
    schema = json.loads((Path(__file__).parent / "okh.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


def _check_schema(document: Mapping[str, Any], label: str) -> None:
    error = jsonschema.exceptions.best_match(_validator().iter_errors(document))
    if error is not None:
        raise _refused(label, _field_at(error.absolute_path), error.message)


def _field_at(path: Iterable[str | int]) -> str:
    """The path to a field as a person would write it: `part[0].print.layer-height-um`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".") or "manifest"


def _manifest_of(document: Mapping[str, Any], key: str) -> Manifest:
    readme = document.get("readme", "")
    parts = tuple(_part_of(part) for part in document["part"])
    components = tuple(_component_of(component) for component in document.get("component", ()))
    kits = tuple(_kit_of(kit) for kit in document.get("kit", ()))
    return Manifest(
        key=key,
        okhv=document["okhv"],
        name=document["name"],
        repo=document["repo"],
        version=document["version"],
        license=document["license"],
        licensor=document["licensor"],
        function=document["function"],
        readme=readme,
        assembly=document.get("manufacturing-instructions", readme),
        cleaning=document.get("maintenance-instructions", readme),
        use=document.get("user-manual", readme),
        parts=parts,
        components=components,
        kits=kits or (_whole_kit(document["name"], parts, components),),
    )


def _part_of(part: Mapping[str, Any]) -> PartManifest:
    settings = part.get("print", {})
    return PartManifest(
        name=part["name"],
        source=part.get("source", ""),
        export=part["export"],
        printing_process=part["printing-process"],
        materials=(part["material"], *part.get("other-materials", ())),
        quantity=part.get("quantity", 1),
        bodies=part.get("bodies", 1),
        settings=PrintSettings(**{name.replace("-", "_"): value for name, value in settings.items()}),
    )


def _component_of(component: Mapping[str, Any]) -> ComponentManifest:
    return ComponentManifest(
        name=component["name"],
        quantity=component.get("quantity", 1),
        unit=component.get("unit", "piece"),
        note=component.get("note", ""),
    )


def _kit_of(kit: Mapping[str, Any]) -> KitManifest:
    return KitManifest(
        name=kit["name"],
        fits=kit.get("fits", ""),
        parts=tuple(kit["parts"].items()),
        components=tuple(kit.get("components", {}).items()),
    )


def _whole_kit(name: str, parts: tuple[PartManifest, ...], components: tuple[ComponentManifest, ...]) -> KitManifest:
    """All that a design consists of: its only kit, where the manifest names none."""
    return KitManifest(
        name=name,
        fits="",
        parts=tuple((part.name, part.quantity) for part in parts),
        components=tuple((component.name, component.quantity) for component in components),
    )


def _files_named_by(manifest: Manifest) -> list[tuple[str, str]]:
    """Each file that the manifest names, with the field that names it."""
    files = [
        ("readme", manifest.readme),
        ("manufacturing-instructions", manifest.assembly),
        ("maintenance-instructions", manifest.cleaning),
        ("user-manual", manifest.use),
    ]
    for number, part in enumerate(manifest.parts):
        files += [(f"part[{number}].source", part.source), (f"part[{number}].export", part.export)]
    return [(field, name.partition("#")[0]) for field, name in files if name]


def _check_paths(manifest: Manifest, label: str) -> None:
    for field, name in _files_named_by(manifest):
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name:
            raise _refused(label, field, f"“{name}” leaves the design's folder")


def _check_names(manifest: Manifest, label: str) -> None:
    for table, names in (
        ("part", [part.name for part in manifest.parts]),
        ("component", [component.name for component in manifest.components]),
        ("kit", [kit.name for kit in manifest.kits]),
    ):
        if len(set(names)) != len(names):
            raise _refused(label, table, "two have the same name")


def _check_kits(manifest: Manifest, document: Mapping[str, Any], label: str) -> None:
    """Raise for a kit of unknown things, a thing in no kit, and a quantity that is given twice or not at all."""
    for table, known in (("part", manifest.parts), ("component", manifest.components)):
        names = {thing.name for thing in known}
        used = {name for kit in manifest.kits for name, _ in getattr(kit, f"{table}s")}
        for name in sorted(used - names):
            raise _refused(label, f"kit.{table}s", f"there is no {table} “{name}”")
        for name in sorted(names - used):
            raise _refused(label, f"kit.{table}s", f"“{name}” is in no kit")
        for number, thing in enumerate(document.get(table, ())):
            if "kit" in document and "quantity" in thing:
                raise _refused(label, f"{table}[{number}].quantity", "the kits say how many")
    for number, component in enumerate(document.get("component", ())):
        if "kit" not in document and "quantity" not in component:
            raise _refused(label, f"component[{number}].quantity", "say how many go into one item")


def _refused(label: str, field: str, problem: str) -> ManifestInvalid:
    return ManifestInvalid(fields={field: problem}, file=label, field=field, problem=problem)
