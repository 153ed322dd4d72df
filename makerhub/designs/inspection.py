"""Checking a mesh that somebody sent, in a child process: whatever the file does, this process only reads a report."""

import sys
from pathlib import Path

import msgspec

import makerhub
from makerhub.designs.geometry import (
    MAX_ASCII_BYTES,
    MAX_BINARY_BYTES,
    MeshProblem,
    MeshReport,
    check_mesh,
    unreadable,
)
from makerhub.designs.sandbox import GIB, SandboxFailed, SandboxLimits, run_limited
from makerhub.errors import Invalid, translatable

LIMITS = SandboxLimits(memory_bytes=3 * GIB, cpu_seconds=30, wall_seconds=45, file_bytes=0)
_PACKAGE_PARENT = Path(makerhub.__file__).resolve().parents[1]


class MeshRefused(Invalid):
    """The mesh can not be printed as it is; `report` says what was found, the message names the first problem."""

    template = translatable("The mesh can not be used.")

    def __init__(self, report: MeshReport) -> None:
        super().__init__(report.problems[0].sentence)
        self.report = report


def inspect_mesh(file: Path, bodies: int = 1, limits: SandboxLimits = LIMITS) -> MeshReport:
    """The report of a mesh without any problem; blocks up to some seconds, raises `MeshRefused` for every other file.

    `bodies` is how many bodies the manifest promises.
    """
    report = report_on(file, bodies, limits)
    if report.problems:
        raise MeshRefused(report)
    return report


def report_on(file: Path, bodies: int = 1, limits: SandboxLimits = LIMITS) -> MeshReport:
    """What a mesh is and all of its problems, for whatever file; blocks up to some seconds."""
    file = file.resolve()
    if file.stat().st_size > max(MAX_ASCII_BYTES, MAX_BINARY_BYTES):
        return unreadable(MeshProblem.TOO_LARGE)
    command = [sys.executable, "-m", "makerhub.designs.inspection", str(file), str(bodies)]
    try:
        return msgspec.json.decode(run_limited(command, _PACKAGE_PARENT, limits), type=MeshReport)
    except (SandboxFailed, msgspec.DecodeError):
        return unreadable(MeshProblem.UNREADABLE)


def _main(name: str, bodies: str) -> None:
    """The child: the report on a file as JSON."""
    report = check_mesh(Path(name).read_bytes(), int(bodies))
    sys.stdout.buffer.write(msgspec.json.encode(report))


if __name__ == "__main__":
    _main(*sys.argv[1:])
