import resource
import time
from pathlib import Path

import numpy as np
import pytest
import trimesh

from makerhub.designs import worker as workers
from makerhub.designs.geometry import MeshProblem, check_mesh, write_stl
from makerhub.designs.inspection import MAX_FILE_BYTES, inspect_mesh, picture_of
from makerhub.designs.sandbox import SandboxFailed, SandboxLimits, run_limited
from makerhub.designs.worker import MeshWorker, worker


def sphere(subdivisions: int) -> bytes:
    return write_stl(np.asarray(trimesh.creation.icosphere(subdivisions=subdivisions, radius=30).triangles))


def problems(content: bytes, **limits: float) -> tuple[MeshProblem, ...]:
    found = inspect_mesh(content, limits=SandboxLimits(**limits) if limits else workers.LIMITS)  # type: ignore[arg-type]
    return found.report.problems


def test_a_sound_mesh_comes_back_as_it_is_with_its_report() -> None:
    found = inspect_mesh(sphere(3))
    assert found.report.problems == ()
    assert found.report.faces == 1280
    assert found.mesh == sphere(3)


def test_what_a_slicer_reads_is_written_by_us() -> None:
    """Corners that differ in the last bit become one, lines go, and so does whatever stands in the header."""
    loose = bytearray(b"solid by somebody".ljust(80) + sphere(2)[80:])
    loose[96] ^= 1  # the last bit of a coordinate
    found = inspect_mesh(bytes(loose))
    assert found.mesh[:80] == bytes(80)
    assert check_mesh(found.mesh).watertight
    assert len(np.unique(np.frombuffer(found.mesh, offset=84, dtype=np.uint8)))


def test_a_refusal_says_why() -> None:
    assert problems(sphere(1)[:-3]) == (MeshProblem.DAMAGED,)


def test_what_is_too_large_is_refused_at_once() -> None:
    begin = time.monotonic()
    assert problems(b"solid x\n" + bytes(MAX_FILE_BYTES)) == (MeshProblem.TOO_LARGE,)
    assert time.monotonic() - begin < 0.5


def test_too_little_memory_or_time_is_a_refusal_and_the_worker_goes_on() -> None:
    assert problems(sphere(7), memory_bytes=300 << 20, file_bytes=0) == (MeshProblem.UNREADABLE,)
    assert problems(sphere(7), wall_seconds=0.05) == (MeshProblem.UNREADABLE,)
    assert problems(sphere(3)) == ()


@pytest.mark.parametrize(
    ("job", "said"),
    [
        pytest.param("fail", "LookupError: this file is strange", id="an exception"),
        pytest.param("hang", "longer than", id="sleep"),
        pytest.param("spin", "processor time", id="an endless loop"),
        pytest.param("eat", "too much memory", id="all memory"),
        pytest.param("crash", "SIGSEGV", id="a crash"),
        pytest.param("litter", "File too large", id="a file too large"),
        pytest.param("babble", "longer than", id="an endless answer"),
    ],
)
def test_a_job_that_breaks_a_limit_ends_alone(monkeypatch: pytest.MonkeyPatch, job: str, said: str) -> None:
    monkeypatch.setattr(workers, "COMMAND", ("-m", "unit.designs.bad_jobs"))
    monkeypatch.setattr(workers, "PACKAGE_PARENT", Path(__file__).parents[2])
    patience = 60 if job == "spin" else 2.5  # a second of processor time takes longer on a busy machine
    limits = SandboxLimits(memory_bytes=2 << 30, cpu_seconds=1, wall_seconds=patience, file_bytes=1000)
    bad = MeshWorker()
    try:
        assert bad.run("greet", b"you", limits=limits) == b"hello you"
        with pytest.raises(SandboxFailed, match=said):
            bad.run(job, limits=limits)
        assert bad.run("greet", b"again", limits=limits) == b"hello again"
    finally:
        bad.close()


def test_a_worker_that_is_killed_is_started_again() -> None:
    mine = MeshWorker()
    try:
        assert mine.run("inspect", sphere(1), 1, False)
        assert mine._process
        mine._process.kill()
        mine._process.wait()
        assert mine.run("inspect", sphere(1), 1, False)
    finally:
        mine.close()


def test_the_picture_is_drawn_there_too() -> None:
    assert picture_of(sphere(2))[8:12] == b"WEBP"
    assert resource.getrlimit(resource.RLIMIT_CPU)[0] == resource.RLIM_INFINITY  # the limits are the children's alone
    assert worker.run("inspect", sphere(1), 1, False)


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        pytest.param("while true; do :; done", "processor time", id="endless loop"),
        pytest.param("sleep 60", "longer than", id="sleep"),
        pytest.param("head -c 100000 /dev/zero > big", "ended", id="a file too large"),
        pytest.param("kill -SEGV $$", "SIGSEGV", id="crash"),
        pytest.param("exit 3", "code 3", id="an error"),
    ],
)
def test_a_child_that_breaks_a_limit_ends_alone(tmp_path: Path, program: str, problem: str) -> None:
    patience = 60 if "while" in program else 2.5
    limits = SandboxLimits(cpu_seconds=1, wall_seconds=patience, file_bytes=1000)
    with pytest.raises(SandboxFailed, match=problem):
        run_limited(["/bin/bash", "-c", program], tmp_path, limits)


def test_nothing_of_a_child_is_left_behind(tmp_path: Path) -> None:
    run_limited(
        ["/bin/bash", "-c", "sleep 300 >/dev/null 2>&1 & echo $! > pid"], tmp_path, SandboxLimits(file_bytes=100)
    )
    stat = Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/stat")
    deadline = time.monotonic() + 10
    while stat.exists() and stat.read_text().split()[2] != "Z":
        assert time.monotonic() < deadline, "the grandchild lives on"
        time.sleep(0.01)


def test_a_child_sees_nothing_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKERHUB_SECRET", "hidden")
    assert b"hidden" not in run_limited(["/usr/bin/env"], tmp_path, SandboxLimits())
