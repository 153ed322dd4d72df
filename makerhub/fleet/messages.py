"""What a hub and the agents beside its printers tell each other: small JSON messages, typed and bounded on both sides.

An agent reports, the hub replies; nobody else begins. A report carries the whole state of what changed since the last
report that the hub acknowledged, and a reply carries the whole of what the hub wants, so each may be lost, doubled or
late. Reports are ordered by (boot, sequence); no message has a time of day, only ages in seconds: clocks may be wrong.
"""

from enum import StrEnum
from typing import Annotated, Final, TypeVar
from uuid import UUID

import msgspec

from makerhub.errors import translatable
from makerhub.fleet.gateway import Build, JobReport, KeyReport, Permission, PrinterState, Trouble
from makerhub.fleet.verdict import Outcome, Reason
from makerhub.gcode.limits import PrinterLimits

PROTOCOL: Final = 1
LEASE_SECONDS: Final = 600.0
"""How long after its last word with the hub an agent may begin a print that it was given. Then the hub asks a human."""

IDLE_SECONDS: Final = 60.0
PRINTING_SECONDS: Final = 10.0
"""The shortest time between two reports of an agent whose printers idle or print; what is new goes at once."""

LARGEST_REPORT: Final = 64 * 1024
MOST_PRINTERS: Final = 50
MOST_ATTEMPTS: Final = 50

Age = Annotated[float, msgspec.Meta(ge=0, le=10 * 365 * 86_400)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Word = Annotated[str, msgspec.Meta(max_length=64)]
Text = Annotated[str, msgspec.Meta(max_length=500)]
Hex = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{40,64}$")]
Message = TypeVar("Message", bound=msgspec.Struct)


class Stage(StrEnum):
    """How far the connection of a printer has come at its agent."""

    PAIRED = "paired"
    SEARCHING = "searching"
    NOT_FOUND = "not_found"
    SEVERAL = "several"
    FOUND = "found"
    ASKING_KEY = "asking_key"
    DENIED = "denied"
    CONNECTED = "connected"

    @property
    def message(self) -> str:
        """The translatable sentence for the maker."""
        return _STAGE_MESSAGES[self]


_STAGE_MESSAGES: Final = {
    Stage.PAIRED: translatable("The agent has been paired with this printer."),
    Stage.SEARCHING: translatable("The agent looks for OctoPrint."),
    Stage.NOT_FOUND: translatable("The agent found no OctoPrint. Tell it the address: makerhub-agent connect --url …"),
    Stage.SEVERAL: translatable("The agent found several. Tell it which: makerhub-agent connect --url …"),
    Stage.FOUND: translatable("The agent has found OctoPrint."),
    Stage.ASKING_KEY: translatable("Open OctoPrint now and click “Allow”: the agent asks for a key there."),
    Stage.DENIED: translatable("Nobody clicked “Allow” in OctoPrint. Run “makerhub-agent connect” to ask again."),
    Stage.CONNECTED: translatable("The agent has a key of OctoPrint."),
}


class Willing(StrEnum):
    """What an agent would begin now, by its owner's rules and by what the printer does."""

    NOTHING = "nothing"
    ACCEPTED = "accepted"  # what its maker accepted on a page of the hub
    ANYTHING = "anything"  # prints may begin by themselves, too


class Unwilling(StrEnum):
    """Why an agent begins nothing now."""

    NONE = ""
    PAUSED = "paused"
    QUIET_HOURS = "quiet_hours"
    NOT_READY = "not_ready"
    OCCUPIED = "occupied"

    @property
    def message(self) -> str:
        """The translatable sentence for the maker."""
        return _UNWILLING_MESSAGES[self]


_UNWILLING_MESSAGES: Final = {
    Unwilling.NONE: "",
    Unwilling.PAUSED: translatable("The agent is paused on the computer beside the printer: it begins no new print."),
    Unwilling.QUIET_HOURS: translatable("The agent keeps quiet hours now and begins no new print."),
    Unwilling.NOT_READY: translatable("The printer is not ready for a print."),
    Unwilling.OCCUPIED: translatable("The agent still looks after a print on this printer."),
}


class Pairing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An agent shows the code that its owner read on the printer's page."""

    code: Word
    host: Word
    system: Word = ""
    version: Word = ""


class Paired(msgspec.Struct, frozen=True):
    """The hub takes the agent for this printer. `token` is its secret; empty where it keeps the one that it has.

    `limits` are what the agent's own guard holds every file for this printer against from now on.
    """

    agent_id: UUID
    printer_id: UUID
    printer_name: Text
    hub_name: Text
    limits: PrinterLimits
    token: str = ""


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """The last look at a printer, `age_s` ago: what it does, or the trouble why that is not known."""

    age_s: Age
    state: PrinterState = PrinterState.UNKNOWN
    completion: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None
    file_path: Text | None = None
    seconds_left: Count | None = None
    trouble: Trouble | None = None

    @classmethod
    def of(cls, report: JobReport | Trouble, age_s: float) -> "Seen":
        """What is told of a look."""
        if isinstance(report, Trouble):
            return cls(age_s, trouble=report)
        path = report.file_path[:500] if report.file_path else None
        return cls(age_s, report.state, report.completion, path, report.print_time_left_s)

    def report(self) -> JobReport | Trouble:
        """The look as the hub's own poll loop would have had it."""
        if self.trouble is not None:
            return self.trouble
        return JobReport(self.state, self.completion, self.file_path, None, self.seconds_left)


class Key(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the key of OctoPrint can do, or why that is not known. The key itself never leaves the agent.

    `build` is the bed and the nozzle by OctoPrint's printer profile, where the key may read that.
    """

    held: Annotated[list[Word], msgspec.Meta(max_length=100)] = []
    trouble: Trouble | None = None
    build: Build | None = None

    @classmethod
    def of(cls, report: KeyReport | Trouble) -> "Key":
        """What is told of a check."""
        if isinstance(report, Trouble):
            return cls(trouble=report)
        return cls(sorted(permission.value for permission in report.held), build=report.build)

    def report(self) -> KeyReport | Trouble:
        """The check as the hub itself would have made it; permissions without a name here are left out."""
        known = {permission.value: permission for permission in Permission}
        held = frozenset(known[name] for name in self.held if name in known)
        return self.trouble or KeyReport(held, self.build)


class PrinterNews(msgspec.Struct, frozen=True, omit_defaults=True):
    """What changed about one printer; `longest_s` bounds the prints that may begin by themselves."""

    printer_id: UUID
    stage: Stage | None = None
    seen: Seen | None = None
    key: Key | None = None
    willing: Willing | None = None
    unwilling: Unwilling = Unwilling.NONE
    longest_s: Count | None = None


class AttemptNews(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that the agent's journal knows of one attempt; ages count from when it happened."""

    attempt_id: UUID
    sends: Count = 0
    file_seen: bool = False
    started_age_s: Age | None = None
    outcome: Outcome | None = None
    reason: Reason | None = None
    outcome_age_s: Age = 0.0


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that is new at an agent. `boot` counts its starts, `sequence` the reports since the last of them."""

    boot: Number
    sequence: Number
    printers: Annotated[list[PrinterNews], msgspec.Meta(max_length=MOST_PRINTERS)] = []
    attempts: Annotated[list[AttemptNews], msgspec.Meta(max_length=MOST_ATTEMPTS)] = []
    protocol: int = PROTOCOL
    version: Word = ""


class Wanted(msgspec.Struct, frozen=True, omit_defaults=True):
    """An attempt that the hub wants looked after: the file by its hashes and size, and the time that it prints.

    `may_send` says that this agent, and no other, was given it to begin; else it only finds out what became of it.
    `accepted`: its maker said yes to this very print. `sent_age_s`: how long ago it was given to an agent. `stop`: its
    maker wants it stopped.
    """

    attempt_id: UUID
    printer_id: UUID
    file_name: Word
    size: Count
    sha1: Hex
    sha256: Hex
    seconds: Count
    sent_age_s: Age
    may_send: bool = False
    accepted: bool = False
    stop: bool = False


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the hub has: the last report that it knows (committed), its printers at this agent, and what it wants.

    An attempt that is not in `wanted` must not be begun, and nothing more needs to be told of it. `check` names the
    printers whose key is to be looked at again. The next report has time until `pause_s` later, unless it is urgent;
    with `soon` somebody looks on at the hub, and it is wanted after a few seconds.
    """

    boot: Number
    sequence: Number
    printers: list[UUID] = []
    wanted: list[Wanted] = []
    check: list[UUID] = []
    pause_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 0.0
    soon: bool = False


def encode(message: msgspec.Struct) -> bytes:
    """A message as it travels."""
    return msgspec.json.encode(message)


def decode(text: bytes, kind: type[Message]) -> Message:
    """A message that arrived; raises `ValueError` for anything else than a bounded message of its kind."""
    return msgspec.json.decode(text, type=kind)
