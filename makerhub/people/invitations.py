"""Inviting somebody by mail to a role in an organisation: only to roles and places that one may give, and once."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from makerhub.errors import Invalid, MakerhubError, MovedMeanwhile, translatable
from makerhub.keys.box import KeyBox
from makerhub.lifecycle import begin, move
from makerhub.notices.service import tell
from makerhub.people.access import GIVEN_BY_DISPATCHERS, action, everything, has_role, organisation_ids, visibility
from makerhub.people.entry_models import Invitation, InvitationState
from makerhub.people.letters import INVITATION
from makerhub.people.models import Organisation, OrganisationKind, Person, Role
from makerhub.people.repointing import repoint
from makerhub.people.service import add_membership, create_person, find_by_email, normal_email

LIFETIME = timedelta(days=14)

UNFIT = translatable("You can not give this role there. Choose another role or another place.")


class InvitationOver(MakerhubError):
    """It was accepted, taken back, or ran out."""

    template = translatable("This invitation was used already, taken back, or it ran out. Ask for a new one.")


def roles_to_give(person: Person, organisation: Organisation) -> frozenset[Role]:
    """The roles to which `person` may invite others in this organisation.

    Dispatchers let makers, couriers and helpers into their own hubs, and requesters into any facility; administrators
    let in whomever fits.
    """
    fitting = roles_at(organisation.kind)
    if has_role(person, Role.ADMIN):
        return fitting
    is_own_hub = organisation.id in organisation_ids(person, Role.DISPATCHER)
    given = {Role.MAKER, Role.COURIER, Role.HELPER} if is_own_hub else set()
    if has_role(person, Role.DISPATCHER):
        given.add(Role.REQUESTER)
    return fitting & given


def roles_to_appoint(person: Person, organisation: Organisation) -> frozenset[Role]:
    """The roles that `person` may give to somebody who is in this organisation already.

    Dispatchers name further ones among the people of their hub, whom they know; nobody becomes one by a mail of theirs.
    """
    if has_role(person, Role.ADMIN):
        return roles_at(organisation.kind)
    is_own_hub = organisation.id in organisation_ids(person, Role.DISPATCHER)
    return frozenset(GIVEN_BY_DISPATCHERS) if is_own_hub else frozenset()


def roles_at(kind: OrganisationKind) -> frozenset[Role]:
    """Requesters belong to those who ask; makers, dispatchers and couriers to a hub; administrators anywhere."""
    if kind is OrganisationKind.HUB:
        return frozenset(Role) - {Role.REQUESTER}
    return frozenset({Role.REQUESTER, Role.ADMIN})


def invite(
    session: Session,
    email: str,
    role: Role,
    organisation: Organisation,
    *,
    by: Person,
    language: str,
    key_box: KeyBox,
    pages: str,
    now: datetime,
) -> Invitation:
    """Invite whoever has this address; an earlier invitation to the same is taken back.

    `pages` is the hub's address. The mail is in the language of whoever is here already, else in `language`. Raises
    `Invalid` with `fields` for what is no address, or what `by` may not give.
    """
    email = normal_email(email)
    if role not in roles_to_give(by, organisation):
        raise Invalid(fields={"role": UNFIT})
    for earlier in session.exec(_open().where(Invitation.email == email, Invitation.role == role)):
        if earlier.organisation_id == organisation.id:
            revoke(session, earlier, by=by, now=now)
    token, known = secrets.token_urlsafe(32), find_by_email(session, email)
    invitation = Invitation(
        email=email,
        organisation_id=organisation.id,
        role=role,
        invited_by=by.id,
        invited_at=now,
        expires_at=now + LIFETIME,
        link_sha256=_hash(token),
    )
    begin(session, invitation, now=now, by=by.id)
    tell(
        session,
        INVITATION,
        to=email,
        values={"inviter": by.name, "organisation": organisation.name, "link": f"{pages}/join/{token}"},
        language=known.language if known and known.language else language,
        now=now,
        useful_until=invitation.expires_at,
        key_box=key_box,
    )
    return invitation


def open_invitation(session: Session, token: str, now: datetime) -> Invitation:
    """The invitation of a link. Raises `InvitationOver`; looking changes nothing."""
    found = _open().where(Invitation.link_sha256 == _hash(token), col(Invitation.expires_at) > now)
    invitation = session.exec(found).one_or_none()
    if invitation is None:
        raise InvitationOver
    return invitation


def join(session: Session, token: str, name: str, *, language: str, now: datetime) -> Person:
    """Take an invitation up: whoever is new is made known under `name`. Raises `InvitationOver` and `Invalid`."""
    invitation = open_invitation(session, token, now)
    person = find_by_email(session, invitation.email) or create_person(
        session, email=invitation.email, name=name, now=now, language=language
    )
    if not person.active:
        raise InvitationOver
    try:
        move(session, invitation, InvitationState.JOINED, now=now, by=person.id, joined_by=person.id)
    except MovedMeanwhile as error:
        raise InvitationOver from error
    place = session.get_one(Organisation, invitation.organisation_id)
    add_membership(session, person, place, invitation.role, now=now, by=invitation.invited_by)
    return person


def revoke(session: Session, invitation: Invitation, *, by: Person, now: datetime) -> None:
    """Take an invitation back. Raises `IllegalMove` when it was taken up."""
    move(session, invitation, InvitationState.REVOKED, now=now, by=by.id)


def expire(session: Session, now: datetime) -> None:
    """Let invitations that ran out be over."""
    for invitation in session.exec(_open().where(col(Invitation.expires_at) <= now)):
        move(session, invitation, InvitationState.EXPIRED, now=now)


def _open() -> SelectOfScalar[Invitation]:
    return select(Invitation).where(Invitation.state == InvitationState.INVITED)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@visibility(Invitation)
def _invitations(person: Person) -> ColumnElement[bool]:
    """Whoever invited, the dispatchers of the hub to which it was, and administrators."""
    if has_role(person, Role.ADMIN):
        return everything()
    at_hub = col(Invitation.organisation_id).in_(organisation_ids(person, Role.DISPATCHER))
    return or_(at_hub, col(Invitation.invited_by) == person.id) if has_role(person, Role.DISPATCHER) else at_hub


def _all_seen(_person: Person) -> ColumnElement[bool]:
    """Whoever sees it."""
    return everything()


REVOKE = action(Invitation, "revoke", _all_seen)


def move_invitations(session: Session, source: UUID, target: UUID, only: Collection[UUID] | None = None) -> list[UUID]:
    """Let who was invited to one organisation join another; returns the keys. Only the merge of two calls this."""
    return repoint(session, Invitation.organisation_id, source, target, only)
