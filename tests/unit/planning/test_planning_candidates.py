"""A larger fleet and a longer queue cost planning and the board no more queries."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from builders import NOW, World, profiles
from sqlalchemy import event
from sqlmodel import Session

from makerhub.config import Settings
from makerhub.designs.approvals import policy_of
from makerhub.planning.candidates import free_printers, queued_jobs
from makerhub.planning.view import View


@contextmanager
def counting(world: World) -> Iterator[list[str]]:
    """The statements that the database is sent meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(world.database.engine, "before_cursor_execute", note)
    yield sent
    event.remove(world.database.engine, "before_cursor_execute", note)


def statements(world: World, act: Callable[[Session], Any]) -> tuple[int, Any]:
    with world.database.reading() as session, counting(world) as sent:
        found = act(session)
        return len(sent), found


def choose(session: Session) -> tuple[int, int]:
    jobs = queued_jobs(session, profiles(), Settings(), NOW)
    return len(jobs), len(free_printers(session, Settings(), NOW))


def wanted(session: Session, world: World) -> int:
    view = View(session, world.hub.id, policy_of(Settings()), NOW)
    return len(view.wanted()) + sum(view.grade_of_job(job) + 1 for job in view.queued())


def grow(world: World) -> None:
    for number in range(10):
        world.seen(world.add_printer(f"Printer {number}"))
        world.job(request=world.request(3))


def test_choosing_asks_the_same_of_the_database_for_one_printer_and_for_many(world: World) -> None:
    world.seen(world.printer)
    world.job(request=world.request(3))
    few, found = statements(world, choose)
    assert found == (1, 1)
    grow(world)
    many, found = statements(world, choose)
    assert found == (11, 11)
    assert many == few


def test_what_is_wanted_is_asked_for_all_lines_at_once(world: World) -> None:
    world.job(request=world.request(3))
    few, _ = statements(world, lambda session: wanted(session, world))
    grow(world)
    many, _ = statements(world, lambda session: wanted(session, world))
    assert many == few
