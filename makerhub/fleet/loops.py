"""The event loop on which printers are asked."""

import asyncio

try:
    import uvloop
except ImportError:  # there is none for Windows, and an agent does without
    uvloop = None  # type: ignore[assignment]


def new_event_loop() -> asyncio.AbstractEventLoop:
    """The quickest loop there is on this system."""
    return asyncio.new_event_loop() if uvloop is None else uvloop.new_event_loop()
