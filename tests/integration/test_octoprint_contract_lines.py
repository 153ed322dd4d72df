"""Lines of a file that are orders to OctoPrint or its firmware: the same on a real OctoPrint and a simulated printer.

They are why the guard lets through only what it knows: whoever wrote the file would hold the printer.
"""

import pytest
from integration.octoprint_target import START, Target

from makerhub.gcode import plain_guard
from makerhub.gcode.limits import PrinterLimits

BEFORE, AFTER = b"G4 P100\n" * 5, b"G4 P100\n" * 20
CANCELS = [b"@cancel", b"@abort", b"M118 A1 action:cancel"]
PAUSES = [b"@pause", b"M118 A1 action:pause", b"M118 //action:pause", b"M0", b"M1", b"M25", b"M600"]
HARMLESS = [b"M118 A1 action:start", b"@nothing", b"M226"]
CLOSES = {b"M118 A1 action:disconnect": "Offline", b"M112": "Offline after error"}


async def begun(target: Target, line: bytes) -> None:
    reply = await target.upload("a.gcode", BEFORE + line + b"\n" + AFTER, **START)
    assert (reply.status, reply.body["effectivePrint"]) == (201, True)


@pytest.mark.parametrize("line", CANCELS)
async def test_a_line_that_cancels(octoprint_target: Target, line: bytes) -> None:
    await begun(octoprint_target, line)
    job = await octoprint_target.until("Operational")
    assert job["job"]["file"]["path"] == "makerhub/a.gcode"
    assert await octoprint_target.counts("a.gcode") == (0, 1)


async def test_after_an_order_to_octoprint_itself_the_progress_stays(octoprint_target: Target) -> None:
    """So neither a number nor its absence says that a print was cancelled: its history does."""
    await begun(octoprint_target, b"@cancel")
    job = await octoprint_target.until("Operational")
    assert 0 < job["progress"]["completion"] < 100


@pytest.mark.parametrize("line", PAUSES)
async def test_a_line_that_pauses(octoprint_target: Target, line: bytes) -> None:
    await begun(octoprint_target, line)
    job = await octoprint_target.until("Paused")
    assert 0 < job["progress"]["completion"] < 100
    assert await octoprint_target.history("a.gcode", within=0) is None
    assert await octoprint_target.command("pause", action="resume") == 204
    await octoprint_target.until("Operational")
    assert await octoprint_target.counts("a.gcode") == (1, 0)


@pytest.mark.parametrize("line", CLOSES)
async def test_a_line_that_takes_the_printer_away(octoprint_target: Target, line: bytes) -> None:
    await begun(octoprint_target, line)
    job = await octoprint_target.until(CLOSES[line])
    assert (job["progress"]["completion"], job["job"]["file"]["path"]) == (None, None)
    assert ("error" in job) is (line == b"M112")
    assert await octoprint_target.counts("a.gcode") == (0, 1)


@pytest.mark.parametrize("line", HARMLESS)
async def test_a_line_that_changes_nothing_while_it_prints(octoprint_target: Target, line: bytes) -> None:
    await begun(octoprint_target, line)
    await octoprint_target.until("Operational")
    assert await octoprint_target.counts("a.gcode") == (1, 0)


@pytest.mark.parametrize("line", [*CANCELS, *PAUSES, *CLOSES, *HARMLESS])
def test_the_guard_refuses_each_of_them(line: bytes) -> None:
    assert plain_guard.check(BEFORE + AFTER, LIMITS) == ()
    (finding,) = plain_guard.check(BEFORE + line + b"\n" + AFTER, LIMITS)
    assert finding.line == 6


LIMITS = PrinterLimits(250, 210, 210, 290, 120)
