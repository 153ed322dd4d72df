"""What an agent keeps in its folder beside the journal: whom it is paired with, its printers, and its owner's rules.

One file, readable by its owner alone, written whole or not at all. The key of OctoPrint is in it and goes nowhere else.
"""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import msgspec

from makerhub.errors import MakerhubError, translatable
from makerhub.fleet.gateway import Connection
from makerhub.fleet.messages import Stage
from makerhub.gcode.limits import PrinterLimits

FILE: Final = "agent.json"
STOP: Final = "stop"
Minute = Annotated[int, msgspec.Meta(ge=0, lt=24 * 60)]


class HomeUnreadable(MakerhubError):
    """The agent's file is not what the agent wrote."""

    template = translatable("The file %(file)s can not be read: %(problem)s")


class QuietHours(msgspec.Struct, frozen=True):
    """No print begins from minute `begin` to minute `end` of the day, by this computer's time; it may span midnight."""

    begin: Minute
    end: Minute


class Rules(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the owner allows, whatever the hub wants. None of it ends a print that is under way.

    `automatic`: prints may begin by themselves on a clear plate, if they take at most `longest_minutes` (None: any).
    Otherwise only those begin that their maker accepted one by one on the hub's page.
    """

    paused: bool = False
    automatic: bool = False
    longest_minutes: Annotated[int, msgspec.Meta(gt=0, le=7 * 24 * 60)] | None = None
    quiet: QuietHours | None = None


class OwnPrinter(msgspec.Struct, frozen=True, omit_defaults=True):
    """A printer of the owner: where its OctoPrint is and the key for it (both empty until found), and its limits."""

    id: UUID
    name: str
    limits: PrinterLimits
    url: str = ""
    key: str = ""
    stage: Stage = Stage.PAIRED

    @property
    def connection(self) -> Connection | None:
        """How to ask it, once it is connected."""
        return Connection(self.url, self.key) if self.url and self.key else None


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """The whole file."""

    hub_url: str = ""
    hub_name: str = ""
    agent_id: UUID | None = None
    token: str = ""
    printers: list[OwnPrinter] = []
    rules: Rules = Rules()
    trusts_http: bool = False
    searches_network: bool = False

    def printer(self, printer_id: UUID) -> OwnPrinter | None:
        """The printer of this id, if it is one of the owner's."""
        return next((printer for printer in self.printers if printer.id == printer_id), None)

    def with_printer(self, printer: OwnPrinter) -> "State":
        """The same with this printer added, or in the place of the one that has its id."""
        others = [other for other in self.printers if other.id != printer.id]
        return msgspec.structs.replace(self, printers=[*others, printer])


class Home:
    """The agent's folder; made when it is missing, and nobody else may look into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):  # where there are no such permissions the user's own folder has to do
            folder.chmod(0o700)

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.folder / "journal.sqlite"

    @property
    def gcode(self) -> Path:
        """Where print files wait until they are sent."""
        return self.folder / "gcode"

    def read(self) -> State:
        """What the file says; raises `HomeUnreadable`."""
        try:
            return msgspec.json.decode((self.folder / FILE).read_bytes(), type=State)
        except FileNotFoundError:
            return State()
        except (OSError, ValueError) as error:
            raise HomeUnreadable(file=self.folder / FILE, problem=error) from error

    def write(self, state: State) -> None:
        """Keep it, durably."""
        text = msgspec.json.format(msgspec.json.encode(state), indent=2)
        descriptor, part = tempfile.mkstemp(dir=self.folder, suffix=".part")  # readable by its owner alone
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            Path(part).replace(self.folder / FILE)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise

    def ask_to_stop(self) -> None:
        """Have the agent that runs on this folder end soon."""
        (self.folder / STOP).touch()

    def take_stop(self) -> bool:
        """Whether the agent was asked to end; the next one is not."""
        try:
            (self.folder / STOP).unlink()
        except FileNotFoundError:
            return False
        return True

    def version(self) -> int:
        """A number that changes when the file does."""
        with contextlib.suppress(OSError):
            return (self.folder / FILE).stat().st_mtime_ns
        return 0
