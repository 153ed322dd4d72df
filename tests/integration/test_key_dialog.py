"""Keys at a real OctoPrint: its owner is asked and clicks, and the printer's page tells what the key can do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hubs import Place, quick_settings, running_hub, wait_until
from visitor import Visitor

from makerhub.fleet.gateway import READS_PROFILES, Trouble
from makerhub.printers import service as printers
from makerhub.printers.fit import PrinterFit, ToldBy
from makerhub.printers.models import Printer, PrinterState
from makerhub.simulation.network import PASSWORD
from makerhub.simulation.real_octoprint import RealOctoPrint
from makerhub.web.server import serving


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


def looked_at(place: Place, printer: Printer) -> str:
    """The printer's page, once its key was looked at, as its maker sees it."""
    wait_until(lambda: state(place, printer) is not PrinterState.UNCHECKED, "the key to be looked at")
    with serving(place.hub.web, "127.0.0.1") as address:
        visitor = Visitor(lambda: address.removeprefix("http://"))
        visitor.sign_in(place.network.makers[0].email, PASSWORD)
        return visitor.get(f"/printers/{printer.id}").text


def test_the_limited_key_can_do_what_is_needed_and_can_not_read_the_bed(
    place: Place, real_octoprint: RealOctoPrint
) -> None:
    page = looked_at(place, place.add_printer(real_octoprint.url, real_octoprint.key))
    assert "This key can do what is needed, and no more." in page
    assert "Our key can not read it from OctoPrint" in page


def test_an_administrators_key_is_warned_of_and_reads_the_bed(place: Place, real_octoprint: RealOctoPrint) -> None:
    printer = place.add_printer(real_octoprint.url, real_octoprint.admin_key)
    page = looked_at(place, printer)
    for words in ("do everything an administrator can", "move and heat the printer", "delete files"):
        assert words in page
    assert "OctoPrint says the same: bed 250 × 210 mm, nozzle 0.4 mm." in page
    row = place.get(Printer, printer.id)
    assert set(row.excess_permissions) >= READS_PROFILES
    assert row.missing_permissions == []


def test_a_wrong_key_is_refused_with_the_way_out(place: Place, real_octoprint: RealOctoPrint) -> None:
    printer = place.add_printer(real_octoprint.url, "0123456789ABCDEF0123456789ABCDEF")
    page = looked_at(place, printer)
    assert state(place, printer) is PrinterState.REFUSED
    assert "The printer does not accept our key, or the key lacks a permission." in page
    assert "Change address or key" in page
    assert "see what the printer is doing" not in page, "nobody knows what it can do"


def test_another_bed_in_octoprint_keeps_jobs_away_until_it_is_corrected(
    place: Place, real_octoprint: RealOctoPrint
) -> None:
    resize = {"profile": {"volume": {"width": 220}}}
    real_octoprint.call("PATCH", "/api/printerprofiles/_default", resize)
    try:
        printer = place.add_printer(real_octoprint.url, real_octoprint.admin_key)
        assert "OctoPrint has another printer: bed 220 × 210 mm, nozzle 0.4 mm." in looked_at(place, printer)
        assert state(place, printer) is PrinterState.REFUSED
    finally:
        real_octoprint.call("PATCH", "/api/printerprofiles/_default", {"profile": {"volume": {"width": 250}}})
    with place.hub.database.changing() as session:
        row = session.get_one(Printer, printer.id)
        printers.check_again(session, row, by=row.owner_id, now=place.hub.clock())
    wait_until(lambda: state(place, printer) is PrinterState.ACTIVE, "the corrected bed to be read")
    (told,) = place.all(PrinterFit)
    assert (told.told_by, told.fits, told.bed_width_mm) == (ToldBy.OCTOPRINT, True, 250)
