"""Run the agent by itself: a systemd user unit where there is systemd, printed instructions elsewhere."""

import getpass
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

UNIT: Final = "makerhub-agent.service"

_UNIT_TEXT: Final = """[Unit]
Description=makerhub agent: looks after 3D printers for a hub
Wants=network-online.target
After=network-online.target

[Service]
ExecStart={command}
Restart=on-failure
RestartSec=10
NoNewPrivileges=yes
MemoryMax=200M

[Install]
WantedBy=default.target
"""

_WINDOWS: Final = """Windows has no systemd. To start the agent with this computer, run once in a terminal:
  schtasks /Create /TN makerhub-agent /SC ONLOGON /TR "{command}"
and to end that: schtasks /Delete /TN makerhub-agent"""

_MACOS: Final = """macOS has no systemd. To start the agent when you sign in, save this text as
~/Library/LaunchAgents/org.makerhub.agent.plist and run: launchctl load -w ~/Library/LaunchAgents/org.makerhub.agent.*
<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict><key>Label</key><string>org.makerhub.agent</string>
<key>ProgramArguments</key><array>{arguments}</array>
<key>RunAtLoad</key><true/><key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict></dict></plist>"""

_OTHER: Final = """There is no systemd here. Have your system's way of starting programs run this at its start:
  {command}"""


def unit_file() -> Path:
    """Where the user's own unit stands."""
    return Path.home() / ".config" / "systemd" / "user" / UNIT


def install(folder: Path) -> str:
    """Write and start the user's unit; gives what to tell the owner. Changes nothing where there is no systemd."""
    arguments = [*program(), "--home", str(folder), "run"]
    if not has_systemd():
        return instructions(arguments)
    file = unit_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(unit(arguments), encoding="utf-8")
    problems = [problem for command in _STARTING if (problem := _call(*command))]
    lingers = _call("loginctl", "enable-linger", getpass.getuser())
    told = [f"Written: {file}"]
    if problems:
        return "\n".join([*told, *problems, "Start it yourself: systemctl --user enable --now makerhub-agent"])
    if lingers:
        told.append("It ends when you sign out. To keep it: sudo loginctl enable-linger " + getpass.getuser())
    return "\n".join(
        [*told, "The agent runs now and starts with this computer. See: systemctl --user status makerhub-agent"]
    )


def unit(arguments: list[str]) -> str:
    """The text of the unit that runs this command."""
    return _UNIT_TEXT.format(command=" ".join(map(_for_systemd, arguments)))


def uninstall() -> str:
    """End and remove the user's unit."""
    file = unit_file()
    if not file.exists():
        return "No service is installed."
    _call("systemctl", "--user", "disable", "--now", UNIT)
    file.unlink()
    _call("systemctl", "--user", "daemon-reload")
    return f"Removed: {file}"


def instructions(arguments: list[str]) -> str:
    """What to do where there is no systemd."""
    command = " ".join(map(_quoted, arguments))
    if sys.platform == "win32":
        return _WINDOWS.format(command=command.replace('"', '\\"'))
    if sys.platform == "darwin":
        return _MACOS.format(arguments="".join(f"<string>{escape(argument)}</string>" for argument in arguments))
    return _OTHER.format(command=command)


def has_systemd() -> bool:
    """Whether this user has a systemd of his or her own."""
    return sys.platform == "linux" and shutil.which("systemctl") is not None and bool(os.environ.get("XDG_RUNTIME_DIR"))


def program() -> list[str]:
    """How this very program is started, wherever it was installed."""
    return [sys.executable, "-m", "makerhub.agent"]


_STARTING: Final = (
    ("systemctl", "--user", "daemon-reload"),
    ("systemctl", "--user", "enable", "--now", UNIT),
    ("systemctl", "--user", "restart", UNIT),
)


def _for_systemd(argument: str) -> str:
    """One argument as a unit wants it: there % and $ are more than themselves."""
    plain = argument.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{plain}"'


def _quoted(argument: str) -> str:
    return f'"{argument}"' if " " in argument else argument


def _call(*command: str) -> str:
    """What went wrong, or nothing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603 - our words
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{' '.join(command)}: {error}"
    return "" if done.returncode == 0 else f"{' '.join(command)}: {done.stderr.strip()[:300]}"
