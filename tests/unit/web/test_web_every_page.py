"""Every route of the hub, walked by everybody: visitors, those whose things are shown, and the same roles elsewhere."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from builders import NOW, World, organisation
from sqlmodel import SQLModel
from unit.notices.sample_letters import NEWS
from unit.web.browsers import Browser
from unit.web.houses import House

from makerhub.notices import service as notices
from makerhub.people.models import OrganisationKind, Role
from makerhub.production.models import AttemptState
from makerhub.web.policy import Policy, policy_of

FOR_EVERYBODY = {"filename", "key", "sha256", "version", "recall_id"}
"""What may stand in an address without telling anything of anybody."""

NOT_YET = {"courier.thanks", "uploads.picture", "public.model"}
"""Pages of the rightful that are not there in the state that the walk meets."""

FOR_ADMINISTRATORS = {"tracing.lot", "mails.mail", "mails.read", "mails.retry"}
"""Pages of things that administrators see wherever they are."""

FROM_OUR_OWN_PAGE = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}


@pytest.fixture
def places(world: World) -> Mapping[str, object]:
    """A thing of the world for each name in an address; a new name has to take its place here."""
    withdrawn = world.recall(world.kit)
    request, shipped = world.request(), world.lot(4)
    world.reserve(request, shipped, 4)
    shipment = world.pack(request)
    world.depart(shipment)
    lot = world.lot_at_maker(2)
    attempt = world.attempt(AttemptState.IN_DOUBT)
    with world.database.changing() as session:
        values = {"what": "masks"}
        mail = notices.tell(session, NEWS, to="ruth@example.org", values=values, language="en", now=NOW)
    return {
        "request_id": request.id,
        "shipment_id": shipment.id,
        "printer_id": world.printer.id,
        "attempt_id": attempt.id,
        "job_id": attempt.job_id,
        "lot_id": lot.id,
        "label": shipped.label,
        "key": "headband",
        "version": "1.0",
        "version_id": world.headband.id,
        "hub_id": world.hub.id,
        "recall_id": withdrawn.recall_id,
        "notice_id": withdrawn.id,
        "upload_id": world.upload().id,
        "mail_id": mail.id,
        "spool_id": world.spool().id,
        "number": 0,
        "sha256": "0" * 64,
        "filename": "makerhub.css",
    }


def routes(house: House, places: Mapping[str, object]) -> Iterator[tuple[str, str, str, set[str], Policy]]:
    """Method, address, endpoint, names in the address, and policy of every route."""
    addresses = house.app.url_map.bind("localhost")
    for rule in house.app.url_map.iter_rules():
        policy = policy_of(house.app, rule.endpoint)
        assert policy is not None, rule.endpoint
        for method in (rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}:
            values = {name: places[name] for name in rule.arguments}
            address = addresses.build(rule.endpoint, values, method=method)
            yield method, address, rule.endpoint, set(rule.arguments), policy


def content(world: World) -> dict[str, list[Any]]:
    """Every row of every table but the sign-ins."""
    with world.database.reading() as session:
        return {
            table.name: sorted(map(repr, session.execute(table.select())))
            for table in SQLModel.metadata.sorted_tables
            if table.name != "browser_session"
        }


def token_of(browser: Browser) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/").text)
    assert found
    return found[1]


def go(browser: Browser, method: str, address: str, **fields: str) -> int:
    return browser.client.open(
        address, method=method, data=fields or None, headers=FROM_OUR_OWN_PAGE, buffered=True
    ).status_code


def test_a_visitor_is_asked_to_sign_in_wherever_not_everybody_may(
    house: House, world: World, places: Mapping[str, object]
) -> None:
    before, walked = content(world), 0
    for method, address, _, _, policy in routes(house, places):
        response = house.browser().client.open(address, method=method, headers=FROM_OUR_OWN_PAGE, buffered=True)
        is_sent_away = response.status_code == 302 and response.headers["Location"].startswith("/sign-in")
        assert is_sent_away != policy.visitors, f"{method} {address}: {response.status_code}"
        walked += 1
    assert walked > 40
    assert content(world) == before


@pytest.mark.parametrize("role", [None, *Role])
def test_one_role_opens_its_pages_and_nothing_of_another_place(
    house: House, world: World, places: Mapping[str, object], role: Role | None
) -> None:
    kind = OrganisationKind.HOSPITAL if role is Role.REQUESTER else OrganisationKind.HUB
    with world.database.changing() as session:
        elsewhere = organisation(session, kind, "Elsewhere")
    somebody = house.add_person("Somebody", *([(elsewhere, role)] if role else []))
    browser = house.signed_in("somebody")
    token, before = token_of(browser), content(world)
    for method, address, endpoint, names, policy in routes(house, places):
        if endpoint == "security.logout" or (
            role is Role.ADMIN and endpoint in FOR_ADMINISTRATORS and method == "POST"
        ):
            continue
        status = go(browser, method, address, **({"csrf_token": token} if method != "GET" else {}))
        may_look_at_all = role is Role.ADMIN and endpoint in FOR_ADMINISTRATORS
        if not policy.admits(somebody) or (names - FOR_EVERYBODY and not may_look_at_all):
            assert status == 404, f"{role} {method} {address}: {status}"
        elif "sha256" not in names and endpoint not in NOT_YET:
            assert status in (200, 302, 400), f"{role} {method} {address}: {status}"
    assert content(world) == before


@pytest.mark.parametrize(("name", "role"), [("ruth", Role.REQUESTER), ("mona", Role.MAKER), ("dan", Role.DISPATCHER)])
def test_those_whose_things_they_are_see_them_and_no_form_works_without_its_token(
    house: House, world: World, places: Mapping[str, object], name: str, role: Role
) -> None:
    walk_as_the_rightful(house, world, places, name, role)


@pytest.mark.parametrize(("name", "role"), [("kim", Role.COURIER), ("rose", Role.REVIEWER), ("ada", Role.ADMIN)])
def test_so_do_couriers_reviewers_and_administrators(
    house: House, world: World, places: Mapping[str, object], name: str, role: Role
) -> None:
    house.add_person("Ada", (world.hub, Role.ADMIN))
    house.add_person("Rose", (world.hub, Role.REVIEWER))
    walk_as_the_rightful(house, world, places, name, role)


def walk_as_the_rightful(house: House, world: World, places: Mapping[str, object], name: str, role: Role) -> None:
    browser, before, walked = house.signed_in(name), content(world), 0
    for method, address, endpoint, _, policy in routes(house, places):
        if role not in policy.roles or endpoint in NOT_YET:
            continue
        status = go(browser, method, address)
        assert status in ((200, 204, 302) if method == "GET" else (400,)), f"{name} {method} {address}: {status}"
        walked += 1
    assert walked >= 2
    assert content(world) == before


def test_no_form_of_a_visitor_works_without_its_token(house: House) -> None:
    assert go(house.browser(), "POST", "/sign-in", email="mona@example.org", password="x") == 400
    mona = house.signed_in("mona")
    assert go(mona, "POST", "/sign-out") == 400
    assert mona.get("/printers").status_code == 200
