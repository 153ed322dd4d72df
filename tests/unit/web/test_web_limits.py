"""How often somebody may send forms, by whom it is counted, and what somebody is told who sends too many."""

import http.client

import pytest
from unit.web.browsers import Site
from unit.web.houses import House

from makerhub.printers.models import Printer
from makerhub.web.application import create_web
from makerhub.web.limits import ANY_FORM, limits_of, network_of
from makerhub.web.server import serving

MOST = ANY_FORM.per_person.amount


def test_every_form_has_a_limit_and_pages_have_none(site: Site) -> None:
    app = create_web(site.app.extensions["makerhub"])
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            at_will = method == "GET" or rule.endpoint == "agents.report"  # the token is its measure
            assert at_will or limits_of(app, rule.endpoint, method), rule.endpoint
    assert limits_of(app, "home.start", "GET") is None
    requests = limits_of(app, "asking.submit", "POST")
    assert requests is not None
    assert requests.per_person.amount < MOST


def test_whoever_sends_too_many_is_told_when_to_try_again_and_others_go_on(site: Site) -> None:
    alice, bob = site.signed_in("alice"), site.signed_in("bob")
    for _ in range(MOST):
        assert alice.post("/do").status_code == 200
    refused = alice.post("/do")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert "Wait 1 min," in refused.text
    assert refused.headers["Content-Security-Policy"]
    assert alice.get("/mine").status_code == 200
    assert bob.post("/do").status_code == 200


def test_a_refused_form_did_nothing(house: House) -> None:
    mona = house.signed_in("mona")
    answers = [mona.post("/printers/new", form="/printers/new").status_code for _ in range(31)]
    assert answers == [400] * 30 + [429]
    assert len(house.world.all(Printer)) == 1


def test_visitors_are_counted_by_their_address(site: Site) -> None:
    for _ in range(ANY_FORM.per_address.amount):
        assert site.browser().client.post("/do", environ_base={"REMOTE_ADDR": "2001:db8::1"}).status_code == 400
    tries = {
        address: site.browser().client.post("/do", environ_base={"REMOTE_ADDR": address}).status_code
        for address in ("2001:db8::2", "2001:db8:0:1::1", "192.0.2.1")
    }
    assert tries == {"2001:db8::2": 429, "2001:db8:0:1::1": 400, "192.0.2.1": 400}


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_a_household_is_one_address(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(("proxy", "is_believed"), [("", False), ("127.0.0.1", True), ("192.0.2.9", False)])
def test_only_the_proxy_of_the_settings_is_believed_for_whom_it_asks(site: Site, proxy: str, is_believed: bool) -> None:
    """Seen at what hangs on it: by https browsers are told to come by https only."""
    told = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "hub.example"}
    with serving(site.app, "127.0.0.1", trusted_proxy=proxy) as address:
        connection = http.client.HTTPConnection(address.removeprefix("http://"))
        connection.request("GET", "/open", headers=told)
        answer = connection.getresponse()
        answer.read()
        connection.close()
    assert ("Strict-Transport-Security" in answer.headers) is is_believed
