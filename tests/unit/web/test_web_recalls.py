from builders import World
from unit.web.houses import House, fill

from makerhub.designs.models import DesignVersion, VersionState
from makerhub.people.models import Role
from makerhub.trace.models import NoticeState, RecallNotice


def test_a_design_is_withdrawn_and_the_facility_answers(house: House, world: World) -> None:
    world.deliver(world.request(), world.lot(4), 3)
    dan = house.signed_in("dan")
    asked = dan.get("/designs/headband/versions/1.0/withdraw").text
    assert "1 lot at makers and hubs is set aside" in asked
    assert "Rosewood" in asked
    refused = fill(dan, dan.get("/designs/headband/versions/1.0/withdraw"), why=" ")
    assert refused.status_code == 400
    assert "everybody who has pieces of it reads your reason" in refused.text
    done = fill(dan, dan.get("/designs/headband/versions/1.0/withdraw"), why="The hook cracks. Throw them away.")
    assert done.status_code == 302
    shown = dan.get(done.headers["Location"]).text
    assert "0 of 1" in shown
    assert "Rosewood" in shown
    assert {"plan_jobs", "withdraw_stale_attempts"} <= set(house.nudged)
    assert world.get(DesignVersion, world.headband.id).state is VersionState.WITHDRAWN

    (notice,) = world.all(RecallNotice)
    ruth = house.signed_in("ruth")
    for page in ("/", "/requests"):
        assert "Do not use: Headband 1.0" in ruth.get(page).text
    assert "The hook cracks" in ruth.get(f"/notices/{notice.id}").text
    assert fill(ruth, ruth.get(f"/notices/{notice.id}"), set_aside="4").status_code == 400
    assert fill(ruth, ruth.get(f"/notices/{notice.id}"), set_aside="2").status_code == 302
    assert world.get(RecallNotice, notice.id).state is NoticeState.ANSWERED
    assert "Do not use" not in ruth.get("/").text
    assert "You have set 2 pieces aside" in ruth.get(f"/notices/{notice.id}").text
    assert "1 of 1" in dan.get("/recalls").text


def test_another_facility_is_told_nothing_and_a_maker_withdraws_nothing(house: House, world: World) -> None:
    notice = world.recall(world.kit)
    bob = house.signed_in("bob")
    assert "Do not use" not in bob.get("/").text
    assert bob.get(f"/notices/{notice.id}").status_code == 404
    assert bob.post(f"/notices/{notice.id}", {"set_aside": "1"}, form="/").status_code == 404
    mona = house.signed_in("mona")
    assert mona.get("/designs/headband/versions/1.0/withdraw").status_code == 404
    assert mona.get("/recalls").status_code == 404


def test_a_dispatcher_of_another_hub_reads_the_reason_and_not_who_got_pieces(house: House, world: World) -> None:
    notice = world.recall(world.kit)
    house.add_person("Eve", (house.add_hub("Elsewhere Hub"), Role.DISPATCHER))
    shown = house.signed_in("eve").get(f"/recalls/{notice.recall_id}").text
    assert "cracks" in shown
    assert "Rosewood" not in shown
