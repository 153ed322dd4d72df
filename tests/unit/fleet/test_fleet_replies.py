"""OctoPrint's replies, as they are and as they may be."""

from datetime import UTC, datetime

import pytest

from makerhub.fleet.gateway import (
    NEEDED,
    FileReport,
    JobReport,
    KeyReport,
    KeyVerdict,
    Permission,
    PrinterState,
    PrinterTrouble,
    Trouble,
)
from makerhub.fleet.replies import FileReply, JobReply, UserReply, VersionReply, parse

STATES = {
    "Offline": PrinterState.OFFLINE,
    "Opening serial connection": PrinterState.CONNECTING,
    "Detecting serial connection": PrinterState.CONNECTING,
    "Connecting": PrinterState.CONNECTING,
    "Operational": PrinterState.OPERATIONAL,
    "Starting": PrinterState.STARTING,
    "Starting print from SD": PrinterState.STARTING,
    "Printing": PrinterState.PRINTING,
    "Printing from SD": PrinterState.PRINTING,
    "Sending file to SD": PrinterState.PRINTING,
    "Transferring file to SD": PrinterState.PRINTING,
    "Pausing": PrinterState.PAUSING,
    "Paused": PrinterState.PAUSED,
    "Resuming": PrinterState.RESUMING,
    "Finishing": PrinterState.FINISHING,
    "Cancelling": PrinterState.CANCELLING,
    "Error": PrinterState.ERROR,
    "Error: MINTEMP triggered": PrinterState.ERROR,
    "Offline after error": PrinterState.ERROR,
    "Unknown State (17)": PrinterState.UNKNOWN,
    "": PrinterState.UNKNOWN,
}


@pytest.mark.parametrize("text", STATES)
def test_a_state_is_known_by_its_text(text: str) -> None:
    assert JobReply(state=text).report() == JobReport(STATES[text])


@pytest.mark.parametrize("body", [b'{"state": "Printing"}', b'{"state": "Printing", "job": null, "progress": null}'])
def test_what_is_missing_is_none(body: bytes) -> None:
    assert parse(body, JobReply).report() == JobReport(PrinterState.PRINTING)


def test_a_job_in_full() -> None:
    body = b"""{"state": "Printing", "error": null, "job": {"file": {"path": "makerhub/a.gcode"}, "user": 1},
        "progress": {"completion": 26.5, "filepos": 9, "printTime": 12, "printTimeLeft": 33.7}, "more": [1]}"""
    expected = JobReport(PrinterState.PRINTING, 26.5, "makerhub/a.gcode", print_time_s=12, print_time_left_s=33)
    assert parse(body, JobReply).report() == expected


def test_numbers_and_texts_are_bounded() -> None:
    body = b"""{"state": "Error", "error": "%s",
        "progress": {"completion": 1e300, "printTime": 1e300, "printTimeLeft": -5}}""" % (b"x" * 100_000)
    report = parse(body, JobReply).report()
    assert (report.completion, report.print_time_s, report.print_time_left_s) == (100.0, 2**31 - 1, 0)
    assert report.error == "x" * 200


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{}", FileReport(None, None)),
        (b'{"size": 34, "hash": "ab", "prints": null}', FileReport(34, "ab")),
        (b'{"size": 34, "prints": {"success": 2}}', FileReport(34, None, successes=2)),
        (b'{"prints": {"success": -1, "failure": 1, "last": null}}', FileReport(None, None, failures=1)),
        (b'{"prints": {"last": {"date": 1e300, "success": true}}}', FileReport(None, None, last_success=True)),
        (
            b'{"prints": {"failure": 1, "last": {"date": 0, "success": false}}}',
            FileReport(None, None, 0, 1, last_success=False, last_ended_at=datetime(1970, 1, 1, tzinfo=UTC)),
        ),
    ],
)
def test_a_file_and_its_history(body: bytes, expected: FileReport) -> None:
    assert parse(body, FileReply).report() == expected


def test_of_the_version_only_the_number_is_read() -> None:
    assert VersionReply("OctoPrint 1.11.8<script>").version() == "1.11.8"


def test_a_guest_has_no_key() -> None:
    with pytest.raises(PrinterTrouble) as caught:
        UserReply(name=None, permissions=["STATUS"]).report()
    assert caught.value.trouble is Trouble.KEY_REFUSED


def test_permissions_without_a_name_of_ours_are_left_out() -> None:
    assert UserReply("maker", ["STATUS", "PLUGIN_X_<b>"]).report() == KeyReport(frozenset({Permission.STATUS}))


@pytest.mark.parametrize(
    ("held", "verdict", "missing", "excess"),
    [
        (NEEDED, KeyVerdict.FITTING, [], []),
        (NEEDED - {Permission.PRINT}, KeyVerdict.TOO_WEAK, [Permission.PRINT], []),
        (
            NEEDED | {Permission.SETTINGS, Permission.CONTROL},
            KeyVerdict.TOO_MIGHTY,
            [],
            [Permission.SETTINGS, Permission.CONTROL],
        ),
        (
            NEEDED - {Permission.STATUS} | {Permission.WEBCAM},
            KeyVerdict.TOO_WEAK,
            [Permission.STATUS],
            [Permission.WEBCAM],
        ),
    ],
)
def test_a_key_should_do_what_is_needed_and_no_more(
    held: frozenset[Permission], verdict: KeyVerdict, missing: list[Permission], excess: list[Permission]
) -> None:
    report = KeyReport(held)
    assert (report.verdict, report.missing, report.excess) == (verdict, missing, excess)


@pytest.mark.parametrize("words", [*Permission, *KeyVerdict])
def test_every_permission_and_verdict_has_words(words: Permission | KeyVerdict) -> None:
    assert words.message
