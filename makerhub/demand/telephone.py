"""Requests by telephone: a dispatcher writes one down for a caller, who sees, confirms or cancels it by a secret.

The secret goes out as the link of a mail or, where there is no address, as a code of twelve letters and figures that
is read out or posted. Of either only the SHA-256 is kept, and a new one makes the old one void.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date
from sqlmodel import Session, select

from makerhub.audit.service import note
from makerhub.demand import service as demand
from makerhub.demand.models import RUNNING, CallState, SupplyRequest, TelephoneCall
from makerhub.demand.service import NewRequest, lines_of
from makerhub.designs.approvals import ApprovalPolicy
from makerhub.designs.models import DesignVersion, Kit
from makerhub.designs.service import kit_name
from makerhub.errors import Invalid, NotFound, translatable
from makerhub.keys.box import KeyBox
from makerhub.lifecycle import begin, move
from makerhub.notices.letters import letter
from makerhub.notices.service import tell
from makerhub.people.models import Organisation
from makerhub.people.service import normal_email

BY_TELEPHONE = "by telephone"
BY_THE_CALLER = "cancelled by the caller"
"""Why a request began or ended, in the log."""

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 12
"""30^12 is 59 bits: of ten thousand open calls nobody guesses one."""
FEWEST_FIGURES = 6

REQUEST_BY_TELEPHONE = letter(
    "request_by_telephone",
    title=translatable("What was asked for on the telephone"),
    subject=translatable("What you asked %(hub)s for on the telephone"),
    text=translatable(
        "Hello %(caller)s,\n\n"
        "on the telephone we wrote down for %(facility)s:\n\n%(items)s\n\n"
        "Open this link to see how it goes, to say that it is right, or to cancel it:\n\n%(link)s\n\n"
        "Whoever has the link can do so, too: pass it on to nobody but colleagues. If you did not call us, cancel it "
        "there.\n\n%(hub)s\n"
    ),
    secret=True,
)


@dataclass(frozen=True)
class Caller:
    """Who called, and how to reach them; without `email` they get a code. `language` is that of the mail."""

    name: str
    number: str
    email: str = ""
    language: str = "en"


@dataclass(frozen=True)
class Post:
    """What sealing and linking in a mail needs; `pages` is the hub's address."""

    key_box: KeyBox
    pages: str


def check_caller(caller: Caller) -> Mapping[str, str]:
    """What is wrong with the caller, a sentence a field; empty when nothing is."""
    problems = {}
    if not 0 < len(caller.name.strip()) <= 100:
        problems["caller"] = translatable("Enter who is calling, in up to 100 letters.")
    if sum(map(str.isdecimal, caller.number)) < FEWEST_FIGURES or len(caller.number.strip()) > 40:
        problems["number"] = translatable("Enter the number to call back, with its figures.")
    try:
        _address(caller)
    except Invalid as error:
        problems |= error.fields
    return problems


def write_down(
    session: Session,
    new: NewRequest,
    caller: Caller,
    post: Post,
    *,
    largest: int,
    policy: ApprovalPolicy,
    now: datetime,
) -> tuple[TelephoneCall, str]:
    """File the request for a caller, and mail the link where there is an address; returns the call and its secret.

    Raises `Invalid` with the fields of both. A form that is sent again makes nothing new, and a new secret.
    """
    problems = {**check_caller(caller), **demand.check(session, new, largest=largest, policy=policy, now=now)}
    if problems:
        raise Invalid(fields=problems)
    request = demand.submit(session, new, largest=largest, policy=policy, now=now, why=BY_TELEPHONE)
    call = call_for(session, request.id)
    if call is None:
        call = TelephoneCall(
            request_id=request.id,
            caller=caller.name.strip(),
            number=caller.number.strip(),
            email=_address(caller),
            language=caller.language,
            secret_sha256=_hash(secrets.token_urlsafe()),
            called_at=now,
        )
        begin(session, call, now=now, by=new.requested_by)
    return call, give_secret(session, call, post, now=now)


def give_secret(session: Session, call: TelephoneCall, post: Post, *, now: datetime) -> str:
    """Make the caller a new secret in the place of the old one, and mail it where there is an address."""
    secret = secrets.token_urlsafe(32) if call.email else _code()
    call.secret_sha256 = _hash(secret)
    session.add(call)
    session.flush()
    if call.email:
        request = session.get_one(SupplyRequest, call.request_id)
        values = {
            "caller": call.caller,
            "hub": session.get_one(Organisation, request.hub_id).name,
            "facility": session.get_one(Organisation, request.facility_id).name,
            "items": _items(session, request, call.language),
            "link": f"{post.pages}/called/{secret}",
        }
        language, box = call.language, post.key_box
        tell(session, REQUEST_BY_TELEPHONE, to=call.email, values=values, language=language, now=now, key_box=box)
    return secret


def call_for(session: Session, request_id: UUID) -> TelephoneCall | None:
    """The call by which the request came; None for one that came otherwise, or whose caller is forgotten."""
    return session.exec(select(TelephoneCall).where(TelephoneCall.request_id == request_id)).one_or_none()


def find_call(session: Session, secret: str) -> tuple[TelephoneCall, SupplyRequest]:
    """What a secret opens, however a code was typed. Raises `NotFound`; looking changes nothing."""
    found = (
        select(TelephoneCall, SupplyRequest)
        .join(SupplyRequest)
        .where(TelephoneCall.secret_sha256 == _hash(as_typed(secret)))
    )
    row = session.exec(found).one_or_none()
    if row is None:
        raise NotFound
    return row


def as_typed(secret: str) -> str:
    """A code without blanks and hyphens, in capitals; the secret of a link as it is."""
    code = "".join(character for character in secret.upper() if character.isalnum())
    return code if len(code) == CODE_LENGTH and set(code) <= set(CODE_ALPHABET) else secret


def confirm(session: Session, call: TelephoneCall, *, now: datetime) -> None:
    """The caller says that it was written down right; saying so again changes nothing."""
    if call.state is CallState.NOTED:
        move(session, call, CallState.CONFIRMED, now=now)


def cancel(session: Session, request: SupplyRequest, *, now: datetime) -> None:
    """The caller does not need it any more, or never asked. Raises `IllegalMove` when it has ended."""
    if request.state in RUNNING:
        demand.cancel(session, request, now=now, why=BY_THE_CALLER)


def forget_caller(session: Session, call: TelephoneCall, *, now: datetime, by: UUID | None = None) -> None:
    """Delete who called; the request stays, and the secret opens nothing any more."""
    note(session, "caller forgotten", session.get_one(SupplyRequest, call.request_id), now=now, by=by)
    session.delete(call)


def _items(session: Session, request: SupplyRequest, language: str) -> str:
    """What was asked for, a line each, with its day."""
    zone = ZoneInfo(session.get_one(Organisation, request.facility_id).time_zone)
    locale = "en_GB" if language == "en" else language
    lines = []
    for line in lines_of(session, request.id):
        kit = session.get_one(Kit, line.kit_id)
        name = kit_name(session.get_one(DesignVersion, kit.version_id), kit)
        day = format_date(line.needed_by.astimezone(zone), "medium", locale=locale)
        lines.append(f"{line.quantity} × {name} ({day})")
    return "\n".join(lines)


def _address(caller: Caller) -> str:
    """The caller's address as it is stored, or nothing. Raises `Invalid`."""
    return normal_email(caller.email) if caller.email.strip() else ""


def _code() -> str:
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
