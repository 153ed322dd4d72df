"""Cancel the hub's prints in this home, by OctoPrint itself: without the hub, and while the agent doesn't run, too."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from makerhub.agent.home import State
from makerhub.agent.journal import Entry
from makerhub.fleet.gateway import PrinterGateway, PrinterTrouble
from makerhub.fleet.start import cancel

PATIENCE_SECONDS: Final = 6.0
"""A sending that was under way when no more were allowed is over by then, and what it began can be cancelled."""
LOOK_SECONDS: Final = 0.5


@dataclass
class Stopped:
    """The file names of the prints that were cancelled, and why some printers could not be asked, by their names."""

    cancelled: list[str] = field(default_factory=list)
    unreached: dict[str, str] = field(default_factory=dict)


async def stop_prints(
    state: State, gateway: PrinterGateway, entries: Callable[[], Sequence[Entry]], patience_s: float = PATIENCE_SECONDS
) -> Stopped:
    """Cancel what `entries` (the journal's live ones, asked again and again) show as sent, on every printer of `state`.

    Nothing new may be sent any more when this begins. What is being sent now is waited for, and cancelled as it begins.
    """
    stopped, deadline = Stopped(), time.monotonic() + patience_s
    while True:
        sent = [entry for entry in entries() if entry.sends and entry.wanted.file_name not in stopped.cancelled]
        for entry in sent:
            await _stop(state, gateway, entry, stopped)
        is_settled = all(entry.outcome is not None for entry in sent)
        if is_settled or time.monotonic() > deadline:
            return stopped
        await asyncio.sleep(LOOK_SECONDS)


async def _stop(state: State, gateway: PrinterGateway, entry: Entry, stopped: Stopped) -> None:
    """What goes wrong at one printer leaves the others alone."""
    printer = state.printer(entry.wanted.printer_id)
    if printer is None or printer.connection is None:
        return
    try:
        if await cancel(gateway, entry.attempt(printer.connection)):
            stopped.cancelled.append(entry.wanted.file_name)
        stopped.unreached.pop(printer.name, None)
    except PrinterTrouble as trouble:
        stopped.unreached[printer.name] = str(trouble)
