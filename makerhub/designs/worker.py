"""Our side of the warm worker for meshes, a process that has the libraries loaded and forks a child for each job.

Loading numpy, scipy and trimesh takes a second or more, a fork of a process that has them some milliseconds. Only the
forked child, which has limits, ever touches what strangers sent. The other side stands in `forking.py`, the jobs in
`jobs.py`. Each message is its length in 4 bytes, then MessagePack.
"""

import atexit
import contextlib
import io
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, cast

import msgspec

import makerhub
from makerhub.designs.sandbox import GIB, SandboxFailed, SandboxLimits

LIMITS = SandboxLimits(memory_bytes=3 * GIB, cpu_seconds=30, wall_seconds=45, file_bytes=200_000_000)
PACKAGE_PARENT = Path(makerhub.__file__).resolve().parents[1]
_LENGTH = struct.Struct("<I")
COMMAND = ("-m", "makerhub.designs.jobs")
LARGEST_ANSWER = 200_000_000
_GRACE_SECONDS = 5.0
_FOR_EVER = 1e9


class MeshWorker:
    """Runs jobs one after the other, for any thread. It is started by its first job, and again after a fall."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def run(self, job: str, *arguments: object, limits: SandboxLimits = LIMITS) -> bytes:
        """What the job answers; blocks as long as it takes. Raises `SandboxFailed` for a broken limit or a crash."""
        message = msgspec.msgpack.encode((job, arguments, limits))
        with self._lock:
            source, sink = self._pipes()
            try:
                write_message(sink, message)
                reply = read_message(source, limits.wall_seconds + _GRACE_SECONDS)
                fine, answer = msgspec.msgpack.decode(reply, type=tuple[bool, bytes])
            except (OSError, EOFError, TimeoutError, msgspec.DecodeError) as error:
                self._end()
                raise SandboxFailed("the worker stopped answering") from error
        if not fine:
            raise SandboxFailed(answer.decode())
        return answer

    def close(self) -> None:
        """End the worker; the next job starts another one."""
        with self._lock:
            self._end()

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        """The worker's answers and its ear; it is started where there is none."""
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = subprocess.Popen(  # noqa: S603 - no shell; the command is ours, only the files it is sent are strangers'
                [sys.executable, *COMMAND],
                cwd=PACKAGE_PARENT,
                env={"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
        return cast("IO[bytes]", self._process.stdout), cast("IO[bytes]", self._process.stdin)

    def _end(self) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with self._process:  # closes the pipes and waits
            self._process = None


worker = MeshWorker()
"""The process's own worker."""

atexit.register(worker.close)


def write_message(stream: IO[bytes], message: bytes) -> None:
    """Send one message."""
    stream.write(_LENGTH.pack(len(message)) + message)
    stream.flush()


def read_message(stream: IO[bytes], seconds: float = _FOR_EVER) -> bytes:
    """One message; raises `TimeoutError`, or `EOFError` where the other side is gone."""
    until = time.monotonic() + seconds
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size, until))
    if length > LARGEST_ANSWER:
        raise EOFError
    return _exactly(stream, length, until)


def _exactly(stream: IO[bytes], count: int, until: float) -> bytes:
    descriptor, got = stream.fileno(), io.BytesIO()
    while got.tell() < count:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            raise TimeoutError
        piece = os.read(descriptor, min(1 << 20, count - got.tell()))
        if not piece:
            raise EOFError
        got.write(piece)
    return got.getvalue()
