"""The limits of child processes hold, and nothing is left of whoever broke one."""

import os
import sys
import time
from pathlib import Path

import pytest

from makerhub.designs.sandbox import SandboxFailed, SandboxLimits, run_limited

LIMITS = SandboxLimits(memory_bytes=1 << 30, cpu_seconds=5, wall_seconds=10, file_bytes=1_000_000)


def run(folder: Path, program: str, **limits: float) -> bytes:
    wanted = SandboxLimits(**{name: getattr(LIMITS, name) for name in LIMITS.__slots__} | limits)
    return run_limited([sys.executable, "-I", "-c", program], folder, wanted)


def test_what_keeps_its_limits_is_answered(tmp_path: Path) -> None:
    assert run(tmp_path, "print('fine', end='')") == b"fine"


def test_nothing_of_our_environment_reaches_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKERHUB_SECRET", "sesame")
    assert b"sesame" not in run(tmp_path, "import os; print(dict(os.environ))")


def test_memory_beyond_the_limit_is_not_given(tmp_path: Path) -> None:
    with pytest.raises(SandboxFailed, match="code 1") as failed:
        run(tmp_path, "bytearray(2_000_000_000)")
    assert "MemoryError" in failed.value.output


@pytest.mark.parametrize("ignore", ["", "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN);"])
def test_a_busy_loop_ends_whether_it_listens_or_not(tmp_path: Path, ignore: str) -> None:
    begin = time.monotonic()
    with pytest.raises(SandboxFailed, match=r"processor time|SIGKILL"):
        run(tmp_path, f"{ignore}\nwhile True: pass", cpu_seconds=1, wall_seconds=30)
    assert time.monotonic() - begin < 25


def test_an_endless_file_ends_at_its_limit(tmp_path: Path) -> None:
    with pytest.raises(SandboxFailed):
        run(tmp_path, "file = open('big', 'wb', 0)\nwhile True: file.write(bytes(100_000))")
    assert (tmp_path / "big").stat().st_size <= LIMITS.file_bytes


def test_whoever_hangs_ends_with_its_children(tmp_path: Path) -> None:
    hangs = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open('pids', 'w').write(f'{os.getpid()} {child.pid}')\n"
        "time.sleep(60)"
    )
    with pytest.raises(SandboxFailed, match="longer than 3 seconds"):
        run(tmp_path, hangs, wall_seconds=3)
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        assert not _runs(pid)


def test_a_child_that_outlives_its_parent_is_ended_too(tmp_path: Path) -> None:
    leaves = (
        "import os, subprocess, sys\n"
        "quiet = subprocess.DEVNULL\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], stdout=quiet, stderr=quiet)\n"
        "print(child.pid, end='')"
    )
    assert not _runs(int(run(tmp_path, leaves)))


def _runs(pid: int) -> bool:
    """Whether a process goes on; one that is ended and not yet collected by its parent does not."""
    for _ in range(50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        if state in "ZX":
            return False
        os.sched_yield()
        time.sleep(0.05)
    return True
