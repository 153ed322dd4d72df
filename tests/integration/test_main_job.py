"""The main job on real parts: from a ward's request, through real OctoPrints, to a traced receipt."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hubs import Place, prints, quick_settings, running_hub, wait_until
from sqlalchemy import create_engine, make_url, text

from makerhub.config import Settings
from makerhub.delivery.models import ShipmentState
from makerhub.demand.models import RequestState, SupplyRequest
from makerhub.designs.slicer import Slicer
from makerhub.production.models import Attempt, AttemptState, JobState, PrintJob
from makerhub.simulation.real_octoprint import RealOctoPrint
from makerhub.simulation.shortened import ShortenedSlicer
from makerhub.trace.invariants import breaches
from makerhub.trace.service import lots_of_request, trace

PIECES = 4
DWELL_SECONDS = 2


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        return quick_settings(tmp_path)
    return quick_settings(tmp_path, database_url=new_database(request.getfixturevalue("postgresql_url"), "main_job"))


@pytest.fixture
def place(settings: Settings, two_octoprints: Sequence[RealOctoPrint]) -> Iterator[Place]:
    with running_hub(settings, slicer=shortened) as place:
        for maker, octoprint in enumerate(two_octoprints):
            place.add_printer(octoprint.url, octoprint.key, maker=maker)
        yield place


def test_from_a_request_to_its_receipt(place: Place, two_octoprints: Sequence[RealOctoPrint]) -> None:
    request = place.ask(PIECES)

    def everything_is_made() -> bool:
        place.makers_act()
        place.check_lots()
        return place.reserved(request) == PIECES

    wait_until(everything_is_made, "all pieces to be printed, counted, checked and reserved", seconds=60)
    shipment = place.deliver(request)

    assert shipment.state is ShipmentState.DELIVERED
    assert place.get(SupplyRequest, request.id).state is RequestState.FULFILLED
    assert {job.state for job in place.all(PrintJob)} == {JobState.DONE}
    assert_each_file_was_printed_once(place, two_octoprints)
    assert_all_is_traced(place, request)


def assert_each_file_was_printed_once(place: Place, octoprints: Sequence[RealOctoPrint]) -> None:
    attempts = place.all(Attempt)
    histories = [prints(octoprint) for octoprint in octoprints]
    assert all(histories), "each printer had work"
    assert {attempt.state for attempt in attempts} == {AttemptState.COUNTED}
    assert len(attempts) == PIECES
    expected = {attempt.file_name: (1, 0) for attempt in attempts}
    assert {name: counts for history in histories for name, counts in history.items()} == expected
    assert sum(map(len, histories)) == len(expected)


def assert_all_is_traced(place: Place, request: SupplyRequest) -> None:
    with place.hub.database.reading() as session:
        assert breaches(session) == []
        traces = [trace(session, lot.label) for lot in lots_of_request(session, request.id)]
    assert all(found.is_complete for found in traces)
    assert sum(found.quantity for found in traces) == PIECES
    assert {to.request_id for found in traces for to in found.recipients} == {request.id}


def shortened(slicer: Slicer) -> Slicer:
    return ShortenedSlicer(slicer, DWELL_SECONDS)


def new_database(server: str, name: str) -> str:
    """An empty database on a PostgreSQL server; gives its address."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)
