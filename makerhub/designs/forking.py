"""The other side of the warm worker: it forks a child with limits for each job, and waits for its answer.

A child may hang, crash or eat memory: it ends, what it wrote is removed, and the next job gets a child of its own. This
process has one thread only, so that forking is safe, and never looks at what strangers sent.
"""

import io
import os
import resource
import select
import signal
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import IO, Any

import msgspec

from makerhub.designs.sandbox import SandboxLimits
from makerhub.designs.worker import LARGEST_ANSWER, read_message, write_message


def serve(jobs: Mapping[str, Callable[..., bytes]]) -> None:
    """Answer jobs over the standard input and output until nobody asks any more."""
    source, sink = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what a library prints must not stand between the answers
    while True:
        try:
            message = read_message(source)
        except EOFError:
            return
        job, arguments, limits = msgspec.msgpack.decode(message, type=tuple[str, list[Any], SandboxLimits])
        write_message(sink, msgspec.msgpack.encode(_in_a_child(jobs[job], arguments, limits)))


def _in_a_child(function: Callable[..., bytes], arguments: list[Any], limits: SandboxLimits) -> tuple[bool, bytes]:
    """Whether the job ended well, and its answer or what is wrong."""
    source, sink = os.pipe()
    with tempfile.TemporaryDirectory() as folder:  # removed here, since a child that is killed removes nothing
        child = os.fork()
        if child == 0:
            os.close(source)
            tempfile.tempdir = folder
            _be_the_child(function, arguments, limits, sink)
        os.close(sink)
        with os.fdopen(source, "rb") as answers:
            answer = _until_its_end(answers, limits.wall_seconds)
        if answer is None:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if answer is None:
        return False, f"it took longer than {limits.wall_seconds:g} seconds".encode()
    code = os.waitstatus_to_exitcode(status)
    return (True, answer) if code == 0 else (False, _what_happened(code, answer).encode())


def _be_the_child(function: Callable[..., bytes], arguments: list[Any], limits: SandboxLimits, sink: int) -> None:
    """Do the job and end, without any cleaning up of what was inherited; what libraries print goes nowhere."""
    code = 1
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        for what, most in (
            (resource.RLIMIT_AS, limits.memory_bytes),
            (resource.RLIMIT_CPU, limits.cpu_seconds),
            (resource.RLIMIT_FSIZE, limits.file_bytes),
            (resource.RLIMIT_CORE, 0),
        ):
            resource.setrlimit(what, (most, most))
        answer = function(*arguments)
        with os.fdopen(sink, "wb", closefd=False) as answers:
            answers.write(answer)
        code = 0
    except MemoryError:
        code = 2
    except BaseException as error:  # noqa: BLE001 – whatever a stranger's file does ends here
        os.write(sink, f"{type(error).__name__}: {error}".encode()[:500])
    finally:
        os._exit(code)


def _until_its_end(stream: IO[bytes], seconds: float) -> bytes | None:
    """All that is written until the other side closes; None when that takes too long or never ends."""
    descriptor, got, until = stream.fileno(), io.BytesIO(), time.monotonic() + seconds
    while got.tell() <= LARGEST_ANSWER:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            return None
        piece = os.read(descriptor, 1 << 20)
        if not piece:
            return got.getvalue()
        got.write(piece)
    return None


def _what_happened(code: int, complaint: bytes) -> str:
    if -code == signal.SIGXCPU or -code == signal.SIGKILL:
        return "it used too much processor time"
    if code < 0:
        return f"it crashed ({signal.Signals(-code).name})"
    return "it needed too much memory" if code == 2 else f"it failed with {complaint.decode(errors='replace')}"
