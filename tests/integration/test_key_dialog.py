"""A printer registered without a key: a real OctoPrint asks its owner, who clicks, and the hub can print."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hubs import Place, quick_settings, running_hub, wait_until

from makerhub.fleet.gateway import Trouble
from makerhub.printers.models import Printer, PrinterState
from makerhub.simulation.real_octoprint import RealOctoPrint


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with running_hub(quick_settings(tmp_path)) as place:
        yield place


def is_asked(octoprint: RealOctoPrint) -> bool:
    pending = octoprint.call("GET", "/api/plugin/appkeys", key=octoprint.maker.key)["pending"]
    return any(request["app_id"] == "makerhub" for request in pending.values())


def state(place: Place, printer: Printer) -> PrinterState:
    return place.get(Printer, printer.id).state


def test_the_owner_clicks_allow_and_nobody_copies_a_key(place: Place, real_octoprint: RealOctoPrint) -> None:
    printer = place.add_printer(real_octoprint.url, "")
    wait_until(lambda: is_asked(real_octoprint), "the dialog to be open")
    assert state(place, printer) is PrinterState.UNCHECKED
    real_octoprint.decide("makerhub", allow=True)
    wait_until(lambda: state(place, printer) is PrinterState.ACTIVE, "the key to be there and checked")
    row = place.get(Printer, printer.id)
    assert row.encrypted_key
    assert row.missing_permissions == []


def test_the_owner_denies_and_is_told_how_to_go_on(place: Place, real_octoprint: RealOctoPrint) -> None:
    printer = place.add_printer(real_octoprint.url, "")
    wait_until(lambda: is_asked(real_octoprint), "the dialog to be open")
    real_octoprint.decide("makerhub", allow=False)
    wait_until(lambda: state(place, printer) is PrinterState.REFUSED, "the answer to be heard")
    assert place.get(Printer, printer.id).trouble == Trouble.KEY_NOT_ALLOWED
