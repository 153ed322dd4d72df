"""How an agent comes to start with its computer: a unit that systemd understands, and words for other systems."""

import plistlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from makerhub.agent import service
from makerhub.agent.__main__ import explanation

ODD = '/home/mona & co/50 % "new" $HOME/agent'


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
@pytest.mark.parametrize("folder", ["/home/mona/.local/share/makerhub-agent", ODD])
def test_systemd_understands_the_unit(tmp_path: Path, folder: str) -> None:
    file = tmp_path / service.UNIT
    file.write_text(service.unit([*service.program(), "--home", folder, "run"]))
    verify = ["systemd-analyze", "--user", "--man=no", "verify", str(file)]
    environment = {"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(verify, capture_output=True, text=True, timeout=60, check=False, env=environment)
    about_it = [line for line in done.stderr.splitlines() if service.UNIT in line]
    assert about_it == []
    if not done.stderr:
        assert done.returncode == 0


def test_a_unit_that_is_wrong_would_be_noticed(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd here")
    file = tmp_path / service.UNIT
    file.write_text(service.unit(["not-a-path"]).replace("Restart=", "Restrat="))
    verify = ["systemd-analyze", "--user", "--man=no", "verify", str(file)]
    environment = {"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(verify, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert "Restrat" in done.stderr


def test_macos_gets_a_property_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    told = service.instructions(["/usr/bin/python3", "--home", ODD, "run"])
    listed = plistlib.loads(told[told.index("<?xml") :].encode())
    assert listed["ProgramArguments"] == ["/usr/bin/python3", "--home", ODD, "run"]
    assert listed["RunAtLoad"]
    assert "launchctl load" in told


def test_windows_gets_its_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    told = service.instructions([r"C:\Program Files\Python\python.exe", "-m", "makerhub.agent", "run"])
    assert r'/TR "\"C:\Program Files\Python\python.exe\" -m makerhub.agent run"' in told


def test_elsewhere_the_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "freebsd14")
    assert "/usr/bin/python3 -m makerhub.agent run" in service.instructions(
        ["/usr/bin/python3", "-m", "makerhub.agent", "run"]
    )


def test_a_32_bit_system_is_told_what_can_be_done() -> None:
    said = explanation(["aiohttp"])
    assert re.search(r"(32|64)-bit Python", said)
    assert "64-bit Raspberry Pi OS" in said
