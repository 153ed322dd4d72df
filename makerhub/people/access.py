"""Who may see which rows: each model has one rule, and a model without a rule shows nothing.

A slice states the rule beside its models:

    @visibility(SupplyRequest)
    def supply_requests(person: Person) -> ColumnElement[bool]:
        return col(SupplyRequest.facility_id).in_(organisation_ids(person, Role.REQUESTER))

Pages then read through `visible()` and `find()` only. What is not yours does not exist: `NotFound`, never a refusal,
so that an answer tells nothing about other people's rows.
"""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, false, true
from sqlmodel import Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from makerhub.errors import NotFound
from makerhub.notices.models import Mail
from makerhub.people.models import Membership, Organisation, Person, Role

Row = TypeVar("Row", bound=SQLModel)
Rule = Callable[[Person], ColumnElement[bool]]

_rules: dict[type[SQLModel], Rule] = {}


def visibility(model: type[SQLModel]) -> Callable[[Rule], Rule]:
    """Make the decorated function the rule of `model`: which of its rows a person may see, as a WHERE clause.

    Raises `ValueError` where a model is given a second rule: of two rules nobody would know which one holds.
    """

    def register(rule: Rule) -> Rule:
        if model in _rules:
            raise ValueError(f"{model.__name__} has a rule already")
        _rules[model] = rule
        return rule

    return register


def visible(person: Person, model: type[Row]) -> SelectOfScalar[Row]:
    """The select of all rows of `model` that `person` may see; none where no rule is registered."""
    return select(model).where(_clause(person, model))


def find(session: Session, person: Person, model: type[Row], key: UUID) -> Row:
    """The row of `model` with this primary key, if `person` may see it; else raises `NotFound`."""
    identity: Any = model
    row = session.exec(visible(person, model).where(identity.id == key)).one_or_none()
    if row is None:
        raise NotFound
    return row


def has_role(person: Person, *roles: Role) -> bool:
    """Whether `person` has one of `roles` in any organisation."""
    return any(membership.role in roles for membership in person.roles)


def organisation_ids(person: Person, *roles: Role) -> frozenset[UUID]:
    """The organisations in which `person` has one of `roles`; with no role given, all of the person's organisations."""
    return frozenset(membership.organisation_id for membership in person.roles if not roles or membership.role in roles)


def everything() -> ColumnElement[bool]:
    """The clause that holds for every row."""
    return true()


def nothing() -> ColumnElement[bool]:
    """The clause that holds for no row."""
    return false()


def _clause(person: Person, model: type[SQLModel]) -> ColumnElement[bool]:
    rule = _rules.get(model)
    return rule(person) if rule and person.active else nothing()


@visibility(Person)
def _persons(person: Person) -> ColumnElement[bool]:
    """Oneself; an administrator sees everybody."""
    return everything() if has_role(person, Role.ADMIN) else col(Person.id) == person.id


@visibility(Organisation)
def _organisations(person: Person) -> ColumnElement[bool]:
    """One’s own organisations; dispatchers and administrators see all of them."""
    if has_role(person, Role.DISPATCHER, Role.ADMIN):
        return everything()
    return col(Organisation.id).in_(organisation_ids(person))


@visibility(Membership)
def _memberships(person: Person) -> ColumnElement[bool]:
    """One's own memberships; an administrator sees everybody's."""
    return everything() if has_role(person, Role.ADMIN) else col(Membership.person_id) == person.id


@visibility(Mail)
def _mails(person: Person) -> ColumnElement[bool]:
    """An administrator sees what the hub wrote to people; everybody else has their mailbox."""
    return everything() if has_role(person, Role.ADMIN) else nothing()
