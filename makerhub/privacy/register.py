"""The register of everything that is held about people: each table, whose its rows are, and what becomes of them.

A test walks all tables: every column of text, JSON, bytes or a free key, and every reference to a person, must be
named here: told in the export, held back from it with a reason, or declared to say nothing of anybody. So a new column
with something personal can be forgotten neither in the export nor in the erasure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import SQLModel, col, select

from makerhub.audit.models import Deed
from makerhub.delivery.models import AddressView, Pickup, Receipt, Shipment
from makerhub.demand.models import SupplyRequest, TelephoneCall
from makerhub.designs.models import Approval, DesignVersion, Upload
from makerhub.errors import translatable
from makerhub.facilities.models import CallBack, Evidence, FacilityMerge, ProofCode
from makerhub.hubs.models import HubProfile, MakerCell
from makerhub.lifecycle import Transition
from makerhub.moderation.models import Report
from makerhub.notices.models import Mail, MailReading
from makerhub.people.block_models import PersonalBlock, Suspension
from makerhub.people.entry_models import ApiToken, Invitation, Passkey, RecoveryCode, SecondFactor
from makerhub.people.home_models import MakerAddress, MakerSettings
from makerhub.people.models import BrowserSession, JoinRequest, Membership, Person, SignInRequest
from makerhub.printers.agent_models import Agent, AgentLink, PairingCode
from makerhub.printers.fit import PrinterFit
from makerhub.printers.models import Observation, PowerLimit, Printer, Spool, SpoolEntry, Upkeep
from makerhub.production.models import Attempt
from makerhub.production.trial_models import TrialPrint
from makerhub.stock.models import Inspection, Lot
from makerhub.trace.models import Recall


@dataclass(frozen=True)
class Subject:
    """The person about whom something is held, by all that leads to it."""

    id: UUID
    email: str
    maker_reference: UUID


Whose = Callable[[Subject], ColumnElement[bool]]

SECRET = translatable("A secret that nobody is told, you included: it would open doors.")
INTERNAL = translatable("A name that the hub gives a thing; it says nothing of you.")
TRACE = translatable("It stays, without your name: every piece that was delivered must be found again in a recall.")
FACILITY = translatable("It belongs to the facility that asked, and stays with it, without your name.")
HUB = translatable("It is the hub's record of who decided what; it stays, without your name.")
CATALOGUE = translatable("It is published under a licence that names its author, and stays published.")


@dataclass(frozen=True)
class Held:
    """Rows of one table that are about a person, and what becomes of them.

    `tells` are the columns of the export; `holds_back` those left out, with the reason. At an erasure rows that are
    `erased` go; else the columns in `blanks` get the value given there, and `stays` says why the rest is kept.
    `refers` are the columns that hold the person's id.
    """

    model: type[SQLModel]
    about: str
    whose: Whose
    tells: tuple[str, ...]
    refers: tuple[str, ...] = ()
    holds_back: Mapping[str, str] = field(default_factory=dict)
    erased: bool = False
    blanks: Mapping[str, Any] = field(default_factory=dict)
    stays: str = ""

    @property
    def table(self) -> str:
        """The name of the table."""
        return str(self.model.__tablename__)


def _printers_of(subject: Subject) -> Any:
    return select(Printer.id).where(Printer.owner_id == subject.id)


def _mails_of(subject: Subject) -> Any:
    return select(Mail.id).where(Mail.address == subject.email)


REGISTER: tuple[Held, ...] = (
    Held(
        Membership,
        translatable("What you do, and where"),
        lambda who: col(Membership.person_id) == who.id,
        ("organisation_id", "role", "suspended"),
        ("person_id",),
        erased=True,
    ),
    Held(
        BrowserSession,
        translatable("Where you are signed in"),
        lambda who: col(BrowserSession.person_id) == who.id,
        ("agent", "address", "created_at", "seen_at", "expires_at"),
        ("person_id",),
        {"id": SECRET, "key": INTERNAL, "content": SECRET},
        erased=True,
    ),
    Held(
        SignInRequest,
        translatable("When you asked to be let in by mail"),
        lambda who: or_(col(SignInRequest.person_id) == who.id, col(SignInRequest.email) == who.email),
        ("email", "name", "language", "next_page", "asked_at", "expires_at", "answered_at", "tries"),
        ("person_id",),
        {"link_sha256": SECRET, "sealed_code": SECRET},
        erased=True,
    ),
    Held(
        SecondFactor,
        translatable("Your second factor"),
        lambda who: col(SecondFactor.person_id) == who.id,
        ("begun_at", "confirmed_at"),
        ("person_id",),
        {"sealed_secret": SECRET, "last_counter": INTERNAL},
        erased=True,
    ),
    Held(
        RecoveryCode,
        translatable("Codes on paper that you have not used"),
        lambda who: col(RecoveryCode.person_id) == who.id,
        ("id",),
        ("person_id",),
        {"code_sha256": SECRET},
        erased=True,
    ),
    Held(
        Passkey,
        translatable("Your passkeys"),
        lambda who: col(Passkey.person_id) == who.id,
        ("name", "made_at", "used_at", "sign_count"),
        ("person_id",),
        {"credential_id": INTERNAL, "public_key": INTERNAL},
        erased=True,
    ),
    Held(
        ApiToken,
        translatable("Your tokens for programs"),
        lambda who: col(ApiToken.person_id) == who.id,
        ("name", "prefix", "scopes", "made_at", "expires_at", "used_at", "revoked_at"),
        ("person_id",),
        {"sha256": SECRET},
        erased=True,
    ),
    Held(
        Invitation,
        translatable("Invitations to you"),
        lambda who: or_(col(Invitation.joined_by) == who.id, col(Invitation.email) == who.email),
        ("email", "organisation_id", "role", "invited_at", "expires_at", "state"),
        ("joined_by",),
        {"link_sha256": SECRET},
        blanks={"email": ""},
        stays=HUB,
    ),
    Held(
        Invitation,
        translatable("Invitations that you sent"),
        lambda who: col(Invitation.invited_by) == who.id,
        ("organisation_id", "role", "invited_at", "state"),
        ("invited_by",),
        stays=HUB,
    ),
    Held(
        MailReading,
        translatable("Mails to you that an operator read, to hand them over"),
        lambda who: or_(col(MailReading.mail_id).in_(_mails_of(who)), col(MailReading.person_id) == who.id),
        ("mail_id", "at"),
        ("person_id",),
        stays=HUB,
    ),
    Held(
        Mail,
        translatable("Mails to you"),
        lambda who: col(Mail.address) == who.email,
        ("letter", "address", "language", "content", "state", "written_at", "ended_at", "problem"),
        (),
        {"sealed": SECRET},
        blanks={"address": "", "content": None, "sealed": b""},
        stays=translatable("That there was a mail stays; to whom and what it said does not."),
    ),
    Held(
        MakerAddress,
        translatable("Your address"),
        lambda who: col(MakerAddress.person_id) == who.id,
        ("sealed_address", "entered_at"),
        ("person_id",),
        erased=True,
    ),
    Held(
        MakerSettings,
        translatable("What you said about your home"),
        lambda who: col(MakerSettings.person_id) == who.id,
        ("handing_over", "quiet_from", "quiet_until", "hidden_since"),
        ("person_id",),
        erased=True,
    ),
    Held(
        AddressView,
        translatable("Who was shown your address"),
        lambda who: col(AddressView.maker_id) == who.id,
        ("role", "hub_id", "pickup_id", "at"),
        ("maker_id",),
        erased=True,
    ),
    Held(
        AddressView,
        translatable("Addresses that you were shown"),
        lambda who: col(AddressView.viewer_id) == who.id,
        ("role", "hub_id", "pickup_id", "at"),
        ("viewer_id",),
        blanks={"viewer_id": None},
        stays=translatable("The maker keeps seeing that somebody of the hub looked, without your name."),
    ),
    Held(
        Pickup,
        translatable("Pickups from your home"),
        lambda who: col(Pickup.maker_id) == who.id,
        ("hub_id", "begins", "ends", "state", "asked_at", "ended_at"),
        ("maker_id",),
        stays=translatable("Pickups stay for a short time, without your name, and are then deleted."),
    ),
    Held(
        Pickup,
        translatable("Pickups that you were given as a courier"),
        lambda who: col(Pickup.courier_id) == who.id,
        ("hub_id", "begins", "ends", "state"),
        ("courier_id",),
        blanks={"courier_id": None},
        stays=translatable("Pickups stay for a short time, without your name, and are then deleted."),
    ),
    Held(
        Agent,
        translatable("The agents at your home"),
        lambda who: col(Agent.owner_id) == who.id,
        ("host", "system", "version", "heard_at", "state", "paired_at"),
        ("owner_id",),
        {"token_sha256": SECRET},
        blanks={"host": "", "system": "", "version": ""},
        stays=TRACE,
    ),
    Held(
        PairingCode,
        translatable("Codes that pair an agent with your printer"),
        lambda who: col(PairingCode.printer_id).in_(_printers_of(who)),
        ("expires_at", "used_at"),
        (),
        {"code_sha256": SECRET},
        erased=True,
    ),
    Held(
        AgentLink,
        translatable("What the agent last said of your printers"),
        lambda who: col(AgentLink.printer_id).in_(_printers_of(who)),
        ("printer_id", "stage", "willing", "unwilling", "longest_seconds"),
        erased=True,
    ),
    Held(
        PrinterFit,
        translatable("Whether your printers have the bed and nozzle of their model"),
        lambda who: col(PrinterFit.printer_id).in_(_printers_of(who)),
        ("printer_id", "profile", "told_by", "fits", "bed_width_mm", "bed_depth_mm", "nozzle_mm", "told_at"),
        erased=True,
    ),
    Held(
        TrialPrint,
        translatable("Test prints on your printers"),
        lambda who: col(TrialPrint.printer_id).in_(_printers_of(who)),
        ("printer_id", "file_name", "sent_at", "started_at", "ended_at", "reason", "trouble", "state", "asked_at"),
        erased=True,
    ),
    Held(
        Observation,
        translatable("What was last heard of your printers"),
        lambda who: col(Observation.printer_id).in_(_printers_of(who)),
        ("printer_id", "asked_at", "seen_at", "state", "completion", "file_path", "seconds_left", "trouble"),
        erased=True,
    ),
    Held(
        Printer,
        translatable("Your printers"),
        lambda who: col(Printer.owner_id) == who.id,
        (
            *("id", "hub_id", "name", "profile", "material", "colour", "consent", "link", "url", "own_model"),
            *("own_code", "missing_permissions", "excess_permissions", "trouble", "state", "registered_at"),
        ),
        ("owner_id",),
        {"encrypted_key": SECRET},
        blanks={"name": "", "url": "", "encrypted_key": b"", "own_model": {}, "own_code": {}},
        stays=TRACE,
    ),
    Held(
        PowerLimit,
        translatable("How much current your home can give"),
        lambda who: col(PowerLimit.owner_id) == who.id,
        ("watts",),
        ("owner_id",),
        erased=True,
    ),
    Held(
        Spool,
        translatable("Your spools"),
        lambda who: col(Spool.owner_id) == who.id,
        ("printer_id", "material", "colour", "brand", "lot", "milligrams", "state", "added_at"),
        ("owner_id",),
        stays=TRACE,
    ),
    Held(
        SpoolEntry,
        translatable("What your spools lost"),
        lambda who: col(SpoolEntry.spool_id).in_(select(Spool.id).where(Spool.owner_id == who.id)),
        ("spool_id", "milligrams", "at"),
        holds_back={"print_id": INTERNAL},
        stays=TRACE,
    ),
    Held(
        Upkeep,
        translatable("The upkeep of your printers"),
        lambda who: col(Upkeep.printer_id).in_(_printers_of(who)),
        ("printer_id", "kind", "note", "print_seconds", "at"),
        erased=True,
    ),
    Held(
        Attempt,
        translatable("What your printers printed"),
        lambda who: col(Attempt.maker_reference) == who.maker_reference,
        ("printer_id", "file_name", "state", "doubt", "created_at", "started_at", "ended_at", "good", "bad"),
        ("maker_reference",),
        stays=TRACE,
    ),
    Held(
        Lot,
        translatable("Your lots"),
        lambda who: col(Lot.maker_reference) == who.maker_reference,
        ("label", "hub_id", "quantity", "state", "made_at"),
        ("maker_reference",),
        stays=TRACE,
    ),
    Held(
        Upload,
        translatable("Designs that you handed in"),
        lambda who: col(Upload.uploaded_by) == who.id,
        (
            *("hub_id", "uploaded_at", "file_name", "manifest", "mends", "state", "findings"),
            *("problem", "problem_values", "version_id"),
        ),
        ("uploaded_by",),
        blanks={"file_name": "", "manifest": "", "findings": {}, "problem_values": {}},
        stays=translatable("That something was handed in stays; what it was does not, unless it was published."),
    ),
    Held(
        DesignVersion,
        translatable("Designs of yours that were published"),
        lambda who: col(DesignVersion.published_by) == who.id,
        ("name", "version", "license", "licensor", "repo", "published_at"),
        ("published_by",),
        stays=CATALOGUE,
    ),
    Held(
        Approval,
        translatable("Designs that you judged"),
        lambda who: col(Approval.decided_by) == who.id,
        ("version_id", "material", "jurisdiction", "state", "evidence", "valid_from", "valid_until"),
        ("decided_by",),
        stays=HUB,
    ),
    Held(
        SupplyRequest,
        translatable("Requests that you sent for a facility"),
        lambda who: col(SupplyRequest.requested_by) == who.id,
        ("facility_id", "hub_id", "note", "state", "submitted_at"),
        ("requested_by",),
        {"form_key": INTERNAL},
        stays=FACILITY,
    ),
    Held(
        Shipment,
        translatable("Deliveries that you carried"),
        lambda who: col(Shipment.courier_id) == who.id,
        ("hub_id", "facility_id", "state", "packed_at"),
        ("courier_id",),
        {"hand_over_code": SECRET},
        stays=TRACE,
    ),
    Held(
        Receipt,
        translatable("Deliveries of which you confirmed the arrival"),
        lambda who: col(Receipt.confirmed_by) == who.id,
        ("shipment_id", "by_hand_over_code", "at"),
        ("confirmed_by",),
        stays=TRACE,
    ),
    Held(
        Inspection,
        translatable("Lots that you checked"),
        lambda who: col(Inspection.inspected_by) == who.id,
        ("lot_id", "passed", "rejected", "note", "at"),
        ("inspected_by",),
        stays=TRACE,
    ),
    Held(
        Recall,
        translatable("Recalls that you began"),
        lambda who: col(Recall.started_by) == who.id,
        ("version_id", "material", "why", "started_at"),
        ("started_by",),
        stays=HUB,
    ),
    Held(
        Transition,
        translatable("What you did: every change of a state"),
        lambda who: col(Transition.by) == who.id,
        ("entity", "entity_id", "before", "after", "at", "why"),
        ("by",),
        stays=HUB,
    ),
    Held(
        JoinRequest,
        translatable("Where you asked to join"),
        lambda who: col(JoinRequest.person_id) == who.id,
        ("organisation_id", "role", "message", "asked_at", "state"),
        ("person_id",),
        erased=True,
    ),
    Held(
        MakerCell,
        translatable("The cell of the map in which you are"),
        lambda who: col(MakerCell.person_id) == who.id,
        ("cell",),
        ("person_id",),
        erased=True,
    ),
    Held(
        HubProfile,
        translatable("Hubs that you proposed"),
        lambda who: col(HubProfile.proposed_by) == who.id,
        ("organisation_id", "area", "about", "languages", "chat_links", "since", "state"),
        ("proposed_by",),
        stays=HUB,
    ),
    Held(
        TelephoneCall,
        translatable("Requests for which you called"),
        lambda who: col(TelephoneCall.email) == who.email,
        ("request_id", "caller", "number", "email", "language", "called_at", "state"),
        (),
        {"secret_sha256": SECRET},
        erased=True,
    ),
    Held(
        Evidence,
        translatable("Facilities that you proved"),
        lambda who: col(Evidence.given_by) == who.id,
        ("facility_id", "kind", "reference", "given_at", "expires_at", "state"),
        ("given_by",),
        stays=HUB,
    ),
    Held(
        ProofCode,
        translatable("Codes that you sent to a facility, or had sent to your mailbox as a proof of one"),
        lambda who: col(ProofCode.sent_by) == who.id,
        ("facility_id", "way", "reference", "sent_at", "expires_at", "state"),
        ("sent_by",),
        {"code_sha256": SECRET},
        stays=HUB,
    ),
    Held(
        CallBack,
        translatable("Calls that you made to facilities"),
        lambda who: col(CallBack.called_by) == who.id,
        ("facility_id", "number", "outcome", "note", "called_at"),
        ("called_by",),
        blanks={"note": ""},
        stays=HUB,
    ),
    Held(
        FacilityMerge,
        translatable("Facilities that you merged"),
        lambda who: col(FacilityMerge.merged_by) == who.id,
        ("kept_id", "merged_id", "merged_at", "state"),
        ("merged_by",),
        {"moved": INTERNAL},
        stays=HUB,
    ),
    Held(
        Report,
        translatable("What you reported"),
        lambda who: col(Report.reporter_id) == who.id,
        ("kind", "thing_id", "title", "reason", "words", "hub_id", "reported_at", "ended_at", "state"),
        ("reporter_id",),
        {"said": translatable("It is what somebody else wrote.")},
        blanks={"reporter_id": None, "words": ""},
        stays=HUB,
    ),
    Held(
        Report,
        translatable("Reports about something of yours"),
        lambda who: col(Report.person_id) == who.id,
        ("kind", "thing_id", "said", "reason", "hub_id", "ended_at", "state"),
        ("person_id",),
        {"words": translatable("It may tell who reported it, and nobody is told that.")},
        blanks={"person_id": None, "said": "", "title": ""},
        stays=HUB,
    ),
    Held(
        Suspension,
        translatable("Hubs at which you are or were blocked"),
        lambda who: col(Suspension.person_id) == who.id,
        ("hub_id", "why", "until", "begun_at", "ended_at", "state"),
        ("person_id",),
        erased=True,
    ),
    Held(
        PersonalBlock,
        translatable("People whom you do not want to meet"),
        lambda who: col(PersonalBlock.blocker_id) == who.id,
        ("met_in", "met_id", "at"),
        ("blocker_id",),
        erased=True,
    ),
    Held(
        PersonalBlock,
        translatable("People who do not want to meet you"),
        lambda who: col(PersonalBlock.blocked_id) == who.id,
        (),
        ("blocked_id",),
        {"met_in": translatable("It may tell who it was, and nobody is told that.")},
        erased=True,
    ),
    Held(
        Deed,
        translatable("What you did besides, and what was done with your account"),
        lambda who: or_(
            col(Deed.by) == who.id, and_(col(Deed.entity) == Person.__tablename__, col(Deed.entity_id) == who.id)
        ),
        ("what", "entity", "entity_id", "at", "why"),
        ("by",),
        stays=HUB,
    ),
    Held(
        Person,
        translatable("Your account"),
        lambda who: col(Person.id) == who.id,
        ("id", "email", "name", "active", "language", "time_zone", "maker_reference", "created_at"),
        (),
        {"password": SECRET, "fs_uniquifier": SECRET},
        blanks={"name": "", "password": None, "active": False, "language": "", "time_zone": ""},
        stays=translatable("An empty row stays, to which all of these point: it has no name and no address."),
    ),
)
"""In the order of the export; what is erased goes in the order of the tables."""

NOT_ABOUT_PEOPLE: Mapping[str, str] = {
    "allocation": "pieces for a request line, and the rule that gave them",
    "build_plate": "what lies on a printer",
    "checkpoint": "hashes of the log",
    "component": "the catalogue",
    "design": "the catalogue",
    "entry": "the ledger: accounts are of references and places",
    "key_proof": "a sealed word that everybody knows",
    "kit": "the catalogue",
    "kit_component": "the catalogue",
    "kit_part": "the catalogue",
    "organisation": "places, not persons: their names and entrances are public to those who bring and fetch",
    "part": "the catalogue",
    "pickup_lot": "which bags a pickup fetches",
    "place": "postcodes of the country",
    "place_source": "files of postcodes",
    "plate_slice": "the cache of sliced plates",
    "print_job": "what is to be printed",
    "recall_notice": "what a facility was told",
    "register_entry": "hospitals and care homes as a public register names them",
    "tries": "how often something was guessed at, by a hash of what it was, for a day",
    "request_line": "what a facility asked for",
}
"""Tables of which nothing is about a person, each with what it is; a test refuses a reference to a person in them."""
