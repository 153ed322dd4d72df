"""Keys without copying: OctoPrint asks its owner, who clicks “Allow”, and the hub has the key.

The request lives as long as somebody polls for its answer, at least every 5 s, so each dialog is kept on the fleet's
loop and not in a sweep. Where the hub ends meanwhile the next one opens a new dialog.
"""

import asyncio
from datetime import timedelta
from functools import partial
from uuid import UUID

from makerhub.background import Nudge, task
from makerhub.config import Settings
from makerhub.db import Clock, Database
from makerhub.fleet.gateway import KeyDecision, PrinterGateway, PrinterTrouble, Trouble
from makerhub.keys.box import KeyBox
from makerhub.printers import service
from makerhub.printers.fleet import Fleet
from makerhub.printers.models import Printer
from makerhub.printers.tasks import check_printers

APP = "makerhub"
POLL_SECONDS = 2.0
PATIENCE_SECONDS = 300
"""OctoPrint itself forgets a request after 10 minutes; a maker who registers a printer is beside it."""


@task
def ask_for_keys(
    database: Database, fleet: Fleet, key_box: KeyBox, clock: Clock, settings: Settings, soon: Nudge
) -> None:
    """Open the dialog in the OctoPrint of each printer that was registered without a key."""

    async def dialog(gateway: PrinterGateway, printer_id: UUID, url: str) -> None:
        answer = await ask_owner(gateway, url)
        await asyncio.to_thread(record, printer_id, url, answer)
        soon(check_printers)

    def record(printer_id: UUID, url: str, answer: str | Trouble) -> None:
        with database.changing() as session:
            printer = session.get_one(Printer, printer_id)
            if printer.url == url:
                service.key_answered(session, printer, answer, key_box, now=clock())

    with database.reading() as session:
        waiting = service.to_ask(session, apart=timedelta(seconds=settings.probe_seconds), now=clock())
    for printer_id, url in waiting.items():
        fleet.keep(("key", printer_id, url), partial(dialog, printer_id=printer_id, url=url))


async def ask_owner(gateway: PrinterGateway, url: str) -> str | Trouble:
    """The key that the owner of the OctoPrint at `url` grants within five minutes, or why there is none."""
    try:
        request = await gateway.request_key(url, APP)
        for _ in range(round(PATIENCE_SECONDS / POLL_SECONDS)):
            answer = await gateway.poll_key(url, request.token)
            if answer.decision is not KeyDecision.PENDING:
                return answer.key or Trouble.KEY_NOT_ALLOWED
            await asyncio.sleep(POLL_SECONDS)
    except PrinterTrouble as trouble:
        return trouble.trouble
    return Trouble.KEY_NOT_ALLOWED
