"""Who may see which rows and do what with them: what no rule allows is refused.

A slice states its rules in one table beside its models, `access.py`:

    @visibility(SupplyRequest)
    def supply_requests(person: Person) -> ColumnElement[bool]: ...

    def its_dispatchers(person: Person) -> ColumnElement[bool]:
        \"""The dispatchers of the hub that is asked.\"""
        return col(SupplyRequest.hub_id).in_(organisation_ids(person, Role.DISPATCHER))

    ACCEPT = action(SupplyRequest, "accept", its_dispatchers)

Pages read through `visible()` and `find()` only, and act on what `find(session, person, ACCEPT, key)` gives them.
What is not yours does not exist: `NotFound`, never a refusal, so that an answer tells nothing about others' rows.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, true
from sqlmodel import Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from makerhub.errors import NotFound
from makerhub.notices.models import Mail
from makerhub.people.home_models import MakerAddress, MakerSettings
from makerhub.people.models import Membership, Organisation, Person, Role

GIVEN_BY_DISPATCHERS = (Role.MAKER, Role.COURIER, Role.HELPER, Role.DISPATCHER)
"""The roles at their own hub that dispatchers give and take; reviewers and administrators are named from above."""

Row = TypeVar("Row", bound=SQLModel)
Rule = Callable[[Person], ColumnElement[bool]]

_rules: dict[type[SQLModel], Rule] = {}
_actions: dict[tuple[type[SQLModel], str], "Action[Any]"] = {}


@dataclass(frozen=True, eq=False)
class Action(Generic[Row]):
    """Something that is done with a row of `model`; `rule` says with which rows a person may, among those seen."""

    model: type[Row]
    name: str
    rule: Rule


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


def action(model: type[Row], name: str, rule: Rule) -> Action[Row]:
    """Make known that `rule` decides with which rows of `model` a person may do what `name` says, in English.

    Raises `ValueError` for the second rule of one action.
    """
    if (model, name) in _actions:
        raise ValueError(f"{name} {model.__name__} has a rule already")
    return _actions.setdefault((model, name), Action(model, name, rule))


def actions() -> Iterable[Action[Any]]:
    """Everything that is made known, as the slices have been imported."""
    return _actions.values()


def visibility_rules() -> Mapping[type[SQLModel], Rule]:
    """The rule of each model that has one, as the slices have been imported."""
    return _rules


def visible(person: Person, model: type[Row]) -> SelectOfScalar[Row]:
    """The select of all rows of `model` that `person` may see; none where no rule is registered."""
    return select(model).where(_clause(person, model))


def permitted(person: Person, wanted: Action[Row]) -> SelectOfScalar[Row]:
    """The select of all rows with which `person` may do this: what one does not see, one does nothing with."""
    return visible(person, wanted.model).where(wanted.rule(person))


def find(session: Session, person: Person, wanted: type[Row] | Action[Row], key: UUID) -> Row:
    """The row with this primary key that `person` may see, or may do this with; else raises `NotFound`."""
    rows = permitted(person, wanted) if isinstance(wanted, Action) else visible(person, wanted)
    row = session.exec(rows.where(_identity(wanted) == key)).one_or_none()
    if row is None:
        raise NotFound
    return row


def can(session: Session, person: Person, wanted: Action[Any], row: SQLModel) -> bool:
    """Whether `person` may do this with `row`, as the row is in the database."""
    key = cast("Any", row).id
    return session.exec(permitted(person, wanted).where(_identity(wanted) == key)).first() is not None


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


def _identity(wanted: type[SQLModel] | Action[Any]) -> Any:
    model: Any = wanted.model if isinstance(wanted, Action) else wanted
    return model.id


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


@visibility(MakerSettings)
def _maker_settings(person: Person) -> ColumnElement[bool]:
    """What oneself has said about the own home; nobody else's business, administrators included."""
    return col(MakerSettings.person_id) == person.id


@visibility(MakerAddress)
def _maker_addresses(person: Person) -> ColumnElement[bool]:
    """One's own address; a courier comes through `delivery.pickups`, which writes the view down."""
    return col(MakerAddress.person_id) == person.id


@visibility(Membership)
def _memberships(person: Person) -> ColumnElement[bool]:
    """One's own memberships; dispatchers see those of their hub, an administrator everybody's."""
    if has_role(person, Role.ADMIN):
        return everything()
    of_own_hub = col(Membership.organisation_id).in_(organisation_ids(person, Role.DISPATCHER))
    return or_(col(Membership.person_id) == person.id, of_own_hub)


def _its_holder(person: Person) -> ColumnElement[bool]:
    """Whoever has it."""
    return col(Membership.person_id) == person.id


def _who_gives_it(person: Person) -> ColumnElement[bool]:
    """Dispatchers of that hub, those roles that they give; administrators."""
    if has_role(person, Role.ADMIN):
        return everything()
    at_own_hub = col(Membership.organisation_id).in_(organisation_ids(person, Role.DISPATCHER))
    return at_own_hub & col(Membership.role).in_(GIVEN_BY_DISPATCHERS)


@visibility(Mail)
def _mails(person: Person) -> ColumnElement[bool]:
    """An administrator sees what the hub wrote to people; everybody else has their mailbox."""
    return everything() if has_role(person, Role.ADMIN) else nothing()


LEAVE = action(Membership, "give up", _its_holder)
TAKE_ROLE = action(Membership, "take from somebody", _who_gives_it)
