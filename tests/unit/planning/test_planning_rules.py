"""The rules of planning, as tables and as properties that hold for every input."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from builders import NOW, later
from hypothesis import given
from hypothesis import strategies as st

from makerhub.planning.allocation import Allotment, Available, WantedKits, allot
from makerhub.planning.dispatching import Assignment, FreePrinter, QueuedJob, assign, is_eligible
from makerhub.planning.needs import Plate, Shortfall, Supply, Wanted, in_order, served_by, shortfalls, split, surplus

HUB, OTHER_HUB = UUID(int=100), UUID(int=101)
BAND, CLIP = UUID(int=200), UUID(int=201)
BANDS, CLIPS = (BAND, 0), (CLIP, 0)


def want(line: int, quantity: int, *, part: UUID = BAND, days: int = 7, tier: int = 1, grade: int = 0) -> Wanted:
    return Wanted(UUID(int=line), part, quantity, later(days=days), tier, grade)


def kits(
    line: int,
    count: int,
    *,
    clips: int = 0,
    promised: tuple[int, int] = (0, 0),
    days: int = 7,
    tier: int = 1,
    grade: int = 0,
) -> WantedKits:
    """So many kits of one band and so many `clips`; of both so many pieces are `promised`."""
    pieces = {BAND: 1, CLIP: clips} if clips else {BAND: 1}
    return WantedKits(
        UUID(int=line), count, pieces, dict(zip((BAND, CLIP), promised, strict=True)), later(days=days), tier, grade
    )


def plate(number: int, copies: int, *, part: UUID = BAND, days: int = 7, tier: int = 1) -> Plate:
    return Plate(UUID(int=number), part, copies, later(days=days), tier)


def lot(number: int, quantity: int, *, part: UUID = BAND, days: int = 0, grade: int = 0) -> Available:
    return Available(UUID(int=number), part, quantity, later(days=days), grade)


def job(
    number: int, *, tier: int = 1, days: int = 7, hub: UUID = HUB, declined_by: frozenset[UUID] = frozenset()
) -> QueuedJob:
    return QueuedJob(
        UUID(int=number), hub, tier, later(days=days), frozenset({"PETG"}), frozenset({"mk3s"}), declined_by
    )


def printer(
    number: int, *, hub: UUID = HUB, profile: str = "mk3s", material: str = "PETG", idle_days: int = 0
) -> FreePrinter:
    return FreePrinter(UUID(int=number), hub, profile, material, later(days=-idle_days))


wants = st.lists(
    st.builds(
        Wanted,
        line_id=st.integers(1, 9).map(lambda number: UUID(int=number)),
        part_id=st.sampled_from([BAND, CLIP]),
        quantity=st.integers(1, 50),
        needed_by=st.integers(0, 5).map(lambda days: NOW + timedelta(days=days)),
        tier=st.integers(0, 2),
    ),
    max_size=8,
    unique_by=lambda wanted: (wanted.line_id, wanted.part_id),
)
kit_wants = st.lists(
    st.builds(
        WantedKits,
        line_id=st.integers(1, 9).map(lambda number: UUID(int=number)),
        kits=st.integers(1, 20),
        pieces=st.dictionaries(st.sampled_from([BAND, CLIP]), st.integers(1, 3), min_size=1),
        promised=st.dictionaries(st.sampled_from([BAND, CLIP]), st.integers(0, 10)),
        needed_by=st.integers(0, 5).map(lambda days: NOW + timedelta(days=days)),
        tier=st.integers(0, 2),
    ),
    max_size=8,
    unique_by=lambda wanted: wanted.line_id,
)
plates = st.lists(
    st.builds(
        Plate,
        job_id=st.integers(400, 410).map(lambda number: UUID(int=number)),
        part_id=st.sampled_from([BAND, CLIP]),
        copies=st.integers(1, 20),
        needed_by=st.integers(0, 5).map(lambda days: NOW + timedelta(days=days)),
        tier=st.integers(0, 2),
    ),
    max_size=8,
    unique_by=lambda plate: plate.job_id,
)
lots = st.lists(
    st.builds(
        Available,
        lot_id=st.integers(300, 310).map(lambda number: UUID(int=number)),
        part_id=st.sampled_from([BAND, CLIP]),
        quantity=st.integers(1, 50),
        made_at=st.integers(0, 5).map(lambda days: NOW - timedelta(days=days)),
    ),
    max_size=8,
    unique_by=lambda available: available.lot_id,
)
jobs = st.lists(
    st.builds(
        QueuedJob,
        id=st.integers(1, 20).map(lambda number: UUID(int=number)),
        hub_id=st.sampled_from([HUB, OTHER_HUB]),
        tier=st.integers(0, 2),
        needed_by=st.integers(0, 5).map(lambda days: NOW + timedelta(days=days)),
        materials=st.frozensets(st.sampled_from(["PETG", "PLA"])),
        profiles=st.frozensets(st.sampled_from(["mk3s", "mini"])),
        declined_by=st.frozensets(st.integers(400, 405).map(lambda number: UUID(int=number))),
    ),
    max_size=10,
    unique_by=lambda queued: queued.id,
)
printers = st.lists(
    st.builds(
        FreePrinter,
        id=st.integers(400, 410).map(lambda number: UUID(int=number)),
        hub_id=st.sampled_from([HUB, OTHER_HUB]),
        profile=st.sampled_from(["mk3s", "mini"]),
        material=st.sampled_from(["PETG", "PLA"]),
        idle_since=st.integers(0, 5).map(lambda days: NOW - timedelta(days=days)),
    ),
    max_size=8,
    unique_by=lambda free: free.id,
)


@pytest.mark.parametrize(
    ("wanted", "supply", "missing"),
    [
        ([], {BANDS: 5}, []),
        ([want(1, 10)], {}, [(1, 10)]),
        ([want(1, 10)], {BANDS: 4}, [(1, 6)]),
        ([want(1, 10)], {BANDS: 10}, []),
        ([want(1, 10)], {CLIPS: 10}, [(1, 10)]),
        ([want(1, 10, days=9), want(2, 10, days=3)], {BANDS: 12}, [(1, 8)]),
        ([want(1, 10, days=3, tier=2), want(2, 10, days=9, tier=0)], {BANDS: 10}, [(1, 10)]),
        ([want(2, 5), want(1, 5)], {BANDS: 5}, [(2, 5)]),
        ([want(1, 5, grade=1)], {BANDS: 5}, [(1, 5)]),
        ([want(1, 5, days=3), want(2, 5, grade=1)], {BANDS: 5, (BAND, 2): 5}, []),
        ([want(1, 5)], {(BAND, -1): 5}, [(1, 5)]),
    ],
    ids=[
        "nothing",
        "none there",
        "some there",
        "all there",
        "another part",
        "earlier first",
        "urgent first",
        "a tie",
        "not good enough",
        "the better are left to who needs them",
        "withdrawn",
    ],
)
def test_the_first_in_the_order_of_service_take_what_is_there(
    wanted: list[Wanted], supply: Supply, missing: list[tuple[int, int]]
) -> None:
    assert [(short.line_id.int, short.quantity) for short in shortfalls(wanted, supply)] == missing


@given(wants, st.integers(0, 200), st.integers(0, 200))
def test_what_is_there_and_what_is_missing_are_what_is_wanted(wanted: list[Wanted], bands: int, clips: int) -> None:
    supply = {BANDS: bands, CLIPS: clips}
    missing, over = shortfalls(wanted, supply), surplus(wanted, supply)
    for piece, there in supply.items():
        total = sum(one.quantity for one in wanted if one.part_id == piece[0])
        short = sum(one.quantity for one in missing if one.part_id == piece[0])
        assert short == max(0, total - there)
        assert over.get(piece, 0) == max(0, there - total)


@given(wants, st.integers(0, 200))
def test_nobody_is_short_who_comes_before_somebody_who_is_not(wanted: list[Wanted], bands: int) -> None:
    missing = {(short.line_id, short.part_id): short.quantity for short in shortfalls(wanted, {BANDS: bands})}
    left = [missing.get((one.line_id, BAND), 0) for one in in_order(wanted) if one.part_id == BAND]
    quantities = [one.quantity for one in in_order(wanted) if one.part_id == BAND]
    first_short = next((place for place, short in enumerate(left) if short), len(left))
    assert left[first_short + 1 :] == quantities[first_short + 1 :]


@given(wants)
def test_the_order_of_service_depends_on_nothing_but_the_wants(wanted: list[Wanted]) -> None:
    bands = [one for one in wanted if one.part_id == BAND]
    assert shortfalls(bands, {BANDS: 20}) == shortfalls(bands[::-1], {BANDS: 20})


@given(wants, st.dictionaries(st.sampled_from([BANDS, CLIPS]), st.integers(0, 100)))
def test_planning_what_is_missing_leaves_nothing_missing(wanted: list[Wanted], supply: Supply) -> None:
    planned = Counter(supply)
    for short in shortfalls(wanted, supply):
        planned[short.part_id, 0] += short.quantity
    assert shortfalls(wanted, planned) == []


def test_the_supply_is_left_as_it_was() -> None:
    supply = {BANDS: 5}
    assert shortfalls([want(1, 3)], supply) == []
    assert supply == {BANDS: 5}


@pytest.mark.parametrize(
    ("quantity", "capacity", "sizes"),
    [
        (0, 4, []),
        (1, 4, [1]),
        (4, 4, [4]),
        (5, 4, [3, 2]),
        (9, 4, [3, 3, 3]),
        (10, 4, [4, 3, 3]),
        (7, 1, [1] * 7),
        (3, 100, [3]),
    ],
)
def test_plates_are_few_and_even(quantity: int, capacity: int, sizes: list[int]) -> None:
    assert split(quantity, capacity) == sizes


@given(st.integers(0, 100_000), st.integers(1, 100))
def test_plates_sum_to_the_quantity_none_is_too_full_and_they_balance(quantity: int, capacity: int) -> None:
    sizes = split(quantity, capacity)
    assert sum(sizes) == quantity
    assert len(sizes) == -(-quantity // capacity)
    assert all(1 <= size <= capacity for size in sizes)
    assert max(sizes, default=0) - min(sizes, default=0) <= 1


@pytest.mark.parametrize(
    ("queued", "free", "assigned"),
    [
        ([], [printer(1)], []),
        ([job(1)], [], []),
        ([job(1)], [printer(2)], [(1, 2)]),
        ([job(1, days=9), job(2, days=3)], [printer(3)], [(2, 3)]),
        ([job(1, days=3, tier=2), job(2, days=9, tier=0)], [printer(3)], [(2, 3)]),
        ([job(1)], [printer(2, idle_days=1), printer(3, idle_days=5)], [(1, 3)]),
        ([job(1)], [printer(2, hub=OTHER_HUB)], []),
        ([job(1)], [printer(2, profile="mini")], []),
        ([job(1)], [printer(2, material="PLA")], []),
        ([job(1, declined_by=frozenset({UUID(int=2)}))], [printer(2, idle_days=9), printer(3)], [(1, 3)]),
        ([job(1, hub=OTHER_HUB), job(2)], [printer(3)], [(2, 3)]),
        ([job(1), job(2)], [printer(3, idle_days=1), printer(4)], [(1, 3), (2, 4)]),
    ],
    ids=[
        "no job",
        "no printer",
        "one each",
        "earlier first",
        "urgent first",
        "longest idle",
        "another hub",
        "another model",
        "another material",
        "declined",
        "skips what no printer can take",
        "two each",
    ],
)
def test_each_job_in_order_gets_the_eligible_printer_that_was_idle_longest(
    queued: list[QueuedJob], free: list[FreePrinter], assigned: list[tuple[int, int]]
) -> None:
    assert [(done.job_id.int, done.printer_id.int) for done in assign(queued, free)] == assigned


@given(jobs, printers)
def test_no_job_and_no_printer_is_assigned_twice_and_all_fit(queued: list[QueuedJob], free: list[FreePrinter]) -> None:
    assignments = assign(queued, free)
    by_job, by_printer = {one.id: one for one in queued}, {one.id: one for one in free}
    assert len({one.job_id for one in assignments}) == len({one.printer_id for one in assignments}) == len(assignments)
    assert all(is_eligible(by_job[one.job_id], by_printer[one.printer_id]) for one in assignments)


@given(jobs, printers)
def test_no_job_waits_for_a_printer_that_a_later_one_got(queued: list[QueuedJob], free: list[FreePrinter]) -> None:
    got = {one.job_id: one.printer_id for one in assign(queued, free)}
    by_printer = {one.id: one for one in free}
    for waiting in (one for one in queued if one.id not in got):
        after = [one for one in queued if (one.tier, one.needed_by) > (waiting.tier, waiting.needed_by)]
        for taken in (one for one in after if one.id in got):
            assert not is_eligible(waiting, by_printer[got[taken.id]])
        idle = set(by_printer) - set(got.values())
        assert not any(is_eligible(waiting, by_printer[printer_id]) for printer_id in idle)


@given(jobs, printers)
def test_an_assignment_depends_on_no_order_of_its_input(queued: list[QueuedJob], free: list[FreePrinter]) -> None:
    assert assign(queued, free) == assign(queued[::-1], free[::-1])


@pytest.mark.parametrize(
    ("wanted", "available", "allotted"),
    [
        ([], [lot(1, 5)], []),
        ([kits(1, 5)], [], []),
        ([kits(1, 5)], [lot(2, 8)], [(1, 2, 5, 1)]),
        ([kits(1, 8)], [lot(2, 5)], [(1, 2, 5, 1)]),
        ([kits(1, 8)], [lot(2, 5, days=1), lot(3, 5, days=0)], [(1, 3, 5, 1), (1, 2, 3, 1)]),
        ([kits(1, 5)], [lot(2, 8, part=CLIP)], []),
        ([kits(1, 5, days=9), kits(2, 5, days=3)], [lot(3, 7)], [(2, 3, 5, 1), (1, 3, 2, 2)]),
        ([kits(1, 5, days=3, tier=2), kits(2, 5, days=9, tier=0)], [lot(3, 5)], [(2, 3, 5, 1)]),
        ([kits(1, 5, clips=2)], [lot(2, 5)], []),
        ([kits(1, 5, clips=2)], [lot(2, 5), lot(3, 7, part=CLIP)], [(1, 2, 3, 1), (1, 3, 6, 1)]),
        ([kits(1, 5, clips=1, promised=(0, 4))], [lot(2, 9)], [(1, 2, 4, 1)]),
        ([kits(1, 2, promised=(2, 0))], [lot(2, 9)], []),
        ([kits(1, 2, clips=1), kits(2, 4)], [lot(3, 5)], [(2, 3, 4, 2)]),
        ([kits(1, 5, grade=1)], [lot(2, 5)], []),
        ([kits(1, 5), kits(2, 5, grade=1)], [lot(3, 5, grade=1), lot(4, 5, days=1)], [(1, 4, 5, 1), (2, 3, 5, 2)]),
    ],
    ids=[
        "nobody",
        "nothing",
        "enough",
        "too few",
        "oldest first",
        "another part",
        "earlier first",
        "urgent first",
        "no half kits",
        "whole kits",
        "what was promised is completed",
        "has all",
        "who can not be served lets others pass",
        "not good enough",
        "the better are left to who needs them",
    ],
)
def test_lots_go_to_the_first_in_the_order_of_service_the_oldest_first(
    wanted: list[WantedKits], available: list[Available], allotted: list[tuple[int, int, int, int]]
) -> None:
    assert [(one.line_id.int, one.lot_id.int, one.quantity, one.place) for one in allot(wanted, available)] == allotted


def pieces_got(allotments: list[Allotment], available: list[Available]) -> Counter[tuple[UUID, UUID]]:
    parts = {one.lot_id: one.part_id for one in available}
    got = Counter[tuple[UUID, UUID]]()
    for one in allotments:
        assert one.quantity > 0
        got[one.line_id, parts[one.lot_id]] += one.quantity
    return got


@given(kit_wants, lots)
def test_no_lot_gives_more_than_it_has_and_no_line_gets_more_than_it_wants(
    wanted: list[WantedKits], available: list[Available]
) -> None:
    allotments = allot(wanted, available)
    given_away = Counter[UUID]()
    for one in allotments:
        given_away[one.lot_id] += one.quantity
    assert all(given_away[one.lot_id] <= one.quantity for one in available)
    got = pieces_got(allotments, available)
    lines = {one.line_id: one for one in wanted}
    assert all(got[line, part] <= lines[line].missing(lines[line].kits)[part] for line, part in got)


@given(kit_wants, lots)
def test_a_line_gets_what_completes_kits_and_no_piece_more(
    wanted: list[WantedKits], available: list[Available]
) -> None:
    got = pieces_got(allot(wanted, available), available)
    for one in wanted:
        mine = {part: one.promised.get(part, 0) + got[one.line_id, part] for part in one.pieces}
        complete = min(mine[part] // count for part, count in one.pieces.items())
        for part, count in one.pieces.items():
            assert mine[part] == max(one.promised.get(part, 0), complete * count)


@given(kit_wants, lots)
def test_no_kit_that_could_be_completed_is_left_undone(wanted: list[WantedKits], available: list[Available]) -> None:
    got = pieces_got(allot(wanted, available), available)
    left = Counter[UUID]()
    for lot_left in available:
        left[lot_left.part_id] += lot_left.quantity
    for (_, part), quantity in got.items():
        left[part] -= quantity
    for one in wanted:
        mine = {part: one.promised.get(part, 0) + got[one.line_id, part] for part in one.pieces}
        complete = min(mine[part] // count for part, count in one.pieces.items())
        possible = min((mine[part] + left[part]) // count for part, count in one.pieces.items())
        assert complete >= min(one.kits, possible)


def test_a_routine_plate_serves_the_critical_line_that_gets_its_pieces() -> None:
    critical, routine = want(1, 4, days=2, tier=0), want(2, 4, days=9, tier=2)
    plates = [plate(7, 4, days=9, tier=2), plate(8, 4, days=9, tier=2)]
    assert served_by(plates, [routine, critical], {}) == {UUID(int=7): critical, UUID(int=8): routine}


def test_what_is_made_serves_first_and_a_plate_too_many_serves_nobody() -> None:
    critical, routine = want(1, 4, days=2, tier=0), want(2, 3, days=9, tier=2)
    plates = [plate(7, 4), plate(8, 4)]
    assert served_by(plates, [routine, critical], {BANDS: 4}) == {UUID(int=7): routine}


@given(wants, plates)
def test_every_plate_that_serves_somebody_serves_a_line_that_wants_its_part(
    wanted: list[Wanted], queued: list[Plate]
) -> None:
    served = served_by(queued, wanted, {})
    parts = {one.job_id: one.part_id for one in queued}
    assert all(parts[job_id] == want.part_id for job_id, want in served.items())
    for part in (BAND, CLIP):
        total = sum(one.quantity for one in wanted if one.part_id == part)
        idle = [one for one in queued if one.part_id == part and one.job_id not in served]
        busy = sum(one.copies for one in queued if one.part_id == part and one.job_id in served)
        assert not idle or busy >= total


def test_results_are_plain_values() -> None:
    assert shortfalls([want(1, 2)], {}) == [Shortfall(UUID(int=1), BAND, 2)]
    assert assign([job(1)], [printer(2)]) == [Assignment(UUID(int=1), UUID(int=2))]
    assert allot([kits(1, 2)], [lot(3, 2)]) == [Allotment(UUID(int=1), UUID(int=3), 2, 1)]
