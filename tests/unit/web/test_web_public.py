"""The catalogue: for everybody, honest about what it is, and safe whatever a design's notes hold."""

import gzip

import numpy as np
import pytest
import trimesh
from builders import World, design_version, review
from sqlmodel import select
from unit.web.houses import House, next_version

from makerhub.designs.geometry import write_stl
from makerhub.designs.models import Approval, DesignVersion, Part, VersionState
from makerhub.people.models import Role
from makerhub.web.markdown import render

PICTURE = b"RIFF....WEBP"
MESH = b"solid mesh"


def draw(house: House, version: DesignVersion) -> str:
    """Give the version's parts a picture; returns its address."""
    sha256 = house.files.put(PICTURE)
    with house.database.changing() as session:
        part = session.get_one(Part, house.world.part(version).id)
        part.picture_sha256 = sha256
        session.add(part)
    return f"/pictures/{sha256}"


def change(house: House, version: DesignVersion, **columns: object) -> None:
    with house.database.changing() as session:
        row = session.get_one(DesignVersion, version.id)
        for name, value in columns.items():
            setattr(row, name, value)
        session.add(row)


def test_visitors_see_every_design_with_its_picture(house: House, world: World) -> None:
    picture = draw(house, world.headband)
    page = house.browser().get("/designs")
    assert page.status_code == 200
    assert "Headband" in page.text
    assert "Face-Shield" in page.text
    assert f'src="{picture}"' in page.text


def test_a_page_tells_parts_licence_version_hash_and_that_it_is_a_prototype(house: House, world: World) -> None:
    page = house.browser().get("/designs/face-shield").text
    for told in ("band", "clip", "100 × 80 × 20 mm", "PETG", "CC-BY-4.0", "Somebody", "1.0", world.kit.content_hash):
        assert told in page
    assert "No authority has approved it for clinical use" in page


def test_visitors_and_requesters_are_led_to_the_form_and_others_are_not(house: House) -> None:
    link = 'href="/ask?design=headband"'
    assert link in house.browser().get("/designs/headband").text
    assert link in house.signed_in("alice").get("/designs/headband").text
    assert link not in house.signed_in("mona").get("/designs/headband").text


def test_a_visitor_who_asks_signs_in_first_and_comes_back(house: House) -> None:
    response = house.browser().get("/ask?design=headband")
    assert response.status_code == 302
    assert response.headers["Location"] == "/sign-in?next=/ask?design%3Dheadband"


def test_a_withdrawn_design_says_so_and_why(house: House, world: World) -> None:
    world.withdraw(world.headband)
    page = house.browser().get("/designs/headband").text
    assert "has been withdrawn" in page
    assert "cracks" in page
    assert "Ask for this" not in page
    assert "Withdrawn" in house.browser().get("/designs").text


def test_a_newer_withdrawn_version_does_not_hide_the_published_one(house: House, world: World) -> None:
    with house.database.changing() as session:
        newer = DesignVersion(
            **world.headband.model_dump(exclude={"id", "content_hash", "version", "state"}),
            content_hash="f" * 64,
            version="2.0",
            state=VersionState.WITHDRAWN,
        )
        newer.published_at = house.time.now
        session.add(newer)
    page = house.browser().get("/designs/headband").text
    assert "Ask for this" in page
    assert world.headband.content_hash in page
    assert "2.0" in page


def test_a_page_says_who_may_ask_and_who_reviewed_it(house: House, world: World) -> None:
    page = house.browser().get("/designs/headband").text
    for told in (
        "Community-reviewed",
        "A care home may ask for it from “Prototype” on: now, at Kingston Hub.",
        "A hospital may ask for it from “Community-reviewed” on: now, at Kingston Hub.",
        "Worn for a week on ward 7.",
        "Dan",
        "All materials, every hub",
        "No end set",
    ):
        assert told in page
    next_version(house, world.headband)
    page = house.browser().get("/designs/headband").text
    assert "A prototype: no review of it holds now." in page
    assert "A hospital may ask for it from “Community-reviewed” on: not yet. Until then it gets version 1.0." in page
    assert "Nobody has decided anything about this version." in page
    assert page.count("Community-reviewed</span>") == 1  # of the version before, in the list of versions


def test_a_standing_that_is_not_the_same_everywhere_says_where(house: House, world: World) -> None:
    house.add_hub("Elm Hub")
    with house.database.changing() as session:
        version = design_version(session, "pen-grip", band=1)
        review(session, version, house.people["dan"], hub_id=world.hub.id)
    page = house.browser().get("/designs/pen-grip").text
    assert "not everywhere" in page
    assert "of PETG at Kingston Hub" in page
    assert "of PETG at Elm Hub" in page
    assert "All materials, Kingston Hub" in page


def test_who_asks_for_a_hospital_is_told_why_there_is_no_button(house: House, world: World) -> None:
    with house.database.changing() as session:
        design_version(session, "pen-grip", band=1)
    house.add_person("Nadia", (world.hospital, Role.REQUESTER))
    link = 'href="/ask?design=pen-grip"'
    nadia = house.signed_in("nadia").get("/designs/pen-grip").text
    assert link not in nadia
    assert "Your facility may not ask for it yet." in nadia
    assert link in house.signed_in("alice").get("/designs/pen-grip").text
    assert link in house.browser().get("/designs/pen-grip").text


def test_what_changed_is_shown_side_by_side_for_everybody(house: House, world: World) -> None:
    picture = draw(house, world.headband)
    next_version(house, world.headband)
    page = house.browser().get("/designs/headband").text
    assert 'href="/designs/headband/versions/2.0/changes"' in page
    assert 'href="/designs/headband/versions/1.0/changes"' not in page
    changes = house.browser().get("/designs/headband/versions/2.0/changes").text
    assert "3 things changed since version 1.0." in changes
    assert "“band” is filled to 30 percent instead of 15." in changes
    assert changes.count(f'src="{picture}"') == 4  # of both versions, and of the part in both
    assert "This is the first version" in house.browser().get("/designs/headband/versions/1.0/changes").text


def test_the_picture_of_a_version_goes_before_those_of_its_parts(house: House, world: World) -> None:
    of_part = draw(house, world.headband)
    sha256 = house.files.put(b"RIFF++++WEBP")
    change(house, world.headband, picture_sha256=sha256)
    assert house.browser().get(f"/pictures/{sha256}").status_code == 200
    page = house.browser().get("/designs").text
    assert f'src="/pictures/{sha256}"' in page
    assert of_part not in page


@pytest.mark.parametrize("address", ["headband/versions/9.0/changes", "nothing/versions/1.0/changes"])
def test_there_are_no_changes_of_what_is_not_there(house: House, address: str) -> None:
    assert house.browser().get(f"/designs/{address}").status_code == 404


def test_a_reviewer_is_led_to_the_review(house: House, world: World) -> None:
    house.add_person("Rose", (world.hub, Role.REVIEWER))
    link = f'href="/reviews/{world.hub.id}/{world.headband.id}"'
    assert link in house.signed_in("rose").get("/designs/headband").text
    assert link not in house.signed_in("dan").get("/designs/headband").text


def test_evidence_links_to_the_web_only(house: House, world: World) -> None:
    with house.database.changing() as session:
        row = session.exec(select(Approval).where(Approval.version_id == world.headband.id)).one()
        row.evidence = "Look: javascript:alert(1)"
    page = house.browser().get("/designs/headband").text
    assert "javascript:alert(1)" in page
    assert 'href="javascript' not in page


def test_an_unknown_design_is_no_page(house: House) -> None:
    assert house.browser().get("/designs/nothing").status_code == 404


def test_pictures_may_be_kept_for_ever(house: House, world: World) -> None:
    response = house.browser().get(draw(house, world.headband))
    assert response.data == PICTURE
    assert response.mimetype == "image/webp"
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in response.headers


def test_only_pictures_are_served_from_the_store(house: House, world: World) -> None:
    draw(house, world.headband)
    other = house.files.put(MESH)
    browser = house.browser()
    assert browser.get(f"/pictures/{other}").status_code == 404
    assert browser.get("/pictures/..%2f..%2fhub.key").status_code == 404
    assert browser.get("/pictures/").status_code == 404


def test_a_picture_that_is_lost_or_damaged_is_no_page(house: House, world: World) -> None:
    address = draw(house, world.headband)
    [file] = house.files.folder.glob("*/*")
    file.write_bytes(b"something else")
    assert house.browser().get(address).status_code == 404


def test_a_source_is_linked_over_https_only(house: House, world: World) -> None:
    change(house, world.headband, repo="javascript:alert(1)")
    assert "javascript:" not in house.browser().get("/designs/headband").text
    change(house, world.headband, repo="https://example.org/headband")
    assert 'href="https://example.org/headband"' in house.browser().get("/designs/headband").text


def test_notes_stand_on_the_page_without_their_title(house: House, world: World) -> None:
    change(house, world.headband, readme="# Headband\n\n## Cleaning\n\n1. Wash at *60 °C*.")
    page = house.browser().get("/designs/headband").text
    assert "<h2>Cleaning</h2>" in page
    assert "<li>Wash at <em>60 °C</em>.</li>" in page
    assert page.count("<h1") == 1


@pytest.mark.parametrize(
    ("notes", "html"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;\n"),
        ("a <b onclick=x>b</b>", "<p>a &lt;b onclick=x&gt;b&lt;/b&gt;</p>\n"),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>\n"),
        ("[a](data:text/html;base64,PHM+)", "<p>[a](data:text/html;base64,PHM+)</p>\n"),
        ("[a](okh.toml)", "<p>a</p>\n"),
        ("[a](//evil.example)", "<p>a</p>\n"),
        ("[a](HTTPS://x.org)", '<p><a href="HTTPS://x.org" rel="nofollow noreferrer">a</a></p>\n'),
        ("![a](https://x.org/a.png)", '<p>!<a href="https://x.org/a.png" rel="nofollow noreferrer">a</a></p>\n'),
        ("# Title\n\ntext\n\n# Another", "<p>text</p>\n<h2>Another</h2>\n"),
        ("| a |\n|:-:|\n| b |", None),
    ],
)
def test_notes_become_safe_html(notes: str, html: str | None) -> None:
    assert "style" not in render(notes)
    if html is not None:
        assert render(notes) in (html, f"<p>{html.rstrip()}</p>\n")


def test_a_version_can_be_fetched_as_a_solid_packed_for_who_can_unpack(house: House, world: World) -> None:
    mesh = house.files.put(write_stl(np.asarray(trimesh.creation.box(extents=(20, 8, 60)).triangles, dtype=float)))
    with house.database.changing() as session:
        session.get_one(Part, world.part(world.headband).id).mesh_sha256 = mesh
    address = "/designs/headband/versions/1.0/model.glb"
    plain = house.browser().get(address)
    packed = house.browser().client.get(address, headers={"Accept-Encoding": "gzip, br"})
    assert plain.mimetype == packed.mimetype == "model/gltf-binary"
    assert plain.data[:4] == b"glTF"
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]


def test_there_is_no_solid_of_what_is_not_there(house: House) -> None:
    assert house.browser().get("/designs/headband/versions/9.9/model.glb").status_code == 404
    assert house.browser().get("/designs/nothing/versions/1.0/model.glb").status_code == 404


def test_the_page_offers_to_turn_a_design_that_has_a_picture(house: House, world: World) -> None:
    assert "data-turntable" not in house.browser().get("/designs/headband").text
    draw(house, world.headband)
    page = house.browser().get("/designs/headband").text
    assert 'data-model="/designs/headband/versions/1.0/model.glb"' in page
    assert "Turn it in 3D" in page
