"""What polling sees: each state of a printer, the same on a real OctoPrint and on a simulated printer."""

import asyncio

import pytest
from integration.octoprint_target import ACTIVE, START, Target, dwells

NO_FILE = {"date": None, "name": None, "origin": None, "path": None, "size": None}


async def test_idle(octoprint_target: Target) -> None:
    job = await octoprint_target.job()
    assert (job["state"], job["progress"]["completion"], job["job"]["file"]["path"]) == ("Operational", None, None)
    printer = await octoprint_target.get("/api/printer")
    assert printer.status == 200
    assert printer.body["state"]["flags"]["ready"]


async def test_disconnected(octoprint_target: Target) -> None:
    await octoprint_target.connection("disconnect")
    job = await octoprint_target.until("Offline")
    assert (job["progress"]["completion"], job["job"]["file"]["path"], "error" in job) == (None, None, False)
    assert (await octoprint_target.get("/api/printer")).status == 409
    await octoprint_target.connection("connect")
    await octoprint_target.until("Operational")


async def test_printing(octoprint_target: Target) -> None:
    await octoprint_target.start("a.gcode")
    job = await octoprint_target.until("Printing")
    assert 0 < job["progress"]["completion"] < 50
    assert job["job"]["file"]["path"] == "makerhub/a.gcode"
    flags = (await octoprint_target.get("/api/printer")).body["state"]["flags"]
    assert {name for name, set_ in flags.items() if set_} == {"operational", "printing", "sdReady"}


async def test_progress_moves_on(octoprint_target: Target) -> None:
    await octoprint_target.start("a.gcode")
    before = (await octoprint_target.job())["progress"]
    await asyncio.sleep(1.2)
    after = (await octoprint_target.job())["progress"]
    assert after["completion"] > before["completion"]
    assert after["filepos"] > before["filepos"]
    assert after["printTime"] > before["printTime"]


async def test_paused_and_resumed(octoprint_target: Target) -> None:
    await octoprint_target.start("a.gcode")
    job = await octoprint_target.pause()
    assert 0 < job["progress"]["completion"] < 100
    assert job["job"]["file"]["path"] == "makerhub/a.gcode"
    assert (await octoprint_target.get("/api/printer")).body["state"]["flags"]["paused"]
    await asyncio.sleep(0.3)
    assert (await octoprint_target.job())["progress"]["filepos"] == job["progress"]["filepos"]
    assert await octoprint_target.command("pause", action="resume") == 204
    await octoprint_target.until("Printing")
    assert await octoprint_target.command("pause") == 204, "without an action it toggles"
    await octoprint_target.until("Paused")
    assert await octoprint_target.history("a.gcode", within=0) is None


async def test_finished(octoprint_target: Target) -> None:
    await octoprint_target.start("a.gcode", dwells(10))
    job = await octoprint_target.until("Operational")
    assert (job["progress"]["completion"], job["job"]["file"]["path"]) == (100, "makerhub/a.gcode")
    assert (await octoprint_target.get("/api/printer")).status == 200
    prints = await octoprint_target.history("a.gcode")
    assert prints is not None
    assert (prints["success"], prints["failure"], prints["last"]["success"]) == (1, 0, True)
    assert prints["last"]["printTime"] == pytest.approx(1, abs=0.3)


async def test_the_states_of_a_print_come_in_order(octoprint_target: Target) -> None:
    assert (await octoprint_target.upload("a.gcode", dwells(8), **START)).status == 201
    seen: list[str] = []
    while not seen or seen[-1] != "Operational":
        job = await octoprint_target.job()
        if not seen or seen[-1] != job["state"]:
            seen.append(job["state"])
        if job["state"] == "Finishing":
            assert (job["progress"]["completion"], job["job"]["file"]["path"]) == (100, "makerhub/a.gcode")
    order = ["Starting", "Printing", "Finishing", "Operational"]
    assert seen == [state for state in order if state in seen]
    assert {"Printing", "Operational"} <= set(seen)


async def test_cancelled(octoprint_target: Target) -> None:
    await octoprint_target.start("a.gcode")
    assert await octoprint_target.command("cancel") == 204
    assert (await octoprint_target.job())["state"] in ("Cancelling", "Operational")
    job = await octoprint_target.until("Operational")
    assert (job["progress"]["completion"], job["job"]["file"]["path"]) == (None, "makerhub/a.gcode")
    assert (await octoprint_target.get("/api/printer")).status == 200
    assert await octoprint_target.counts("a.gcode") == (0, 1)


async def test_cancelled_while_paused(octoprint_target: Target) -> None:
    await octoprint_target.start("a.gcode")
    await octoprint_target.pause()
    assert await octoprint_target.command("cancel") == 204
    job = await octoprint_target.until("Operational")
    assert job["progress"]["completion"] is None
    assert await octoprint_target.counts("a.gcode") == (0, 1)


@pytest.mark.parametrize("firmware", ["!!DEBUG:maxtemp_error", "!!DEBUG:trigger_fatal_error_marlin", "M112"])
async def test_firmware_error(octoprint_target: Target, firmware: str) -> None:
    await octoprint_target.start("a.gcode")
    await octoprint_target.firmware(firmware)
    job = await octoprint_target.until("Offline after error")
    assert (job["progress"]["completion"], job["job"]["file"]["path"]) == (None, None)
    assert job["error"]
    assert (await octoprint_target.get("/api/printer")).status == 409
    assert await octoprint_target.counts("a.gcode") == (0, 1)


async def test_dropped_connection(octoprint_target: Target) -> None:
    await octoprint_target.start("a.gcode")
    await octoprint_target.firmware("!!DEBUG:drop_connection")
    job = await octoprint_target.until("Offline after error")
    assert (bool(job["error"]), job["job"]["file"]["path"]) == (True, None)
    assert (await octoprint_target.get("/api/printer")).status == 409
    assert await octoprint_target.counts("a.gcode") == (0, 1)


async def test_disconnected_while_printing(octoprint_target: Target) -> None:
    await octoprint_target.start("a.gcode")
    await octoprint_target.connection("disconnect")
    job = await octoprint_target.until("Offline")
    assert "error" not in job
    assert job["job"]["file"]["path"] is None
    assert await octoprint_target.counts("a.gcode") == (0, 1)


@pytest.mark.parametrize(
    ("firmware", "state"), [("!!DEBUG:action_pause", "Paused"), ("!!DEBUG:action_disconnect", "Offline")]
)
async def test_the_printer_itself_pauses_or_disconnects(octoprint_target: Target, firmware: str, state: str) -> None:
    await octoprint_target.start("a.gcode")
    await octoprint_target.firmware(firmware)
    await octoprint_target.until(state)


async def test_the_printer_itself_cancels(octoprint_target: Target) -> None:
    await octoprint_target.start("a.gcode")
    await octoprint_target.firmware("!!DEBUG:action_custom cancel")
    await octoprint_target.until("Operational")
    assert await octoprint_target.counts("a.gcode") == (0, 1)


async def test_fields_of_a_job(octoprint_target: Target) -> None:
    await octoprint_target.start("a.gcode")
    job = await octoprint_target.until(*ACTIVE)
    assert set(job) == {"job", "progress", "state"}
    assert set(job["job"]) == {"averagePrintTime", "estimatedPrintTime", "filament", "file", "lastPrintTime", "user"}
    assert set(job["job"]["file"]) == {*NO_FILE, "display"}
    assert set(job["progress"]) == {"completion", "filepos", "printTime", "printTimeLeft", "printTimeLeftOrigin"}
    assert job["job"]["user"] == "minimal"


async def test_a_fresh_start_tells_fewer_fields(octoprint_target: Target) -> None:
    await asyncio.to_thread(octoprint_target.machine.restart)
    job = await octoprint_target.until("Operational")
    assert set(job["job"]) == {"estimatedPrintTime", "filament", "file", "lastPrintTime", "user"}
    assert job["job"]["file"] == NO_FILE


async def test_temperatures(octoprint_target: Target) -> None:
    await octoprint_target.start("a.gcode", dwells(5))
    await octoprint_target.until("Operational")
    for _ in range(80):
        temperature = (await octoprint_target.get("/api/printer")).body["temperature"]
        if "tool0" in temperature:  # the real one tells what its firmware has reported so far
            break
        await asyncio.sleep(0.1)
    assert set(temperature) >= {"tool0", "bed"}
    assert {*temperature["tool0"]} == {"actual", "target", "offset"}
    assert temperature["tool0"]["target"] == 0
