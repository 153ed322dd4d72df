"""Keys, permissions, refusals and Application Keys, the same on a real OctoPrint and on a simulated printer."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from integration.octoprint_target import LONG, START, Target, dwells

from makerhub.simulation.accounts import GRANT, MINIMAL_PERMISSIONS


async def test_a_key_tells_what_it_may_do(octoprint_target: Target) -> None:
    user = (await octoprint_target.get("/api/currentuser")).body
    assert (user["name"], user["groups"]) == ("minimal", [])
    assert set(user["permissions"]) == set(MINIMAL_PERMISSIONS)
    maker = (await octoprint_target.get("/api/currentuser", key=octoprint_target.machine.maker_key)).body
    assert set(maker["permissions"]) == {*MINIMAL_PERMISSIONS, GRANT}
    admin = (await octoprint_target.get("/api/currentuser", key=octoprint_target.machine.admin_key)).body
    assert {"ADMIN", "SETTINGS", "CONTROL", "FILES_DELETE"} <= set(admin["permissions"])


@pytest.mark.parametrize("key", ["wrong", None])
async def test_a_wrong_key_is_a_visitor(octoprint_target: Target, key: str | None) -> None:
    user = await octoprint_target.get("/api/currentuser", key=key)
    assert (user.status, user.body["name"], user.body["permissions"]) == (200, None, [])
    for path in ("/api/job", "/api/version", "/api/printer", "/api/files", "/api/files/local/makerhub/a.gcode"):
        assert (await octoprint_target.get(path, key=key)).status == 403


@pytest.mark.parametrize("key", ["wrong", None])
async def test_a_wrong_key_that_wants_a_change_is_a_browser_without_a_token(
    octoprint_target: Target, key: str | None
) -> None:
    """400 and not 403: what has no valid key is taken for a browser, whose forms carry a token."""
    await octoprint_target.start("a.gcode")
    assert (await octoprint_target.upload("b.gcode", LONG, key=key, **START)).status == 400
    assert (await octoprint_target.post("/api/job", {"command": "cancel"}, key=key)).status == 400
    select = {"command": "select", "print": True}
    assert (await octoprint_target.post("/api/files/local/makerhub/a.gcode", select, key=key)).status == 400
    assert (await octoprint_target.request("DELETE", "/api/files/local/makerhub/a.gcode", key=key)).status == 400
    assert (await octoprint_target.job())["state"] == "Printing"


async def test_the_version(octoprint_target: Target) -> None:
    version = (await octoprint_target.get("/api/version")).body
    assert (version["api"], version["server"]) == ("0.1", "1.11.8")


async def test_what_the_five_permissions_do_not_allow(octoprint_target: Target) -> None:
    await octoprint_target.upload("a.gcode", b"G4 P1\n")
    refused = [
        await octoprint_target.request("DELETE", "/api/files/local/makerhub/a.gcode"),
        await octoprint_target.post("/api/printer/tool", {"command": "target", "targets": {"tool0": 200}}),
        await octoprint_target.post("/api/printer/bed", {"command": "target", "target": 60}),
        await octoprint_target.post("/api/printer/command", {"command": "M112"}),
        await octoprint_target.post("/api/connection", {"command": "disconnect"}),
        await octoprint_target.get("/api/settings"),
        await octoprint_target.get("/api/printerprofiles"),
    ]
    assert [reply.status for reply in refused] == [403] * len(refused)
    assert (await octoprint_target.job())["state"] == "Operational"


async def test_bed_and_nozzle_are_for_keys_that_may_connect(octoprint_target: Target) -> None:
    """The limited key can't read them (above), so its maker is asked; an administrator's key can."""
    admin = octoprint_target.machine.admin_key
    try:
        for width in (250, 220):
            await octoprint_target.reshape(volume={"width": width})
            profiles = (await octoprint_target.get("/api/printerprofiles", key=admin)).body["profiles"]
            (current,) = [profile for profile in profiles.values() if profile["current"]]
            assert (current["volume"]["width"], current["volume"]["depth"]) == (width, 210)
            assert current["extruder"]["nozzleDiameter"] == 0.4
    finally:
        await octoprint_target.reshape(volume={"width": 250})


async def test_what_the_five_permissions_do_allow(octoprint_target: Target) -> None:
    await octoprint_target.upload("a.gcode", LONG)
    select = {"command": "select", "print": False}
    assert (await octoprint_target.post("/api/files/local/makerhub/a.gcode", select)).status == 204
    job = await octoprint_target.job()
    assert (job["state"], job["job"]["file"]["path"]) == ("Operational", "makerhub/a.gcode")
    assert job["progress"]["completion"] is None
    assert await octoprint_target.command("start") == 204
    await octoprint_target.until("Printing")
    assert await octoprint_target.command("cancel") == 204
    await octoprint_target.until("Operational")


async def test_conflicts_while_idle(octoprint_target: Target) -> None:
    assert await octoprint_target.command("cancel") == 409
    assert await octoprint_target.command("pause") == 409
    assert await octoprint_target.command("restart") == 409


async def test_conflicts_while_printing(octoprint_target: Target) -> None:
    await octoprint_target.upload("b.gcode", LONG)
    await octoprint_target.start("a.gcode")
    admin = octoprint_target.machine.admin_key
    assert await octoprint_target.command("start") == 409
    select = {"command": "select", "print": True}
    assert (await octoprint_target.post("/api/files/local/makerhub/b.gcode", select)).status == 409
    assert (await octoprint_target.upload("a.gcode", dwells(1), key=admin)).status == 409
    assert (await octoprint_target.request("DELETE", "/api/files/local/makerhub/a.gcode", key=admin)).status == 409


async def test_conflicts_while_offline(octoprint_target: Target) -> None:
    await octoprint_target.upload("a.gcode", LONG)
    await octoprint_target.connection("disconnect")
    await octoprint_target.until("Offline")
    assert await octoprint_target.command("start") == 409
    select = {"command": "select", "print": True}
    assert (await octoprint_target.post("/api/files/local/makerhub/a.gcode", select)).status == 409


async def test_what_can_not_be_understood(octoprint_target: Target) -> None:
    assert await octoprint_target.command("levitate") == 400
    assert (await octoprint_target.request("POST", "/api/job", data="start")).status == 415
    assert (await octoprint_target.upload("a.txt", b"text")).status == 415
    assert (await octoprint_target.request("POST", "/api/files/local", data={"path": "makerhub"})).status == 400


async def test_what_is_not_there(octoprint_target: Target) -> None:
    await octoprint_target.make_folder("makerhub")
    admin = octoprint_target.machine.admin_key
    select = {"command": "select", "print": True}
    assert (await octoprint_target.file("a.gcode")).status == 404
    assert (await octoprint_target.post("/api/files/local/makerhub/a.gcode", select)).status == 404
    assert (await octoprint_target.request("DELETE", "/api/files/local/makerhub/a.gcode", key=admin)).status == 404


@pytest.fixture
async def keys_target(octoprint_target: Target) -> AsyncIterator[Target]:
    """A printer that has not counted any request for a key yet: the limits are by the minute and kept in memory."""
    await asyncio.to_thread(octoprint_target.machine.restart)
    yield octoprint_target
    await asyncio.to_thread(octoprint_target.machine.restart)


async def _ask(target: Target) -> str:
    reply = await target.request("POST", "/plugin/appkeys/request", key=None, json={"app": "makerhub", "user": "maker"})
    assert reply.status == 201
    token = str(reply.body["app_token"])
    assert reply.body["auth_dialog"] == f"{target.machine.url}/plugin/appkeys/auth/{token}?user=maker"
    return token


async def _poll(target: Target, token: str) -> int:
    return (await target.get(f"/plugin/appkeys/request/{token}", key=None)).status


async def test_application_keys(keys_target: Target) -> None:
    """Three requests are allowed a minute: one is granted, one denied, and for one nobody polls."""
    assert (await keys_target.get("/plugin/appkeys/probe", key=None)).status == 204
    token = await _ask(keys_target)
    assert await _poll(keys_target, token) == 202
    await asyncio.to_thread(keys_target.machine.decide, "makerhub", allow=True)
    granted = await keys_target.get(f"/plugin/appkeys/request/{token}", key=None)
    assert granted.status == 200
    assert await _poll(keys_target, token) == 404, "the key is told once"
    user = (await keys_target.get("/api/currentuser", key=granted.body["api_key"])).body
    assert (user["name"], set(user["permissions"])) == ("maker", {*MINIMAL_PERMISSIONS, GRANT})

    token = await _ask(keys_target)
    await asyncio.to_thread(keys_target.machine.decide, "makerhub", allow=False)
    assert await _poll(keys_target, token) == 404

    token = await _ask(keys_target)
    await _check_who_decides(keys_target)
    await asyncio.sleep(5.3)
    assert await _poll(keys_target, token) == 404

    reply = await keys_target.request("POST", "/plugin/appkeys/request", key=None, json={"app": "makerhub"})
    assert reply.status == 429


async def _check_who_decides(target: Target) -> None:
    decision = {"decision": True}
    maker = target.machine.maker_key
    assert (await target.post("/plugin/appkeys/decision/any", decision)).status == 403
    assert (await target.post("/plugin/appkeys/decision/any", decision, key=None)).status == 400
    assert (await target.post("/plugin/appkeys/decision/any", decision, key=maker)).status == 404
    pending = (await target.get("/api/plugin/appkeys", key=maker)).body["pending"]
    assert [request["app_id"] for request in pending.values()] == ["makerhub"]
