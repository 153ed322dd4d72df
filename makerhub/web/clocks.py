"""The clocks of all states: how long a row may stay in one, and what a dispatcher reads when it is there for longer.

A state without a clock says here why it needs none, so that nobody forgets one: a test holds every table of states
against these two.
"""

from collections.abc import Mapping
from datetime import timedelta

from makerhub.delivery.models import AllocationState, PickupState, ShipmentState
from makerhub.demand.models import CallState, RequestState
from makerhub.designs.models import ApprovalState, UploadState, VersionState
from makerhub.errors import translatable
from makerhub.facilities.models import CodeState, EvidenceState, MergeState
from makerhub.hubs.models import HubState
from makerhub.moderation.models import ReportState
from makerhub.notices.models import MailState
from makerhub.people.block_models import SuspensionState
from makerhub.people.entry_models import InvitationState
from makerhub.people.models import JoinState
from makerhub.printers.agent_models import AgentState
from makerhub.printers.models import PlateState, PrinterState, SpoolState
from makerhub.production.models import AttemptState, JobState
from makerhub.production.trial_models import TrialState
from makerhub.stock.models import LotState
from makerhub.trace.models import NoticeState

AT_ONCE = timedelta(0)

PATIENCE: Mapping[tuple[str, str], tuple[timedelta, str]] = {
    ("supply_request", RequestState.SUBMITTED): (timedelta(days=1), translatable("The request waits for an answer.")),
    ("supply_request", RequestState.HELD): (
        timedelta(days=3),
        translatable("It is held, since whoever asked for it is blocked here."),
    ),
    ("attempt", AttemptState.OFFERED): (timedelta(hours=1), translatable("Its maker has not answered the offer.")),
    ("attempt", AttemptState.PREPARING): (timedelta(minutes=30), translatable("It is still being prepared.")),
    ("attempt", AttemptState.READY): (
        timedelta(minutes=30),
        translatable("It is ready and does not start: is the plate clear and the printer on?"),
    ),
    ("attempt", AttemptState.SENDING): (timedelta(minutes=15), translatable("It is still being sent to the printer.")),
    ("attempt", AttemptState.PRINTING): (
        timedelta(minutes=30),  # beyond half as long again as the slicer's estimate: see `overdue`
        translatable("It prints for much longer than was estimated."),
    ),
    ("attempt", AttemptState.IN_DOUBT): (
        AT_ONCE,
        translatable("Its maker is asked what became of this print."),
    ),
    ("attempt", AttemptState.FINISHED): (timedelta(hours=12), translatable("Its maker has not counted the pieces.")),
    ("print_job", JobState.HELD): (AT_ONCE, translatable("The job is held.")),
    ("print_job", JobState.QUEUED): (timedelta(days=1), translatable("No printer that fits has been free for it.")),
    ("printer", PrinterState.UNCHECKED): (timedelta(minutes=15), translatable("Its key could not be checked yet.")),
    ("printer", PrinterState.REFUSED): (AT_ONCE, translatable("It can not be used: its maker has to mend something.")),
    ("printer", PrinterState.PAUSED): (timedelta(days=3), translatable("It is paused and takes no jobs.")),
    ("build_plate", PlateState.OCCUPIED): (
        timedelta(hours=12),
        translatable("Its maker has not cleared the plate, so nothing more is printed there."),
    ),
    ("lot", LotState.AT_MAKER): (timedelta(days=3), translatable("Its maker has not brought it to the hub.")),
    ("report", ReportState.OPEN): (timedelta(days=1), translatable("The report waits for a decision.")),
    ("shipment", ShipmentState.PACKED): (timedelta(days=1), translatable("No courier has taken it.")),
    ("shipment", ShipmentState.IN_TRANSIT): (
        timedelta(hours=12),
        translatable("The courier has it, and nobody has confirmed its arrival."),
    ),
}
"""How long a row may stay in a state, and what to say when it is there for longer."""

ANOTHER_CLOCK: Mapping[tuple[str, str], str] = {
    ("supply_request", RequestState.ACCEPTED): "the deadlines of its lines",
    ("print_job", JobState.ASSIGNED): "that of its attempt",
    ("printer", PrinterState.ACTIVE): "when it was last seen, and its agent heard of",
    ("agent", AgentState.PAIRED): "that of its printers, which says that the agent is silent",
    ("allocation", AllocationState.RESERVED): "the deadline of its line",
    ("allocation", AllocationState.SHIPPED): "that of its shipment",
    ("pickup", PickupState.ASKED): "its lots', and its own end, after which its maker can ask again",
    ("pickup", PickupState.GIVEN): "its own end",
    ("pickup", PickupState.UNDER_WAY): "its own end",
    ("trial_print", TrialState.WAITING): "it ends by itself within minutes, while its maker looks on",
    ("trial_print", TrialState.SENDING): "it ends by itself within minutes, while its maker looks on",
    ("trial_print", TrialState.PRINTING): "it ends by itself within minutes, while its maker looks on",
    ("recall_notice", NoticeState.OPEN): "the recall's own page, which counts the answers that are missing",
    ("mail", MailState.WAITING): "its next try; the page of mails",
    ("mail", MailState.SENDING): "a claim that went stale is taken up again",
    ("mail", MailState.FAILED): "the page of mails",
    ("invitation", InvitationState.INVITED): "its own end",
    ("join_request", JoinState.ASKED): "the page of who wants to join, which those who answer are told of",
    ("hub_profile", HubState.PROPOSED): "the administrators' page of proposals",
    ("proof_code", CodeState.ON_ITS_WAY): "its own end",
    ("telephone_call", CallState.NOTED): "that of its request",
    ("upload", UploadState.RECEIVED): "it is checked at once, and again if that was broken off",
    ("upload", UploadState.CHECKED): "the designer's own page",
    ("upload", UploadState.REFUSED): "the designer's own page",
    ("upload", UploadState.ACCEPTED): "the publishing, which is tried again",
}
"""States in which somebody or something is waited for, and whose clock is read elsewhere."""

AT_REST: frozenset[tuple[str, str]] = frozenset(
    {
        ("approval", ApprovalState.PROTOTYPE),
        ("approval", ApprovalState.COMMUNITY_REVIEWED),
        ("approval", ApprovalState.CLINICALLY_APPROVED),
        ("build_plate", PlateState.CLEAR),
        ("design_version", VersionState.PUBLISHED),
        ("evidence", EvidenceState.GIVEN),
        ("facility_merge", MergeState.MERGED),
        ("hub_profile", HubState.ACTIVE),
        ("hub_profile", HubState.SLEEPING),
        ("hub_profile", HubState.CLOSED),
        ("lot", LotState.PASSED),
        ("recall_notice", NoticeState.ANSWERED),
        ("spool", SpoolState.AT_HAND),
        ("spool", SpoolState.USED_UP),
        ("suspension", SuspensionState.HOLDS),
    }
)
"""States that may last for ever: nobody waits for anything. Those that no move leaves need no place here."""
