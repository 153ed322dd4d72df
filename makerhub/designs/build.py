"""Rebuilding the catalogue's meshes from their sources: `python -m makerhub.designs.build designs/`.

A design's source is a Python file with `build(version)`, which gives a solid for each export that the manifest names.
Sources are code: this runs those of our own catalogue, never what somebody sent.
"""

import sys
from collections.abc import Callable, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from manifold3d import Error, Manifold

from makerhub.designs.geometry import check_mesh, write_stl
from makerhub.designs.manifest import MANIFEST_NAME, Manifest, read_manifest
from makerhub.designs.shapes import triangles_of
from makerhub.errors import Invalid, translatable


class BuildFailed(Invalid):
    """A source made no solid, or one that is not fit for printing after it was written and read again."""

    template = translatable("%(design)s: %(export)s: %(problem)s")


def build_design(folder: Path) -> Mapping[str, bytes]:
    """The binary STL of every export of the design in `folder`, checked as a reader will find it; writes nothing.

    Raises `ManifestInvalid` and `BuildFailed`.
    """
    manifest = read_manifest(folder, built=False)
    solids = {
        source: _builder_in(folder / source)(manifest.version) for source in {part.source for part in manifest.parts}
    }
    return {part.export: _checked_stl(manifest, part.export, solids[part.source]) for part in manifest.parts}


def build_catalogue(catalogue: Path) -> list[Path]:
    """Build every design in `catalogue` and write its meshes; returns the files that changed."""
    changed = []
    for manifest in sorted(catalogue.glob(f"*/{MANIFEST_NAME}")):
        for export, content in build_design(manifest.parent).items():
            file = manifest.parent / export
            if not file.exists() or file.read_bytes() != content:
                file.write_bytes(content)
                changed.append(file)
    return changed


def _builder_in(source: Path) -> Callable[[str], Mapping[str, Manifold]]:
    spec = spec_from_file_location(f"design_{source.parent.name.replace('-', '_')}", source)
    if spec is None or spec.loader is None:
        raise BuildFailed(design=source.parent.name, export=source.name, problem="this is no Python source")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    builder: Callable[[str], Mapping[str, Manifold]] = module.build
    return builder


def _checked_stl(manifest: Manifest, export: str, solids: Mapping[str, Manifold]) -> bytes:
    solid = solids.get(export)
    if solid is None or solid.status() != Error.NoError:
        raise BuildFailed(design=manifest.key, export=export, problem="its source makes no such solid")
    content = write_stl(triangles_of(solid))
    report = check_mesh(content)
    if report.problems:
        raise BuildFailed(design=manifest.key, export=export, problem=report.problems[0].sentence)
    return content


if __name__ == "__main__":
    for written in build_catalogue(Path(sys.argv[1])):
        print(written)
