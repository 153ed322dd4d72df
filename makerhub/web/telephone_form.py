"""What a dispatcher types while somebody asks on the telephone: who calls, for which facility, what, and by when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from sqlmodel import Session
from werkzeug.datastructures import MultiDict

from makerhub.demand.telephone import Caller, check_caller
from makerhub.errors import Invalid, translatable
from makerhub.facilities import service as facilities
from makerhub.facilities.finding import FACILITIES, like
from makerhub.facilities.models import RegisterEntry
from makerhub.hubs.service import resting
from makerhub.people.access import find
from makerhub.people.models import Organisation, OrganisationKind, Person, Role
from makerhub.people.service import hubs_of
from makerhub.web.hub import hub
from makerhub.web.offered import kits_offered
from makerhub.web.request_form import Answers, Choices, Draft, answers
from makerhub.web.typed import uuid_or_none, whole_number
from makerhub.web.viewer import viewer, viewer_language, viewer_zone

NEW, OTHER_DAY = "new", "other"
DAYS_AHEAD = (
    (1, translatable("Tomorrow")),
    (3, translatable("In three days")),
    (7, translatable("In a week")),
    (14, translatable("In two weeks")),
)
PERHAPS_KNOWN = translatable("It may be here already. Choose it, or say that it is another one.")
OF_DRAFT = {"name": "new_name"}
"""Fields of a new facility that the page calls otherwise: `name` alone would not say whose."""

Typed = MultiDict[str, str]


@dataclass(frozen=True)
class Call:
    """All that was typed, what it means, and what is wrong with it by field.

    `facility` is None as long as a new one can not be made; `similar` are those that may be meant by it.
    """

    typed: Typed
    choices: Choices
    draft: Draft
    given: Answers
    caller: Caller
    facility: Organisation | None
    similar: Sequence[Organisation]
    problems: Mapping[str, str]

    @property
    def is_new(self) -> bool:
        """Whether the facility is made known by this call."""
        return uuid_or_none(self.typed.get("facility", "")) is None


def read_call(session: Session, typed: Typed, person: Person) -> Call:
    """What was typed, as it is meant. A new facility is made, in a transaction that may be taken back."""
    facility, similar, problems = _facility(session, typed)
    asleep = resting(session)
    hubs = [one for one in hubs_of(session, person, Role.DISPATCHER) if one.id not in asleep]
    choices = Choices(facilities=[facility] if facility else [], hubs=hubs, kits={})
    draft = Draft.read(_with_day(typed), choices)
    choices = replace(choices, kits={choice.key: choice for choice in kits_offered(session, draft, choices)})
    given = answers(
        session, draft, choices, person,
        zone=viewer_zone(), largest=hub().settings.largest_request, policy=hub().policy, now=hub().clock(),
    )  # fmt: skip
    name, number, email = (typed.get(field, "") for field in ("caller", "number", "email"))
    caller = Caller(name, number, email, _language(typed))
    of_request = {name: problem for name, problem in given.problems.items() if name != "facility"}
    return Call(
        typed, choices, draft, given, caller, facility, similar, {**check_caller(caller), **problems, **of_request}
    )


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


def _facility(session: Session, typed: Typed) -> tuple[Organisation | None, list[Organisation], dict[str, str]]:
    """The facility that was chosen, or a draft of a new one; what it may be otherwise; and what is wrong."""
    chosen = uuid_or_none(typed.get("facility", ""))
    if chosen is not None:
        return _known(session, chosen), [], {}
    name, postcode = typed.get("new_name", ""), typed.get("postcode", "")
    similar = like(session, name, postcode)
    if similar and typed.get("facility") != NEW:
        return None, similar, {"facility": PERHAPS_KNOWN}
    try:
        return _drafted(session, name, postcode, typed), similar, {}
    except Invalid as error:
        return None, similar, {OF_DRAFT.get(field, field): problem for field, problem in error.fields.items()}


def _known(session: Session, chosen: UUID) -> Organisation:
    """A facility that dispatchers see, or the one that it was merged into. Raises `NotFound`."""
    found = find(session, viewer(), Organisation, chosen)
    if found.merged_into is not None:
        found = session.get_one(Organisation, found.merged_into)
    if found.kind not in FACILITIES:
        raise Invalid(translatable("Choose a hospital or a care home."))
    return found


def _drafted(session: Session, name: str, postcode: str, typed: Typed) -> Organisation:
    kind = next((one for one in FACILITIES if one.value == typed.get("kind")), OrganisationKind.HUB)  # refused below
    return facilities.draft(
        session,
        kind=kind,
        name=name,
        place=typed.get("place", ""),
        postcode=postcode,
        entrance=typed.get("entrance", ""),
        time_zone=str(viewer_zone()),
        now=hub().clock(),
    )


def _with_day(typed: Typed) -> Typed:
    """The form's fields, with the other day where none of those one touch away was chosen."""
    if typed.get("needed_by") != OTHER_DAY:
        return typed
    return MultiDict({**typed.to_dict(), "needed_by": typed.get("other_day", "")})


def _language(typed: Typed) -> str:
    chosen = typed.get("language", "")
    return chosen if chosen in hub().settings.languages else viewer_language()
