"""What is made for a facility has the approval that its kind requires, from the request to the shelf."""

import pytest
from builders import LARGEST, NOW, POLICY, World, design_version, later, review

from makerhub.delivery.models import Allocation
from makerhub.demand import service as demand
from makerhub.demand.models import SupplyRequest
from makerhub.designs import approvals
from makerhub.designs.approvals import Decision, Scope
from makerhub.designs.models import ApprovalState, DesignVersion
from makerhub.errors import Invalid
from makerhub.fleet.gateway import Connection
from makerhub.fleet.verdict import Attempt as Sending
from makerhub.people.models import Organisation
from makerhub.planning.view import View
from makerhub.printers.models import Printer
from makerhub.production.journal import HubJournal
from makerhub.production.models import AttemptState, PrintJob
from makerhub.production.service import is_approved


@pytest.fixture
def prototype(world: World) -> DesignVersion:
    """A version that nobody has reviewed."""
    with world.database.changing() as session:
        return design_version(session, "new", band=1)


def ask(world: World, version: DesignVersion, facility: Organisation) -> SupplyRequest:
    line = world.new_line(kit_id=world.kit_of(version).id)
    with world.database.changing() as session:
        return demand.submit(
            session, world.new_request(line, facility_id=facility.id), largest=LARGEST, policy=POLICY, now=NOW
        )


def withdraw(world: World, version: DesignVersion, scope: Scope) -> None:
    decision = Decision(scope, ApprovalState.WITHDRAWN, "It softens when it is washed.", NOW)
    with world.database.changing() as session:
        row = session.get_one(DesignVersion, version.id)
        approvals.decide(session, row, decision, by=world.dispatcher.id, now=NOW)


def test_a_hospital_may_not_ask_for_a_prototype_and_a_care_home_may(world: World, prototype: DesignVersion) -> None:
    with pytest.raises(Invalid) as refusal:
        ask(world, prototype, world.hospital)
    assert "Nobody has reviewed this design" in refusal.value.fields["0-kit"]
    ask(world, prototype, world.care_home)


def test_a_review_elsewhere_is_none_here(world: World, prototype: DesignVersion) -> None:
    with world.database.changing() as session:
        row = session.get_one(DesignVersion, prototype.id)
        review(session, row, world.dispatcher, jurisdiction="DE")
        review(session, row, world.dispatcher, material="PLA")
    with pytest.raises(Invalid):
        ask(world, prototype, world.hospital)
    with world.database.changing() as session:
        session.get_one(Organisation, world.hub.id).jurisdiction = "DE"
    ask(world, prototype, world.hospital)


def test_nobody_may_ask_for_what_was_withdrawn_at_the_hub(world: World, prototype: DesignVersion) -> None:
    withdraw(world, prototype, Scope(hub_id=world.hub.id))
    with pytest.raises(Invalid) as refusal:
        ask(world, prototype, world.care_home)
    assert "withdrawn" in refusal.value.fields["0-kit"]


def test_pieces_of_a_withdrawn_material_are_given_to_nobody(world: World) -> None:
    world.request(4)
    world.lot(4)
    with world.database.reading() as session:
        assert len(View(session, world.hub.id, POLICY, NOW).available()) == 1
    withdraw(world, world.headband, Scope(material="PETG"))
    with world.database.reading() as session:
        view = View(session, world.hub.id, POLICY, NOW)
        assert view.available() == []
        assert set(view.supply()) == {(world.part(world.headband).id, -1)}
    assert world.all(Allocation) == []


def test_an_attempt_does_not_start_once_its_approval_has_ended(world: World) -> None:
    job = world.job(request=world.request(4, facility_id=world.hospital.id))
    attempt = world.attempt(AttemptState.READY, job=job)

    def may_start() -> bool:
        with world.database.reading() as session:
            row, printer = session.get_one(PrintJob, job.id), session.get_one(Printer, world.printer.id)
            return is_approved(session, POLICY, row, printer, now=NOW)

    assert may_start()
    withdraw(world, world.headband, Scope(hub_id=world.hub.id))
    assert not may_start()
    sending = Sending(attempt.id, Connection("http://octopi.local", "key"), attempt.file_name, 10, "", None, 0)
    assert not HubJournal(world.database, POLICY).sending(sending, later(minutes=1))
