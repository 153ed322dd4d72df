"""The contract of a start journal, held by the hub's own on both databases."""

import dataclasses
from collections.abc import Callable
from uuid import uuid4

import pytest
from builders import NOW, POLICY, World, at_once, later
from sqlmodel import select

from makerhub.fleet.gateway import Connection
from makerhub.fleet.verdict import Attempt as Sending
from makerhub.fleet.verdict import Outcome, Reason, Verdict
from makerhub.people import homes
from makerhub.people.quiet_hours import QuietHours
from makerhub.printers import service as printers
from makerhub.printers.models import BuildPlate, Consent, PlateState, Printer
from makerhub.production import service
from makerhub.production.journal import HubJournal
from makerhub.production.models import LIVE, ON_THE_PRINTER, Attempt, AttemptState, JobState, PrintJob
from makerhub.stock import service as stock

STARTED = Verdict(Outcome.STARTED, Reason.PRINTING)
NOT_STARTED = Verdict(Outcome.NOT_STARTED, Reason.NOT_BEGUN)
DONE = Verdict(Outcome.DONE, Reason.PRINTED)
FAILED = Verdict(Outcome.FAILED, Reason.PRINT_FAILED)
ASK_HUMAN = Verdict(Outcome.ASK_HUMAN, Reason.NO_HISTORY)


@pytest.fixture
def journal(world: World) -> HubJournal:
    return HubJournal(world.database, POLICY)


def sending(world: World, attempt: Attempt) -> Sending:
    row = world.get(Attempt, attempt.id)
    return Sending(
        id=row.id,
        connection=Connection("http://octopi.local", "key"),
        file_name=row.file_name,
        size=10,
        sha1="",
        sent_at=row.sent_at,
        sends=row.sends,
    )


def plate(world: World) -> PlateState:
    with world.database.reading() as session:
        return session.exec(select(BuildPlate).where(BuildPlate.printer_id == world.printer.id)).one().state


def pause(world: World) -> None:
    with world.database.changing() as session:
        printers.pause(session, session.get_one(Printer, world.printer.id), by=world.maker.id, now=NOW)


def withdraw_design(world: World) -> None:
    world.withdraw(world.headband)


def test_a_first_sending_is_counted_and_dated(world: World, journal: HubJournal) -> None:
    attempt = world.attempt()
    assert journal.sending(sending(world, attempt), later(seconds=1))
    row = world.get(Attempt, attempt.id)
    assert (row.state, row.sends, row.sent_at) == (AttemptState.SENDING, 1, later(seconds=1))
    assert plate(world) is PlateState.OCCUPIED


def test_a_later_sending_is_counted_and_keeps_the_date_of_the_first(world: World, journal: HubJournal) -> None:
    attempt = world.attempt(AttemptState.SENDING)
    assert journal.sending(sending(world, attempt), later(seconds=30))
    row = world.get(Attempt, attempt.id)
    assert (row.state, row.sends, row.sent_at) == (AttemptState.SENDING, 2, NOW)


@pytest.mark.parametrize("state", [AttemptState.READY, AttemptState.SENDING])
def test_of_many_who_send_at_once_exactly_one_may(world: World, journal: HubJournal, state: AttemptState) -> None:
    attempt = sending(world, world.attempt(state))
    claims = at_once(*[lambda: journal.sending(attempt, NOW)] * 12)
    assert sorted(claims, key=str) == [False] * 11 + [True]
    assert world.get(Attempt, attempt.id).sends == attempt.sends + 1


@pytest.mark.parametrize("sends", [1, 5, -1])
def test_a_sending_that_counted_otherwise_is_refused(world: World, journal: HubJournal, sends: int) -> None:
    attempt = world.attempt()
    assert not journal.sending(dataclasses.replace(sending(world, attempt), sends=sends), NOW)
    row = world.get(Attempt, attempt.id)
    assert (row.state, row.sends, row.sent_at) == (AttemptState.READY, 0, None)
    assert plate(world) is PlateState.CLEAR


@pytest.mark.parametrize("state", sorted(set(AttemptState) - {AttemptState.READY, AttemptState.SENDING}))
def test_an_attempt_that_is_over_or_not_ready_is_not_sent_and_not_changed(
    world: World, journal: HubJournal, state: AttemptState
) -> None:
    attempt = in_state(world, state)
    before = world.get(Attempt, attempt.id).model_dump()
    assert not journal.sending(sending(world, attempt), NOW)
    assert world.get(Attempt, attempt.id).model_dump() == before


def in_state(world: World, state: AttemptState) -> Attempt:
    if state is AttemptState.WITHDRAWN:
        attempt = world.attempt(AttemptState.PREPARING)
        with world.database.changing() as session:
            service.withdraw(session, session.get_one(Attempt, attempt.id), why="late", now=NOW)
    elif state is AttemptState.COUNTED:
        attempt = world.attempt(AttemptState.FINISHED)
        with world.database.changing() as session:
            row = session.get_one(Attempt, attempt.id)
            stock.count_print(session, row, good=4, by=world.maker.id, now=NOW)
    elif state is AttemptState.OFFERED:
        with world.database.changing() as session:
            session.get_one(Printer, world.printer.id).consent = Consent.ASK
        attempt = world.attempt(state)
    else:
        attempt = world.attempt(state)
    assert world.get(Attempt, attempt.id).state is state
    return attempt


@pytest.mark.parametrize("state", [AttemptState.READY, AttemptState.SENDING])
@pytest.mark.parametrize("obstacle", [pause, withdraw_design])
def test_for_a_withdrawn_design_and_a_paused_printer_nothing_is_sent(
    world: World, journal: HubJournal, state: AttemptState, obstacle: Callable[[World], None]
) -> None:
    attempt = world.attempt(state)
    before = world.get(Attempt, attempt.id).model_dump(), plate(world)
    obstacle(world)
    assert not journal.sending(sending(world, attempt), NOW)
    assert (world.get(Attempt, attempt.id).model_dump(), plate(world)) == before


def test_nothing_is_sent_to_an_occupied_plate(world: World, journal: HubJournal) -> None:
    attempt = world.attempt(printer=world.add_printer("Occupied", plate_is_clear=False))
    assert not journal.sending(sending(world, attempt), NOW)
    assert world.get(Attempt, attempt.id).sends == 0


def test_a_file_that_was_seen_is_remembered_for_ever(world: World, journal: HubJournal) -> None:
    attempt = world.attempt(AttemptState.SENDING)
    for _ in range(2):
        journal.file_seen(attempt.id)
        assert world.get(Attempt, attempt.id).file_seen
    journal.conclude(attempt.id, DONE, NOW)
    assert world.get(Attempt, attempt.id).file_seen


def test_since_when_it_is_quiet_is_remembered_and_forgotten(world: World, journal: HubJournal) -> None:
    attempt = world.attempt(AttemptState.SENDING)
    for since in (later(minutes=1), later(minutes=1), None, None):
        journal.quiet(attempt.id, since)
        assert world.get(Attempt, attempt.id).quiet_since == since


RECORDED = [
    (STARTED, AttemptState.PRINTING, JobState.ASSIGNED, PlateState.OCCUPIED),
    (DONE, AttemptState.FINISHED, JobState.ASSIGNED, PlateState.OCCUPIED),
    (FAILED, AttemptState.FAILED, JobState.QUEUED, PlateState.OCCUPIED),
    (NOT_STARTED, AttemptState.NOT_STARTED, JobState.QUEUED, PlateState.CLEAR),
    (ASK_HUMAN, AttemptState.IN_DOUBT, JobState.ASSIGNED, PlateState.OCCUPIED),
]


@pytest.mark.parametrize(
    ("state", "verdict", "end", "job", "left"),
    [
        (state, *recorded)
        for state in sorted(ON_THE_PRINTER)
        for recorded in RECORDED
        if (state, recorded[0]) != (AttemptState.PRINTING, NOT_STARTED)  # comes too late, see below
    ],
)
def test_a_verdict_is_recorded_whatever_was_known_before(
    world: World,
    journal: HubJournal,
    state: AttemptState,
    verdict: Verdict,
    end: AttemptState,
    job: JobState,
    left: PlateState,
) -> None:
    attempt = world.attempt(state)
    for _ in range(2):  # the second time changes nothing
        journal.conclude(attempt.id, verdict, later(minutes=1))
        row = world.get(Attempt, attempt.id)
        assert (row.state, world.get(PrintJob, row.job_id).state, plate(world)) == (end, job, left)
        assert row.doubt == ("no_history" if end is AttemptState.IN_DOUBT else "")


def test_that_it_never_started_is_not_believed_of_what_was_seen_printing(world: World, journal: HubJournal) -> None:
    attempt = world.attempt(AttemptState.PRINTING)
    journal.conclude(attempt.id, NOT_STARTED, NOW)
    assert world.get(Attempt, attempt.id).state is AttemptState.PRINTING
    assert plate(world) is PlateState.OCCUPIED


@pytest.mark.parametrize("state", sorted(set(AttemptState) - ON_THE_PRINTER))
@pytest.mark.parametrize("verdict", [STARTED, NOT_STARTED, DONE, FAILED, ASK_HUMAN])
def test_a_verdict_that_comes_too_late_changes_nothing(
    world: World, journal: HubJournal, state: AttemptState, verdict: Verdict
) -> None:
    attempt = in_state(world, state)
    before = world.get(Attempt, attempt.id).model_dump(), plate(world)
    journal.conclude(attempt.id, verdict, later(minutes=1))
    assert (world.get(Attempt, attempt.id).model_dump(), plate(world)) == before


def test_what_was_in_doubt_and_is_seen_printing_prints(world: World, journal: HubJournal) -> None:
    attempt = world.attempt(AttemptState.SENDING)
    journal.conclude(attempt.id, ASK_HUMAN, later(minutes=2))
    journal.conclude(attempt.id, STARTED, later(minutes=3))
    row = world.get(Attempt, attempt.id)
    assert (row.state, row.doubt, row.started_at, row.ended_at) == (
        AttemptState.PRINTING,
        "",
        later(minutes=3),
        None,
    )


def test_many_verdicts_at_once_leave_one_outcome(world: World, journal: HubJournal) -> None:
    attempt = world.attempt(AttemptState.PRINTING)
    verdicts = [DONE, FAILED, ASK_HUMAN, STARTED] * 3
    results = at_once(*[lambda verdict=verdict: journal.conclude(attempt.id, verdict, NOW) for verdict in verdicts])
    assert results == [None] * 12
    row = world.get(Attempt, attempt.id)
    assert row.state in {AttemptState.FINISHED, AttemptState.FAILED}
    assert world.get(PrintJob, row.job_id).state is (JobState.ASSIGNED if row.state in LIVE else JobState.QUEUED)


def test_an_unknown_attempt_is_an_error(world: World, journal: HubJournal) -> None:
    unknown = dataclasses.replace(sending(world, world.attempt()), id=uuid4())
    with pytest.raises(Exception, match="No row was found"):
        journal.sending(unknown, NOW)


@pytest.mark.parametrize(
    ("consent", "begins", "starts"),
    [
        (Consent.AUTOMATIC, 8, False),
        (Consent.AUTOMATIC, 9, False),
        (Consent.AUTOMATIC, 10, True),
        (Consent.ASK, 8, True),
    ],
    ids=["automatic", "at the first minute", "outside", "the maker said yes"],
)
def test_in_quiet_hours_no_print_begins_by_itself(
    world: World, journal: HubJournal, consent: Consent, begins: int, starts: bool
) -> None:
    attempt = world.attempt()
    with world.database.changing() as session:
        session.get_one(Printer, world.printer.id).consent = consent
        homes.set_quiet_hours(session, world.maker.id, QuietHours(begins * 60, 12 * 60), now=NOW)
    assert journal.sending(sending(world, attempt), later(seconds=1)) is starts
    assert world.get(Attempt, attempt.id).state is (AttemptState.SENDING if starts else AttemptState.READY)
    assert plate(world) is (PlateState.OCCUPIED if starts else PlateState.CLEAR)
