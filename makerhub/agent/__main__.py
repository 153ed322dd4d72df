"""The command `makerhub-agent`; it says so plainly where the libraries that it stands on are missing."""

import importlib.util
import platform
import struct
import sys
from typing import Final

NEEDS: Final = ("aiohttp", "click", "httptools", "msgspec", "platformdirs", "yarl")

MISSING: Final = """makerhub-agent can not run here: {missing} is not installed.
This is a {bits}-bit Python on {machine}. Ready-made packages exist for 64-bit systems only, so that on a 32-bit system
(such as the 32-bit Raspberry Pi OS) they are not installed along. You can:
  - install the 64-bit Raspberry Pi OS on this computer, or run the agent on another computer in the same network;
  - or have them compiled here, which takes a while: pipx inject makerhub-agent {packages}
"""


def main() -> None:
    """Run a command of the agent."""
    missing = [name for name in NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(explanation(missing))
    from makerhub.agent.cli import agent

    agent()


def explanation(missing: list[str]) -> str:
    """What to do where these libraries are missing."""
    bits = struct.calcsize("P") * 8
    packages = " ".join(name for name in missing if name != "yarl")
    return MISSING.format(missing=", ".join(missing), bits=bits, machine=platform.machine(), packages=packages)


if __name__ == "__main__":
    main()
