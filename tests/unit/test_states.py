"""The state machines: what their tables promise, and the diagrams of them in docs/states.md."""

from collections import deque
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel

from makerhub.config import SOURCE_TREE
from makerhub.lifecycle import Moves
from makerhub.migrations import tables
from makerhub.printers.models import PlateState
from makerhub.production.models import AttemptState
from makerhub.trace.invariants import STATEFUL

DOCUMENT = SOURCE_TREE / "docs" / "states.md"
HEAD = """# State machines

Each entity's states and the moves between them, drawn from the `MOVES` table beside its model. There is one way to
change a state, `lifecycle.move()`: it refuses every other move, and writes each one into a log that is only added to.

This page is written by `python tests/unit/test_states.py`, and a test compares it with the tables.
"""

assert tables  # every model is known


def with_moves() -> list[Any]:
    """Every model with a state machine, by the name of its table."""
    models = [mapper.class_ for mapper in SQLModel._sa_registry.mappers if hasattr(mapper.class_, "MOVES")]
    return sorted(models, key=lambda model: str(model.__tablename__))


def states(model: Any) -> type[StrEnum]:
    enum: type[StrEnum] = model.model_fields["state"].annotation
    assert issubclass(enum, StrEnum)
    return enum


ALSO_FIRST: dict[str, tuple[StrEnum, ...]] = {
    "attempt": (AttemptState.PREPARING,),  # of a maker who agreed to automatic prints
    "build_plate": (PlateState.CLEAR,),  # where the maker said so at the registration
}


def first_states(model: Any) -> set[StrEnum]:
    """The states in which a row begins: its default, else those that no move leads to."""
    default = model.model_fields["state"].default
    reached = {after for followers in model.MOVES.values() for after in followers}
    first = {default} if isinstance(default, StrEnum) else set(states(model)) - reached
    return first | set(ALSO_FIRST.get(str(model.__tablename__), ()))


def reachable(moves: Moves, first: set[StrEnum]) -> set[StrEnum]:
    found, waiting = set(first), deque(first)
    while waiting:
        for after in moves.get(waiting.popleft(), frozenset()) - found:
            found.add(after)
            waiting.append(after)
    return found


every_model = pytest.mark.parametrize("model", with_moves(), ids=lambda model: str(model.__tablename__))


def test_the_invariants_know_every_state_machine() -> None:
    assert set(STATEFUL) == set(with_moves())


@every_model
def test_moves_speak_of_known_states_only(model: Any) -> None:
    spoken = set(model.MOVES) | {after for followers in model.MOVES.values() for after in followers}
    assert spoken <= set(states(model))


@every_model
def test_every_state_can_be_reached(model: Any) -> None:
    assert reachable(model.MOVES, first_states(model)) == set(states(model))


@every_model
def test_no_state_is_followed_by_itself(model: Any) -> None:
    assert [before for before, followers in model.MOVES.items() if before in followers] == []


@every_model
def test_every_state_fits_its_column(model: Any) -> None:
    assert max(len(state) for state in states(model)) <= 32


def test_the_diagrams_in_the_documentation_are_those_of_the_tables() -> None:
    """Where this fails: `python tests/unit/test_states.py`."""
    assert DOCUMENT.read_text(encoding="utf-8") == document()


def document() -> str:
    return HEAD + "".join(_section(model) for model in with_moves())


def _section(model: Any) -> str:
    sentence = (model.__doc__ or "").split("\n\n")[0].strip().replace("\n    ", " ")
    return f"\n## {model.__name__}\n\n{sentence}\n\n```mermaid\nstateDiagram-v2\n{_diagram(model)}```\n"


def _diagram(model: Any) -> str:
    first, order = first_states(model), list(states(model))
    lines = [f"[*] --> {state}" for state in order if state in first]
    lines += [
        f"{before} --> {after}"
        for before in order
        for after in sorted(model.MOVES.get(before, frozenset()), key=order.index)
    ]
    lines += [f"{state} --> [*]" for state in order if not model.MOVES.get(state)]
    return "".join(f"    {line}\n" for line in lines)


def write(file: Path = DOCUMENT) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    write()
