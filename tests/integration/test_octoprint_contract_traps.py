"""Where OctoPrint surprises a hub: each trap, the same on a real OctoPrint and on a simulated printer."""

import asyncio
import time
from urllib.parse import urlsplit

import aiohttp
import pytest
from integration.octoprint_target import LONG, START, Target, dwells


@pytest.mark.parametrize("end", ["restart", "power_cut"])
async def test_a_restart_leaves_no_history(octoprint_target: Target, end: str) -> None:
    await octoprint_target.start("a.gcode")
    await asyncio.to_thread(getattr(octoprint_target.machine, end))
    job = await octoprint_target.until("Operational")
    assert (job["progress"]["completion"], job["job"]["file"]["path"]) == (None, None)
    assert "error" not in job
    file = (await octoprint_target.file("a.gcode")).body
    assert file["size"] == len(LONG)
    assert await octoprint_target.history("a.gcode") is None


async def test_a_server_that_is_gone_does_not_answer_and_takes_its_print_along(octoprint_target: Target) -> None:
    await octoprint_target.start("a.gcode")
    with octoprint_target.machine.gone(), pytest.raises(aiohttp.ClientConnectionError):
        await octoprint_target.job()
    job = await octoprint_target.until("Operational")
    assert (job["progress"]["completion"], job["job"]["file"]["path"]) == (None, None)
    assert await octoprint_target.history("a.gcode") is None


async def test_a_slow_server_answers_late_and_rightly(octoprint_target: Target) -> None:
    await octoprint_target.start("a.gcode")
    with octoprint_target.machine.slow(0.8):
        asked_at = time.monotonic()
        job = await octoprint_target.job()
    assert time.monotonic() - asked_at > 0.5
    assert (job["state"], job["job"]["file"]["path"]) == ("Printing", "makerhub/a.gcode")


async def test_a_heater_that_a_file_leaves_on_stays_on(octoprint_target: Target) -> None:
    """OctoPrint turns nothing off after a print: the file has to."""
    try:
        await octoprint_target.start("a.gcode", b"M104 S60\nG4 P200\n")
        await octoprint_target.until_finished()
        for _ in range(120):
            temperature = (await octoprint_target.get("/api/printer")).body["temperature"]
            if (target := temperature.get("tool0", {}).get("target")) == 60:  # the real one tells it with a delay
                break
            await asyncio.sleep(0.1)
        assert target == 60
    finally:
        await octoprint_target.firmware("M104 S0")


@pytest.mark.parametrize("firmware", ["!!DEBUG:maxtemp_error", "!!DEBUG:action_disconnect", "M112"])
async def test_an_error_while_paused_leaves_no_history(octoprint_target: Target, firmware: str) -> None:
    await octoprint_target.start("a.gcode")
    await octoprint_target.pause()
    await octoprint_target.firmware(firmware)
    await octoprint_target.until("Offline", "Offline after error")
    assert await octoprint_target.history("a.gcode") is None


async def test_an_upload_to_a_busy_printer_is_stored_and_not_started(octoprint_target: Target) -> None:
    await octoprint_target.start("a.gcode")
    reply = await octoprint_target.upload("b.gcode", LONG, **START)
    assert (reply.status, reply.body["effectivePrint"], reply.body["effectiveSelect"]) == (201, False, False)
    assert (await octoprint_target.job())["job"]["file"]["path"] == "makerhub/a.gcode"
    await octoprint_target.pause()
    reply = await octoprint_target.upload("c.gcode", LONG, **START)
    assert (reply.status, reply.body["effectivePrint"]) == (201, False)


async def test_an_upload_to_an_offline_printer_is_stored_and_not_started(octoprint_target: Target) -> None:
    await octoprint_target.connection("disconnect")
    await octoprint_target.until("Offline")
    reply = await octoprint_target.upload("a.gcode", LONG, **START)
    assert (reply.status, reply.body["effectivePrint"], reply.body["effectiveSelect"]) == (201, False, False)
    assert (await octoprint_target.file("a.gcode")).body["size"] == len(LONG)


async def test_start_with_nothing_selected_does_nothing(octoprint_target: Target) -> None:
    assert await octoprint_target.command("start") == 204
    await asyncio.sleep(0.3)
    assert (await octoprint_target.job())["state"] == "Operational"


async def test_a_file_in_a_missing_folder_is_an_error_of_the_server(octoprint_target: Target) -> None:
    assert (await octoprint_target.get("/api/files/local/never-made/a.gcode")).status == 500
    assert (await octoprint_target.get("/api/files/local/a.gcode")).status == 404
    for _ in range(2):
        reply = await octoprint_target.make_folder("makerhub")
        assert (reply.status, reply.body["folder"]["path"]) == (201, "makerhub")
    assert (await octoprint_target.file("a.gcode")).status == 404


async def test_the_hash_is_of_the_content(octoprint_target: Target) -> None:
    reply = await octoprint_target.upload("a.gcode", b"G4 P1\n")
    assert reply.body["files"]["local"]["path"] == "makerhub/a.gcode"
    file = (await octoprint_target.file("a.gcode")).body
    assert (file["hash"], file["size"]) == ("3f3518e35b0815ec53589d3c77c29e2d6b085ea8", 6)
    assert (file["name"], file["display"], file["origin"]) == ("a.gcode", "a.gcode", "local")
    assert "prints" not in file


async def test_other_bytes_wipe_the_history_and_the_same_keep_it(octoprint_target: Target) -> None:
    admin = octoprint_target.machine.admin_key
    await octoprint_target.start("a.gcode", dwells(1))
    await octoprint_target.until_finished()
    assert await octoprint_target.counts("a.gcode") == (1, 0)
    assert (await octoprint_target.upload("a.gcode", dwells(1), key=admin)).status == 201
    assert await octoprint_target.counts("a.gcode") == (1, 0)
    assert (await octoprint_target.upload("a.gcode", dwells(2), key=admin)).status == 201
    assert await octoprint_target.history("a.gcode", within=0.3) is None


async def test_sending_a_start_again_prints_again(octoprint_target: Target) -> None:
    await octoprint_target.start("a.gcode", dwells(3))
    await octoprint_target.until_finished()
    reply = await octoprint_target.post("/api/files/local/makerhub/a.gcode", {"command": "select", "print": True})
    assert reply.status == 204
    await octoprint_target.until("Printing", "Starting")
    await octoprint_target.until_finished()
    for _ in range(20):
        if (counts := await octoprint_target.counts("a.gcode")) == (2, 0):
            break
        await asyncio.sleep(0.05)
    assert counts == (2, 0)


async def test_no_overwrite_protects(octoprint_target: Target) -> None:
    await octoprint_target.start("a.gcode", dwells(1))
    await octoprint_target.until_finished()
    assert (await octoprint_target.upload("a.gcode", dwells(1), **START)).status == 409
    assert (await octoprint_target.upload("a.gcode", dwells(1))).status == 403, "this key may not overwrite"
    assert await octoprint_target.counts("a.gcode") == (1, 0)


async def test_racing_uploads_print_once(octoprint_target: Target) -> None:
    """One is taken; a server that has only just started may let through a second or third before the file is there."""
    await octoprint_target.upload("warm.gcode", dwells(1))
    replies = await asyncio.gather(*[octoprint_target.upload("a.gcode", dwells(8), **START) for _ in range(12)])
    assert {reply.status for reply in replies} <= {201, 403, 409}
    assert any(reply.status == 201 and reply.body["effectivePrint"] for reply in replies)
    await octoprint_target.until_finished()
    assert await octoprint_target.counts("a.gcode") == (1, 0)
    await asyncio.sleep(0.3)
    assert (await octoprint_target.job())["state"] == "Operational"


async def test_a_full_disk_leaves_no_whole_file(octoprint_target: Target) -> None:
    await octoprint_target.make_folder("makerhub")
    with octoprint_target.machine.full_disk():
        reply = await octoprint_target.upload("a.gcode", LONG, **START)
    assert reply.status == 500
    file = await octoprint_target.file("a.gcode")
    assert file.status == 404 or file.body["size"] != len(LONG)
    assert (await octoprint_target.job())["state"] == "Operational"
    await octoprint_target.start("b.gcode", dwells(1))


async def test_too_large_an_upload_is_refused_before_it_is_sent(octoprint_target: Target) -> None:
    address = urlsplit(octoprint_target.machine.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(
        f"POST {address.path}/api/files/local HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"X-Api-Key: {octoprint_target.machine.key}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        "Content-Length: 3000000000\r\n\r\n--b\r\n".encode()
    )
    head = await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)
    writer.close()
    await writer.wait_closed()
    assert head.split()[1] == b"400"


async def test_the_list_of_files_tells_the_space_left(octoprint_target: Target) -> None:
    await octoprint_target.upload("a.gcode", b"G4 P1\n")
    for path in ("/api/files", "/api/files/local"):
        listed = (await octoprint_target.get(path)).body
        assert 0 < listed["free"] < listed["total"]
        assert [(entry["path"], entry["type"]) for entry in listed["files"]] == [("makerhub", "folder")]
    folder = (await octoprint_target.get("/api/files/local?recursive=true")).body["files"][0]
    assert [child["path"] for child in folder["children"]] == ["makerhub/a.gcode"]


async def test_nothing_holds_back_the_next_print(octoprint_target: Target) -> None:
    """OctoPrint knows nothing of a bed that has to be cleared."""
    await octoprint_target.start("a.gcode", dwells(2))
    await octoprint_target.until_finished()
    await octoprint_target.start("b.gcode", dwells(2))
    await octoprint_target.until_finished()
    assert await octoprint_target.counts("b.gcode") == (1, 0)


async def test_a_success_says_nothing_of_the_part(octoprint_target: Target) -> None:
    """A file that extrudes nothing is a success."""
    await octoprint_target.start("a.gcode", b"G4 P100\n")
    await octoprint_target.until_finished()
    assert await octoprint_target.counts("a.gcode") == (1, 0)


async def test_all_lines_read_is_not_finished(octoprint_target: Target) -> None:
    """Completion reaches 100 while the state is still Printing or Finishing: the state decides, not the number."""
    await octoprint_target.start("a.gcode", dwells(5))
    seen = []
    while (job := await octoprint_target.job())["state"] != "Operational":
        seen.append((job["state"], job["progress"]["completion"]))
    assert all(state in ("Starting", "Printing", "Finishing") for state, _ in seen)
    assert job["progress"]["completion"] == 100
