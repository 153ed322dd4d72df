"""Jobs that do all that a stranger's file may make a library do; run as the worker's other side."""

import os
import signal
import time
from pathlib import Path

from makerhub.designs.forking import serve


def greet(name: bytes) -> bytes:
    return b"hello " + name


def fail() -> bytes:
    raise LookupError("this file is strange")


def hang() -> bytes:
    time.sleep(60)
    return b""


def spin() -> bytes:
    while True:
        pass


def eat() -> bytes:
    return bytes(8 << 30)


def crash() -> bytes:
    os.kill(os.getpid(), signal.SIGSEGV)
    return b""


def litter() -> bytes:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    Path("/tmp/makerhub-litter").write_bytes(bytes(100_000))  # noqa: S108 – it never gets there
    return b""


def babble() -> bytes:
    while True:
        os.write(1, b"x" * 1000)
        time.sleep(0.001)


if __name__ == "__main__":
    serve({job.__name__: job for job in (greet, fail, hang, spin, eat, crash, litter, babble)})
