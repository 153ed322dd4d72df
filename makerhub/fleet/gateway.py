"""The port to a printer's server: what is asked of it, what it answers, and why it could not be asked.

Whatever a printer says is untrusted. An adapter turns it into these bounded types or raises `PrinterTrouble`;
no text of a reply reaches a page.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from makerhub.errors import MakerhubError, translatable
from makerhub.gcode.print_file import PrintFile

FOLDER: Final = "makerhub"
"""The one folder on a printer's server that we write to."""


class PrinterState(StrEnum):
    """What a printer is doing."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    OPERATIONAL = "operational"
    STARTING = "starting"
    PRINTING = "printing"
    PAUSING = "pausing"
    PAUSED = "paused"
    RESUMING = "resuming"
    FINISHING = "finishing"
    CANCELLING = "cancelling"
    ERROR = "error"
    UNKNOWN = "unknown"

    @property
    def is_active(self) -> bool:
        """Whether a print is under way, be it paused or about to end."""
        return self in _ACTIVE


_ACTIVE: Final = frozenset(
    {
        PrinterState.STARTING,
        PrinterState.PRINTING,
        PrinterState.PAUSING,
        PrinterState.PAUSED,
        PrinterState.RESUMING,
        PrinterState.FINISHING,
        PrinterState.CANCELLING,
    }
)


class Trouble(StrEnum):
    """Why a printer could not be asked: the whole set, so that an address can't be probed by its error texts."""

    BAD_ADDRESS = "bad_address"
    FORBIDDEN_ADDRESS = "forbidden_address"
    UNREACHABLE = "unreachable"
    UNTRUSTED_CERTIFICATE = "untrusted_certificate"
    TIMED_OUT = "timed_out"
    REDIRECTED = "redirected"
    KEY_REFUSED = "key_refused"
    KEY_NOT_ALLOWED = "key_not_allowed"
    NOT_OCTOPRINT = "not_octoprint"
    REPLY_TOO_LARGE = "reply_too_large"
    BAD_REPLY = "bad_reply"
    REFUSED = "refused"
    SERVER_ERROR = "server_error"
    UNEXPECTED = "unexpected"

    @property
    def message(self) -> str:
        """The translatable sentence for the maker."""
        return _MESSAGES[self]


_MESSAGES: Final = {
    Trouble.BAD_ADDRESS: translatable("This is not the address of a printer. It should look like http://octopi.local."),
    Trouble.FORBIDDEN_ADDRESS: translatable("This address is not allowed here. Please use the agent for your printer."),
    Trouble.UNREACHABLE: translatable("Nothing answers at the printer's address. Is it switched on?"),
    Trouble.UNTRUSTED_CERTIFICATE: translatable("The certificate of the printer's address can not be trusted."),
    Trouble.TIMED_OUT: translatable("The printer took too long to answer."),
    Trouble.REDIRECTED: translatable("The printer's address sends us elsewhere. Please enter the final address."),
    Trouble.KEY_REFUSED: translatable("The printer does not accept our key, or the key lacks a permission."),
    Trouble.KEY_NOT_ALLOWED: translatable(
        "Nobody clicked “Allow” in OctoPrint, or somebody clicked “Deny”. Ask again."
    ),
    Trouble.NOT_OCTOPRINT: translatable("What answers at this address is not OctoPrint."),
    Trouble.REPLY_TOO_LARGE: translatable("The printer's answer is too large."),
    Trouble.BAD_REPLY: translatable("The printer's answer can not be understood."),
    Trouble.REFUSED: translatable("The printer refused. It may be busy, or have too little space for the file."),
    Trouble.SERVER_ERROR: translatable("The printer's server reports an error of its own."),
    Trouble.UNEXPECTED: translatable("Asking the printer failed for a reason we did not expect."),
}


class PrinterTrouble(MakerhubError):
    """A printer could not be asked; `trouble` says why. It says nothing about what the printer is doing."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        super().__init__(trouble.message)


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a printer's server is (`http://octopi.local`) and the key that opens it."""

    url: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class JobReport:
    """What a printer is doing now. `error` is the printer's own text, cut short: for a log, never for a page.

    `completion` is 0–100, and 100 also after the end; `file_path` is relative to the server's root and stays set
    after the end of a job, but not after an error.
    """

    state: PrinterState
    completion: float | None = None
    file_path: str | None = None
    print_time_s: int | None = None
    print_time_left_s: int | None = None
    error: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class FileReport:
    """A file on a printer's server: `size` in bytes, `sha1` of its content in hex, and how its prints ended.

    `size` and `sha1` are None where the server doesn't tell (yet). A success means that all lines were
    acknowledged, not that the part is good. A failure also counts a print that somebody cancelled.
    """

    size: int | None
    sha1: str | None
    successes: int = 0
    failures: int = 0
    last_success: bool | None = None
    last_ended_at: datetime | None = None


@dataclass(frozen=True)
class UploadResult:
    """A file was accepted. `effective_print` says whether its print began: False where the printer was not ready."""

    effective_print: bool


class Permission(StrEnum):
    """What a key may be allowed to do; by name as OctoPrint has them."""

    STATUS = "STATUS"
    FILES_LIST = "FILES_LIST"
    FILES_UPLOAD = "FILES_UPLOAD"
    FILES_SELECT = "FILES_SELECT"
    PRINT = "PRINT"
    ADMIN = "ADMIN"
    SETTINGS = "SETTINGS"
    SETTINGS_READ = "SETTINGS_READ"
    CONTROL = "CONTROL"
    CONNECTION = "CONNECTION"
    SYSTEM = "SYSTEM"
    FILES_DELETE = "FILES_DELETE"
    FILES_DOWNLOAD = "FILES_DOWNLOAD"
    MONITOR_TERMINAL = "MONITOR_TERMINAL"
    WEBCAM = "WEBCAM"

    @property
    def message(self) -> str:
        """The translatable words for what the permission allows, to complete “this key can …”."""
        return _PERMISSION_MESSAGES[self]


NEEDED: Final = frozenset(
    {
        Permission.STATUS,
        Permission.FILES_LIST,
        Permission.FILES_UPLOAD,
        Permission.FILES_SELECT,
        Permission.PRINT,
    }
)
"""With these five a key can watch, upload, start and cancel, and can not overwrite, delete or heat."""

READS_PROFILES: Final = frozenset({Permission.CONNECTION, Permission.ADMIN})
"""With one of these a key can read the printer's bed and nozzle."""

_PERMISSION_MESSAGES: Final = {
    Permission.STATUS: translatable("see what the printer is doing"),
    Permission.FILES_LIST: translatable("list the files"),
    Permission.FILES_UPLOAD: translatable("upload files"),
    Permission.FILES_SELECT: translatable("select a file to print"),
    Permission.PRINT: translatable("start, pause and cancel prints"),
    Permission.ADMIN: translatable("do everything an administrator can"),
    Permission.SETTINGS: translatable("change the settings"),
    Permission.SETTINGS_READ: translatable("read the settings"),
    Permission.CONTROL: translatable("move and heat the printer"),
    Permission.CONNECTION: translatable("connect and disconnect the printer"),
    Permission.SYSTEM: translatable("restart or shut down the computer"),
    Permission.FILES_DELETE: translatable("delete files"),
    Permission.FILES_DOWNLOAD: translatable("download files"),
    Permission.MONITOR_TERMINAL: translatable("read the terminal"),
    Permission.WEBCAM: translatable("see the camera"),
}


class KeyVerdict(StrEnum):
    """How well a key fits its purpose."""

    FITTING = "fitting"
    TOO_WEAK = "too_weak"
    TOO_MIGHTY = "too_mighty"

    @property
    def message(self) -> str:
        """The translatable sentence for the maker."""
        return _VERDICT_MESSAGES[self]


_VERDICT_MESSAGES: Final = {
    KeyVerdict.FITTING: translatable("This key can do what is needed, and no more."),
    KeyVerdict.TOO_WEAK: translatable("This key can not do all that is needed."),
    KeyVerdict.TOO_MIGHTY: translatable("This key can do more than is needed. A user of its own would be safer."),
}


@dataclass(frozen=True)
class Build:
    """Bed and nozzle of a printer in millimetres, as its server has them."""

    bed_width_mm: float
    bed_depth_mm: float
    nozzle_mm: float


@dataclass(frozen=True)
class KeyReport:
    """What a key can do, as far as we have a name for it; and the printer's `build`, where the key may read it."""

    held: frozenset[Permission]
    build: Build | None = None

    @property
    def missing(self) -> list[Permission]:
        """Needed permissions that the key lacks, in a fixed order."""
        return [permission for permission in Permission if permission in NEEDED - self.held]

    @property
    def excess(self) -> list[Permission]:
        """What the key can do beyond what is needed, in a fixed order."""
        return [permission for permission in Permission if permission in self.held - NEEDED]

    @property
    def verdict(self) -> KeyVerdict:
        """The summary; a key that lacks something is too weak, whatever else it can do."""
        if self.missing:
            return KeyVerdict.TOO_WEAK
        return KeyVerdict.TOO_MIGHTY if self.excess else KeyVerdict.FITTING


@dataclass(frozen=True)
class KeyRequest:
    """A request for a key that waits for the maker's answer; `token` is what to poll with, and secret."""

    token: str = field(repr=False)
    dialog_url: str = field(repr=False)


class KeyDecision(StrEnum):
    """Where a request for a key stands. Denied and expired can't be told apart."""

    PENDING = "pending"
    GRANTED = "granted"
    DENIED = "denied"


@dataclass(frozen=True)
class KeyAnswer:
    """The answer to a request for a key; `key` is there once, when granted: store it before anything else."""

    decision: KeyDecision
    key: str | None = field(default=None, repr=False)


class PrinterGateway(Protocol):
    """How printers are asked.

    Each call is one bounded exchange and raises `PrinterTrouble` when it gets no clear answer. A trouble never says
    that a call had no effect: an upload that timed out may print.
    """

    async def job(self, connection: Connection) -> JobReport:
        """What the printer is doing; answers also while it is offline."""

    async def version(self, connection: Connection) -> str:
        """The server's version, such as `1.11.8`; raises NOT_OCTOPRINT for anything else."""

    async def key_report(self, connection: Connection) -> KeyReport:
        """What the connection's key can do, and bed and nozzle if it may read them; KEY_REFUSED for a wrong key."""

    async def file(self, connection: Connection, name: str) -> FileReport | None:
        """The file `name` in our folder; None when it is surely not there."""

    async def upload_and_print(self, connection: Connection, name: str, gcode: PrintFile) -> UploadResult:
        """Put `gcode` into our folder as `name` and print it, in one request; never overwrites (REFUSED)."""

    async def remove(self, connection: Connection, name: str) -> None:
        """Remove the file `name` from our folder; nothing happens where it is not there. KEY_REFUSED without the
        permission, which a key need not have; REFUSED while it is printed.
        """

    async def cancel(self, connection: Connection) -> None:
        """Cancel the print under way, whosever it is: look at `job()` first. REFUSED when there is none."""

    async def request_key(self, url: str, app: str, user: str | None = None) -> KeyRequest:
        """Ask the maker at `url` for a key in the name of `app`; REFUSED when asked too often, 3 a minute."""

    async def poll_key(self, url: str, token: str) -> KeyAnswer:
        """The answer so far; must be asked more often than every 5 s, or the request expires."""
