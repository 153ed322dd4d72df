"""The event loop on which printers are asked, and how many of them it may ask at once."""

import asyncio
import contextlib
import gc
from typing import Final

try:
    import uvloop
except ImportError:  # there is none for Windows, and an agent does without
    uvloop = None  # type: ignore[assignment]
try:
    import resource
except ImportError:  # Windows knows no such limit
    resource = None  # type: ignore[assignment]

WANTED_FILES: Final = 65_536
LOOKS_AT_ONCE: Final = 4_000
"""Each at an address that swallows everything waits for the gateway's whole deadline."""


GARBAGE_AFTER: Final = 50_000
"""Objects until the youngest are looked through for garbage: more than a fleet makes between two batches."""


def collect_garbage_seldom() -> None:
    """Keep what lives for a second from being taken for long-lived.

    With Python's 700 objects half of the processor time at 10,000 printers went into walking through all of them.
    """
    gc.freeze()  # what the program is made of is never garbage
    gc.set_threshold(GARBAGE_AFTER)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """The quickest loop there is on this system."""
    return asyncio.new_event_loop() if uvloop is None else uvloop.new_event_loop()


def open_files() -> int:
    """How many files and connections this process may have open, once it has asked for as many as it is allowed.

    Systems give 1,024 at first and many more to those who ask.
    """
    if resource is None:
        return WANTED_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, WANTED_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(ValueError, OSError):  # macOS may state more than it gives
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return WANTED_FILES if allowed == resource.RLIM_INFINITY else allowed


def connections_kept() -> int:
    """To how many printers a connection may stay open: pages, files and looks that are under way need the rest."""
    return open_files() // 2


def looks_at_once() -> int:
    """How many printers may be asked in the same moment."""
    return min(LOOKS_AT_ONCE, open_files() // 4)
