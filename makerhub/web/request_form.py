"""The request form: what was typed on its screens, and what of it is wrong.

All that was typed travels in the address of the next screen, so going back, loading again and two open forms just
work, without JavaScript and without anything kept here. Only the note, which may say more than an address should,
is typed on the last screen and sent with the request.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlmodel import Session
from werkzeug.datastructures import MultiDict

from makerhub.demand.models import Urgency
from makerhub.demand.service import NewLine, NewRequest, check
from makerhub.designs.approvals import ApprovalPolicy
from makerhub.errors import Invalid, translatable
from makerhub.people.models import Organisation, Person
from makerhub.web.catalogue import Choice
from makerhub.web.times import parse_day_end

QUANTITY, STOCK = "quantity-", "stock-"
WHOLE_NUMBER = re.compile(r"-?[0-9]+")
LONGEST_NUMBER = 15
"""Digits that are looked at: enough for a number that is refused as too large."""

A_SECOND = timedelta(seconds=1)
A_DAY = timedelta(days=1)


class Screen(Enum):
    """The screens of the form, in their order."""

    WHERE = "where"
    WHAT = "what"
    WHEN = "when"
    CHECK = "check"

    @classmethod
    def of(cls, name: str) -> "Screen":
        """The screen on which a field is typed."""
        if name in ("facility", "hub"):
            return cls.WHERE
        if name == "lines" or name.startswith(QUANTITY):
            return cls.WHAT
        return cls.CHECK if name == "note" else cls.WHEN

    @property
    def earlier(self) -> list["Screen"]:
        """The screens before this one."""
        screens = list(Screen)
        return screens[: screens.index(self)]


@dataclass(frozen=True)
class Choices:
    """What the person may choose from: facilities to ask for, hubs to ask, and kits by their key."""

    facilities: Sequence[Organisation]
    hubs: Sequence[Organisation]
    kits: Mapping[str, Choice]

    @property
    def is_where_asked(self) -> bool:
        """Whether there is anything to choose on the first screen."""
        return len(self.facilities) > 1 or len(self.hubs) > 1


@dataclass(frozen=True)
class Draft:
    """What was typed so far, as it was typed; `quantities` and `stocks` by the kit's key."""

    form_key: UUID
    facility: str = ""
    hub: str = ""
    quantities: Mapping[str, str] = field(default_factory=dict)
    stocks: Mapping[str, str] = field(default_factory=dict)
    needed_by: str = ""
    urgency: str = ""
    note: str = ""

    @classmethod
    def read(cls, typed: MultiDict[str, str], choices: Choices) -> "Draft":
        """What a form or an address holds; where there is only one facility or hub, it is that one."""
        draft = cls(
            form_key=form_key(typed) or uuid4(),
            facility=typed.get("facility", ""),
            hub=typed.get("hub", ""),
            quantities=_by_kit(typed, QUANTITY),
            stocks=_by_kit(typed, STOCK),
            needed_by=typed.get("needed_by", "").strip(),
            urgency=typed.get("urgency", ""),
            note=typed.get("note", ""),
        )
        return replace(
            draft,
            facility=_only(choices.facilities) or draft.facility,
            hub=_only(choices.hubs) or draft.hub,
        )

    @property
    def chosen(self) -> list[str]:
        """The keys of the kits that are asked for: none is left empty or 0."""
        return [key for key, text in self.quantities.items() if _digits(text).strip("0")]

    def fields(self) -> dict[str, str]:
        """All that was typed but the note, by the names of the fields: for hidden fields and addresses."""
        typed = {
            "form_key": str(self.form_key),
            "facility": self.facility,
            "hub": self.hub,
            "needed_by": self.needed_by,
            "urgency": self.urgency,
            **{f"{QUANTITY}{key}": text for key, text in self.quantities.items()},
            **{f"{STOCK}{key}": text for key, text in self.stocks.items() if key in self.chosen},
        }
        return {name: text for name, text in typed.items() if text}


@dataclass(frozen=True)
class Answers:
    """A draft as a request, and what is wrong with it by field; fit to be sent when nothing is."""

    request: NewRequest
    problems: Mapping[str, str]

    def first_wrong(self, screens: Sequence[Screen]) -> tuple[Screen, dict[str, str]] | None:
        """The first of `screens` on which something is wrong, and what; None when nothing is."""
        for screen in screens:
            wrong = {name: problem for name, problem in self.problems.items() if Screen.of(name) is screen}
            if wrong:
                return screen, wrong
        return None


def answers(
    session: Session,
    draft: Draft,
    choices: Choices,
    person: Person,
    *,
    zone: ZoneInfo,
    largest: int,
    policy: ApprovalPolicy,
    now: datetime,
) -> Answers:
    """Read a draft as the request it means; where something can't be read, a harmless value stands in its place."""
    problems: dict[str, str] = {}
    facility = _choose(draft.facility, choices.facilities, "facility", problems)
    hub = _choose(draft.hub, choices.hubs, "hub", problems)
    needed_by = _deadline(draft.needed_by, zone, now, problems)
    urgency = _urgency(draft.urgency, problems)
    lines = {}
    for key in draft.chosen:
        if key not in choices.kits:
            problems[f"{QUANTITY}{key}"] = translatable("This design can no longer be asked for. Choose another one.")
            continue
        lines[key] = NewLine(
            kit_id=choices.kits[key].kit.id,
            quantity=_number(draft.quantities[key], f"{QUANTITY}{key}", problems, otherwise=1),
            needed_by=needed_by,
            urgency=urgency,
            stock_left=_number(draft.stocks.get(key) or "0", f"{STOCK}{key}", problems, otherwise=0),
        )
    request = NewRequest(
        form_key=draft.form_key,
        facility_id=facility,
        hub_id=hub,
        requested_by=person.id,
        lines=tuple(lines.values()),
        note=draft.note,
    )
    broken = check(session, request, largest=largest, policy=policy, now=now)
    found = _by_field(broken, list(lines)) | problems
    return Answers(request, {name: found[name] for name in _in_page_order(draft, choices) if name in found})


def form_key(typed: MultiDict[str, str]) -> UUID | None:
    """The key of the form that was sent; None when it has none."""
    try:
        return UUID(typed.get("form_key", ""))
    except ValueError:
        return None


def _in_page_order(draft: Draft, choices: Choices) -> list[str]:
    """The names of all fields, as a reader meets them."""
    keys = list(dict.fromkeys((*draft.quantities, *choices.kits)))
    quantities, stocks = ([f"{kind}{key}" for key in keys] for kind in (QUANTITY, STOCK))
    return ["facility", "hub", "lines", *quantities, "needed_by", "urgency", *stocks, "note"]


def _by_field(problems: Mapping[str, str], keys: Sequence[str]) -> dict[str, str]:
    """The service's problems, which number the lines, under the names of the form's fields."""
    named = {}
    for name, problem in problems.items():
        number, _, of_line = name.partition("-")
        if of_line in ("quantity", "kit"):
            named[QUANTITY + keys[int(number)]] = problem
        elif of_line == "stock_left":
            named[STOCK + keys[int(number)]] = problem
        else:
            named[of_line or name] = problem
    return named


def _by_kit(typed: MultiDict[str, str], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): text.strip()
        for name, text in typed.items()
        if name.startswith(prefix) and text.strip()
    }


def _choose(typed: str, offered: Sequence[Organisation], name: str, problems: dict[str, str]) -> UUID:
    for organisation in offered:
        if str(organisation.id) == typed:
            return organisation.id
    problems[name] = translatable("Choose one of these.")
    return UUID(int=0)


def _deadline(typed: str, zone: ZoneInfo, now: datetime, problems: dict[str, str]) -> datetime:
    """The last second of the day, not the first of the next: so it reads as the day that was typed."""
    try:
        return parse_day_end(typed, zone) - A_SECOND
    except Invalid:
        problems["needed_by"] = translatable("Enter the day by which you need it, like 2026-04-30.")
        return now + A_DAY


def _urgency(typed: str, problems: dict[str, str]) -> Urgency:
    try:
        return Urgency(typed)
    except ValueError:
        problems["urgency"] = translatable("Say how urgent it is.")
        return Urgency.ROUTINE


def _number(typed: str, name: str, problems: dict[str, str], *, otherwise: int) -> int:
    digits = _digits(typed)
    if WHOLE_NUMBER.fullmatch(digits):
        return int(digits[:LONGEST_NUMBER])
    problems[name] = translatable("Enter a whole number, like 40.")
    return otherwise


def _digits(typed: str) -> str:
    """What was typed with the digits of any script as 0 to 9, and without blanks: “１ ２００” is 1200."""
    return "".join(_digit(character) for character in typed if not character.isspace())


def _digit(character: str) -> str:
    return str(unicodedata.decimal(character, character))


def _only(offered: Sequence[Organisation]) -> str:
    return str(offered[0].id) if len(offered) == 1 else ""
