"""What is held about me, on pages."""

import io
import json
import zipfile

from builders import World
from unit.privacy.test_privacy_erasure import lived_in
from unit.web.houses import House

from makerhub.people.models import Person
from makerhub.privacy.export import FILE_NAME


def test_everybody_reads_what_is_kept_and_for_how_long(house: House) -> None:
    text = house.browser().get("/what-we-keep").text
    assert "30 days, after the last pickup" in text
    assert "14 days" in text
    assert "every piece that was delivered must be found again" in text
    assert "/what-we-keep" in house.browser().get("/designs").text


def test_a_maker_sees_and_downloads_what_is_held(house: House, world: World) -> None:
    lived_in(world)
    mona = house.signed_in("mona")
    assert "Who was shown your address" in mona.get("/account/data").text
    answer = mona.get("/account/data/download")
    assert answer.headers["Cache-Control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert json.loads(archive.read(FILE_NAME))["about"] == "mona@example.org"


def test_an_old_sign_in_is_asked_for_a_proof_before_download_and_erasure(house: House, world: World) -> None:
    mona = house.signed_in("mona")
    house.time.pass_by(minutes=16)
    for address in ("/account/data/download", "/account/data/erase", "/my-home/address"):
        answer = mona.get(address)
        assert answer.status_code == 302
        assert "/account/confirm" in answer.headers["Location"] or "confirm" in answer.headers["Location"]
    mona.post("/account/data/erase", {"sure": "yes"}, form="/account/data")
    assert world.get(Person, world.maker.id).active


def test_a_maker_who_is_sure_is_erased_and_signed_out(house: House, world: World) -> None:
    lived_in(world)
    mona = house.signed_in("mona")
    page = mona.get("/account/data/erase").text
    assert "What stays, and why" in page
    assert mona.post("/account/data/erase", form="/account/data/erase").status_code == 400
    assert world.get(Person, world.maker.id).active
    answer = mona.post("/account/data/erase", {"sure": "yes"}, form="/account/data/erase")
    assert answer.headers["Location"] == "/erased"
    assert not world.get(Person, world.maker.id).active
    assert mona.get("/printers").status_code == 302
    assert "You are erased here" in mona.get("/erased").text


def test_pages_of_others_work_when_somebody_left(house: House, world: World) -> None:
    lived_in(world)
    mona, dan = house.signed_in("mona"), house.signed_in("dan")
    mona.post("/account/data/erase", {"sure": "yes"}, form="/account/data/erase")
    for address in ("/dispatch", "/pickups"):
        answer = dan.get(address)
        assert answer.status_code == 200
        assert "Mona" not in answer.text
