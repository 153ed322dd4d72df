"""What a dispatcher types while somebody asks on the telephone: who calls, for which facility, what, and by when."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from sqlmodel import Session
from werkzeug.datastructures import MultiDict

from makerhub.demand.telephone import Caller, check_caller
from makerhub.errors import Invalid, translatable
from makerhub.facilities.finding import FACILITIES
from makerhub.facilities.models import RegisterEntry
from makerhub.hubs.service import resting
from makerhub.people.access import find
from makerhub.people.models import Organisation, Person, Role
from makerhub.people.service import hubs_of
from makerhub.web.facility_form import Meant, Typed, draft_as_typed
from makerhub.web.hub import hub
from makerhub.web.offered import kits_offered
from makerhub.web.request_form import Answers, Choices, Draft, answers
from makerhub.web.typed import uuid_or_none, whole_number
from makerhub.web.viewer import viewer, viewer_language, viewer_zone

OTHER_DAY = "other"
DAYS_AHEAD = (
    (1, translatable("Tomorrow")),
    (3, translatable("In three days")),
    (7, translatable("In a week")),
    (14, translatable("In two weeks")),
)


@dataclass(frozen=True)
class Call:
    """All that was typed, what it means, and what is wrong with it by field."""

    typed: Typed
    choices: Choices
    draft: Draft
    given: Answers
    caller: Caller
    meant: Meant
    problems: Mapping[str, str]

    @property
    def facility(self) -> Organisation | None:
        """For which it is; none as long as a new one can not be made known."""
        return self.meant.facility

    @property
    def is_new(self) -> bool:
        """Whether the facility is made known by this call."""
        return uuid_or_none(self.typed.get("facility", "")) is None


def read_call(session: Session, typed: Typed, person: Person) -> Call:
    """What was typed, as it is meant. A new facility is made, in a transaction that may be taken back."""
    meant = _meant(session, typed)
    asleep = resting(session)
    hubs = [one for one in hubs_of(session, person, Role.DISPATCHER) if one.id not in asleep]
    choices = Choices(facilities=[meant.facility] if meant.facility else [], hubs=hubs, kits={})
    draft = Draft.read(_with_day(typed), choices)
    choices = replace(choices, kits={choice.key: choice for choice in kits_offered(session, draft, choices)})
    given = answers(
        session, draft, choices, person,
        zone=viewer_zone(), largest=hub().settings.largest_request, policy=hub().policy, now=hub().clock(),
    )  # fmt: skip
    name, number, email = (typed.get(field, "") for field in ("caller", "number", "email"))
    caller = Caller(name, number, email, _language(typed))
    of_request = {name: problem for name, problem in given.problems.items() if name != "facility"}
    problems = {**meant.problems, **check_caller(caller), **of_request}
    return Call(typed, choices, draft, given, caller, meant, problems)


def days_ahead() -> list[tuple[str, str]]:
    """The days that are one touch away, as they are sent, and in words."""
    today = hub().clock().astimezone(viewer_zone()).date()
    return [((today + timedelta(days=ahead)).isoformat(), words) for ahead, words in DAYS_AHEAD]


def new_facility(session: Session, typed: Typed) -> dict[str, str]:
    """What the form begins with for a facility that is to be made known: from a register, or what was looked for."""
    number = whole_number(typed.get("entry", ""))
    entry = None if number is None else session.get(RegisterEntry, number)
    if entry is None:
        return {"new_name": typed.get("new_name", "")}
    kind = {"kind": entry.kind.value} if entry.kind else {}
    return {"new_name": entry.name, "place": entry.address[:200], "postcode": entry.postcode, **kind}


def _meant(session: Session, typed: Typed) -> Meant:
    """The facility that was chosen, or a draft of a new one."""
    chosen = uuid_or_none(typed.get("facility", ""))
    return draft_as_typed(session, typed) if chosen is None else Meant(_known(session, chosen))


def _known(session: Session, chosen: UUID) -> Organisation:
    """A facility that dispatchers see, or the one that it was merged into. Raises `NotFound`."""
    found = find(session, viewer(), Organisation, chosen)
    if found.merged_into is not None:
        found = session.get_one(Organisation, found.merged_into)
    if found.kind not in FACILITIES:
        raise Invalid(translatable("Choose a hospital or a care home."))
    return found


def _with_day(typed: Typed) -> Typed:
    """The form's fields, with the other day where none of those one touch away was chosen."""
    if typed.get("needed_by") != OTHER_DAY:
        return typed
    return MultiDict({**typed.to_dict(), "needed_by": typed.get("other_day", "")})


def _language(typed: Typed) -> str:
    chosen = typed.get("language", "")
    return chosen if chosen in hub().settings.languages else viewer_language()
