"""A hook that somebody hands in: one cube, its manifest, and archives of both."""

import io
import tomllib
import zipfile
from collections.abc import Mapping

import tomli_w
import trimesh

from makerhub.designs.geometry import write_stl
from makerhub.designs.submission import Submission

MANIFEST = """
okhv = "OKH-LOSHv1.0"
name = "Hook"
repo = "https://example.org/hook"
version = "1.2.0"
license = "CC-BY-SA-4.0"
licensor = "Somebody"
function = "Holds things."
readme = "README.md"

[[part]]
name = "Hook"
source = "source.py"
export = "hook.stl"
printing-process = "FDM"
material = "PETG"
"""


def cube(size: float = 10.0) -> bytes:
    """A cube as binary STL, in mm."""
    return write_stl(trimesh.creation.box((size, size, size)).triangles)


FILES = {"okh.toml": MANIFEST.encode(), "README.md": b"# Hook", "source.py": b"", "hook.stl": cube()}


def hook(size: float = 10.0, **changes: str) -> Submission:
    """The hook as it is handed in; `changes` are of fields of its manifest, such as `version="2.0.0"`."""
    text = tomli_w.dumps({**tomllib.loads(MANIFEST), **changes})
    return Submission("hook", {**FILES, "okh.toml": text.encode(), "hook.stl": cube(size)})


def packed(files: Mapping[str, bytes] = FILES, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The files as a ZIP archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", compression) as writer:
        for name, content in files.items():
            writer.writestr(zipfile.ZipInfo(name), content, compression)
    return archive.getvalue()
