"""What an agent and its hub tell each other, whatever becomes of it on the way."""

from pathlib import Path

import msgspec
import pytest
from builders import World
from unit.agent.rehearsal import UNSAFE, Rehearsal, Time

from makerhub.agent.home import QuietHours, Rules
from makerhub.fleet.gateway import PrinterState as Doing
from makerhub.fleet.messages import LEASE_SECONDS, Unwilling
from makerhub.fleet.verdict import Reason
from makerhub.printers import agents
from makerhub.printers.agent_models import Agent
from makerhub.printers.models import Consent, Link, Observation, PlateState, Printer, PrinterState
from makerhub.production import material
from makerhub.production import service as production
from makerhub.production.models import Attempt, AttemptState


@pytest.fixture
def home(world: World, tmp_path: Path) -> Rehearsal:
    rehearsal = Rehearsal(world, tmp_path)
    rehearsal.connect()
    return rehearsal


def started(home: Rehearsal) -> Attempt:
    attempt = home.ready()
    home.report()
    home.work()
    home.look()
    home.report()
    return attempt


def test_a_paired_printer_is_checked_there_and_heard_of(home: Rehearsal) -> None:
    printer = home.world.get(Printer, home.row.id)
    assert (printer.link, printer.state, printer.url, printer.encrypted_key) == (
        Link.AGENT,
        PrinterState.ACTIVE,
        "",
        b"",
    )
    with home.world.database.reading() as session:
        seen = session.get_one(Observation, home.row.id)
    assert (seen.state, seen.seen_at) == (Doing.OPERATIONAL, home.time.hub())


def test_a_ready_attempt_is_claimed_before_the_agent_hears_of_it_and_ends_counted_once(home: Rehearsal) -> None:
    attempt = home.ready()
    home.report()
    assert home.state(attempt) is AttemptState.SENDING
    assert home.attempt(attempt).agent_id == home.agent().id
    assert home.printer.prints == {}
    home.work()
    home.look()
    home.report()
    assert home.state(attempt) is AttemptState.PRINTING
    home.printer.finish()
    home.pass_by(60)
    home.look()
    home.work()
    home.report()
    assert home.state(attempt) is AttemptState.FINISHED
    assert home.printer.prints == {attempt.file_name: 1}


@pytest.mark.parametrize("fault", ["lost", "unanswered", "doubled", "held"])
@pytest.mark.parametrize("moment", ["hand-over", "start", "end"])
def test_whatever_becomes_of_one_report_the_next_one_makes_good(home: Rehearsal, fault: str, moment: str) -> None:
    attempt = home.ready()
    home.report(fault if moment == "hand-over" else "")
    home.report()
    home.work()
    home.look()
    home.report(fault if moment == "start" else "")
    home.report()
    assert home.state(attempt) is AttemptState.PRINTING
    home.printer.finish()
    home.look()
    home.work()
    home.report(fault if moment == "end" else "")
    home.report()
    assert home.state(attempt) is AttemptState.FINISHED
    for late in home.line.held:
        home.line.deliver(late)
    assert home.state(attempt) is AttemptState.FINISHED
    assert home.printer.prints == {attempt.file_name: 1}
    assert home.journal.news(home.clock())[0] == []


def test_a_late_report_does_not_turn_back_what_is_known(home: Rehearsal) -> None:
    home.printer.state = Doing.OFFLINE
    home.look()
    home.report("held")
    home.printer.state = Doing.OPERATIONAL
    home.look()
    home.report()
    home.line.deliver(home.line.held[0])
    with home.world.database.reading() as session:
        assert session.get_one(Observation, home.row.id).state == Doing.OPERATIONAL


def test_a_print_ends_while_the_hub_is_away_for_hours(home: Rehearsal) -> None:
    attempt = started(home)
    for _ in range(3):
        home.pass_by(3600)
        home.look()
        home.work()
        home.report("lost")
    home.printer.finish()
    home.look()
    home.work()
    ended = home.time.hub()
    home.pass_by(7200)
    home.boot()
    home.look()
    home.report()
    known = home.attempt(attempt)
    assert known.state is AttemptState.FINISHED
    assert known.ended_at == ended


def test_an_agent_that_does_not_reach_its_hub_begins_nothing_after_its_lease(home: Rehearsal) -> None:
    attempt = home.ready()
    home.report()
    home.pass_by(LEASE_SECONDS)
    home.work()
    assert home.printer.prints == {}
    home.pass_by(1)
    home.report()
    assert home.state(attempt) is AttemptState.NOT_STARTED  # it gave up, and says so


def test_after_a_restart_the_agent_begins_nothing_before_the_hub_has_spoken(home: Rehearsal) -> None:
    attempt = home.ready()
    home.report()
    home.boot()
    home.look()
    home.work()
    assert home.printer.prints == {}
    home.report()
    home.work()
    assert home.printer.prints == {attempt.file_name: 1}


def test_an_attempt_that_was_taken_back_is_not_begun(home: Rehearsal) -> None:
    attempt = home.ready()
    home.report("unanswered")
    with home.world.database.changing() as session:
        row = session.get_one(Attempt, attempt.id)
        outcome = production.Outcome(AttemptState.IN_DOUBT, doubt=Reason.AGENT_SILENT)
        production.end(session, row, outcome, now=home.time.hub())
        production.end(session, row, production.Outcome(AttemptState.NOT_STARTED), now=home.time.hub())
    home.report()
    home.work()
    assert home.printer.prints == {}


def test_a_wrong_clock_changes_no_time_at_the_hub(world: World, tmp_path: Path) -> None:
    home = Rehearsal(world, tmp_path, Time(wall_offset_s=-40 * 365 * 86_400))
    home.connect()
    attempt = started(home)
    home.time.wall_offset_s = 86_400
    home.pass_by(100)
    home.look()
    home.printer.finish()
    home.look()
    home.work()
    home.report()
    known = home.attempt(attempt)
    assert known.state is AttemptState.FINISHED
    assert known.ended_at == home.time.hub()
    with world.database.reading() as session:
        assert session.get_one(Observation, home.row.id).seen_at == home.time.hub()


def test_an_upload_that_was_lost_is_sent_again_but_not_by_a_computer_that_was_started_anew(home: Rehearsal) -> None:
    attempt = home.ready()
    home.report()
    home.printer.loses_upload = "request"
    home.work()
    assert home.state(attempt) is AttemptState.SENDING
    home.time.seconds = 10.0  # another run of the computer: the monotonic clock begins again
    home.time.wall_offset_s = 1000.0
    home.boot()
    home.printer.loses_upload = ""
    home.look()
    home.report()
    home.work()
    assert home.printer.prints == {}


def test_an_upload_that_was_lost_is_sent_again_within_two_minutes(home: Rehearsal) -> None:
    attempt = home.ready()
    home.report()
    home.printer.loses_upload = "request"
    home.work()
    home.printer.loses_upload = ""
    home.pass_by(30)
    home.boot()
    home.work()
    assert home.printer.prints == {attempt.file_name: 1}


def test_a_print_without_a_history_is_a_question_at_the_hub_and_its_answer_ends_the_story(home: Rehearsal) -> None:
    attempt = started(home)
    home.printer.finish(history=False)
    for _ in range(3):
        home.pass_by(40)
        home.look()
        home.work()
    home.report()
    known = home.attempt(attempt)
    assert (known.state, known.doubt) == (AttemptState.IN_DOUBT, Reason.NO_HISTORY)
    with home.world.database.changing() as session:
        row = session.get_one(Attempt, attempt.id)
        outcome = production.Outcome(AttemptState.FAILED, "the maker says that it failed")
        production.end(session, row, outcome, by=home.world.maker.id, now=home.time.hub())
    home.report()
    assert home.journal.entries() == []


def test_an_unsafe_file_is_refused_here_too(home: Rehearsal) -> None:
    attempt = home.ready(UNSAFE)
    home.report()
    home.work()
    home.report()
    assert home.printer.files == {}
    assert home.state(attempt) is AttemptState.NOT_STARTED
    with home.world.database.reading() as session:
        assert production.plate_of(session, home.row.id).state is PlateState.CLEAR


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        (Rules(paused=True, automatic=True), Unwilling.PAUSED),
        (Rules(automatic=True, quiet=QuietHours(0, 1439)), Unwilling.QUIET_HOURS),
        (Rules(automatic=False), Unwilling.NONE),
        (Rules(automatic=True, longest_minutes=10), Unwilling.NONE),
    ],
)
def test_the_owners_rules_keep_a_print_from_being_handed_over(home: Rehearsal, rules: Rules, why: Unwilling) -> None:
    attempt = home.ready()
    set_rules(home, rules)
    home.report()
    assert home.state(attempt) is AttemptState.READY
    assert home.link().unwilling == why
    set_rules(home, Rules(automatic=True))
    home.report()
    assert home.state(attempt) is AttemptState.SENDING


def test_rules_that_became_stricter_since_the_hand_over_hold(home: Rehearsal) -> None:
    attempt = home.ready()
    home.report()
    set_rules(home, Rules(paused=True, automatic=True))
    home.work()
    assert home.printer.prints == {}
    home.pass_by(301)
    home.work()
    home.report()
    assert home.state(attempt) is AttemptState.NOT_STARTED


def test_a_print_that_its_maker_accepted_begins_although_none_may_by_itself(home: Rehearsal) -> None:
    with home.world.database.changing() as session:
        session.get_one(Printer, home.row.id).consent = Consent.ASK
    set_rules(home, Rules(automatic=False))
    attempt = home.ready()
    home.report()
    home.work()
    assert home.printer.prints == {attempt.file_name: 1}


def test_a_revoked_token_is_refused_and_begins_nothing(home: Rehearsal) -> None:
    attempt = home.ready()
    home.report()
    with home.world.database.changing() as session:
        agents.revoke(session, session.get_one(Agent, home.agent().id), by=home.world.maker.id, now=home.time.hub())
    assert home.line.deliver(b'{"boot": 99, "sequence": 1}') is None
    home.situation.lose_permission()
    home.work()
    assert home.printer.prints == {}
    assert home.state(attempt) is AttemptState.SENDING


def test_another_agent_takes_over_a_running_print(home: Rehearsal) -> None:
    attempt = started(home)
    token = home.pair()
    home.journal.close()
    home.home.journal.unlink()  # the computer was replaced
    home.line.token = token
    home.boot()
    home.connect()
    home.printer.finish()
    home.look()
    home.work()
    home.report()
    assert home.state(attempt) is AttemptState.FINISHED
    assert home.printer.prints == {attempt.file_name: 1}


def test_an_agent_is_told_nothing_of_what_another_was_given_before_that_lease_is_over(home: Rehearsal) -> None:
    attempt = home.ready()
    home.report("unanswered")
    home.line.token = home.pair()
    home.journal.close()
    home.home.journal.unlink()
    home.boot()
    home.connect()
    assert home.journal.entries() == []
    home.pass_by(LEASE_SECONDS + 1)
    home.look()
    home.report()
    home.work()
    home.report()
    assert home.state(attempt) is AttemptState.IN_DOUBT
    assert home.printer.prints == {}


def test_two_processes_on_one_folder_do_not_both_begin(home: Rehearsal) -> None:
    home.ready()
    home.report()
    older = home.prints
    home.boot()
    home.run(older.look_once)
    assert home.printer.prints == {}


def test_a_journal_from_a_backup_goes_on_above_the_boots_that_the_hub_knows(home: Rehearsal) -> None:
    with home.world.database.changing() as session:
        session.get_one(Agent, home.agent().id).boot = 41
    home.report()
    attempt = home.ready()
    home.report()
    assert home.agent().boot == 42
    assert home.state(attempt) is AttemptState.SENDING


def test_a_hub_from_a_backup_is_told_again_what_it_forgot(home: Rehearsal) -> None:
    attempt = started(home)
    home.printer.finish()
    home.look()
    home.work()
    home.report()
    assert home.state(attempt) is AttemptState.FINISHED
    with home.world.database.changing() as session:
        session.get_one(Attempt, attempt.id).state = AttemptState.PRINTING
        session.get_one(Agent, home.agent().id).sequence = 0
    home.report()
    home.report()
    assert home.state(attempt) is AttemptState.FINISHED


def test_an_agent_sees_only_its_own_printers(home: Rehearsal) -> None:
    other = home.world.add_printer("Olga's")
    report = f'{{"boot": 9, "sequence": 9, "printers": [{{"printer_id": "{other.id}", "seen": {{"age_s": 0}}}}]}}'
    reply = home.line.deliver(report.encode())
    assert reply is not None
    assert reply.printers == [home.row.id]
    with home.world.database.reading() as session:
        assert session.get(Observation, other.id) is None


def set_rules(home: Rehearsal, rules: Rules) -> None:
    home.home.write(msgspec.structs.replace(home.home.read(), rules=rules))
    home.run(home.situation.refresh)


def test_a_print_for_which_the_spool_is_not_enough_waits_for_its_maker(
    home: Rehearsal, caplog: pytest.LogCaptureFixture
) -> None:
    home.connect()
    home.world.spool(1, on=home.row)
    attempt = home.ready()
    home.report()
    assert home.state(attempt) is AttemptState.READY
    assert "could not be applied" not in caplog.text
    with home.world.database.changing() as session:
        material.print_anyway(session, session.get_one(Attempt, attempt.id))
    home.report()
    assert home.state(attempt) is AttemptState.SENDING
