"""Write the hashed lock files from pyproject.toml: `make lock`.

Each lock is one resolution by pip-compile for Python 3.11 on Linux, with the hashes of every published file.
A machine's own mirrors and wheel folders are shut out, so that a lock speaks of the public index only.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = [
    "--quiet",
    "--generate-hashes",
    "--strip-extras",
    "--allow-unsafe",
    "--no-config",
    "--no-header",
    "--no-emit-index-url",
    "--no-emit-trusted-host",
    "--no-emit-find-links",
]
OWN_SOURCES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CONSTRAINT", "PIP_NO_INDEX")


def clean_environment() -> dict[str, str]:
    """Return the environment without whatever would add packages of this machine to a lock."""
    kept = {name: value for name, value in os.environ.items() if name not in OWN_SOURCES}
    return kept | {"PIP_CONFIG_FILE": os.devnull}


def compile_lock(requirements: list[str], lock: Path, *options: str) -> None:
    """Resolve `requirements` into `lock`, keeping what it pins already unless `options` say `--upgrade`."""
    print(f"{lock.name}: resolving, about a minute", flush=True)
    command = [sys.executable, "-m", "piptools", "compile", *OPTIONS, *options, "-o", str(lock), "-"]
    text = "\n".join(requirements) + "\n"
    subprocess.run(command, input=text, text=True, cwd=ROOT, env=clean_environment(), check=True)  # noqa: S603 (pip-compile, on our own lists)


def drop(package: str, lock: Path) -> None:
    """Take `package`, its hashes and its reasons out of `lock`."""
    lock.write_text(re.sub(rf"^{package}==.*\n(?:    .*\n)*", "", lock.read_text(), flags=re.MULTILINE))


def main(options: list[str]) -> None:
    """Write all four locks; `--upgrade` takes the newest releases that pyproject.toml allows."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = pyproject["dependency-groups"]
    runtime = pyproject["project"]["dependencies"]
    build_lock, runtime_lock = ROOT / "requirements-build.lock", ROOT / "requirements.lock"
    octoprint_lock = ROOT / "requirements-octoprint.lock"
    compile_lock(groups["build"], build_lock, *options)
    compile_lock(runtime, runtime_lock, "-c", build_lock.name, *options)
    agreeing = ("-c", build_lock.name, "-c", runtime_lock.name)
    compile_lock(runtime + groups["dev"], ROOT / "requirements-test.lock", *agreeing, *options)
    compile_lock(groups["octoprint"], octoprint_lock, *options)
    drop("netifaces", octoprint_lock)  # the group's netifaces2 provides the same module, as wheels


if __name__ == "__main__":
    main(sys.argv[1:])
