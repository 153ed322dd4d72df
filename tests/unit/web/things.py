"""A thing of the world for each name that stands in an address: whose it is decides who may open what.

All of them belong to Kingston Hub, to its care home, or to one person there. A new name in an address has its place
here; where a route needs its thing in another state, `OTHERWISE` names the route.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import trimesh
from builders import NOW, World
from sqlmodel import select
from unit.notices.sample_letters import NEWS
from unit.web.houses import House

from makerhub.delivery.models import PickupState
from makerhub.designs import uploads
from makerhub.designs.geometry import write_stl
from makerhub.designs.models import Part, Upload
from makerhub.facilities.models import Evidence
from makerhub.hubs import service as hubs
from makerhub.moderation.models import Kind
from makerhub.notices import service as notices
from makerhub.notices.models import Mail
from makerhub.people import invitations, mailed
from makerhub.people.letters import INVITATION, SIGN_IN
from makerhub.people.models import Organisation, Person, Role, SignInRequest
from makerhub.places.importing import SAMPLE, import_places
from makerhub.production.models import AttemptState
from makerhub.web.agent_wheel import agent_wheel

FOR_EVERYBODY = {
    "place_id", "table", "filename", "key", "sha256", "version", "recall_id", "token", "sign_in_key", "passkey_key",
    "token_key", "code", "change", "secret", "kind", "thing_id", "my_report_id", "apart_key", "known_id",
}  # fmt: skip
"""Names of what tells nothing of anybody: files of the pages, designs with their pictures, and recalls; what a
hub says of itself can be reported by everybody; a token opens what it is for whoever holds it; and ending, removing or
taking back what is not one's own does nothing."""

OTHERWISE = {
    "courier.thanks": {"shipment_id": "delivered_shipment_id"},
    "agents.wheel": {"filename": "agent_wheel"},
    "invitations.joining": {"token": "invitation_token"},
    "invitations.join": {"token": "invitation_token"},
    "colleagues.accept": {"join_id": "colleague_join_id"},
    "colleagues.decline": {"join_id": "colleague_join_id"},
    "telephone.again": {"request_id": "called_request_id"},
    "telephone.forget": {"request_id": "called_request_id"},
}


def things_of(house: House) -> Mapping[str, object]:
    """What stands in addresses, by name, made through the services."""
    world = house.world
    withdrawn = world.recall(world.kit)
    brought = world.request(1)
    delivered = world.deliver(brought, world.lot(1, request=brought), 1)
    request, shipped = world.request(), world.lot(4)
    world.reserve(request, shipped, 4)
    shipment = world.pack(request)
    world.depart(shipment)
    lot = world.lot_at_maker(2)
    pickup = world.pickup(PickupState.UNDER_WAY)
    attempt = world.attempt(AttemptState.IN_DOUBT)
    noted, secret = world.called()
    with world.database.changing() as session:
        values = {"what": "masks"}
        mail = notices.tell(session, NEWS, to="ruth@example.org", values=values, language="en", now=NOW)
    report = world.report(Kind.REQUEST, request.id, by=world.dispatcher)
    return {
        "kind": Kind.HUB.value,
        "thing_id": world.hub.id,
        "my_report_id": uuid4(),
        "apart_key": uuid4(),
        "person_id": world.maker.id,
        "report_id": report.id,
        "suspension_id": world.suspend(_rude(house)).id,
        "agent_wheel": agent_wheel().filename,
        "request_id": request.id,
        "shipment_id": shipment.id,
        "delivered_shipment_id": delivered.id,
        "printer_id": world.printer.id,
        "attempt_id": attempt.id,
        "job_id": attempt.job_id,
        "lot_id": lot.id,
        "pickup_id": pickup.id,
        "label": shipped.label,
        "table": "requests",
        "key": "headband",
        "version": "1.0",
        "version_id": world.headband.id,
        "hub_id": world.hub.id,
        "recall_id": withdrawn.recall_id,
        "code": "de",
        "notice_id": withdrawn.id,
        "upload_id": _upload(house).id,
        "mail_id": mail.id,
        "token": _link(world),
        "secret": secret,
        "called_request_id": noted.request_id,
        **_invitation(house),
        "sign_in_key": uuid4(),
        "passkey_key": uuid4(),
        "token_key": uuid4(),
        "spool_id": world.spool().id,
        "place_id": _place(house),
        "proposal_id": world.propose_hub().id,
        "change": "sleep",
        "join_id": world.ask_to_join().id,
        "colleague_join_id": world.ask_to_join(Role.REQUESTER, world.care_home).id,
        "known_id": world.care_home.id,
        "facility_id": world.care_home.id,
        "evidence_id": _evidence(house),
        "merge_id": world.merge_facilities().id,
        "number": 0,
        "sha256": _picture(house),
        "filename": "makerhub.css",
    }


def values_for(endpoint: str, names: set[str], things: Mapping[str, object]) -> dict[str, Any]:
    """What stands in the address of a route. Raises `LookupError` for a name whose owner nobody stated."""
    otherwise = OTHERWISE.get(endpoint, {})
    try:
        return {name: things[otherwise.get(name, name)] for name in names}
    except KeyError as unknown:
        raise LookupError(f"{endpoint}: say in tests/unit/web/things.py what {unknown} is, and whose") from unknown


def private_words(world: World, things: Mapping[str, object]) -> set[str]:
    """What no page shows to anybody of another place."""
    people = (world.requester, world.maker, world.dispatcher, world.courier)
    keys = {str(things[name]) for name in things if name.endswith("_id")} - {
        str(things[name]) for name in ("hub_id", "facility_id", "version_id", "recall_id")
    }
    return keys | {somebody.email for somebody in people} | {str(things["label"])}


def _rude(house: House) -> Person:
    """Somebody who brings for the hub and is blocked there."""
    return house.add_person("Rudolf", (house.world.hub, Role.COURIER))


def _link(world: World) -> str:
    """What stands in a mailed link of the requester that still works."""
    with world.database.changing() as session:
        key = mailed.ask(session, world.requester.email, language="en", next_page="/", now=NOW)
        request = session.get_one(SignInRequest, key)
        mailed.answer(session, request, key_box=world.key_box, pages="https://hub.example", now=NOW)
        letter = session.exec(select(Mail).where(Mail.letter == SIGN_IN.name)).one()
        values = notices.values_of(letter, world.key_box)
    assert values is not None
    return str(values["link"]).rpartition("/")[2]


def _invitation(house: House) -> Mapping[str, object]:
    """An invitation to the hub, and what stands in its link."""
    world = house.world
    with world.database.changing() as session:
        invitation = invitations.invite(
            session, "nina@example.org", Role.MAKER, world.hub, by=world.dispatcher, language="en",
            key_box=world.key_box, pages="https://hub.example", now=NOW,
        )  # fmt: skip
        letter = session.exec(select(Mail).where(Mail.letter == INVITATION.name)).one()
        values = notices.values_of(letter, world.key_box)
    assert values is not None
    return {"invitation_id": invitation.id, "invitation_token": str(values["link"]).rpartition("/")[2]}


def _place(house: House) -> UUID:
    """The hub, which everybody may find, and on the map."""
    import_places(house.database, [SAMPLE], name="sample", clock=lambda: NOW)
    with house.database.changing() as session:
        hub = session.get_one(Organisation, house.world.hub.id)
        told = hubs.Told("Kingston Hub", "Kingston", postcode="KT1")
        hubs.describe(session, hubs.profile_for(session, hub, now=NOW), told, by=None, now=NOW)
    return house.world.hub.id


def _evidence(house: House) -> UUID:
    """A piece of the care home's evidence, which has an entry of a register and a letter on its way."""
    letter, _ = house.world.letter()
    return next(one.id for one in house.world.all(Evidence) if one.facility_id == letter.facility_id)


def _upload(house: House) -> Upload:
    row = house.world.upload()
    house.app.extensions["makerhub"].desk.box.put(row.id, uploads.picture_name(0), b"RIFF....WEBP")
    return row


def _picture(house: House) -> str:
    """A picture of the headband, which gets a mesh that can be shown as well."""
    mesh = house.files.put(write_stl(np.asarray(trimesh.creation.box(extents=(20, 8, 60)).triangles, dtype=float)))
    picture = house.files.put(b"RIFF....WEBP")
    with house.database.changing() as session:
        part = session.get_one(Part, house.world.part(house.world.headband).id)
        part.mesh_sha256, part.picture_sha256 = mesh, picture
    return picture
