"""Handing in a design over the pages: what is asked, what is shown, who may take it in."""

import io
import re
from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

import numpy as np
import pytest
from builders import World
from unit.designs.hooks import FILES, MANIFEST, cube, packed
from unit.web.browsers import Browser
from unit.web.houses import House, fill
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from makerhub.designs.geometry import read_stl, write_stl
from makerhub.designs.models import DesignVersion, Upload, UploadState
from makerhub.designs.service import parts_of
from makerhub.designs.tasks import work_on_uploads
from makerhub.designs.uploads import desk_of
from makerhub.people.models import Role

TOLD = {
    "name": "Hook",
    "function": "Holds things.",
    "licensor": "Somebody",
    "license": "CC-BY-NC-4.0",
    "repo": "https://example.org/hook",
}


def work(house: House) -> None:
    """What the background does with what was handed in."""
    hub = house.app.extensions["makerhub"]
    desk = desk_of(hub.settings, hub.database, hub.files, hub.clock)
    work_on_uploads.bind({"desk": desk})()


def send(browser: Browser, fields: Mapping[str, object]) -> TestResponse:
    """Send a form with a file. The client's own way leaves the temporary files of large ones open."""
    boundary, body = encode_multipart(fields)
    kind = f"multipart/form-data; boundary={boundary}"
    return browser.client.post("/uploads/new", data=body, content_type=kind, headers={"Origin": "http://localhost"})


def hand_in(browser: Browser, content: bytes, file_name: str, told: Mapping[str, str] = MappingProxyType({})) -> str:
    """The address of the upload's page."""
    page = browser.get("/uploads/new")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    answer = send(browser, {"csrf_token": token[1], "file": FileStorage(io.BytesIO(content), file_name), **told})
    return answer.headers["Location"] if answer.status_code == 302 else answer.text


def test_a_maker_hands_in_a_mesh_and_a_dispatcher_takes_it_in(house: House) -> None:
    mona, dan = house.signed_in("mona"), house.signed_in("dan")
    address = hand_in(mona, cube(), "hook.stl", TOLD)
    assert "work_on_uploads" in house.nudged
    assert "We are checking" in mona.get(address).text
    assert mona.get(f"{address}/now").status_code == 200
    work(house)
    assert mona.get(f"{address}/now").headers["HX-Refresh"] == "true"
    shown = mona.get(address).text
    assert "10 × 10 × 10 mm" in shown
    assert "CC-BY-NC-4.0" in shown
    assert "Take it into the catalogue" not in shown
    assert mona.get(f"{address}/pictures/0").mimetype == "image/webp"
    assert mona.post(f"{address}/decision", {"decision": "accept"}, form=address).status_code == 403

    assert "Hook" in dan.get("/uploads").text
    assert dan.post(f"{address}/decision", {"decision": "accept"}, form=address).status_code == 302
    work(house)
    assert "Look at it there" in dan.get(address).text
    assert "Somebody" in house.browser().get("/designs/hook").text


def test_a_mesh_needs_its_words_and_an_archive_does_not(house: House, world: World) -> None:
    mona = house.signed_in("mona")
    asked = hand_in(mona, cube(), "hook.stl")
    for sentence in ("Say what it is called", "Say who made it", "Choose the licence", "Give the address"):
        assert sentence in asked
    assert "Choose the file" in hand_in(mona, b"", "hook.stl")
    assert world.all(Upload) == []
    assert hand_in(mona, packed(), "hook.zip").startswith("/uploads/")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (
            {**FILES, "okh.toml": MANIFEST.replace("CC-BY-SA-4.0", "SDFL").encode()},
            "lets people print for themselves only",
        ),
        ({**FILES, "hook.stl": cube()[:-50]}, "damaged or cut off"),
        ({"hook.stl": cube()}, "There is no okh.toml"),
        ({**FILES, "okh.toml": b"name = 1"}, "okh.toml: "),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(
    house: House, world: World, files: dict[str, bytes], sentence: str
) -> None:
    mona = house.signed_in("mona")
    address = hand_in(mona, packed(files), "hook.zip")
    work(house)
    shown = mona.get(address).text
    assert "It can not go into the catalogue like this" in shown
    assert sentence in shown
    assert len(world.all(DesignVersion)) == 2


def test_what_is_discarded_is_gone_and_nobody_else_sees_what_is_handed_in(house: House, world: World) -> None:
    mona = house.signed_in("mona")
    address = hand_in(mona, packed(), "hook.zip")
    house.add_person("Eve", (house.add_hub("Elsewhere Hub"), Role.DISPATCHER))
    for stranger in (house.signed_in("eve"), house.signed_in("bob")):
        assert stranger.get(address).status_code == 404
        assert stranger.post(f"{address}/decision", {"decision": "discard"}, form="/").status_code == 404
    work(house)
    assert fill(mona, mona.get(address)).status_code == 302
    assert world.all(Upload)[0].state is UploadState.DISCARDED
    assert "Nothing has been handed in" in mona.get("/uploads").text


def test_only_this_page_takes_large_files_and_only_from_those_who_may_send_them(house: House) -> None:
    large = bytes(3_000_000)
    assert hand_in(house.signed_in("mona"), large, "large.stl", TOLD).startswith("/uploads/")
    ruth = house.signed_in("ruth")
    assert send(ruth, {"file": FileStorage(io.BytesIO(large), "large.stl")}).status_code == 404
    mona = house.signed_in("mona")
    answer = mona.client.post("/printers/new", data={"name": "x" * 3_000_000}, headers={"Origin": "http://localhost"})
    assert answer.status_code == 413


def test_a_mesh_with_a_hole_is_mended_when_its_sender_says_so(house: House, world: World) -> None:
    mona, dan = house.signed_in("mona"), house.signed_in("dan")
    torn = {**FILES, "hook.stl": write_stl(np.delete(read_stl(cube()), [3], axis=0))}
    address = hand_in(mona, packed(torn), "hook.zip")
    work(house)
    shown = mona.get(address).text
    assert "The mesh is not closed" in shown
    assert "Fill holes: 1, the largest 10.0 mm wide" in shown
    assert "This would be done to mend it" in shown
    assert mona.post(f"{address}/decision", {"decision": "mend"}, form=address).status_code == 302
    work(house)
    assert "This was done to mend it" in mona.get(address).text
    dan.post(f"{address}/decision", {"decision": "accept"}, form=address)
    work(house)
    version = world.get(DesignVersion, world.all(Upload)[0].version_id or UUID(int=0))
    with world.database.reading() as session:
        (part,) = parts_of(session, version.id)
    assert part.volume_mm3 == pytest.approx(1000)
    assert part.original_sha256 != part.mesh_sha256
    assert "Fill holes: 1" in house.browser().get("/designs/hook").text


def test_a_licence_without_adaptations_is_mended_by_nobody(house: House) -> None:
    mona = house.signed_in("mona")
    manifest = MANIFEST.replace("CC-BY-SA-4.0", "CC-BY-ND-4.0").encode()
    torn = {**FILES, "okh.toml": manifest, "hook.stl": write_stl(np.delete(read_stl(cube()), [3], axis=0))}
    address = hand_in(mona, packed(torn), "hook.zip")
    work(house)
    mona.post(f"{address}/decision", {"decision": "mend"}, form=address)
    work(house)
    assert "forbids passing on a changed design" in mona.get(address).text


@pytest.mark.parametrize(
    ("size", "said"), [(40, "It fits on 1 of the 1 printer models"), (400, "too large for every printer")]
)
def test_the_page_says_on_how_many_models_it_fits(house: House, size: float, said: str) -> None:
    mona = house.signed_in("mona")
    address = hand_in(mona, cube(size), "hook.stl", TOLD)
    work(house)
    assert said in mona.get(address).text
