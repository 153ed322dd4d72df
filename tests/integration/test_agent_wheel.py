"""The agent as a maker gets it: the hub's wheel and its few libraries in an empty environment, and nothing else."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from uuid import UUID

import pytest
from builders import MK3S
from integration.installed_agent import environment, install, needed

from makerhub.agent.__main__ import explanation
from makerhub.agent.home import Home, OwnPrinter, Rules, State
from makerhub.fleet.messages import Stage
from makerhub.web.agent_wheel import LIBRARIES, agent_wheel

MEGABYTE = 1_000_000
MOST_OF_LIBRARIES = 20 * MEGABYTE
MOST_OF_MEMORY_KB = 60_000


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    python = environment(tmp_path_factory.mktemp("installed"))
    file = tmp_path_factory.mktemp("wheel") / agent_wheel().filename
    file.write_bytes(agent_wheel().content)
    install(python, file)
    return python


def run(python: Path, *words: str) -> str:
    done = subprocess.run([python, "-I", *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_says_its_version_and_its_state(python: Path, tmp_path: Path) -> None:
    assert "version" in run(python, "-m", "makerhub.agent", "--version")
    assert "Not paired" in run(python, "-m", "makerhub.agent", "--home", str(tmp_path), "status")


def test_it_stands_on_few_libraries(python: Path) -> None:
    loaded = "import sys, makerhub.agent.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    modules = set(run(python, "-c", loaded).split())
    assert not modules & {"flask", "sqlmodel", "sqlalchemy", "numpy", "jinja2", "cryptography"}
    assert set(LIBRARIES) <= needed()


def test_libraries_take_less_than_twenty_megabytes() -> None:
    files = [Path(str(file.locate())) for name in needed() for file in distribution(name).files or []]
    size = sum(file.stat().st_size for file in files if file.suffix != ".pyc" and file.is_file())
    print(f"libraries {size / MEGABYTE:.1f} MB, wheel {len(agent_wheel().content) / 1000:.0f} kB")
    assert size < MOST_OF_LIBRARIES
    assert len(agent_wheel().content) < 200_000


@pytest.fixture
def running(python: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An agent whose hub and printer are away, as it runs in a home for years."""
    printer = OwnPrinter(UUID(int=1), "Mona's", MK3S.limits(), "http://127.0.0.1:9", "0" * 32, Stage.CONNECTED)
    Home(tmp_path).write(State("http://127.0.0.1:9", "Hub", UUID(int=2), "mha_x", [printer], Rules()))
    command = [str(python), "-I", "-m", "makerhub.agent", "--home", str(tmp_path), "run"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc here")
def test_it_runs_in_less_than_sixty_megabytes(running: subprocess.Popen[bytes]) -> None:
    time.sleep(4)
    assert running.poll() is None
    status = Path(f"/proc/{running.pid}/status").read_text()
    peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
    print(f"peak memory {peak / 1000:.0f} MB")
    assert peak < MOST_OF_MEMORY_KB


def test_it_ends_when_its_owner_says_so(python: Path, running: subprocess.Popen[bytes], tmp_path: Path) -> None:
    time.sleep(3)
    assert "ends" in run(python, "-m", "makerhub.agent", "--home", str(tmp_path), "stop")
    assert running.wait(10) == 0


@pytest.mark.skipif(os.name != "posix", reason="there are no such modes here")
def test_nobody_else_reads_its_file(running: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert running.pid
    assert (tmp_path / "agent.json").stat().st_mode & 0o077 == 0


def test_the_same_installation_gives_the_same_wheel() -> None:
    first = agent_wheel().content
    agent_wheel.cache_clear()
    assert agent_wheel().content == first


def test_pip_takes_the_wheel(tmp_path: Path) -> None:
    file = tmp_path / agent_wheel().filename
    file.write_bytes(agent_wheel().content)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(tmp_path / "to")]
    subprocess.run([*pip, str(file)], check=True, capture_output=True, timeout=120)
    assert (tmp_path / "to" / "makerhub" / "agent" / "program.py").is_file()
    assert (tmp_path / "to" / "bin" / "makerhub-agent").is_file()


def test_where_libraries_are_missing_it_says_what_to_do() -> None:
    said = explanation(["aiohttp", "yarl"])
    assert "64-bit Raspberry Pi OS" in said
    assert "pipx inject makerhub-agent aiohttp\n" in said
