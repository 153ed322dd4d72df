"""Every column in which something of a person may stand is in the register."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Column, Enum, Uuid
from sqlmodel import SQLModel

from makerhub.migrations import tables
from makerhub.privacy.register import NOT_ABOUT_PEOPLE, REGISTER

assert tables  # every table is known

HOW = (
    "say in makerhub/privacy/register.py whose it is, whether it is told in an export, and what an erasure makes of it"
)


def telling(columns: Iterator[Column[object]]) -> Iterator[Column[object]]:
    """Columns that can say something of a person: text, JSON, bytes, keys of nothing known, references to persons."""
    for column in columns:
        targets = {key.column.table.name for key in column.foreign_keys}
        if "person" in targets:
            yield column
        elif targets or (isinstance(column.type, Uuid) and column.name == "id") or isinstance(column.type, Enum):
            continue
        elif _is_free(column):
            yield column


def _is_free(column: Column[object]) -> bool:
    try:
        kind = column.type.python_type
    except NotImplementedError:
        return True
    return not issubclass(kind, int | float) and "DateTime" not in type(column.type).__name__


def known(table: str) -> set[str]:
    of_table = [held for held in REGISTER if held.table == table]
    return {name for held in of_table for name in (*held.tells, *held.refers, *held.holds_back, *held.blanks)}


OTHERS_WORDS = {
    "transition": {"entity", "entity_id"},
    "attempt": {"maker_reference", "file_name", "doubt"},
    "design_version": {"content_hash", "function", "readme", "picture_sha256"},
}
"""What the rest of such a table says is of things, not of persons."""


@pytest.mark.parametrize("table", SQLModel.metadata.sorted_tables, ids=lambda table: str(table.name))
def test_each_column_that_can_tell_of_a_person_is_in_the_register(table: object) -> None:
    columns = {column.name: column for column in telling(table.columns)}  # type: ignore[attr-defined]
    name = table.name  # type: ignore[attr-defined]
    if name in NOT_ABOUT_PEOPLE:
        persons = [
            c for c, column in columns.items() if any(k.column.table.name == "person" for k in column.foreign_keys)
        ]
        assert not persons, f"{name} refers to a person by {persons}: {HOW}"
        return
    unknown = columns.keys() - known(name) - OTHERS_WORDS.get(name, set())
    assert not unknown, f"{name}: {sorted(unknown)}: {HOW}"


def test_the_register_names_columns_that_are_there_and_has_a_fate_for_each_table() -> None:
    for held in REGISTER:
        columns = {column.name for column in held.model.__table__.columns}  # type: ignore[attr-defined]
        named = {*held.tells, *held.refers, *held.holds_back, *held.blanks}
        assert named <= columns, held.table
        assert held.erased != bool(held.stays), f"{held.table}: it goes, or there is a reason why it stays"
        assert not set(held.tells) & set(held.holds_back), held.table


def test_tables_are_about_people_or_not() -> None:
    assert not {held.table for held in REGISTER} & NOT_ABOUT_PEOPLE.keys()
    assert {held.table for held in REGISTER} | NOT_ABOUT_PEOPLE.keys() == set(SQLModel.metadata.tables)
