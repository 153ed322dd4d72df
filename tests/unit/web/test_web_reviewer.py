"""The reviewer's pages: what waits, what changed, and a decision that is confirmed and stays with its evidence."""

import pytest
from builders import NOW, World, design_version, later, review
from unit.web.browsers import Browser
from unit.web.houses import Form, House, forms_of, next_version
from werkzeug.test import TestResponse

from makerhub.designs import approvals
from makerhub.designs.approvals import Decision, Scope
from makerhub.designs.models import Approval, ApprovalState, DesignVersion, VersionState
from makerhub.people.models import Role
from makerhub.trace.models import Recall

FIELDS = {
    "state": "community_reviewed",
    "material": "",
    "where": "hub",
    "evidence": "Ten people wore it for a week.",
    "link": "",
    "valid_until": "",
}


@pytest.fixture
def rose(house: House, world: World) -> Browser:
    house.add_person("Rose", (world.hub, Role.REVIEWER))
    return house.signed_in("rose")


@pytest.fixture
def newer(house: House, world: World) -> DesignVersion:
    """A version 2.0 of the headband that nobody has judged: thicker, of another filling, and with a note."""
    return next_version(house, world.headband)


def address(world: World, version: DesignVersion) -> str:
    return f"/reviews/{world.hub.id}/{version.id}"


def decide(browser: Browser, page: str, **typed: str) -> TestResponse:
    """Fill in the form, and confirm it when it was understood."""
    asked = browser.post(page, FIELDS | typed, form="/")
    if asked.status_code != 200:
        return asked
    assert "Is this right?" in asked.text
    return browser.post(page, form_to(asked, page).fields, form="/")


def form_to(page: TestResponse, action: str) -> Form:
    return next(form for form in forms_of(page) if form.action == action)


def rows(world: World, version: DesignVersion) -> list[Approval]:
    return [row for row in world.all(Approval) if row.version_id == version.id]


def test_what_nobody_has_judged_waits_with_what_changed_and_what_is_asked_for(
    world: World, rose: Browser, newer: DesignVersion
) -> None:
    world.request(12, version=newer)
    page = rose.get("/reviews").text
    assert "Headband 2.0" in page
    assert "Face-Shield" not in page
    assert "Nobody has decided about it yet." in page
    assert "12 kits are asked for, by 1 facility." in page
    assert "3 things changed since 1.0." in page


@pytest.mark.usefixtures("newer")
def test_an_approval_that_ends_soon_waits_first_and_a_renewed_one_no_more(
    house: House, world: World, rose: Browser
) -> None:
    with house.database.changing() as session:
        short = design_version(session, "pen-grip", band=1)
        row = review(session, short, house.people["dan"])
        row.valid_until = later(days=20)
    page = rose.get("/reviews").text
    assert "Its approval ends on <time" in page
    assert page.index("Pen-Grip") < page.index("Headband 2.0")
    decide(rose, address(world, short), evidence="Worn for another month.", valid_until="2021-03-01")
    assert "Pen-Grip" not in rose.get("/reviews").text


def test_an_older_version_that_facilities_still_get_waits_when_its_approval_ends(
    house: House, world: World, rose: Browser
) -> None:
    with house.database.changing() as session:
        older = design_version(session, "pen-grip", band=1)
        review(session, older, house.people["dan"]).valid_until = later(days=20)
    newest = next_version(house, older)
    page = rose.get("/reviews").text
    assert page.index("Pen-Grip 1.0") < page.index("Pen-Grip 2.0")
    decide(rose, address(world, newest))
    assert "Pen-Grip" not in rose.get("/reviews").text


def test_the_review_shows_the_differences_from_the_approved_ancestor(
    world: World, rose: Browser, newer: DesignVersion
) -> None:
    page = rose.get(address(world, newer)).text
    assert "3 things changed since 1.0" in page
    assert "approved here" in page
    assert "“band” has another shape." in page
    assert "“band” is filled to 30 percent instead of 15." in page
    assert "<ins>Wash it.</ins>" in page
    assert "Volume, cm³" in page
    assert '<td class="number">33</td>' in page
    assert "+10 %" in page
    assert "A hospital may ask for it from “Community-reviewed” on: not yet." in page


def test_without_an_approved_ancestor_it_is_compared_with_its_parent(house: House, world: World, rose: Browser) -> None:
    with house.database.changing() as session:
        first = design_version(session, "pen-grip", band=1)
    page = rose.get(address(world, first)).text
    assert "There is no earlier one to compare it with" in page
    second = next_version(house, first)
    assert "No earlier version is approved here" in rose.get(address(world, second)).text


def test_a_decision_is_confirmed_and_stands_with_its_evidence(
    house: House, world: World, rose: Browser, newer: DesignVersion
) -> None:
    where = address(world, newer)
    asked = rose.post(where, FIELDS | {"link": "https://example.org/report", "valid_until": "2020-06-30"}, form="/")
    assert "30 Jun 2020" in asked.text
    before, after = asked.text.partition("<tbody>")[2].split('class="tag')[1:3]
    assert "Prototype" in before
    assert "Community-reviewed" in after
    assert rows(world, newer) == []
    done = rose.post(where, form_to(asked, where).fields, form="/")
    assert done.status_code == 302
    [row] = rows(world, newer)
    assert (row.state, row.hub_id, row.material) == (ApprovalState.COMMUNITY_REVIEWED, world.hub.id, "")
    assert row.decided_by == house.people["rose"].id
    assert {"plan_jobs", "allocate_lots", "withdraw_stale_attempts"} <= set(house.nudged)
    shown = house.browser().get("/designs/headband").text
    for told in ("Ten people wore it for a week.", 'href="https://example.org/report"', "Rose", "30 Jun 2020"):
        assert told in shown
    assert "Headband" not in rose.get("/reviews").text


def test_the_same_form_sent_twice_is_one_decision(world: World, rose: Browser, newer: DesignVersion) -> None:
    for _ in range(2):
        assert decide(rose, address(world, newer)).status_code == 302
    assert len(rows(world, newer)) == 1


def test_a_decision_for_one_material_or_for_a_whole_jurisdiction(
    world: World, rose: Browser, newer: DesignVersion
) -> None:
    decide(rose, address(world, newer), material="PETG", where="jurisdiction")
    [row] = rows(world, newer)
    assert (row.material, row.hub_id, row.jurisdiction) == ("PETG", None, "GB")


def test_what_was_approved_goes_back_to_a_prototype(house: House, world: World, rose: Browser) -> None:
    with house.database.changing() as session:
        version = design_version(session, "pen-grip", band=1)
    where = address(world, version)
    decide(rose, where)
    assert decide(rose, where, state="prototype", evidence="It slips.").status_code == 302
    [row] = rows(world, version)
    assert (row.state, row.evidence) == (ApprovalState.PROTOTYPE, "It slips.")
    page = house.browser().get("/designs/pen-grip").text
    assert "Taken back" in page
    assert "A hospital may ask for it from “Community-reviewed” on: not yet." in page
    assert "Pen-Grip" not in rose.get("/reviews").text


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"state": ""}, "Choose what you have decided."),
        ({"state": "withdrawn"}, "Choose what you have decided."),
        ({"state": "clinically_approved"}, "A clinical approval ends some day. Say when."),
        ({"state": "prototype"}, "Nothing is approved there"),
        ({"material": "Gold"}, "Choose one of these."),
        ({"where": "the world"}, "Choose one of these."),
        ({"evidence": " "}, "Say on what this rests"),
        ({"evidence": " ", "link": "https://example.org"}, "Say on what this rests"),
        ({"evidence": "x" * 490, "link": "https://example.org"}, "under 500 characters together"),
        ({"link": "javascript:alert(1)"}, "Enter a whole address"),
        ({"valid_until": "2020-03-24"}, "Choose a day after today"),
        ({"valid_until": "soon"}, "Enter a day"),
    ],
)
@pytest.mark.parametrize("sure", ["", "yes"])
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    world: World, rose: Browser, newer: DesignVersion, typed: dict[str, str], told: str, sure: str
) -> None:
    page = rose.post(address(world, newer), FIELDS | typed | {"sure": sure}, form="/")
    assert page.status_code == 400
    assert told in page.text
    evidence = typed.get("evidence", FIELDS["evidence"]).strip()
    assert form_to(page, address(world, newer)).fields["evidence"] is not None
    assert f">{evidence}</textarea>" in page.text
    assert rows(world, newer) == []


def test_nobody_judges_what_they_published(house: House, world: World, rose: Browser) -> None:
    version = next_version(house, world.headband, published_by=house.people["rose"].id)
    assert "You published this version." in rose.get("/reviews").text
    page = rose.get(address(world, version))
    assert f'action="{address(world, version)}"' not in page.text
    for sure in ("", "yes"):
        refused = rose.post(address(world, version), FIELDS | {"sure": sure}, form="/")
        assert refused.status_code == 403
        assert "Somebody else has to review it." in refused.text
    assert rows(world, version) == []


def test_a_withdrawn_version_is_not_judged_any_more(world: World, rose: Browser, newer: DesignVersion) -> None:
    world.withdraw(newer)
    assert "Headband 2.0" not in rose.get("/reviews").text
    page = rose.get(address(world, newer)).text
    assert "This version has been withdrawn" in page
    assert "<form" not in page.partition("<main")[2].partition("</main>")[0]
    assert rose.post(address(world, newer), FIELDS | {"sure": "yes"}, form="/").status_code == 409
    assert rows(world, newer) == []


def test_a_reviewer_of_another_hub_finds_nothing_of_this_one(house: House, world: World, newer: DesignVersion) -> None:
    house.add_person("Eve", (house.add_hub("Elsewhere"), Role.REVIEWER))
    eve = house.signed_in("eve")
    assert "Headband 2.0" in eve.get("/reviews").text  # which waits for her own hub, too
    assert eve.get(address(world, newer)).status_code == 404
    assert eve.post(address(world, newer), FIELDS | {"sure": "yes"}, form="/").status_code == 404
    unknown = f"/reviews/{world.hub.id}/{world.hub.id}"
    house.add_person("Rose", (world.hub, Role.REVIEWER))
    assert house.signed_in("rose").get(unknown).status_code == 404
    assert rows(world, newer) == []


def test_only_reviewers_review(house: House, world: World, newer: DesignVersion) -> None:
    for who in ("dan", "mona", "ruth", "charlie"):
        browser = house.signed_in(who)
        assert browser.get("/reviews").status_code == 404
        assert browser.post(address(world, newer), FIELDS | {"sure": "yes"}, form="/").status_code == 404
    assert rows(world, newer) == []


def test_a_reviewer_withdraws_for_one_material_after_seeing_what_it_touches(
    house: House, world: World, rose: Browser
) -> None:
    world.deliver(world.request(), world.lot(4), 3)
    world.reserve(second := world.request(), world.lot(4), 4)
    world.pack(second)
    page = rose.get(address(world, world.headband)).text
    assert 'action="/designs/headband/versions/1.0/withdraw"' in page
    where = f"/designs/headband/versions/1.0/withdraw?material=PETG&hub={world.hub.id}"
    asked = rose.get(where)
    for told in (
        "Only what Kingston Hub makes of PETG.",
        "2 lots at makers and hubs are set aside.",
        "1 packed shipment is unpacked.",
        "1 facility got pieces of it.",
        "Rosewood",
    ):
        assert told in asked.text
    form = form_to(asked, "/designs/headband/versions/1.0/withdraw")
    done = rose.post(form.action, form.fields | {"why": "It softens."}, form="/")
    assert done.status_code == 302
    shown = rose.get(done.headers["Location"]).text
    assert "Kingston Hub" in shown
    assert "Rosewood" in shown
    [recall] = world.all(Recall)
    assert (recall.material, recall.hub_id, recall.why) == ("PETG", world.hub.id, "It softens.")
    assert world.get(DesignVersion, world.headband.id).state is VersionState.PUBLISHED
    assert "Withdrawn" in house.browser().get("/designs/headband").text
    assert "This hub makes it no more" in house.signed_in("alice").get("/ask").text


def test_nobody_withdraws_for_a_hub_of_others_or_a_material_that_is_none(
    house: House, world: World, rose: Browser
) -> None:
    other = house.add_hub("Elsewhere")
    for narrowed in (f"hub={other.id}", "hub=x", "material=Gold"):
        assert rose.get(f"/designs/headband/versions/1.0/withdraw?{narrowed}").status_code == 404
    refused = rose.post("/designs/headband/versions/1.0/withdraw", {"hub": str(other.id), "why": "x"}, form="/")
    assert refused.status_code == 404
    assert world.all(Recall) == []


def test_a_withdrawal_for_the_whole_hub_can_not_be_outweighed(
    house: House, world: World, rose: Browser, newer: DesignVersion
) -> None:
    with house.database.changing() as session:
        row = session.get_one(DesignVersion, newer.id)
        decision = Decision(Scope(hub_id=world.hub.id), ApprovalState.WITHDRAWN, "It cracks.", NOW)
        approvals.decide(session, row, decision, by=house.people["dan"].id, now=NOW)
    assert "Headband 2.0" not in rose.get("/reviews").text
    assert rose.post(address(world, newer), FIELDS | {"sure": "yes"}, form="/").status_code == 409
