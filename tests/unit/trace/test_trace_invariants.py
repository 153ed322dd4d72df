"""Each invariant is broken once behind the services' back, and the breach is seen; the world without it has none."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from builders import NOW, World
from sqlalchemy import text
from sqlmodel import SQLModel, col, delete, select, update
from sqlmodel.sql.expression import SelectOfScalar

from makerhub.db import Session
from makerhub.delivery.models import Allocation, AllocationState, Shipment
from makerhub.designs.models import DesignVersion, VersionState
from makerhub.fleet.messages import Pairing
from makerhub.lifecycle import Transition, begin, move
from makerhub.moderation.models import Kind
from makerhub.people import invitations
from makerhub.people.models import Role
from makerhub.printers import agents
from makerhub.printers.models import BuildPlate, PlateState, Printer
from makerhub.production import service as production
from makerhub.production.models import Attempt, AttemptState, JobState, PrintJob
from makerhub.stock.ledger import Account
from makerhub.stock.models import AccountKind, Entry, Lot, LotState
from makerhub.trace.invariants import INVARIANTS, STATEFUL, breaches

Break = Callable[[Session], object]


class Undone(Exception):
    """Takes the change of a test back."""


def change(session: Session, model: type[SQLModel], *conditions: object, **values: object) -> None:
    """An UPDATE that no service knows of."""
    statement = update(model).where(*conditions).values(**values)  # type: ignore[arg-type]
    assert session.execute(statement).rowcount  # type: ignore[attr-defined]


def transfer(session: Session, lot: Lot, source: Account, target: Account, quantity: int) -> None:
    """Two entries that nobody checked."""
    transfer_id = uuid4()
    for account, pieces in ((source, -quantity), (target, quantity)):
        entry = Entry(
            transfer_id=transfer_id,
            attempt_id=lot.attempt_id,
            lot_id=lot.id,
            account=account.kind,
            account_of=account.of,
            quantity=pieces,
            at=NOW,
            why="a mutant",
        )
        session.add(entry)


def two_live_attempts(session: Session) -> None:
    session.execute(text("DROP INDEX uq_attempt_live_job"))
    session.execute(text("DROP INDEX uq_attempt_live_printer"))
    attempt = session.exec(_attempts(AttemptState.PRINTING)).one()
    again = Attempt(
        **attempt.model_dump(exclude={"id", "number", "file_name"}), number=99, file_name=f"{uuid4().hex}-99.gcode"
    )
    begin(session, again, now=NOW)


def a_sending_that_never_was(session: Session) -> None:
    change(session, Attempt, col(Attempt.state) == AttemptState.READY, sends=1)


def a_start_without_a_time(session: Session) -> None:
    change(session, Attempt, col(Attempt.state) == AttemptState.PRINTING, sent_at=None)


def one_side_of_a_transfer(session: Session) -> None:
    change(session, Entry, col(Entry.account) == AccountKind.FACILITY, quantity=99)


def pieces_out_of_nothing(session: Session) -> None:
    lot = _some_lot(session)
    transfer(session, lot, Account(AccountKind.HUB, lot.hub_id), Account(AccountKind.SCRAP), 999)


def a_count_that_was_not_booked(session: Session) -> None:
    change(session, Attempt, col(Attempt.state) == AttemptState.COUNTED, good=1000)


def a_print_booked_twice(session: Session) -> None:
    transfer(session, _some_lot(session), Account(AccountKind.PRODUCTION), Account(AccountKind.SCRAP), 1)


def more_promised_than_there_is(session: Session) -> None:
    change(session, Allocation, col(Allocation.state) == AllocationState.RESERVED, quantity=999)


def a_reservation_of_a_recalled_lot(session: Session) -> None:
    lots = select(Allocation.lot_id).where(Allocation.state == AllocationState.RESERVED)
    change(session, Lot, col(Lot.id).in_(lots), state=LotState.RECALLED)


def an_assigned_job_without_attempt(session: Session) -> None:
    attempt = session.exec(_attempts(AttemptState.READY)).one()
    move(session, attempt, AttemptState.WITHDRAWN, now=NOW)


def a_queued_job_with_an_attempt(session: Session) -> None:
    attempt = session.exec(_attempts(AttemptState.PRINTING)).one()
    move(session, session.get_one(PrintJob, attempt.job_id), JobState.QUEUED, now=NOW)


def a_start_of_a_withdrawn_design(session: Session) -> None:
    version = session.exec(select(DesignVersion).where(DesignVersion.name == "Headband")).one()
    move(session, version, VersionState.WITHDRAWN, now=NOW)
    production.claim_start(session, session.exec(_attempts(AttemptState.READY)).one(), now=NOW)


def a_delivery_without_gcode(session: Session) -> None:
    change(session, Attempt, col(Attempt.state) == AttemptState.COUNTED, plate_slice_id=None)


def a_doubt_without_a_question(session: Session) -> None:
    change(session, Attempt, col(Attempt.state) == AttemptState.IN_DOUBT, doubt="")


def a_state_set_by_hand(session: Session) -> None:
    change(session, BuildPlate, col(BuildPlate.state) == PlateState.CLEAR, state=PlateState.OCCUPIED)


def a_log_that_was_cut(session: Session) -> None:
    session.execute(delete(Transition).where(col(Transition.entity) == "shipment"))


MUTANTS: dict[Break, str] = {
    two_live_attempts: "one live attempt per job and printer",
    a_sending_that_never_was: "what was sent is recorded as sent",
    a_start_without_a_time: "what was sent is recorded as sent",
    one_side_of_a_transfer: "transfers sum to zero",
    pieces_out_of_nothing: "no account is below zero",
    a_count_that_was_not_booked: "every print is counted once",
    a_print_booked_twice: "every print is counted once",
    more_promised_than_there_is: "what is promised is there",
    a_reservation_of_a_recalled_lot: "nothing recalled is promised",
    an_assigned_job_without_attempt: "jobs are assigned while an attempt is live",
    a_queued_job_with_an_attempt: "jobs are assigned while an attempt is live",
    a_start_of_a_withdrawn_design: "no withdrawn design is started",
    a_delivery_without_gcode: "delivered lots can be traced",
    a_doubt_without_a_question: "doubt has a question",
    a_state_set_by_hand: "every change of a state is logged",
    a_log_that_was_cut: "every change of a state is logged",
}


@pytest.fixture
def busy(world: World) -> World:
    """A world in which something is in every state that an invariant looks at."""
    world.spool()
    world.pickup()
    invite_and_pair(world)
    request = world.request(20)
    world.deliver(request, world.lot(3, good=4, copies=5), 3)
    world.reserve(request, world.lot(4), 2)
    world.pack(request)
    world.reserve(request, world.lot(4), 2)
    world.lot_at_maker(2)
    world.recall(world.kit)
    world.attempt(AttemptState.READY)
    world.attempt(AttemptState.PRINTING, printer=world.add_printer("Printing"))
    world.attempt(AttemptState.IN_DOUBT, printer=world.add_printer("In doubt"))
    world.attempt(AttemptState.FAILED, printer=world.add_printer("Failed"))
    world.ask_for_trial(world.add_printer("Idle"))
    world.job()
    world.upload()
    world.propose_hub()
    world.ask_to_join()
    world.letter()
    world.called()
    world.merge_facilities()
    world.report(Kind.SHIPMENT, next(one.id for one in world.all(Shipment)))
    world.suspend(world.courier)
    return world


def invite_and_pair(world: World) -> None:
    """Somebody is invited, which sends a letter; and an agent looks after a printer."""
    printer = world.add_printer("With an agent")
    with world.database.changing() as session:
        invitations.invite(
            session, "nina@example.org", Role.MAKER, world.hub, by=world.dispatcher, language="en",
            key_box=world.key_box, pages="https://hub.example", now=NOW,
        )  # fmt: skip
        code = agents.new_code(session, session.get_one(Printer, printer.id), now=NOW)
        agents.pair(session, Pairing(code, "octopi"), None, now=NOW)


def broken(busy: World, mutant: Break) -> set[str]:
    """The invariants that the mutant breaks, in a transaction that is taken back."""
    seen: set[str] = set()
    with pytest.raises(Undone), busy.database.changing() as session:
        _break(session, mutant, seen)
    return seen


def _break(session: Session, mutant: Break, seen: set[str]) -> None:
    mutant(session)
    session.flush()
    seen |= {breach.invariant for breach in breaches(session)}
    raise Undone


def test_a_world_that_went_through_the_services_breaks_nothing(busy: World) -> None:
    with busy.database.reading() as session:
        assert breaches(session) == []


def test_every_breach_is_seen(busy: World) -> None:
    survivors = [mutant.__name__ for mutant, invariant in MUTANTS.items() if invariant not in broken(busy, mutant)]
    assert survivors == []
    with busy.database.reading() as session:  # each was taken back
        assert breaches(session) == []


def test_every_invariant_has_a_mutant_that_breaks_it() -> None:
    assert set(MUTANTS.values()) == set(INVARIANTS)


def test_a_withdrawal_after_the_start_is_no_breach(busy: World) -> None:
    busy.withdraw(busy.headband)
    with busy.database.reading() as session:
        assert breaches(session) == []


def test_every_state_machine_is_looked_at(busy: World) -> None:
    for model in STATEFUL:
        assert busy.all(model), f"the busy world has no {model.__tablename__}"


def test_a_breach_names_the_row(world: World) -> None:
    request, lot = world.request(), world.lot(4)
    world.deliver(request, lot, 4)
    with world.database.changing() as session:
        change(session, Attempt, col(Attempt.id) == lot.attempt_id, plate_slice_id=None)
    with world.database.reading() as session:
        assert [breach.what for breach in breaches(session)] == [f"lot {lot.label} was delivered and has no G-code"]


def _attempts(state: AttemptState) -> SelectOfScalar[Attempt]:
    return select(Attempt).where(Attempt.state == state)


def _some_lot(session: Session) -> Lot:
    return session.exec(select(Lot).where(Lot.quantity == 4).limit(1)).one()
