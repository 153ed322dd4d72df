"""The catalogue: for everybody, honest about what it is, and safe whatever a design's notes hold."""

import pytest
from builders import World
from unit.web.houses import House

from makerhub.designs.models import DesignVersion, Part, VersionState
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
    assert "No authority has approved them for clinical use" in page


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
