"""The agent as a maker gets it: the hub's wheel and its few libraries in an environment of their own."""

import subprocess
import sys
import venv
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

from makerhub.web.agent_wheel import requirements


def needed() -> set[str]:
    """The libraries and all that they need."""
    found: set[str] = set()
    waiting = [Requirement(line) for line in requirements()]
    while waiting:
        one = waiting.pop()
        if one.name in found or (one.marker and not one.marker.evaluate({"extra": ""})):
            continue
        found.add(one.name)
        waiting += [Requirement(line) for line in distribution(one.name).requires or []]
    return found


def environment(folder: Path) -> Path:
    """An environment with what the wheel asks for, in the locked versions that are installed here; its Python."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    place = Path(subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True).stdout.strip())
    for name in needed():
        for file in distribution(name).files or []:
            source, copy = Path(str(file.locate())), place / file
            if ".." not in file.parts and source.suffix != ".pyc" and source.is_file():
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(source.read_bytes())
    return python


def install(python: Path, wheel: str | Path, more: Iterable[str] = ()) -> None:
    """Have pip install the wheel, from a file or from a hub's address, and nothing else."""
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "install", "-q"]
    done = subprocess.run(
        [*pip, "--no-deps", "--no-index", "--no-cache-dir", *more, str(wheel)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
