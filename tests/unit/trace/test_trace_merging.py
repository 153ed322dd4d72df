"""Merging duplicate facilities: nothing is lost, nothing is left behind, and all of it goes back again."""

import pytest
from builders import NOW, World, later, organisation, person, prove
from sqlmodel import SQLModel, select

from makerhub.demand import access as demand_access
from makerhub.demand.models import SupplyRequest
from makerhub.designs.models import DesignVersion
from makerhub.errors import IllegalMove, Invalid
from makerhub.facilities.ladder import Standing
from makerhub.facilities.models import FacilityMerge
from makerhub.facilities.service import standing_of
from makerhub.people.access import visible
from makerhub.people.models import Membership, Organisation, OrganisationKind, Person, Role
from makerhub.people.service import facilities_of
from makerhub.stock.ledger import Account, balances
from makerhub.stock.models import AccountKind, Lot
from makerhub.trace import merging, recall
from makerhub.trace.invariants import breaches
from makerhub.trace.models import Recall, RecallNotice

assert demand_access  # states who sees requests

OF_HUBS = {
    "approval.hub_id", "hub_profile.organisation_id", "lot.hub_id", "print_job.hub_id", "printer.hub_id",
    "recall.hub_id", "pickup.hub_id", "address_view.hub_id", "report.hub_id", "suspension.hub_id",
    "shipment.hub_id", "supply_request.hub_id", "upload.hub_id",
}  # fmt: skip
OF_THE_MERGE_ITSELF = {"facility_merge.kept_id", "facility_merge.merged_id", "organisation.merged_into"}


def referring_to_organisations() -> set[str]:
    return {
        f"{table.name}.{column.name}"
        for table in SQLModel.metadata.sorted_tables
        for column in table.columns
        if any(key.column.table.name == "organisation" for key in column.foreign_keys)
    }


def test_every_foreign_key_to_an_organisation_goes_over_or_is_a_hub_s() -> None:
    """A new table with one has to take its place here: `merging.STEPS`, or what only hubs have."""
    known = referring_to_organisations() - OF_HUBS - OF_THE_MERGE_ITSELF
    assert {name.split(".")[0] for name in known} == set(merging.STEPS)
    assert referring_to_organisations() >= OF_HUBS | OF_THE_MERGE_ITSELF


@pytest.fixture
def twice(world: World) -> tuple[Organisation, Organisation]:
    """The care home, and a second entry of it with requests, a delivery, evidence and a person of its own."""
    with world.database.changing() as session:
        second = organisation(session, OrganisationKind.CARE_HOME, "Rosewood House")
        prove(session, second)
        person(session, "Sally", (second, Role.REQUESTER))
        ruth = session.get_one(Person, world.requester.id)
        session.add(Membership(person_id=ruth.id, organisation_id=second.id, role=Role.REQUESTER))
    request = world.request(4, facility_id=second.id)
    world.deliver(request, world.lot(4, request=request), 4)
    world.request(3, facility_id=second.id)
    world.request(2)
    return world.care_home, second


def merge(world: World, kept: Organisation, merged: Organisation) -> FacilityMerge:
    with world.database.changing() as session:
        one, other = (session.get_one(Organisation, place.id) for place in (kept, merged))
        return merging.merge(session, one, other, by=world.dispatcher.id, now=NOW)


def undo(world: World, row: FacilityMerge) -> None:
    with world.database.changing() as session:
        merging.undo(session, session.get_one(FacilityMerge, row.id), by=world.dispatcher.id, now=later(hours=1))


def seen(world: World, who: str) -> int:
    with world.database.reading() as session:
        somebody = session.exec(select(Person).where(Person.name == who)).one()
        return len(session.exec(visible(somebody, SupplyRequest)).all())


def pieces_at(world: World, facility: Organisation) -> int:
    with world.database.reading() as session:
        place = Account(AccountKind.FACILITY, facility.id)
        return sum(balances(session, lot.id).get(place, 0) for lot in session.exec(select(Lot)))


def rows(world: World) -> dict[str, list[str]]:
    with world.database.reading() as session:
        return {
            table.name: sorted(map(repr, session.execute(table.select())))
            for table in SQLModel.metadata.sorted_tables
            if table.name not in ("transition", "facility_merge", "entry")
        }


def test_all_goes_over_and_nothing_is_lost(world: World, twice: tuple[Organisation, Organisation]) -> None:
    kept, merged = twice
    assert (seen(world, "Sally"), seen(world, "Ruth")) == (2, 3)
    before = len(world.all(SupplyRequest))
    merge(world, kept, merged)
    assert (seen(world, "Sally"), seen(world, "Ruth")) == (3, 3)
    assert len(world.all(SupplyRequest)) == before
    assert {request.facility_id for request in world.all(SupplyRequest)} == {kept.id}
    assert (pieces_at(world, kept), pieces_at(world, merged)) == (4, 0)
    assert world.get(Organisation, merged.id).merged_into == kept.id
    with world.database.reading() as session:
        ruth = session.exec(select(Person).where(Person.name == "Ruth")).one()
        assert merged.id not in {one.id for one in facilities_of(session, ruth)}
        assert standing_of(session, kept.id, NOW) is Standing.VERIFIED
        assert breaches(session) == []


def test_a_merge_that_is_taken_back_leaves_all_as_it_was(
    world: World, twice: tuple[Organisation, Organisation]
) -> None:
    before = rows(world)
    undo(world, merge(world, *twice))
    assert rows(world) == before
    assert (pieces_at(world, twice[0]), pieces_at(world, twice[1])) == (0, 4)
    with world.database.reading() as session:
        assert breaches(session) == []


def test_what_came_after_the_merge_stays(world: World, twice: tuple[Organisation, Organisation]) -> None:
    row = merge(world, *twice)
    later_one = world.request(7)
    undo(world, row)
    assert world.get(SupplyRequest, later_one.id).facility_id == twice[0].id
    with pytest.raises(IllegalMove):
        undo(world, row)


def test_a_preview_counts_and_changes_nothing(world: World, twice: tuple[Organisation, Organisation]) -> None:
    before = rows(world)
    with world.database.changing() as session:
        kept, merged = (session.get_one(Organisation, place.id) for place in twice)
        shown = merging.preview(session, kept, merged)
    assert shown.rows["supply_request"] == 2
    assert shown.rows["membership"] == 1
    assert list(shown.people) == ["Ruth (ruth@example.org)", "Sally (sally@example.org)"]
    assert rows(world) == before


def test_only_two_facilities_that_stand_for_themselves_are_merged(
    world: World, twice: tuple[Organisation, Organisation]
) -> None:
    kept, merged = twice
    for one, other in ((kept, kept), (kept, world.hub), (world.hub, kept)):
        with pytest.raises(Invalid):
            merge(world, one, other)
    merge(world, kept, merged)
    with pytest.raises(Invalid, match="merged already"):
        merge(world, world.hospital, merged)


def test_recalls_that_both_were_told_of_are_told_anew(world: World, twice: tuple[Organisation, Organisation]) -> None:
    kept, merged = twice
    request = world.request(2)
    world.deliver(request, world.lot(2, request=request), 2)
    with world.database.changing() as session:
        version = session.get_one(DesignVersion, world.headband.id)
        begun = recall.withdraw_version(session, version, by=world.dispatcher.id, why="cracks", now=NOW)
    merge(world, kept, merged)
    with world.database.changing() as session:
        recall.carry_out(session, session.get_one(Recall, begun.id), now=later(hours=1))
        told = session.exec(select(RecallNotice).where(RecallNotice.facility_id == kept.id)).one()
        assert told.pieces == 6
        assert breaches(session) == []
