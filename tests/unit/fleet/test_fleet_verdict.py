"""The rules of the start protocol, row by row."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from makerhub.fleet.gateway import Connection, FileReport, JobReport, PrinterState, Trouble, UploadResult
from makerhub.fleet.verdict import (
    SEND_WINDOW,
    SETTLING,
    Attempt,
    Outcome,
    Reason,
    Sight,
    Verdict,
    decide,
    decide_before_sending,
    decide_by_upload,
)

SENT_AT = datetime(2030, 5, 1, 12, 0, tzinfo=UTC)
SOON = SENT_AT + timedelta(seconds=30)
LATE = SENT_AT + 2 * SEND_WINDOW + timedelta(seconds=1)

ATTEMPT = Attempt(
    id=UUID(int=1),
    connection=Connection("http://octopi.local", "secret"),
    file_name="7f-1.gcode",
    size=1000,
    sha1="aa" * 20,
    sent_at=SENT_AT,
    sends=1,
)
SEEN = replace(ATTEMPT, file_seen=True)
SETTLED = replace(SEEN, quiet_since=SOON - SETTLING)

IDLE = JobReport(PrinterState.OPERATIONAL)
OFFLINE = JobReport(PrinterState.OFFLINE)
BROKEN = JobReport(PrinterState.ERROR, error="MINTEMP")
OTHERS = JobReport(PrinterState.PRINTING, 40.0, "vase.gcode")
OURS = JobReport(PrinterState.PRINTING, 40.0, "makerhub/7f-1.gcode")
OVER = JobReport(PrinterState.OPERATIONAL, 100.0, "makerhub/7f-1.gcode")
CANCELLED = JobReport(PrinterState.OPERATIONAL, None, "makerhub/7f-1.gcode")

WHOLE = FileReport(1000, "aa" * 20)
EMPTY = FileReport(0, "da" * 20)
OTHER_BYTES = FileReport(1000, "bb" * 20)
PRINTED = replace(WHOLE, successes=1)
FAILED = replace(WHOLE, failures=1)


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        (IDLE, None),
        (OVER, None),
        (OTHERS, (Outcome.NOT_SENT, Reason.PRINTER_BUSY)),
        (JobReport(PrinterState.FINISHING, 100.0, "vase.gcode"), (Outcome.NOT_SENT, Reason.PRINTER_BUSY)),
        (OFFLINE, (Outcome.NOT_SENT, Reason.PRINTER_OFFLINE)),
        (BROKEN, (Outcome.NOT_SENT, Reason.PRINTER_OFFLINE)),
        (JobReport(PrinterState.UNKNOWN), (Outcome.NOT_SENT, Reason.PRINTER_OFFLINE)),
        (Trouble.TIMED_OUT, (Outcome.NOT_SENT, Reason.PRINTER_TROUBLE)),
    ],
)
def test_only_an_operational_printer_is_sent_a_file(
    job: JobReport | Trouble, expected: tuple[Outcome, Reason] | None
) -> None:
    verdict = decide_before_sending(job)
    assert (verdict and (verdict.outcome, verdict.reason)) == expected


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (UploadResult(effective_print=True), Verdict(Outcome.STARTED, Reason.PRINTING)),
        (UploadResult(effective_print=False), Verdict(Outcome.NOT_STARTED, Reason.NOT_BEGUN)),
        *((trouble, Verdict(Outcome.WAIT, Reason.PRINTER_TROUBLE, trouble)) for trouble in Trouble),
    ],
)
def test_only_a_clear_answer_to_an_upload_concludes(result: UploadResult | Trouble, expected: Verdict) -> None:
    assert decide_by_upload(result) == expected


ROWS = {
    "printing ours": (ATTEMPT, Sight(OURS), SOON, Outcome.STARTED, Reason.PRINTING),
    "paused is under way": (
        SEEN,
        Sight(replace(OURS, state=PrinterState.PAUSED)),
        LATE,
        Outcome.STARTED,
        Reason.PRINTING,
    ),
    "cancelling still moves": (
        SEEN,
        Sight(replace(OURS, state=PrinterState.CANCELLING)),
        LATE,
        Outcome.STARTED,
        Reason.PRINTING,
    ),
    "printing again after an end is under way": (
        SEEN,
        Sight(OURS, PRINTED),
        LATE,
        Outcome.STARTED,
        Reason.PRINTING,
    ),
    "no answer about the job": (ATTEMPT, Sight(Trouble.TIMED_OUT), LATE, Outcome.WAIT, Reason.PRINTER_TROUBLE),
    "no answer about the file": (
        ATTEMPT,
        Sight(IDLE, Trouble.KEY_REFUSED),
        LATE,
        Outcome.WAIT,
        Reason.PRINTER_TROUBLE,
    ),
    "never arrived, soon": (ATTEMPT, Sight(IDLE), SOON, Outcome.SEND_AGAIN, Reason.NOT_ARRIVED),
    "never arrived, at the window's end": (
        ATTEMPT,
        Sight(IDLE),
        SENT_AT + SEND_WINDOW,
        Outcome.SEND_AGAIN,
        Reason.NOT_ARRIVED,
    ),
    "never arrived, but a sending may be under way": (
        ATTEMPT,
        Sight(IDLE),
        SENT_AT + SEND_WINDOW + timedelta(seconds=1),
        Outcome.WAIT,
        Reason.NOT_ARRIVED,
    ),
    "never arrived, too late": (ATTEMPT, Sight(IDLE), LATE, Outcome.ASK_HUMAN, Reason.FILE_GONE),
    "never arrived, the clock was set back": (
        ATTEMPT,
        Sight(IDLE),
        SENT_AT - timedelta(hours=1),
        Outcome.ASK_HUMAN,
        Reason.FILE_GONE,
    ),
    "never arrived, the printer is busy": (ATTEMPT, Sight(OTHERS), SOON, Outcome.WAIT, Reason.PRINTER_BUSY),
    "never arrived, the printer is offline": (ATTEMPT, Sight(OFFLINE), SOON, Outcome.WAIT, Reason.PRINTER_OFFLINE),
    "never arrived, offline and too late": (ATTEMPT, Sight(OFFLINE), LATE, Outcome.ASK_HUMAN, Reason.FILE_GONE),
    "gone after it was seen": (SEEN, Sight(IDLE), LATE, Outcome.ASK_HUMAN, Reason.FILE_GONE),
    "gone after it was seen, soon: not sent again": (SEEN, Sight(IDLE), SOON, Outcome.WAIT, Reason.NOT_ARRIVED),
    "gone after something of it was seen": (
        replace(ATTEMPT, quiet_since=SENT_AT),
        Sight(IDLE),
        SOON,
        Outcome.WAIT,
        Reason.NOT_ARRIVED,
    ),
    "an empty file, just now": (ATTEMPT, Sight(IDLE, EMPTY), SOON, Outcome.WAIT, Reason.SETTLING),
    "an empty file, still": (
        replace(ATTEMPT, quiet_since=SOON - SETTLING),
        Sight(IDLE, EMPTY),
        SOON,
        Outcome.NOT_STARTED,
        Reason.DAMAGED,
    ),
    "other bytes of the same size, still": (
        replace(ATTEMPT, quiet_since=SOON - SETTLING),
        Sight(IDLE, OTHER_BYTES),
        SOON,
        Outcome.NOT_STARTED,
        Reason.DAMAGED,
    ),
    "other bytes after ours were seen": (
        SETTLED,
        Sight(IDLE, OTHER_BYTES),
        SOON,
        Outcome.ASK_HUMAN,
        Reason.FILE_REPLACED,
    ),
    "other bytes that were printed": (
        ATTEMPT,
        Sight(IDLE, replace(OTHER_BYTES, successes=1)),
        SOON,
        Outcome.ASK_HUMAN,
        Reason.FILE_REPLACED,
    ),
    "printed": (SEEN, Sight(OVER, PRINTED), LATE, Outcome.DONE, Reason.PRINTED),
    "printed, though the answer to the upload was lost": (
        ATTEMPT,
        Sight(OVER, PRINTED),
        SOON,
        Outcome.DONE,
        Reason.PRINTED,
    ),
    "printed, then the printer went off": (SEEN, Sight(OFFLINE, PRINTED), LATE, Outcome.DONE, Reason.PRINTED),
    "printed, then the maker's own job": (SEEN, Sight(OTHERS, PRINTED), LATE, Outcome.DONE, Reason.PRINTED),
    "printed once and cancelled once": (
        SEEN,
        Sight(IDLE, replace(PRINTED, failures=1)),
        LATE,
        Outcome.DONE,
        Reason.PRINTED,
    ),
    "cancelled by the owner": (SEEN, Sight(CANCELLED, FAILED), LATE, Outcome.FAILED, Reason.PRINT_FAILED),
    "failed with an error": (SEEN, Sight(BROKEN, FAILED), LATE, Outcome.FAILED, Reason.PRINT_FAILED),
    "no history yet": (SEEN, Sight(OVER, WHOLE), LATE, Outcome.WAIT, Reason.SETTLING),
    "no history after a while": (SETTLED, Sight(IDLE, WHOLE), SOON, Outcome.ASK_HUMAN, Reason.NO_HISTORY),
    "no history, an instant before the while is over": (
        SETTLED,
        Sight(IDLE, WHOLE),
        SOON - timedelta(seconds=1),
        Outcome.WAIT,
        Reason.SETTLING,
    ),
    "no history, and the maker's own job": (SETTLED, Sight(OTHERS, WHOLE), SOON, Outcome.ASK_HUMAN, Reason.NO_HISTORY),
    "no history, offline: nothing concluded": (
        SETTLED,
        Sight(OFFLINE, WHOLE),
        LATE,
        Outcome.WAIT,
        Reason.PRINTER_OFFLINE,
    ),
    "no history, an error while paused": (SETTLED, Sight(BROKEN, WHOLE), LATE, Outcome.WAIT, Reason.PRINTER_OFFLINE),
    "no history, printing what we can not name": (
        SETTLED,
        Sight(JobReport(PrinterState.PRINTING), WHOLE),
        SOON,
        Outcome.WAIT,
        Reason.PRINTER_OFFLINE,
    ),
    "a server that tells no hash": (SEEN, Sight(OVER, replace(PRINTED, sha1=None)), LATE, Outcome.DONE, Reason.PRINTED),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_is_seen_of_an_attempt_means(name: str) -> None:
    attempt, sight, now, outcome, reason = ROWS[name]
    verdict = decide(attempt, sight, now)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_a_verdict_on_a_trouble_names_it() -> None:
    assert decide(ATTEMPT, Sight(IDLE, Trouble.SERVER_ERROR), SOON).trouble is Trouble.SERVER_ERROR


def test_a_file_of_our_name_elsewhere_is_not_ours() -> None:
    elsewhere = JobReport(PrinterState.PRINTING, 10.0, "7f-1.gcode")
    assert decide(ATTEMPT, Sight(elsewhere), SOON).outcome is Outcome.WAIT


@pytest.mark.parametrize(
    "name", ["", "a.gco", "../a.gcode", "a/b.gcode", "A.gcode", "a b.gcode", "a.gcode\n", "-.gcode"]
)
def test_a_start_token_is_a_plain_name(name: str) -> None:
    with pytest.raises(ValueError, match="not a start token"):
        replace(ATTEMPT, file_name=name)


@pytest.mark.parametrize("words", [*Trouble, *Reason])
def test_every_trouble_and_reason_has_a_sentence(words: Trouble | Reason) -> None:
    assert words.message.endswith((".", "?"))


def test_a_key_is_not_shown_when_a_connection_is_printed() -> None:
    assert "secret" not in repr(ATTEMPT)
