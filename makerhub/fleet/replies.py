"""OctoPrint's replies as types: lenient about what is missing, strict about what is used, and bounded.

Measured with OctoPrint 1.11.8; `averagePrintTime`, `display`, `filament` and more may be missing or null.
"""

import re
from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec

from makerhub.fleet.gateway import (
    Build,
    FileReport,
    JobReport,
    KeyReport,
    Permission,
    PrinterState,
    PrinterTrouble,
    Trouble,
)

R = TypeVar("R")

_LONGEST_TEXT: Final = 200
_LARGEST_NUMBER: Final = 2**31 - 1

_STATES: Final = {
    "offline": PrinterState.OFFLINE,
    "closed": PrinterState.OFFLINE,
    "opening serial connection": PrinterState.CONNECTING,
    "opening serial port": PrinterState.CONNECTING,
    "detecting serial connection": PrinterState.CONNECTING,
    "detecting serial port": PrinterState.CONNECTING,
    "detecting baudrate": PrinterState.CONNECTING,
    "connecting": PrinterState.CONNECTING,
    "operational": PrinterState.OPERATIONAL,
    "starting": PrinterState.STARTING,
    "starting print from sd": PrinterState.STARTING,
    "starting to send file to sd": PrinterState.STARTING,
    "printing": PrinterState.PRINTING,
    "printing from sd": PrinterState.PRINTING,
    "sending file to sd": PrinterState.PRINTING,
    "transferring file to sd": PrinterState.PRINTING,
    "pausing": PrinterState.PAUSING,
    "paused": PrinterState.PAUSED,
    "resuming": PrinterState.RESUMING,
    "finishing": PrinterState.FINISHING,
    "cancelling": PrinterState.CANCELLING,
    "error": PrinterState.ERROR,
    "offline after error": PrinterState.ERROR,
}

# Other firmware speaks OctoPrint's language, too, and knows neither `noOverwrite` nor `prints`, on which “at most
# once” rests: “OctoPrint (Moonraker v0.3.1)” is refused.
_VERSION: Final = re.compile(r"OctoPrint ([0-9]{1,4}(?:\.[0-9]{1,4}){1,3})")


class File(msgspec.Struct):
    """The file of a job."""

    path: str | None = None


class Job(msgspec.Struct):
    """What is selected."""

    file: File | None = None


class Progress(msgspec.Struct, rename="camel"):
    """How far the print has come; times in seconds, `completion` in per cent."""

    completion: float | None = None
    print_time: float | None = None
    print_time_left: float | None = None


class JobReply(msgspec.Struct):
    """`GET /api/job`; there is no more than `state` when nothing is connected."""

    state: str
    job: Job | None = None
    progress: Progress | None = None
    error: str | None = None

    def report(self) -> JobReport:
        """In the port's terms."""
        progress = self.progress or Progress()
        return JobReport(
            state=_state(self.state),
            completion=None if progress.completion is None else min(max(progress.completion, 0.0), 100.0),
            file_path=self.job.file.path if self.job and self.job.file else None,
            print_time_s=_bounded(progress.print_time),
            print_time_left_s=_bounded(progress.print_time_left),
            error=self.error and self.error[:_LONGEST_TEXT],
        )


class LastPrint(msgspec.Struct):
    """The latest entry of a file's history; `date` in seconds since the epoch, by the printer's own clock."""

    success: bool | None = None
    date: float | None = None


class Prints(msgspec.Struct):
    """A file's history."""

    success: int = 0
    failure: int = 0
    last: LastPrint | None = None


class FileReply(msgspec.Struct):
    """`GET /api/files/local/<path>`; `prints` is missing before the first entry."""

    size: int | None = None
    hash: str | None = None
    prints: Prints | None = None

    def report(self) -> FileReport:
        """In the port's terms."""
        prints = self.prints or Prints()
        last = prints.last or LastPrint()
        return FileReport(
            size=self.size,
            sha1=self.hash,
            successes=max(prints.success, 0),
            failures=max(prints.failure, 0),
            last_success=last.success,
            last_ended_at=_moment(last.date),
        )


class UploadReply(msgspec.Struct, rename="camel"):
    """The 201 after an upload; without the field it is no clear answer."""

    effective_print: bool


class VersionReply(msgspec.Struct):
    """`GET /api/version`."""

    text: str

    def version(self) -> str:
        """The number of an OctoPrint; raises NOT_OCTOPRINT."""
        found = _VERSION.match(self.text)
        if found is None:
            raise PrinterTrouble(Trouble.NOT_OCTOPRINT)
        return found[1]


class UserReply(msgspec.Struct):
    """`GET /api/currentuser`; a wrong key is answered with 200 and a guest, who has no name."""

    name: str | None = None
    permissions: list[str] = []

    def report(self) -> KeyReport:
        """In the port's terms; raises KEY_REFUSED for a guest."""
        if self.name is None:
            raise PrinterTrouble(Trouble.KEY_REFUSED)
        return KeyReport(frozenset(Permission(name) for name in self.permissions if name in set(Permission)))


class Volume(msgspec.Struct):
    """What a printer can reach, in mm."""

    width: float
    depth: float


class Extruder(msgspec.Struct, rename="camel"):
    """Its nozzles, in mm."""

    nozzle_diameter: float


class Profile(msgspec.Struct):
    """One of OctoPrint's printer profiles."""

    volume: Volume
    extruder: Extruder
    current: bool = False


class ProfilesReply(msgspec.Struct):
    """`GET /api/printerprofiles`, which wants the permission CONNECTION."""

    profiles: dict[str, Profile]

    def build(self) -> Build | None:
        """Bed and nozzle of the profile in use."""
        current = next((profile for profile in self.profiles.values() if profile.current), None)
        if current is None:
            return None
        return Build(current.volume.width, current.volume.depth, current.extruder.nozzle_diameter)


class KeyRequestReply(msgspec.Struct):
    """`POST /plugin/appkeys/request`. The address of the dialog is not read: we know it."""

    app_token: str


class KeyReply(msgspec.Struct):
    """`GET /plugin/appkeys/request/<app_token>`, once the maker allowed it."""

    api_key: str


class ErrorReply(msgspec.Struct):
    """OctoPrint's own error, unlike that of some proxy before it."""

    error: str


_JOB: Final = msgspec.json.Decoder(JobReply)


def job(body: bytes) -> JobReport:
    """The answer of `GET /api/job`; raises BAD_REPLY."""
    return _decoded(_JOB, body).report()


def parse(body: bytes, shape: type[R]) -> R:
    """The reply as `shape`; raises BAD_REPLY."""
    return _decoded(msgspec.json.Decoder(shape), body)


def _decoded(decoder: msgspec.json.Decoder[R], body: bytes) -> R:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PrinterTrouble(Trouble.BAD_REPLY) from error


def _state(text: str) -> PrinterState:
    """Older versions append the error's text: “Error: …”."""
    return _STATES.get(text.partition(":")[0].lower(), PrinterState.UNKNOWN)


def _bounded(seconds: float | None) -> int | None:
    return None if seconds is None else int(min(max(seconds, 0), _LARGEST_NUMBER))


def _moment(timestamp: float | None) -> datetime | None:
    try:
        return None if timestamp is None else datetime.fromtimestamp(timestamp, UTC)
    except (ValueError, OverflowError, OSError):
        return None
