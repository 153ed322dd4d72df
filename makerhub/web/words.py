"""The words and the tone of every state and role that pages show."""

from collections.abc import Mapping
from typing import Literal

from makerhub.errors import translatable

Tone = Literal["calm", "busy", "good", "warning", "bad"]
"""What a state asks for: nothing, patience, joy, a look, an act."""

WORDS: Mapping[str, tuple[Tone, str]] = {
    # requests
    "submitted": ("calm", translatable("Submitted")),
    "accepted": ("busy", translatable("Accepted")),
    "declined": ("bad", translatable("Declined")),
    "fulfilled": ("good", translatable("Fulfilled")),
    "cancelled": ("calm", translatable("Cancelled")),
    "critical": ("bad", translatable("Critical")),
    "soon": ("warning", translatable("Soon")),
    "routine": ("calm", translatable("Routine")),
    "noted": ("calm", translatable("Not yet confirmed by the caller")),
    # designs
    "published": ("good", translatable("Published")),
    "prototype": ("warning", translatable("Prototype")),
    "community_reviewed": ("busy", translatable("Community-reviewed")),
    "clinically_approved": ("good", translatable("Clinically approved")),
    "withdrawn": ("calm", translatable("Withdrawn")),
    "received": ("busy", translatable("Being checked")),
    "checked": ("warning", translatable("Waits for a decision")),
    "discarded": ("calm", translatable("Discarded")),
    # printers
    "unchecked": ("calm", translatable("Not checked yet")),
    "active": ("good", translatable("Active")),
    "refused": ("bad", translatable("Refused")),
    "paused": ("warning", translatable("Paused")),
    "paired": ("good", translatable("Paired")),
    "retired": ("calm", translatable("Retired")),
    "ask": ("calm", translatable("Asks before each print")),
    "automatic": ("calm", translatable("Prints by itself")),
    "clear": ("good", translatable("Plate is clear")),
    "occupied": ("warning", translatable("Plate is occupied")),
    "offline": ("warning", translatable("Not connected")),
    "connecting": ("busy", translatable("Connecting")),
    "operational": ("good", translatable("Ready for a print")),
    "starting": ("busy", translatable("Starting")),
    "pausing": ("busy", translatable("Pausing")),
    "resuming": ("busy", translatable("Resuming")),
    "finishing": ("busy", translatable("Finishing")),
    "cancelling": ("warning", translatable("Cancelling")),
    "error": ("bad", translatable("Reports an error")),
    "unknown": ("calm", translatable("Not known")),
    "at_hand": ("good", translatable("At hand")),
    "used_up": ("calm", translatable("Used up")),
    # print jobs and their attempts
    "queued": ("calm", translatable("Queued")),
    "assigned": ("busy", translatable("Assigned")),
    "done": ("good", translatable("Done")),
    "held": ("warning", translatable("Held")),
    "offered": ("calm", translatable("Offered")),
    "preparing": ("busy", translatable("Preparing")),
    "ready": ("busy", translatable("Ready to print")),
    "sending": ("busy", translatable("Sending to the printer")),
    "printing": ("busy", translatable("Printing")),
    "in_doubt": ("warning", translatable("Needs a look")),
    "finished": ("good", translatable("Finished")),
    "counted": ("good", translatable("Counted")),
    "failed": ("bad", translatable("Failed")),
    "not_started": ("calm", translatable("Not started")),
    # stock and deliveries
    "at_maker": ("busy", translatable("At the maker")),
    "passed": ("good", translatable("Passed")),
    "rejected": ("bad", translatable("Rejected")),
    "recalled": ("bad", translatable("Recalled: do not use")),
    "reserved": ("busy", translatable("Reserved")),
    "shipped": ("busy", translatable("Shipped")),
    "delivered": ("good", translatable("Delivered")),
    "released": ("calm", translatable("Released")),
    "packed": ("calm", translatable("Packed")),
    "unpacked": ("calm", translatable("Unpacked")),
    "in_transit": ("busy", translatable("On its way")),
    "open": ("warning", translatable("No answer yet")),
    "answered": ("good", translatable("Answered")),
    "asked": ("calm", translatable("Asked for")),
    "given": ("busy", translatable("Given to a courier")),
    "under_way": ("busy", translatable("Under way")),
    "collected": ("good", translatable("Collected")),
    # mails
    "waiting": ("busy", translatable("Waiting")),
    "sent": ("good", translatable("Sent")),
    # invitations
    "invited": ("busy", translatable("Invited")),
    "joined": ("good", translatable("Joined")),
    "revoked": ("calm", translatable("Taken back")),
    "expired": ("calm", translatable("Ran out")),
    # facilities and hubs
    "draft": ("warning", translatable("Not proved")),
    "mail_proved": ("busy", translatable("Mail proved")),
    "registered": ("busy", translatable("In a register")),
    "verified": ("good", translatable("Verified")),
    "mail_domain": ("calm", translatable("Mail domain")),
    "register_match": ("calm", translatable("Entry in a register")),
    "call_back": ("calm", translatable("Called back")),
    "posted_code": ("calm", translatable("Letter with a code")),
    "holds": ("good", translatable("Holds")),
    "on_its_way": ("busy", translatable("On its way")),
    "confirmed": ("good", translatable("Confirmed")),
    "nobody_reached": ("warning", translatable("Nobody reached")),
    "not_known": ("bad", translatable("They know nothing of it")),
    "locked": ("bad", translatable("Mistyped too often")),
    "replaced": ("calm", translatable("Replaced")),
    "merged": ("calm", translatable("Merged")),
    "undone": ("calm", translatable("Undone")),
    "proposed": ("warning", translatable("Proposed")),
    "sleeping": ("calm", translatable("Sleeping")),
    "closed": ("calm", translatable("Closed")),
    "taken_back": ("calm", translatable("Taken back")),
    # reports and blocks
    "supply_request": ("calm", translatable("Request")),
    "facility": ("calm", translatable("Facility")),
    "shipment": ("calm", translatable("Delivery")),
    "pickup": ("calm", translatable("Pickup")),
    "upload": ("calm", translatable("Design that was handed in")),
    "hub_description": ("calm", translatable("What a hub says of itself")),
    "dismissed": ("calm", translatable("Nothing wrong found")),
    "hidden": ("good", translatable("Hidden")),
    "blocked": ("bad", translatable("Blocked")),
    "lifted": ("calm", translatable("Lifted")),
    # people
    "helper": ("calm", translatable("Helper")),
    "requester": ("calm", translatable("Requester")),
    "maker": ("calm", translatable("Maker")),
    "dispatcher": ("calm", translatable("Dispatcher")),
    "courier": ("calm", translatable("Courier")),
    "reviewer": ("calm", translatable("Reviewer")),
    "admin": ("calm", translatable("Administrator")),
    "hospital": ("calm", translatable("Hospital")),
    "care_home": ("calm", translatable("Care home")),
    "hub": ("calm", translatable("Hub")),
}


def words(state: str) -> str:
    """The English words of a state, to be translated; a state without any is shown as it is spelt."""
    return WORDS[state][1] if state in WORDS else state.replace("_", " ").capitalize()


def tone(state: str) -> Tone:
    """The tone in which a state is shown."""
    return WORDS[state][0] if state in WORDS else "calm"
