"""Passkeys: a key that stays in somebody's device, which asks for a finger, a face or a PIN before it signs.

The device having been unlocked is demanded each time, so a passkey is two factors in one. Who it belongs to is told by
the passkey itself: no page takes an address and tells which keys it has.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, select
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from makerhub.audit.service import note
from makerhub.errors import Invalid, MakerhubError, translatable
from makerhub.people.entry_models import Passkey
from makerhub.people.models import Person

UNFIT = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError, IndexError, EOFError)
"""What the library raises over something that no device sent: its parser trusts the shape of what it is given."""

LONGEST_NAME = 60
MOST = 10


class PasskeyRefused(MakerhubError):
    """What the device sent proves nothing."""

    template = translatable("That passkey is not known here, or your device did not unlock it. Try again.")


@dataclass(frozen=True)
class Site:
    """What passkeys are bound to: the host without its port, and the origin as browsers write it."""

    host: str
    origin: str


def options_to_make(session: Session, person: Person, site: Site, challenge: bytes) -> str:
    """What the browser asks the device for a new passkey, in JSON; devices that have one already decline."""
    options = generate_registration_options(
        rp_id=site.host,
        rp_name="makerhub",
        user_id=person.id.bytes,
        user_name=person.email,
        user_display_name=person.name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_descriptors(session, person),
    )
    return options_to_json(options)


def options_to_use(session: Session, site: Site, challenge: bytes, person: Person | None = None) -> str:
    """What the browser asks the device for a signature, in JSON: of anybody, or of this person."""
    options = generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        allow_credentials=_descriptors(session, person) if person else None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def add(
    session: Session, person: Person, name: str, credential: str, site: Site, challenge: bytes, *, now: datetime
) -> Passkey:
    """Keep a new passkey under a name. Raises `PasskeyRefused`, and `Invalid` for a name that will not do."""
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise Invalid(fields={"name": translatable("Give it a short name, such as “My phone”.")})
    if len(passkeys_of(session, person)) >= MOST:
        raise Invalid(fields={"name": translatable("You have ten already. Remove one first.")})
    try:
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except UNFIT as error:
        raise PasskeyRefused from error
    if session.exec(select(Passkey).where(Passkey.credential_id == made.credential_id)).first():
        raise PasskeyRefused
    passkey = Passkey(
        person_id=person.id,
        name=name,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        made_at=now,
    )
    session.add(passkey)
    note(session, "passkey added", passkey, now=now, by=person.id)
    return passkey


def use(session: Session, credential: str, site: Site, challenge: bytes, *, now: datetime) -> Person:
    """Whose passkey signed the challenge. Raises `PasskeyRefused`, also for a copied key, whose count goes back."""
    try:
        passkey = session.exec(select(Passkey).where(Passkey.credential_id == _credential_id(credential))).one_or_none()
        person = session.get(Person, passkey.person_id) if passkey else None
        if passkey is None or person is None or not person.active:
            raise PasskeyRefused
        signed = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except UNFIT as error:
        raise PasskeyRefused from error
    unchanged = (col(Passkey.id) == passkey.id, col(Passkey.sign_count) == passkey.sign_count)
    used = update(Passkey).where(*unchanged).values(sign_count=signed.new_sign_count, used_at=now)
    if cast("Any", session.execute(used)).rowcount != 1:
        raise PasskeyRefused
    return person


def passkeys_of(session: Session, person: Person) -> list[Passkey]:
    """The person's passkeys, the oldest first."""
    mine = select(Passkey).where(Passkey.person_id == person.id)
    return list(session.exec(mine.order_by(col(Passkey.made_at), col(Passkey.id))))


def remove(session: Session, person: Person, key: UUID, *, now: datetime) -> None:
    """Remove one of the person's passkeys; one that is gone already is no mistake."""
    passkey = session.exec(select(Passkey).where(Passkey.person_id == person.id, Passkey.id == key)).one_or_none()
    if passkey is not None:
        note(session, "passkey removed", passkey, now=now, by=person.id)
        session.delete(passkey)


def _descriptors(session: Session, person: Person) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=passkey.credential_id) for passkey in passkeys_of(session, person)]


def _credential_id(credential: str) -> bytes:
    """Raises one of `UNFIT` for what is no answer of a device."""
    return parse_authentication_credential_json(credential).raw_id
