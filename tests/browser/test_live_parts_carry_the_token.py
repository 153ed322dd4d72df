"""What htmx sends carries the form token: it inherits no attribute unless told, so this is looked at in a browser."""

from browser.conftest import DESK, Open, Town


def test_live_parts_carry_the_token_and_it_is_the_one_that_forms_need(town: Town, open_page: Open) -> None:
    page = open_page(DESK)
    town.sign_in(page, "mona")
    page.goto(f"{town.address}/printers")
    with page.expect_request("**/printers/now") as asked:
        pass
    headers = asked.value.all_headers()
    assert headers["hx-request"] == "true"
    assert headers["sec-fetch-site"] == "same-origin"
    token = headers["x-csrftoken"]
    cookie = next(one["value"] for one in page.context.cookies() if one["name"] == "makerhub")
    answers = {sent: _send(town, cookie, sent) for sent in (token, "", "made-up")}
    assert "Register a printer" in answers[token]  # the form again, with what is wrong in it
    assert all("open for too long" in answers[sent] for sent in ("", "made-up"))


def _send(town: Town, cookie: str, token: str) -> str:
    """Send an empty form with the token in the header, as htmx would."""
    browser = town.house.browser()
    browser.cookie = cookie
    headers = {"Sec-Fetch-Site": "same-origin", "X-CSRFToken": token}
    answer = browser.client.post("/printers/new", headers=headers)
    assert answer.status_code == 400
    return answer.text
