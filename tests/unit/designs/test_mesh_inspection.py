import time
from pathlib import Path

import numpy as np
import pytest
import trimesh

from makerhub.designs.geometry import MeshProblem, write_stl
from makerhub.designs.inspection import LIMITS, MeshRefused, inspect_mesh
from makerhub.designs.sandbox import SandboxFailed, SandboxLimits, run_limited


def sphere(subdivisions: int) -> bytes:
    return write_stl(np.asarray(trimesh.creation.icosphere(subdivisions=subdivisions, radius=30).triangles))


def saved(folder: Path, content: bytes) -> Path:
    file = folder / "part.stl"
    file.write_bytes(content)
    return file


def test_a_sound_mesh_comes_back_with_its_report(tmp_path: Path) -> None:
    report = inspect_mesh(saved(tmp_path, sphere(3)))
    assert report.problems == ()
    assert report.faces == 1280


def test_a_refusal_says_why(tmp_path: Path) -> None:
    with pytest.raises(MeshRefused, match="cut off") as refusal:
        inspect_mesh(saved(tmp_path, sphere(1)[:-3]))
    assert refusal.value.report.problems == (MeshProblem.DAMAGED,)


def test_a_hundred_megabytes_of_text_are_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "long.stl"
    with file.open("wb") as stream:
        stream.write(b"solid x\n")
        stream.truncate(100_000_000)
    begin = time.monotonic()
    with pytest.raises(MeshRefused) as refusal:
        inspect_mesh(file)
    assert refusal.value.report.problems == (MeshProblem.TOO_LARGE,)
    assert time.monotonic() - begin < 1


def test_too_little_memory_is_a_refusal_and_no_crash(tmp_path: Path) -> None:
    scant = SandboxLimits(memory_bytes=420 << 20, cpu_seconds=20, wall_seconds=30)
    assert inspect_mesh(saved(tmp_path, sphere(2)), limits=scant).problems == ()
    with pytest.raises(MeshRefused) as refusal:
        inspect_mesh(saved(tmp_path, sphere(7)), limits=scant)
    assert refusal.value.report.problems == (MeshProblem.UNREADABLE,)


def test_too_little_time_is_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(MeshRefused) as refusal:
        inspect_mesh(saved(tmp_path, sphere(2)), limits=SandboxLimits(wall_seconds=0.05))
    assert refusal.value.report.problems == (MeshProblem.UNREADABLE,)


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
    limits = SandboxLimits(cpu_seconds=1, wall_seconds=2.5, file_bytes=1000)
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
    assert b"hidden" not in run_limited(["/usr/bin/env"], tmp_path, LIMITS)
