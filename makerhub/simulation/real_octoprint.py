"""Start and stop a real OctoPrint with its bundled Virtual Printer, for tests that want the real counterpart.

OctoPrint pins an older Flask, so it lives in a virtual environment of its own and is run as a program, never
imported. Measured with 1.11.8: 3 s to start alone, 75 MiB and 1.5 % of a core each once up.
"""

import base64
import contextlib
import hashlib
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from makerhub.simulation.accounts import GRANT, MINIMAL_PERMISSIONS
from makerhub.simulation.real_octoprint_config import server_config

# The kernel sends PDEATHSIG when the *thread* that started the child ends, so every server is started
# from this one thread, which lives as long as the interpreter.
_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="octoprint-starter")

# Runs in the child before OctoPrint takes its place: prctl(PR_SET_PDEATHSIG, SIGKILL) survives the exec.
_DIE_WITH_PARENT = """
import ctypes, os, sys
parent, program = int(sys.argv[1]), sys.argv[2:]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 9)
if os.getppid() == parent:
    os.execv(program[0], program)
"""


class OctoPrintStartError(RuntimeError):
    """The program ended or did not become operational in time; the message carries the end of its log."""


@dataclass(frozen=True)
class User:
    """A user of a real OctoPrint: `key` is the API key, `password` serves the login in a browser session."""

    name: str
    permissions: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    password: str = field(default_factory=lambda: secrets.token_hex(8))


def find_octoprint(root: Path | None = None) -> Path | None:
    """The `octoprint` program: MAKERHUB_OCTOPRINT, else `.tools/octoprint/bin/octoprint` under the project's root."""
    root = root or Path(__file__).resolve().parents[2]
    named = os.environ.get("MAKERHUB_OCTOPRINT")
    program = Path(named) if named else root / ".tools" / "octoprint" / "bin" / "octoprint"
    return program if program.is_file() else None


class RealOctoPrint:
    """One OctoPrint server with a Virtual Printer, listening on 127.0.0.1, with all its files under `base_directory`.

    `key` belongs to a user with MINIMAL_PERMISSIONS, `admin_key` to an administrator, and `maker` may
    grant application keys. The server dies with the process that started it (Linux). All calls block.
    One that is `discoverable` answers to multicast DNS.
    """

    def __init__(
        self,
        executable: Path,
        base_directory: Path,
        *,
        port: int = 0,
        key: str | None = None,
        users: Sequence[User] = (),
        discoverable: bool = False,
    ) -> None:
        self.executable = executable
        self.base_directory = base_directory
        self.port = port or _free_port()
        self.minimal = User("minimal", MINIMAL_PERMISSIONS, key=key or secrets.token_hex(16))
        self.maker = User("maker", (*MINIMAL_PERMISSIONS, GRANT))
        self.admin = User("admin", groups=("admins", "users"))
        self.users = (self.minimal, self.maker, self.admin, *users)
        self._discoverable = discoverable
        self._process: subprocess.Popen[bytes] | None = None
        self._write_configuration()

    @property
    def url(self) -> str:
        """The base address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self) -> str:
        """The API key with MINIMAL_PERMISSIONS."""
        return self.minimal.key

    @property
    def admin_key(self) -> str:
        """An API key that may do everything."""
        return self.admin.key

    @property
    def uploads(self) -> Path:
        """The folder in which OctoPrint keeps the files it was sent."""
        return self.base_directory / "uploads"

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def process_id(self) -> int:
        """The server's process; only while it is running."""
        if self._process is None:
            raise RuntimeError("this OctoPrint is not running")
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, seconds: float = 60) -> None:
        """Start the server and wait until its printer is Operational; raises OctoPrintStartError."""
        if self.running:
            return
        self._process = _STARTER.submit(self._spawn).result()
        try:
            self.wait_for("Operational", seconds=seconds)
        except TimeoutError as error:
            self.kill()
            raise OctoPrintStartError(f"OctoPrint did not start: {error}\n{self._log_end()}") from error

    def stop(self) -> None:
        """End the server as a service manager does: SIGTERM, and SIGKILL if it has not gone after ten seconds."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server at once (SIGKILL), as a power cut does."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start again on the same port with the same files."""
        self.stop()
        self.start()

    def call(self, method: str, path: str, body: object = None, *, key: str | None = None) -> Any:
        """One request, with the administrator's key by default; the parsed reply. Raises OSError, HTTPException."""
        request = urllib.request.Request(  # noqa: S310 (the address is our own)
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Api-Key": key or self.admin_key, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
            content = reply.read()
        return json.loads(content) if content else None

    def state(self) -> str:
        """The state as `/api/job` tells it, such as Operational or Printing."""
        return str(self.call("GET", "/api/job")["state"])

    def wait_for(self, *states: str, seconds: float = 20) -> str:
        """Wait until the printer is in one of `states` and return it; raises TimeoutError."""
        deadline = time.monotonic() + seconds
        state = "no answer"
        while time.monotonic() < deadline and self.running:
            # While it starts, OctoPrint answers some requests with a bare "Not found" that is not even HTTP.
            with contextlib.suppress(OSError, http.client.HTTPException):
                state = self.state()
            if state in states:
                return state
            time.sleep(0.1)
        raise TimeoutError(f"waited for {' or '.join(states)}, the printer is at: {state}")

    def send(self, *commands: str) -> None:
        """Send commands to the Virtual Printer, such as `!!DEBUG:drop_connection` or `M112`."""
        self.call("POST", "/api/printer/command", {"commands": list(commands)})

    def reset(self) -> None:
        """Bring a used server back to idle for the next test: connected, nothing selected, no files."""
        self.start()
        if self.state() not in ("Operational", "Cancelling", "Finishing"):
            self._leave_present_state()
        self.wait_for("Operational")
        self._delete_all(self.call("GET", "/api/files/local?force=true&recursive=true")["files"])

    def decide(self, app: str, *, allow: bool) -> None:
        """Answer the pending request for an application key of `app` as its maker would by a click."""
        pending = self.call("GET", "/api/plugin/appkeys", key=self.maker.key)["pending"]
        token = next(token for token, request in pending.items() if request["app_id"] == app)
        self.call("POST", f"/plugin/appkeys/decision/{token}", {"decision": allow}, key=self.maker.key)

    def _leave_present_state(self) -> None:
        if self.state() in ("Printing", "Paused", "Pausing", "Resuming", "Starting"):
            self.call("POST", "/api/job", {"command": "cancel"})
        else:
            self.call("POST", "/api/connection", {"command": "connect"})

    def _delete_all(self, entries: list[dict[str, Any]]) -> None:
        # One by one: of a folder deleted at once OctoPrint remembers each file's history, and gives it
        # to the next file of that name with the same bytes.
        for entry in entries:
            self._delete_all(entry.get("children", []))
            self._delete(entry["path"])

    def _delete(self, path: str) -> None:
        deadline = time.monotonic() + 10
        while True:  # OctoPrint answers 409 as long as it still holds the file
            try:
                return self.call("DELETE", f"/api/files/local/{path}")  # type: ignore[no-any-return]
            except urllib.error.HTTPError as error:
                if error.code != 409 or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _spawn(self) -> subprocess.Popen[bytes]:
        program = [str(self.executable), "--basedir", str(self.base_directory), "serve"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            program.append("--iknowwhatimdoing")  # as root OctoPrint refuses to start without it
        program += ["--host", "127.0.0.1", "--port", str(self.port)]
        with self._log_path.open("ab") as log:
            return subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *program],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _end(self, sign: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(sign)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _write_configuration(self) -> None:
        self.base_directory.mkdir(parents=True, exist_ok=True)
        config = server_config(self.port, discoverable=self._discoverable)
        # JSON is YAML, so that no YAML library is needed to write OctoPrint's own files.
        (self.base_directory / "config.yaml").write_text(json.dumps(config))
        users = {user.name: _user_entry(user) for user in self.users}
        (self.base_directory / "users.yaml").write_text(json.dumps({"_version": 2, **users}))

    @property
    def _log_path(self) -> Path:
        return self.base_directory / "console.log"

    def _log_end(self) -> str:
        return self._log_path.read_text(errors="replace")[-2000:] if self._log_path.exists() else ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _user_entry(user: User) -> dict[str, object]:
    return {
        "active": True,
        "apikey": user.key,
        "groups": list(user.groups),
        "password": _password_hash(user.password),
        "permissions": list(user.permissions),
        "roles": ["user"],
        "settings": {},
    }


def _password_hash(password: str) -> str:
    """PBKDF2-SHA-256 in the modular crypt format, one of the two that OctoPrint reads."""
    rounds, salt = 29000, secrets.token_bytes(16)
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    return f"$pbkdf2-sha256${rounds}${_adapted_base64(salt)}${_adapted_base64(digest)}"


def _adapted_base64(value: bytes) -> str:
    return base64.b64encode(value).decode().rstrip("=").replace("+", ".")
