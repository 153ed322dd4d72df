"""The maker's pages: what each state shows and asks, and that nobody acts on another's printer."""

import re
from uuid import UUID

import pytest
from builders import NOW, World
from unit.web.browsers import Browser
from unit.web.houses import House
from werkzeug.test import TestResponse

from makerhub.fleet.gateway import FOLDER, NEEDED, KeyReport, Permission, Trouble
from makerhub.fleet.gateway import PrinterState as Doing
from makerhub.lifecycle import Transition
from makerhub.people.models import Person, Role
from makerhub.printers import service as printers
from makerhub.printers.models import BuildPlate, Consent, PlateState, Printer, PrinterState
from makerhub.production.models import Attempt, AttemptState, JobState, PrintJob
from makerhub.stock.models import Lot

REGISTRATION = {
    "name": "Prusa in the cellar",
    "profile": "prusa-mk3s",
    "material": "PETG",
    "colour": "black",
    "url": "http://octopi.local/",
    "key": "0123456789ABCDEF",
}
LONG = "x" * 101


def send(browser: Browser, address: str, **fields: str) -> TestResponse:
    return browser.post(address, fields, form="/")


def page(printer: Printer) -> str:
    return f"/printers/{printer.id}"


@pytest.fixture
def mona(house: House) -> Browser:
    """The maker, Alice of these pages."""
    return house.signed_in("mona")


@pytest.fixture(params=["bob", "charlie"])
def other(house: House, world: World, request: pytest.FixtureRequest) -> Browser:
    """Bob is a maker of the same hub; Charlie has every role in another hub, and dispatches there."""
    elsewhere = house.add_hub("Elsewhere Hub")
    theirs = [(world.hub, Role.MAKER)] if request.param == "bob" else [(elsewhere, role) for role in Role][1:4]
    house.add_person(f"other {request.param}".title().replace(" ", ""), *theirs)
    return house.signed_in(f"other{request.param}")


def asks(world: World, state: AttemptState) -> Attempt:
    """An attempt that its maker is asked about."""
    if state is not AttemptState.OFFERED:
        return world.attempt(state)
    with world.database.changing() as session:
        session.get_one(Printer, world.printer.id).consent = Consent.ASK
    return world.attempt(AttemptState.OFFERED)


def changes(world: World) -> int:
    return len(world.all(Transition))


# What is shown


def test_a_maker_without_a_printer_is_led_to_the_form(house: House, world: World) -> None:
    house.add_person("New", (world.hub, Role.MAKER))
    text = house.signed_in("new").get("/printers").text
    assert "No printer yet" in text
    assert text.count('href="/printers/new"') == 1


def test_a_printer_is_never_shown_without_when_it_was_seen(house: House, world: World, mona: Browser) -> None:
    assert "Not seen yet." in mona.get("/printers").text
    world.seen(world.printer, Trouble.UNREACHABLE)
    text = mona.get(page(world.printer)).text
    assert "Not seen yet." in text
    assert "Nothing answers at the printer&#39;s address" in text
    world.seen(world.printer)
    text = mona.get(page(world.printer)).text
    assert "Ready for a print" in text
    assert "The next job that fits comes by itself" in text
    house.time.pass_by(minutes=3)
    text = mona.get(page(world.printer)).text
    assert "Last seen" in text
    assert "3 minutes ago" in text
    assert "Ready" not in text


def test_a_print_of_the_makers_own_is_left_alone(world: World, mona: Browser) -> None:
    world.seen(world.printer, Doing.PRINTING, file="vase.gcode", at=NOW.replace(minute=1))
    text = mona.get(page(world.printer)).text
    assert "busy with a print of your own" in text
    assert "The plate is clear" not in text


def test_after_a_print_of_the_makers_own_the_plate_is_asked_for(house: House, world: World, mona: Browser) -> None:
    world.seen(world.printer, Doing.PRINTING, file="vase.gcode", at=NOW.replace(minute=1))
    world.seen(world.printer, Doing.OPERATIONAL, at=NOW.replace(minute=2))
    house.time.pass_by(minutes=2)
    assert "The plate is clear" in mona.get(page(world.printer)).text
    assert send(mona, f"{page(world.printer)}/plate").status_code == 302
    [plate] = world.all(BuildPlate)
    assert plate.state is PlateState.CLEAR


def test_our_print_shows_how_far_it_is(world: World, mona: Browser) -> None:
    attempt = world.attempt(AttemptState.PRINTING)
    world.seen(world.printer, Doing.PRINTING, file=f"{FOLDER}/{attempt.file_name}")
    text = mona.get(f"{page(world.printer)}/now").text
    assert "Printing 4 × band" in text
    assert "of your own" not in text


def test_a_refused_printer_says_what_its_key_lacks_and_can_be_mended(world: World, mona: Browser) -> None:
    with world.database.changing() as session:
        row = session.get_one(Printer, world.printer.id)
        printers.check_again(session, row, by=world.maker.id, now=NOW)
        printers.key_checked(session, row, KeyReport(NEEDED - {Permission.PRINT}), now=NOW)
    text = mona.get(page(world.printer)).text
    assert "start, pause and cancel prints" in text
    assert f"{page(world.printer)}/change" in text
    assert "can not use" in mona.get("/printers").text
    assert send(mona, f"{page(world.printer)}/state", change="check").status_code == 302
    assert world.get(Printer, world.printer.id).state is PrinterState.UNCHECKED
    assert "We are asking your printer" in mona.get(page(world.printer)).text


def test_the_page_tells_what_the_key_can_do_once_it_was_looked_at(world: World, mona: Browser) -> None:
    words = [permission.message for permission in NEEDED]
    shown = mona.get(page(world.printer)).text
    assert all(word in shown for word in words)
    assert "and no more" in shown
    with world.database.changing() as session:
        printers.check_again(session, session.get_one(Printer, world.printer.id), by=world.maker.id, now=NOW)
    shown = mona.get(page(world.printer)).text
    assert not any(word in shown for word in words)


def test_a_key_that_can_too_much_is_pointed_out(world: World, mona: Browser) -> None:
    with world.database.changing() as session:
        row = session.get_one(Printer, world.printer.id)
        printers.check_again(session, row, by=world.maker.id, now=NOW)
        printers.key_checked(session, row, KeyReport(NEEDED | {Permission.SYSTEM}), now=NOW)
    assert "restart or shut down the computer" in mona.get(page(world.printer)).text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (AttemptState.OFFERED, "May the hub print this on your printer?"),
        (AttemptState.IN_DOUBT, "Did this print finish?"),
        (AttemptState.FINISHED, "How many pieces are good?"),
    ],
)
def test_what_is_asked_keeps_still(world: World, mona: Browser, state: AttemptState, words: str) -> None:
    assert 'hx-trigger="every 3s"' in mona.get(page(world.printer)).text
    assert "HX-Refresh" not in mona.get(f"{page(world.printer)}/now").headers
    asks(world, state)
    text = mona.get(page(world.printer)).text
    assert words in text
    assert "hx-trigger" not in text
    part = mona.get(f"{page(world.printer)}/now")
    assert (part.status_code, part.headers["HX-Refresh"], part.data) == (204, "true", b"")


def test_lots_to_bring_stand_beside_the_printers(world: World, mona: Browser) -> None:
    lot = world.lot_at_maker()
    text = mona.get("/printers/now").text
    assert lot.label in text
    assert "Kingston Hub" in text
    assert "<html" not in text


# Offers


def test_a_job_is_taken_once(house: House, world: World, mona: Browser) -> None:
    attempt = asks(world, AttemptState.OFFERED)
    address = f"/printers/attempts/{attempt.id}/offer"
    assert send(mona, address, answer="accept").status_code == 302
    assert world.get(Attempt, attempt.id).state is AttemptState.PREPARING
    assert "prepare_attempts" in house.nudged
    for answer in ("accept", "decline"):
        again = send(mona, address, answer=answer)
        assert (again.status_code, world.get(Attempt, attempt.id).state) == (
            (409, AttemptState.PREPARING) if answer == "accept" else (302, AttemptState.WITHDRAWN)
        )


def test_a_job_that_is_left_goes_back_to_the_queue_and_is_offered_here_no_more(world: World, mona: Browser) -> None:
    attempt = asks(world, AttemptState.OFFERED)
    address = f"/printers/attempts/{attempt.id}/offer"
    assert send(mona, address, answer="decline").status_code == 302
    assert world.get(Attempt, attempt.id).declined
    assert world.get(PrintJob, attempt.job_id).state is JobState.QUEUED
    before = changes(world)
    again = send(mona, address, answer="decline")
    assert again.status_code == 409
    assert "This has been done already" in again.text
    assert changes(world) == before


# Questions


@pytest.mark.parametrize(
    ("answer", "state", "job"),
    [
        ("finished", AttemptState.FINISHED, JobState.ASSIGNED),
        ("failed", AttemptState.FAILED, JobState.QUEUED),
        ("never", AttemptState.NOT_STARTED, JobState.QUEUED),
    ],
)
def test_a_question_is_answered_once(
    world: World, mona: Browser, answer: str, state: AttemptState, job: JobState
) -> None:
    attempt = world.attempt(AttemptState.IN_DOUBT)
    assert "The printer does not know how the print ended" in mona.get(page(world.printer)).text
    address = f"/printers/attempts/{attempt.id}/question"
    assert send(mona, address, answer=answer).status_code == 302
    assert world.get(Attempt, attempt.id).state is state
    assert world.get(PrintJob, attempt.job_id).state is job
    before = changes(world)
    for other in ("finished", "failed", "never"):
        again = send(mona, address, answer=other)
        assert again.status_code == 409
        assert "has been answered by now" in again.text
    assert changes(world) == before


# Stopping


@pytest.mark.parametrize("state", [AttemptState.SENDING, AttemptState.PRINTING])
def test_a_print_is_stopped_after_a_question_and_no_other_begins(
    house: House, world: World, mona: Browser, state: AttemptState
) -> None:
    attempt = world.attempt(state)
    address = f"/printers/attempts/{attempt.id}/stop"
    assert address in mona.get(page(world.printer)).text
    assert "What lies on the plate is lost" in mona.get(address).text
    assert world.get(Attempt, attempt.id).stop_asked_at is None
    assert send(mona, address).headers["Location"] == page(world.printer)
    assert world.get(Attempt, attempt.id).stop_asked_at == house.time.now
    assert world.get(Printer, world.printer.id).state is PrinterState.PAUSED
    assert house.nudged == ["follow_attempts"]
    assert "We are stopping it" in mona.get(page(world.printer)).text


@pytest.mark.parametrize("state", [AttemptState.READY, AttemptState.FINISHED])
def test_what_is_on_no_printer_can_not_be_stopped(world: World, mona: Browser, state: AttemptState) -> None:
    address = f"/printers/attempts/{world.attempt(state).id}/stop"
    assert address not in mona.get(page(world.printer)).text
    assert "over by now" in mona.get(address).text
    assert send(mona, address).status_code == 409


# Counting


def test_a_count_makes_a_lot_and_clears_the_plate_in_one_go(house: House, world: World, mona: Browser) -> None:
    attempt = world.attempt(AttemptState.FINISHED)
    address = f"/printers/attempts/{attempt.id}/count"
    done = send(mona, address, good="3", clear="yes")
    assert done.headers["Location"] == page(world.printer)
    [lot] = world.all(Lot)
    assert lot.quantity == 3
    assert f"Write {lot.label} on the bag" in mona.get(page(world.printer)).text
    [plate] = world.all(BuildPlate)
    assert plate.state is PlateState.CLEAR
    assert house.nudged == ["dispatch_jobs"]
    before = changes(world)
    for typed in ("3", "2", "nonsense"):
        again = send(mona, address, good=typed, clear="yes")
        assert again.status_code == 409
        assert "counted by now" in again.text
    assert changes(world) == before


def test_after_a_count_without_a_clear_plate_the_page_asks_for_it(world: World, mona: Browser) -> None:
    attempt = world.attempt(AttemptState.FINISHED)
    send(mona, f"/printers/attempts/{attempt.id}/count", good="4")
    text = mona.get(page(world.printer)).text
    assert "Something lies on the plate" in text
    assert "Clear the build plate, then tell us" in mona.get("/printers").text
    plate = f"{page(world.printer)}/plate"
    assert send(mona, plate).status_code == 302
    before = changes(world)
    assert send(mona, plate).status_code == 409
    assert changes(world) == before


def test_nobody_says_by_mistake_that_the_plate_is_clear(world: World, mona: Browser) -> None:
    world.attempt(AttemptState.FINISHED)
    assert not re.search(r'id="clear"[^>]* checked', mona.get(page(world.printer)).text)


def test_nothing_good_makes_no_lot(world: World, mona: Browser) -> None:
    attempt = world.attempt(AttemptState.FINISHED)
    send(mona, f"/printers/attempts/{attempt.id}/count", good="0", clear="yes")
    assert world.all(Lot) == []
    assert "We print new ones" in mona.get(page(world.printer)).text


@pytest.mark.parametrize("typed", ["", "-1", "5", "two", "2.5", "1_0", "9" * 5000, "+", "NaN", "٣x"])
def test_a_count_that_can_not_be_is_refused_and_kept(world: World, mona: Browser, typed: str) -> None:
    attempt = world.attempt(AttemptState.FINISHED)
    before = changes(world)
    refused = send(mona, f"/printers/attempts/{attempt.id}/count", good=typed)
    assert refused.status_code == 400
    assert "from 0 to the number that was printed" in refused.text
    assert '<a href="#good">' in refused.text
    assert f'value="{typed}"' in refused.text
    assert not re.search(r'id="clear"[^>]* checked', refused.text)  # as it was sent
    assert "hx-trigger" not in refused.text
    assert changes(world) == before


def test_the_plate_can_not_be_clear_while_something_of_ours_is_on_it(world: World, mona: Browser) -> None:
    world.attempt(AttemptState.PRINTING)
    refused = send(mona, f"{page(world.printer)}/plate")
    assert refused.status_code == 400
    assert "Something of ours is still on this printer" in refused.text


def test_a_plate_that_was_forgotten_holds_up_an_accepted_job_no_longer_than_its_maker_likes(
    world: World, mona: Browser
) -> None:
    world.attempt(AttemptState.READY)
    world.seen(world.printer, Doing.PRINTING, file="vase.gcode", at=NOW.replace(minute=1))
    world.seen(world.printer, at=NOW.replace(minute=2))
    assert "The plate is clear" in mona.get(page(world.printer)).text
    assert send(mona, f"{page(world.printer)}/plate").status_code == 302


# Pause and resume


def test_a_printer_is_paused_and_resumed(world: World, mona: Browser) -> None:
    address = f"{page(world.printer)}/state"
    for change, state in (("pause", PrinterState.PAUSED), ("resume", PrinterState.ACTIVE)):
        assert send(mona, address, change=change).status_code == 302
        assert world.get(Printer, world.printer.id).state is state
        before = changes(world)
        assert send(mona, address, change=change).status_code == 409
        assert changes(world) == before


@pytest.mark.parametrize("where", ["state", "offer", "question"])
def test_an_answer_that_no_button_sends_is_refused(world: World, mona: Browser, where: str) -> None:
    attempt = asks(world, AttemptState.OFFERED)
    address = page(world.printer) if where == "state" else f"/printers/attempts/{attempt.id}"
    before = changes(world)
    for fields in ({}, {"change": "retire", "answer": "maybe"}):
        assert send(mona, f"{address}/{where}", **fields).status_code == 400
    assert changes(world) == before


# Others


@pytest.mark.parametrize("state", [AttemptState.OFFERED, AttemptState.IN_DOUBT, AttemptState.FINISHED])
def test_nobody_acts_on_anothers_printer(world: World, other: Browser, state: AttemptState) -> None:
    attempt = asks(world, state)
    before = changes(world)
    assert other.get("/printers").status_code == 200
    assert world.printer.name not in other.get("/printers").text
    for part in ("", "/now", "/change"):
        assert other.get(page(world.printer) + part).status_code == 404
    for part, fields in (
        ("plate", {}),
        ("state", {"change": "pause"}),
        ("change", {**REGISTRATION}),
        ("retire", {}),
    ):
        assert send(other, f"{page(world.printer)}/{part}", **fields).status_code == 404
    for part, fields in (
        ("offer", {"answer": "accept"}),
        ("question", {"answer": "finished"}),
        ("count", {"good": "1", "clear": "yes"}),
        ("count", {"good": "nonsense"}),
    ):
        assert send(other, f"/printers/attempts/{attempt.id}/{part}", **fields).status_code == 404
    assert changes(world) == before
    assert world.get(Printer, world.printer.id) == world.printer or state is AttemptState.OFFERED


def test_a_dispatcher_or_administrator_who_prints_too_acts_on_no_others_printer(house: House, world: World) -> None:
    house.add_person("Both", (world.hub, Role.DISPATCHER), (world.hub, Role.MAKER), (world.hub, Role.ADMIN))
    attempt = world.attempt(AttemptState.FINISHED)
    both = house.signed_in("both")
    assert both.get(page(world.printer)).status_code == 404
    assert send(both, f"/printers/attempts/{attempt.id}/count", good="1").status_code == 404
    assert world.get(Attempt, attempt.id).state is AttemptState.FINISHED


# Registering


def registered(world: World) -> Printer:
    return next(printer for printer in world.all(Printer) if printer.id != world.printer.id)


def test_a_printer_is_registered(house: House, world: World, mona: Browser) -> None:
    done = send(mona, "/printers/new?link=direct", **REGISTRATION, clear="yes")
    mine = registered(world)
    assert done.headers["Location"] == page(mine)
    assert (mine.name, mine.hub_id, mine.owner_id) == ("Prusa in the cellar", world.hub.id, world.maker.id)
    assert (mine.url, mine.consent, mine.state) == ("http://octopi.local", Consent.ASK, PrinterState.UNCHECKED)
    assert world.key_box.open(mine.encrypted_key, printers.key_place(mine.id)) == REGISTRATION["key"]
    assert house.nudged == ["ask_for_keys", "check_printers"]


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", LONG),
        ("profile", ""),
        ("profile", "no-such-model"),
        ("material", ""),
        ("material", "ABS<script>"),
        ("colour", "c" * 33),
        ("url", ""),
        ("url", "ftp://octopi.local"),
        ("url", "http://"),
        ("url", "javascript:alert(1)"),
        ("key", "short"),
        ("key", "has a blank"),
        ("key", "schlüssel-1234"),
        ("hub", "no-such-hub"),
        ("hub", str(UUID(int=0))),
    ],
)
def test_each_bad_field_is_named_and_the_others_are_kept(world: World, mona: Browser, field: str, typed: str) -> None:
    refused = send(mona, "/printers/new?link=direct", **{**REGISTRATION, field: typed}, automatic="yes", clear="yes")
    assert refused.status_code == 400
    assert f'<a href="#{field}">' in refused.text
    assert f'id="{field}-error"' in refused.text
    assert refused.text.count('<a href="#') == 1
    for name, kept in REGISTRATION.items():
        if name in ("profile", "material"):
            assert name == field or f'<option value="{kept}" selected>' in refused.text
        else:
            assert name == field or f'value="{kept}"' in refused.text
    for box in ("automatic", "clear"):
        assert re.search(rf'id="{box}"[^>]* checked', refused.text)
    assert "<script>" not in refused.text.split("<main")[1]
    assert len(world.all(Printer)) == 1


def test_everything_that_is_wrong_is_said_at_once(mona: Browser) -> None:
    refused = send(mona, "/printers/new?link=direct", hub="nowhere")
    assert [name for name in re.findall(r'<a href="#([a-z]+)">', refused.text) if name != "main"] == [
        "name",
        "profile",
        "url",
        "hub",
    ]


def test_a_maker_of_two_hubs_chooses_one(house: House, world: World) -> None:
    second = house.add_hub("Second Hub")
    house.add_person("Twice", (world.hub, Role.MAKER), (second, Role.MAKER))
    twice = house.signed_in("twice")
    assert 'name="hub"' in twice.get("/printers/new?link=direct").text
    assert send(twice, "/printers/new?link=direct", **REGISTRATION).status_code == 400
    assert send(twice, "/printers/new?link=direct", **REGISTRATION, hub=str(second.id)).status_code == 302
    assert registered(world).hub_id == second.id


def test_a_hub_of_which_one_is_no_maker_can_not_be_chosen(house: House, world: World, mona: Browser) -> None:
    other = house.add_hub("Other Hub")
    assert send(mona, "/printers/new?link=direct", **REGISTRATION, hub=str(other.id)).status_code == 400
    assert len(world.all(Printer)) == 1


def test_a_maker_of_no_hub_is_told_so(house: House, world: World) -> None:
    house.add_person("Lost", (world.care_home, Role.MAKER))
    lost = house.signed_in("lost")
    assert "You belong to no hub yet" in lost.get("/printers/new").text
    assert send(lost, "/printers/new", **REGISTRATION).status_code == 400


# Changing and taking back


def change(browser: Browser, printer: Printer, **fields: str) -> TestResponse:
    kept = {"name": "Mona's", "material": "PETG", "url": "http://octopi.local"}
    return send(browser, f"{page(printer)}/change", **{**kept, **fields})


def test_the_form_of_a_change_shows_what_holds_and_no_key(world: World, mona: Browser) -> None:
    text = mona.get(f"{page(world.printer)}/change").text
    assert 'value="Mona&#39;s"' in text
    assert '<option value="PETG" selected>' in text
    assert re.search(r'id="automatic"[^>]* checked', text)
    assert re.search(r'id="key"[^>]* value=""', text)
    assert "0123456789ABCDEF" not in text


def test_a_change_keeps_the_key_and_is_not_checked_again(world: World, mona: Browser) -> None:
    assert change(mona, world.printer, name="Mona 2", material="PLA", colour="red").status_code == 302
    mine = world.get(Printer, world.printer.id)
    assert (mine.name, mine.material, mine.colour, mine.consent) == ("Mona 2", "PLA", "red", Consent.ASK)
    assert (mine.state, mine.encrypted_key) == (PrinterState.ACTIVE, world.printer.encrypted_key)


@pytest.mark.parametrize("fields", [{"key": "another-key-0001"}, {"url": "http://other.local"}])
def test_a_new_key_or_address_is_checked(house: House, world: World, mona: Browser, fields: dict[str, str]) -> None:
    assert change(mona, world.printer, **fields).status_code == 302
    mine = world.get(Printer, world.printer.id)
    assert mine.state is PrinterState.UNCHECKED
    key = world.key_box.open(mine.encrypted_key, printers.key_place(mine.id))
    assert key == fields.get("key", "0123456789ABCDEF0123456789ABCDEF")
    assert house.nudged == ["check_printers"]


@pytest.mark.parametrize(
    ("field", "typed"), [("name", ""), ("material", "Wood"), ("colour", "c" * 33), ("url", "nowhere"), ("key", "short")]
)
def test_each_bad_field_of_a_change_is_named(world: World, mona: Browser, field: str, typed: str) -> None:
    refused = change(mona, world.printer, **{field: typed})
    assert refused.status_code == 400
    assert f'id="{field}-error"' in refused.text
    assert world.get(Printer, world.printer.id) == world.printer


def test_what_a_print_of_ours_rests_on_is_not_changed_under_it(world: World, mona: Browser) -> None:
    world.attempt(AttemptState.PREPARING)
    for fields in ({"material": "PLA"}, {"url": "http://other.local"}, {"key": "another-key-0001"}):
        refused = change(mona, world.printer, **fields)
        assert refused.status_code == 400
        assert "A print of ours waits for this printer" in refused.text
    assert send(mona, f"{page(world.printer)}/retire").status_code == 400
    assert world.get(Printer, world.printer.id) == world.printer
    assert change(mona, world.printer, name="New name").status_code == 302


def test_a_printer_that_was_taken_back_is_gone_with_its_key(world: World, mona: Browser) -> None:
    assert send(mona, f"{page(world.printer)}/retire").headers["Location"] == "/printers"
    mine = world.get(Printer, world.printer.id)
    assert (mine.state, mine.encrypted_key) == (PrinterState.RETIRED, b"")
    assert world.printer.name not in mona.get("/printers/now").text
    assert mona.get(page(world.printer)).status_code == 404
    assert send(mona, f"{page(world.printer)}/retire").status_code == 404


def test_names_are_escaped(world: World, mona: Browser) -> None:
    change(mona, world.printer, name="<script>alert(1)</script>")
    for address in ("/printers", page(world.printer), f"{page(world.printer)}/change"):
        assert "<script>alert" not in mona.get(address).text


def test_text_that_no_database_keeps_is_refused(world: World, mona: Browser) -> None:
    assert change(mona, world.printer, name="Mona\0").status_code == 400
    assert mona.get("/printers?x=%00").status_code == 400
    assert world.get(Printer, world.printer.id) == world.printer


def test_every_maker_prints_under_a_reference_and_not_a_name(world: World, mona: Browser) -> None:
    world.lot_at_maker()
    assert str(world.get(Person, world.maker.id).maker_reference) not in mona.get("/printers").text
