"""What planning takes for a hub with a large fleet: `python -m benchmarks.planning`, about three minutes.

Ten thousand printers of a thousand makers, half of them free, and five hundred lines of accepted requests that nobody
has planned for; PrusaSlicer slices one copy for each kind of printer. Then the tasks run as the engine runs them, and
the dispatcher's board is asked for. Times are seconds of the clock and of the processor. The last line is JSON.
"""

import json
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from hubs import DESIGN, MATERIAL, MODEL, found, quick_settings
from sqlalchemy import event, insert
from sqlmodel import col, func, select
from visitor import Visitor

from makerhub.app import Makerhub, assemble, utc_now
from makerhub.db import Database
from makerhub.demand.models import RequestLine, RequestState, SupplyRequest, Urgency
from makerhub.designs.models import Design, DesignVersion, Kit
from makerhub.designs.plate_cache import PlateCache
from makerhub.fleet.gateway import PrinterState as Doing
from makerhub.lifecycle import Transition
from makerhub.people.models import Membership, Person, Role
from makerhub.planning.tasks import dispatch_jobs, plan_jobs
from makerhub.printers.models import BuildPlate, Consent, Link, Observation, PlateState, Printer, PrinterState
from makerhub.production.models import Attempt, JobState, PrintJob
from makerhub.simulation.network import PASSWORD, Network
from makerhub.web.server import serving

PRINTERS, MAKERS, LINES = 10_000, 1_000, 500
PIECES = 20
"""What each line asks for; a plate holds some of them."""


def main() -> None:
    """Plan, dispatch and look at the board; print what each took."""
    with tempfile.TemporaryDirectory(prefix="makerhub-bench-") as directory:
        settings = quick_settings(Path(directory), longest_plate_hours=4, second_factor_roles=())
        network = found(settings)
        fill(settings.database, network)
        hub = assemble(settings)
        try:
            print(json.dumps(_figures(hub, network)))
        finally:
            hub.database.dispose()


def _figures(hub: Makerhub, network: Network) -> dict[str, float]:
    run = _Tasks(hub)
    run.plan()  # the slicer's time is not ours: the second time it slices nothing
    planned = _count(hub.database, PrintJob)
    with hub.database.changing() as session:
        for job in session.exec(select(PrintJob)):
            session.delete(job)
    figures = _measured(hub.database, "plan", run.plan)
    print(f"{planned} jobs for {LINES} lines", flush=True)
    figures |= _measured(hub.database, "plan_again", run.plan)
    figures |= _measured(hub.database, "dispatch", run.dispatch)
    print(f"{_count(hub.database, Attempt)} attempts on {PRINTERS // 2} free printers", flush=True)
    figures |= _measured(hub.database, "dispatch_again", run.dispatch)
    with serving(hub.web, "127.0.0.1") as address:
        visitor = Visitor(lambda: address.removeprefix("http://"))
        visitor.sign_in(network.dispatcher.email, PASSWORD)
        visitor.get("/dispatch")
        figures |= _measured(hub.database, "board", lambda: visitor.get("/dispatch"))
    if _count(hub.database, Attempt) != min(planned, PRINTERS // 2):
        raise RuntimeError("not every job got a printer")
    return figures


class _Tasks:
    """The tasks, with what the composition root gives them."""

    def __init__(self, hub: Makerhub) -> None:
        self._parts = {
            "database": hub.database,
            "plates": PlateCache(hub.database, hub.files, hub.slicer, hub.clock),
            "profiles": hub.profiles,
            "settings": hub.settings,
            "clock": hub.clock,
            "soon": lambda _: None,
        }

    def plan(self) -> None:
        """Queue jobs for what is wanted."""
        plan_jobs.bind(self._parts)()

    def dispatch(self) -> None:
        """Give jobs to free printers."""
        dispatch_jobs.bind(self._parts)()


def _measured(database: Database, what: str, act: Callable[[], object]) -> dict[str, float]:
    statements = 0

    def count(*_: Any) -> None:
        nonlocal statements
        statements += 1

    event.listen(database.engine, "after_cursor_execute", count)
    began, cpu = time.monotonic(), time.process_time()
    act()
    took, cpu = time.monotonic() - began, time.process_time() - cpu
    event.remove(database.engine, "after_cursor_execute", count)
    print(f"{what}: {took:.1f} s, {cpu:.1f} s of a processor, {statements} statements", flush=True)
    return {f"{what}_s": round(took, 2), f"{what}_cpu_s": round(cpu, 2), f"{what}_statements": statements}


def fill(url: str, network: Network) -> None:
    """The printers with what is known of them, and the requests."""
    database, now = Database(url), utc_now()
    makers = [uuid4() for _ in range(MAKERS)]
    people = [
        {"id": maker, "email": f"maker-{number}@bench.example", "name": f"Maker {number}", "created_at": now}
        for number, maker in enumerate(makers)
    ]
    printers = [
        {
            "id": uuid4(),
            "owner_id": makers[number % MAKERS],
            "hub_id": network.hub.id,
            "name": f"Printer {number}",
            "profile": MODEL,
            "material": MATERIAL,
            "consent": Consent.AUTOMATIC,
            "link": Link.DIRECT,
            "state": PrinterState.ACTIVE,
            "registered_at": now - timedelta(days=number % 30),
        }
        for number in range(PRINTERS)
    ]
    with database.changing() as session:
        session.execute(insert(Person), people)
        roles = [{"person_id": maker, "organisation_id": network.hub.id, "role": Role.MAKER} for maker in makers]
        session.execute(insert(Membership), roles)
        session.execute(insert(Printer), printers)
        session.execute(insert(BuildPlate), [_plate(number, one["id"]) for number, one in enumerate(printers)])
        session.execute(insert(Observation), [_seen(number, one["id"]) for number, one in enumerate(printers)])
        requests = [_request(network) for _ in range(LINES)]
        session.execute(insert(SupplyRequest), requests)
        kit = _kit(session)
        session.execute(insert(RequestLine), [_line(number, one["id"], kit) for number, one in enumerate(requests)])
        known = [("printer", one) for one in printers] + [("supply_request", one) for one in requests]
        log = [{"entity": entity, "entity_id": one["id"], "after": one["state"], "at": now} for entity, one in known]
        session.execute(insert(Transition), log)
    database.dispose()


def _plate(number: int, printer_id: object) -> dict[str, object]:
    """Of each four printers one has something on its plate."""
    return {"printer_id": printer_id, "state": PlateState.OCCUPIED if number % 4 == 1 else PlateState.CLEAR}


def _seen(number: int, printer_id: object) -> dict[str, object]:
    """Of each four printers one prints what its maker wants; all will be seen for as long as this takes."""
    now = utc_now() + timedelta(hours=1)
    doing = Doing.PRINTING if number % 4 == 3 else Doing.OPERATIONAL
    return {"printer_id": printer_id, "asked_at": now, "seen_at": now, "state": doing}


def _kit(session: Any) -> UUID:
    versions = select(Kit.id).join(DesignVersion, col(DesignVersion.id) == Kit.version_id)
    mine = versions.join(Design, col(Design.id) == DesignVersion.design_id).where(Design.key == DESIGN)
    return UUID(str(session.exec(mine.order_by(col(Kit.position))).first()))


def _request(network: Network) -> dict[str, object]:
    return {
        "id": uuid4(),
        "form_key": uuid4(),
        "facility_id": network.hospital.id,
        "hub_id": network.hub.id,
        "requested_by": network.nurse.id,
        "submitted_at": utc_now(),
        "state": RequestState.ACCEPTED,
    }


def _line(number: int, request_id: object, kit: UUID) -> dict[str, object]:
    return {
        "request_id": request_id,
        "kit_id": kit,
        "quantity": PIECES,
        "urgency": list(Urgency)[number % len(Urgency)],
        "needed_by": utc_now() + timedelta(days=1 + number % 20),
    }


def _count(database: Database, model: Any) -> int:
    with database.reading() as session:
        queued = select(func.count()).select_from(model)
        return session.exec(queued.where(model.state != JobState.CANCELLED)).one()


if __name__ == "__main__":
    main()
