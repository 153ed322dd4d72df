"""Running a program that reads what strangers sent: a child process with limits, of which none can hurt this one.

The limits are set by a launcher in the child before the program starts, not by a hook between fork and exec, which is
unsafe in a process with threads. The child gets an almost empty environment and a process group of its own.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from makerhub.errors import MakerhubError, translatable

GIB = 1024**3
_LAUNCHER = """
import os, resource, sys
memory, cpu, file = map(int, sys.argv[1:4])
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
resource.setrlimit(resource.RLIMIT_FSIZE, (file, file))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
os.execv(sys.argv[4], sys.argv[4:])
"""


class SandboxFailed(MakerhubError):
    """The child broke a limit, crashed or ended with an error; `output` holds the end of what it said."""

    template = translatable("The program stopped: %(problem)s")

    def __init__(self, problem: str, output: str = "") -> None:
        super().__init__(problem=problem)
        self.problem = problem
        self.output = output


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """Bytes of address space, seconds of processor, seconds by the clock, bytes of the largest file it may write."""

    memory_bytes: int = 3 * GIB
    cpu_seconds: int = 30
    wall_seconds: float = 60
    file_bytes: int = 0


def run_limited(command: Sequence[str], folder: Path, limits: SandboxLimits) -> bytes:
    """Run `command` (an absolute path and its arguments) in `folder` and return what it wrote to its output.

    Raises `SandboxFailed` for a time-out and for any end but code 0; nothing of its process group is left behind.
    """
    numbers = [str(limits.memory_bytes), str(limits.cpu_seconds), str(limits.file_bytes)]
    child = subprocess.Popen(  # noqa: S603 - no shell; the command is ours, only the file it reads is a stranger's
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, *numbers, *command],
        cwd=folder,
        env={"LC_ALL": "C.UTF-8", "HOME": str(folder), "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        output, complaint = child.communicate(timeout=limits.wall_seconds)
    except subprocess.TimeoutExpired as error:
        raise SandboxFailed(f"it took longer than {limits.wall_seconds:g} seconds") from error
    finally:
        _end(child)
    if child.returncode != 0:
        raise SandboxFailed(_how_it_ended(child.returncode), complaint.decode(errors="replace")[-2000:])
    return output


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the child's group, reap the child and close its pipes."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    with child:
        child.wait()


def _how_it_ended(code: int) -> str:
    if code == -signal.SIGXCPU:
        return "it used too much processor time"
    return f"it was ended by {signal.Signals(-code).name}" if code < 0 else f"it ended with code {code}"
