"""Who may open which page, and what protects every page."""

import gzip
import json
import re
from pathlib import Path

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from unit.web.browsers import Site

from makerhub.errors import MakerhubError
from makerhub.key_file import KeyFileUnsafe, secret_key
from makerhub.people.models import Role
from makerhub.web.application import LARGEST_FORM_BYTES, create_web
from makerhub.web.policy import allowed, policy_of
from makerhub.web.safety import HEADERS, ONLY_HTTPS


def test_every_page_of_makerhub_has_a_policy(site: Site) -> None:
    app = create_web(site.app.extensions["makerhub"])
    without = {rule.endpoint for rule in app.url_map.iter_rules() if policy_of(app, rule.endpoint) is None}
    assert without == set()


def test_the_sign_in_library_brings_no_pages_that_nobody_asked_for(site: Site) -> None:
    brought = {rule.rule for rule in site.app.url_map.iter_rules() if rule.endpoint.startswith("security.")}
    assert brought == {"/sign-in/password", "/sign-out"}


def test_a_page_without_a_policy_is_refused(site: Site) -> None:
    assert site.browser().get("/forgotten").status_code == 404
    assert site.signed_in("alice").get("/forgotten").status_code == 404


@pytest.mark.parametrize(
    ("page", "visitor", "alice", "bob"),
    [("/open", 200, 200, 200), ("/mine", 302, 200, 200), ("/board", 302, 200, 404), ("/sign-in", 200, 302, 302)],
)
def test_each_policy_admits_whom_it_names(site: Site, page: str, visitor: int, alice: int, bob: int) -> None:
    assert site.browser().get(page).status_code == visitor
    assert site.signed_in("alice").get(page).status_code == alice
    assert site.signed_in("bob").get(page).status_code == bob


def test_a_page_of_another_role_looks_like_no_page(site: Site) -> None:
    bob = site.signed_in("bob")
    varying = re.compile(r'value="[^"]*"|X-CSRFToken": "[^"]*"')  # tokens, and the page to come back to
    assert varying.sub("", bob.get("/board").text) == varying.sub("", bob.get("/no-such-page").text)


def test_a_policy_names_its_roles() -> None:
    with pytest.raises(ValueError, match="name the roles"):
        allowed()
    assert allowed(Role.MAKER)(lambda: "x")() == "x"


def test_a_form_with_its_token_is_taken(site: Site) -> None:
    assert site.browser().post("/do").text == "done"


@pytest.mark.parametrize("token", ["", "made-up"])
def test_a_form_without_its_token_is_refused(site: Site, token: str) -> None:
    response = site.browser().post("/do", {"csrf_token": token})
    assert response.status_code == 400
    assert "open for too long" in response.text


def test_the_token_of_another_session_is_refused(site: Site) -> None:
    theirs = re.search(r'value="([^"]+)"', site.browser().get("/form").text)
    assert theirs
    assert site.browser().post("/do", {"csrf_token": theirs[1]}).status_code == 400


def test_a_token_of_before_the_sign_out_is_refused(site: Site) -> None:
    alice = site.signed_in("alice")
    before = re.search(r'value="([^"]+)"', alice.get("/form").text)
    assert before
    alice.sign_out()
    assert alice.post("/do", {"csrf_token": before[1]}).status_code == 400


def test_a_form_left_open_for_a_shift_is_still_taken(site: Site) -> None:
    class ThisMorning(TimestampSigner):
        def get_timestamp(self) -> int:
            return super().get_timestamp() - 12 * 3600

    alice = site.signed_in("alice")
    [row] = site.rows()
    serializer = URLSafeTimedSerializer(site.app.secret_key or b"", salt="wtf-csrf-token", signer=ThisMorning)
    token = serializer.dumps(json.loads(row.content)["csrf_token"])
    site.time.pass_by(hours=12)
    assert alice.post("/do", {"csrf_token": str(token)}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://other.localhost"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8001"},
    ],
)
def test_a_form_of_another_site_is_refused_even_with_a_token(site: Site, headers: dict[str, str]) -> None:
    assert site.browser().post("/do", headers=headers).status_code == 400


def test_signing_out_takes_a_form_of_ours(site: Site) -> None:
    alice = site.signed_in("alice")
    assert alice.get("/sign-out").status_code == 405
    assert alice.client.post("/sign-out").status_code == 400
    assert alice.get("/mine").status_code == 200


PAGES = {
    "/": 200,
    "/sign-in": 200,
    "/board": 302,
    "/error/invalid": 400,
    "/error/forbidden": 403,
    "/no-such-page": 404,
    "/sign-out": 405,
    "/error/moved": 409,
    "/error/broken": 500,
    "/static/makerhub.css": 200,
    "/static/no-such-file": 404,
}


@pytest.mark.parametrize("page", PAGES)
def test_every_answer_carries_the_headers_of_safety(site: Site, page: str) -> None:
    answer = site.browser().get(page)
    assert answer.status_code == PAGES[page]
    headers = answer.headers
    assert {name: headers.get(name) for name in HEADERS} == HEADERS
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_so_do_the_answers_to_what_is_too_much(site: Site) -> None:
    browser = site.browser()
    too_large = browser.post("/do", {"text": "x" * (LARGEST_FORM_BYTES + 1)})
    too_many = [browser.sign_in("alice@example.org", "wrong password") for _ in range(11)][-1]
    unchanged = browser.get(
        "/static/makerhub.css", headers={"If-None-Match": browser.get("/static/makerhub.css").headers["ETag"]}
    )
    for answer, status in ((too_large, 413), (too_many, 429), (unchanged, 304)):
        assert answer.status_code == status
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_by_https_browsers_are_told_to_ask_for_nothing_else(site: Site) -> None:
    secure = site.browser().client.get("/", base_url="https://localhost")
    assert secure.headers["Strict-Transport-Security"] == ONLY_HTTPS
    assert "Strict-Transport-Security" not in site.browser().get("/").headers


def test_nothing_in_a_page_needs_more_than_the_content_policy_allows(site: Site) -> None:
    alice = site.signed_in("alice")
    for page in ("/", "/sign-in", "/no-such-page", "/form"):
        text = alice.get(page, follow_redirects=True).text + site.browser().get(page).text
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|https?://", text)


def test_pages_of_somebody_who_is_signed_in_are_kept_by_no_browser(site: Site) -> None:
    assert site.signed_in("alice").get("/").headers["Cache-Control"] == "no-store"
    assert site.browser().get("/").headers["Cache-Control"] == "no-cache"


def test_static_files_are_kept_for_a_year_and_named_by_their_content(site: Site) -> None:
    address = re.search(r'href="(/static/makerhub.css[?]v=[0-9a-f]{12})"', site.browser().get("/").text)
    assert address
    assert site.browser().get(address[1]).cache_control.max_age == 365 * 24 * 3600


def test_the_first_page_is_light(site: Site) -> None:
    browser = site.browser()
    page = browser.get("/").text
    parts = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(parts) + 1 <= 8
    sent = [browser.get(part, headers={"Accept-Encoding": "gzip"}).data for part in parts]
    assert sum(map(len, sent)) + len(page.encode()) < 30_000


def test_static_texts_go_out_compressed_to_whoever_takes_it(site: Site) -> None:
    browser, style = site.browser(), "/static/makerhub.css"
    plain, packed = browser.get(style), browser.get(style, headers={"Accept-Encoding": "br, gzip"})
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 3
    again = {"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]}
    assert browser.get(style, headers=again).status_code == 304
    refused = browser.get(style, headers={"Accept-Encoding": "gzip;q=0"})
    assert (refused.data, "Content-Encoding" in refused.headers) == (plain.data, False)
    assert "Content-Encoding" not in browser.get("/", headers={"Accept-Encoding": "gzip"}).headers


def test_the_key_is_made_once_and_for_nobody_else(tmp_path: Path) -> None:
    file = tmp_path / "new" / "web.key"
    key = secret_key(file)
    assert len(key) == 32
    assert secret_key(file) == key
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "web.key"
    secret_key(file)
    file.chmod(0o644)
    with pytest.raises(KeyFileUnsafe) as refused:
        secret_key(file)
    assert isinstance(refused.value, MakerhubError)
    assert "chmod 600" in str(refused.value)
