"""The agent's wheel, put together from this very installation: a few rooms of makerhub that stand on few libraries.

The hub serves it, so a maker needs no package index for makerhub itself and gets the version that the hub speaks. It is
pure Python, and the same installation always gives the same bytes. (A wheel is a zip file with a list of hashes in it.)
"""

import base64
import hashlib
import io
import zipfile
from dataclasses import dataclass
from functools import cache
from importlib.metadata import metadata, requires, version
from pathlib import Path
from typing import Final

import makerhub

NAME: Final = "makerhub_agent"
ROOMS: Final = ("agent", "fleet")
MODULES: Final = ("__init__.py", "errors.py", *(f"gcode/{name}.py" for name in (
    "__init__", "allowed", "commands", "findings", "limits", "plain_guard", "print_file", "reasons",
)))  # fmt: skip
LIBRARIES: Final = ("aiohttp", "click", "httptools", "msgspec", "platformdirs")
NO_WHEELS: Final = ("armv6l", "armv7l", "i386", "i686")
"""Machines for which the libraries have no wheels: there the agent is installed alone and says what to do."""

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_WHEEL: Final = "Wheel-Version: 1.0\nGenerator: makerhub\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_ENTRY_POINTS: Final = "[console_scripts]\nmakerhub-agent = makerhub.agent.__main__:main\n"


@dataclass(frozen=True)
class Wheel:
    """A wheel: its file name, its content, and the SHA-256 of that in hex."""

    filename: str
    content: bytes
    sha256: str


@cache
def agent_wheel() -> Wheel:
    """The wheel of the agent of this version."""
    number = version("makerhub")
    tag = f"{NAME}-{number}"
    files = {f"makerhub/{name}": content for name, content in _sources().items()}
    files |= {
        f"{tag}.dist-info/METADATA": _metadata(number).encode(),
        f"{tag}.dist-info/WHEEL": _WHEEL.encode(),
        f"{tag}.dist-info/entry_points.txt": _ENTRY_POINTS.encode(),
    }
    record = f"{tag}.dist-info/RECORD"
    lines = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in files.items()]
    files[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    content = _zipped(files)
    return Wheel(f"{tag}-py3-none-any.whl", content, hashlib.sha256(content).hexdigest())


def requirements() -> list[str]:
    """What the agent stands on, with the floors of the hub; a machine without wheels is left alone."""
    floors = [line for line in requires("makerhub") or [] if "extra ==" not in line]
    mine = [next(line for line in floors if line.startswith(library)) for library in LIBRARIES]
    apart = " and ".join(f'platform_machine != "{machine}"' for machine in NO_WHEELS)
    return [f"{line}; {apart}" for line in mine]


def _sources() -> dict[str, bytes]:
    root = Path(makerhub.__file__).parent
    rooms = [file.relative_to(root).as_posix() for room in ROOMS for file in (root / room).rglob("*.py")]
    return {name: (root / name).read_bytes() for name in sorted([*MODULES, *rooms])}


def _metadata(number: str) -> str:
    needs = "".join(f"Requires-Dist: {line}\n" for line in requirements())
    licence = metadata("makerhub")["License-Expression"]
    return (
        f"Metadata-Version: 2.4\nName: {NAME.replace('_', '-')}\nVersion: {number}\n"
        "Summary: Looks after 3D printers at home for a makerhub\n"
        f"License-Expression: {licence}\nRequires-Python: >=3.11\n{needs}"
    )


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
