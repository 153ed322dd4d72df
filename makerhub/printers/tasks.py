"""What the printers' room does in the background: check the keys of printers that were registered."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from makerhub.background import task
from makerhub.config import Settings
from makerhub.db import Clock, Database
from makerhub.designs.profiles import PrinterProfile
from makerhub.fleet.gateway import Connection, KeyReport, PrinterGateway, PrinterTrouble, Trouble
from makerhub.keys.box import KeyBox
from makerhub.printers import service
from makerhub.printers.fleet import Fleet
from makerhub.printers.models import Printer
from makerhub.printers.own import base_of


@task
def check_printers(
    database: Database,
    fleet: Fleet,
    key_box: KeyBox,
    profiles: Mapping[str, PrinterProfile],
    clock: Clock,
    settings: Settings,
) -> None:
    """Ask printers that wait for it what their key may do, of each maker one at a time, and tell their makers."""
    apart = timedelta(seconds=settings.probe_seconds)
    with database.reading() as session:
        connections = service.to_check(session, key_box, apart=apart, now=clock())
    if not connections:
        return
    for printer_id, report in fleet.run(lambda gateway: _key_reports(gateway, connections)):
        with database.changing() as session:
            printer = session.get_one(Printer, printer_id)
            service.key_checked(session, printer, report, base_of(printer, profiles), now=clock())


async def _key_reports(
    gateway: PrinterGateway, connections: Mapping[UUID, Connection]
) -> list[tuple[UUID, KeyReport | Trouble]]:
    reports = await asyncio.gather(*(_key_report(gateway, connection) for connection in connections.values()))
    return list(zip(connections, reports, strict=True))


async def _key_report(gateway: PrinterGateway, connection: Connection) -> KeyReport | Trouble:
    try:
        return await gateway.key_report(connection)
    except PrinterTrouble as trouble:
        return trouble.trouble
