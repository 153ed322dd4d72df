"""Every route of the hub, asked by everybody: visitors, those whose things are shown, colleagues, and strangers."""

from collections.abc import Iterator

import pytest
from builders import World
from unit.web import permissions
from unit.web.browsers import Browser
from unit.web.houses import House
from unit.web.permissions import OWNERS, WORDS, Walk, ask, content, many_sided, people_of, token_of, walking
from unit.web.things import values_for

from makerhub.people.models import Role

FOR_ADMINISTRATORS = {
    "tracing.lot", "mails.mail", "mails.read", "mails.retry", "invitations.revoke", "own_hub.overview",
    "own_hub.describe", "own_hub.save", "own_hub.change", "own_hub.make_change", "proposing.proposal",
    "proposing.accept", "proposing.decline", "hub_people.overview", "hub_people.give", "hub_people.take",
    "verification.facility", "verification.match", "verification.call", "verification.letter", "verification.revoke",
    "facility_merges.confirm", "facility_merges.merge", "facility_merges.undo",
    "person_page.shown", "person_page.reset", "person_page.let_in",
    "moderation.report", "moderation.dismiss", "moderation.hide", "moderation.block", "moderation.lift",
}  # fmt: skip
"""Routes of private things that administrators of another place open: they look after the whole installation."""


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    with walking(tmp_path_factory.mktemp("walk")) as walked:
        yield walked


def test_a_visitor_is_asked_to_sign_in_wherever_not_everybody_may(walk: Walk) -> None:
    for route, answer in walk.answers("visitor").items():
        assert answer.admits == route.policy.visitors, f"{route.method} {route.written}: {answer.status}"
        assert answer.status != 404, f"{route.method} {route.written}: a thing of tests/unit/web/things.py is missing"
    assert len(walk.routes) > 70


@pytest.mark.parametrize("role", Role)
def test_a_role_opens_its_own_pages_and_no_page_of_another_place(walk: Walk, role: Role) -> None:
    owner, colleague, stranger = people_of(role)
    for route in walk.routes:
        where = f"{route.method} {route.written}"
        may = route.policy.visitors or not route.policy.roles or role in route.policy.roles
        assert walk.admitted(owner, route) == may, f"{where}: {role} {walk.answers(owner)[route].status}"
        if route.is_private and not (role is Role.ADMIN and route.endpoint in FOR_ADMINISTRATORS):
            assert not walk.admitted(stranger, route), f"{where}: {role} of another place"
        if not route.is_private:
            assert walk.admitted(stranger, route) == may, f"{where}: whose is {set(route.names)}? See things.py"
        if not walk.admitted(owner, route):
            assert walk.answers(owner)[route].status == 404, f"{where}: a refusal tells that there is something"
        found = tuple(walk.admitted(who, route) for who in (owner, colleague, stranger))
        assert found in WORDS, f"{where}: {role} {found}"


def test_somebody_without_a_role_opens_what_takes_none(walk: Walk) -> None:
    for route in walk.routes:
        assert walk.admitted("charlie", route) == (route.policy.visitors or not route.policy.roles), route.written


@pytest.mark.parametrize("role", Role)
def test_a_role_of_one_place_opens_nothing_at_another_where_one_has_another_role(walk: Walk, role: Role) -> None:
    """So a dispatcher who asks for a facility does not answer its request at the hub of others."""
    for route in walk.routes:
        apart = [walk.admitted(people_of(role)[1], route)]
        apart += [walk.admitted(people_of(other)[2], route) for other in Role if other not in (role, Role.ADMIN)]
        assert walk.admitted(many_sided(role), route) == any(apart), f"{route.method} {route.written}: {role} and more"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_pages_show_nothing_of_another_place(walk: Walk, role: Role) -> None:
    for route, answer in walk.answers(people_of(role)[2]).items():
        asked = {str(value) for value in values_for(route.endpoint, set(route.names), walk.things).values()}
        shown = {word for word in walk.private_words - asked if word in answer.text}
        assert not shown, f"{route.method} {route.written} shows {shown} to a {role} of another place"


def test_the_documentation_says_who_may_open_what(walk: Walk) -> None:
    """Where this fails: `make permissions`, and read what changed."""
    assert permissions.DOCUMENT.read_text(encoding="utf-8") == permissions.document(walk)


def test_asking_changed_nothing(walk: Walk) -> None:
    assert content(walk.house.database) == walk.content


def test_no_form_works_without_its_token(walk: Walk) -> None:
    before = content(walk.house.database)
    for role, who in OWNERS.items():
        browser = walk.house.signed_in(who)
        for route in walk.routes:
            if route.method != "GET" and role in route.policy.roles:
                assert ask(browser, route).status == 400, f"{who} {route.method} {route.written}"
    assert content(walk.house.database) == before


def test_no_form_of_a_visitor_works_without_its_token(house: House) -> None:
    visitor = house.browser()
    answer = visitor.client.post("/sign-in", data={"email": "mona@example.org"}, headers=permissions.FROM_OUR_OWN_PAGE)
    assert answer.status_code == 400
    mona = house.signed_in("mona")
    assert mona.client.post("/sign-out", headers=permissions.FROM_OUR_OWN_PAGE).status_code == 400
    assert mona.get("/printers").status_code == 200


def act(browser: Browser, address: str, **fields: str) -> int:
    """Press a button: the address's status."""
    data = {"csrf_token": token_of(browser), **fields}
    return browser.client.post(address, data=data, headers=permissions.FROM_OUR_OWN_PAGE).status_code


def test_dispatchers_act_on_their_own_hubs_things_only(house: House, world: World) -> None:
    """On both databases, and kept: the same action is refused to one hub and done by the other."""
    elsewhere = house.add_hub("Elsewhere Hub")
    house.add_person("Dora", (elsewhere, Role.DISPATCHER), (world.care_home, Role.REQUESTER))
    lot = world.lot_at_maker(4)
    address, fields = f"/dispatch/lots/{lot.id}/inspect", {"passed": "4"}
    before = content(world.database)
    assert act(house.signed_in("dora"), address, **fields) == 404
    assert content(world.database) == before
    assert act(house.signed_in("dan"), address, **fields) == 302
    theirs = world.request(hub_id=elsewhere.id)
    assert act(house.signed_in("dan"), f"/dispatch/requests/{theirs.id}/pack") == 404
    assert act(house.signed_in("dora"), f"/dispatch/requests/{theirs.id}/pack") == 400  # nothing is reserved yet
