"""Where the copies lie on the plate, as makers and dispatchers see it; and the dispatcher's page of one job."""

import re
from xml.etree import ElementTree

import pytest
from builders import MK3S, World
from unit.web.browsers import Browser
from unit.web.houses import House

from makerhub.designs.models import Part, PlateSlice
from makerhub.people.models import Role
from makerhub.printers.models import Printer
from makerhub.production.models import Attempt, AttemptState, PrintJob

SVG = "{http://www.w3.org/2000/svg}"
RING = ([[0, 0], [100, 0], [100, 80], [0, 80]], [[10, 10], [10, 70], [90, 70], [90, 10]])


def plate_of(page: str) -> ElementTree.Element:
    """The only drawing of a plate on a page, read as XML."""
    (figure,) = re.findall(r'<figure class="plate">\s*(<svg.*?</svg>)', page, re.DOTALL)
    return ElementTree.fromstring(figure.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1))  # noqa: S314 # our own page


def copies_on(plate: ElementTree.Element) -> list[str]:
    return [use.attrib["transform"] for use in plate.iter(f"{SVG}use")]


@pytest.fixture
def dan(house: House) -> Browser:
    """The dispatcher."""
    return house.signed_in("dan")


def test_what_is_not_sliced_yet_is_laid_out_within_the_bed(house: House, world: World, dan: Browser) -> None:
    attempt = world.attempt(AttemptState.PREPARING, job=world.job(3))
    for browser, address in ((house.signed_in("mona"), f"/printers/{world.printer.id}"), (dan, _job(attempt))):
        page = browser.get(address).text
        plate = plate_of(page)
        assert len(copies_on(plate)) == 3
        assert plate.attrib["aria-label"] == "3 copies on a bed of 250 × 210 mm"
        assert "How they will lie on the plate" in page
        for place in copies_on(plate):
            x, y = map(float, re.findall(r"translate\(([\d.]+) ([\d.]+)\)", place)[0])
            across = (80, 100) if "rotate(90)" in place else (100, 80)
            assert across[0] / 2 <= x <= MK3S.bed_width_mm - across[0] / 2
            assert across[1] / 2 <= y <= MK3S.bed_depth_mm - across[1] / 2


def test_what_is_sliced_is_shown_as_it_was_sliced(house: House, world: World, dan: Browser) -> None:
    attempt = world.attempt(AttemptState.PRINTING, job=world.job(2))
    with world.database.changing() as session:
        kept = session.get_one(PlateSlice, attempt.plate_slice_id)
        kept.placements = [(60.0, 70.5, False), (180.0, 70.5, True)]
    for browser, address in ((house.signed_in("mona"), f"/printers/{world.printer.id}"), (dan, _job(attempt))):
        page = browser.get(address).text
        assert copies_on(plate_of(page)) == ["translate(60.0 70.5)", "translate(180.0 70.5) rotate(90)"]
        assert "How they lie on the plate" in page


@pytest.mark.parametrize(
    ("analysis", "path"),
    [
        ({}, "M-50.0 -40.0L50.0 -40.0L50.0 40.0L-50.0 40.0Z"),
        ({"outline_mm": [[5, 5], [105, 5], [55, 85]]}, "M-50.0 -40.0L50.0 -40.0L0.0 40.0Z"),
        (
            {"outline_mm": [[0, 0], [1, 1], [0, 1]], "silhouette_mm": RING},
            "M-50.0 -40.0L50.0 -40.0L50.0 40.0L-50.0 40.0ZM-40.0 -30.0L-40.0 30.0L40.0 30.0L40.0 -30.0Z",
        ),
    ],
)
def test_a_copy_is_drawn_as_well_as_its_shape_is_known(
    world: World, dan: Browser, analysis: dict[str, object], path: str
) -> None:
    with world.database.changing() as session:
        session.get_one(Part, world.part(world.headband).id).analysis = analysis
    plate = plate_of(dan.get(_job(world.attempt(AttemptState.PREPARING))).text)
    assert next(plate.iter(f"{SVG}path")).attrib["d"] == path


def test_no_plate_is_drawn_where_it_can_not_be_told(house: House, world: World, dan: Browser) -> None:
    too_many = world.attempt(AttemptState.PREPARING, job=world.job(99))
    assert '<figure class="plate">' not in dan.get(_job(too_many)).text
    with world.database.changing() as session:
        session.get_one(Printer, world.printer.id).profile = "no-longer-here"
    for browser, address in ((house.signed_in("mona"), f"/printers/{world.printer.id}"), (dan, _job(too_many))):
        answer = browser.get(address)
        assert answer.status_code == 200
        assert '<figure class="plate">' not in answer.text


def test_a_job_that_nobody_tried_says_what_it_waits_for(world: World, dan: Browser) -> None:
    page = dan.get(f"/dispatch/jobs/{world.job(3).id}").text
    assert "3 × band" in page
    assert "It waits for a printer that is free and fits." in page
    assert "Rosewood" in page


def test_each_try_is_told_with_how_it_ended(world: World, dan: Browser) -> None:
    job = world.job(4)
    world.attempt(AttemptState.NOT_STARTED, job=job)
    world.attempt(AttemptState.PREPARING, job=world.get(PrintJob, job.id))
    page = dan.get(f"/dispatch/jobs/{job.id}").text
    assert page.count('data-label="Begun"') == 2
    assert page.index(">Preparing<") < page.index(">Not started<")


def test_the_board_leads_to_its_jobs(world: World, dan: Browser) -> None:
    attempt = world.attempt(AttemptState.PRINTING)
    assert f'href="{_job(attempt)}"' in dan.get("/dispatch").text


def test_a_dispatcher_elsewhere_sees_no_job_of_this_hub(house: House, world: World) -> None:
    job = world.job()
    house.add_person("Nora", (house.add_hub("Elsewhere Hub"), Role.DISPATCHER), (world.hub, Role.MAKER))
    assert house.signed_in("nora").get(f"/dispatch/jobs/{job.id}").status_code == 404


def _job(attempt: Attempt) -> str:
    return f"/dispatch/jobs/{attempt.job_id}"
