"""The states of a simulated printer and the job it works on."""

from dataclasses import dataclass
from enum import StrEnum

from makerhub.simulation.files import StoredFile
from makerhub.simulation.reading import Order
from makerhub.simulation.reliability import Mishap


class State(StrEnum):
    """The states as `/api/job` names them."""

    OFFLINE = "Offline"
    OFFLINE_AFTER_ERROR = "Offline after error"
    OPERATIONAL = "Operational"
    STARTING = "Starting"
    PRINTING = "Printing"
    PAUSING = "Pausing"
    PAUSED = "Paused"
    CANCELLING = "Cancelling"
    FINISHING = "Finishing"


CLOSED = frozenset({State.OFFLINE, State.OFFLINE_AFTER_ERROR})
BUSY = frozenset(set(State) - CLOSED - {State.OPERATIONAL})


class Outcome(StrEnum):
    """What really came of a print, whatever OctoPrint says about it."""

    GOOD = "good"
    SPOILED = "spoiled"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Printed:
    """The truth about one print: OctoPrint calls GOOD and SPOILED alike a success."""

    path: str
    sha1: str
    started_at: float
    ended_at: float
    outcome: Outcome


@dataclass(frozen=True)
class Timings:
    """How long the passing states last, in simulated seconds; `history` is from the end to its record on disk."""

    starting: float = 0.02
    pausing: float = 0.8
    finishing: float = 0.02
    cancelling: float = 0.7
    history: float = 0.1


MEASURED = Timings()


class Refused(Exception):
    """What OctoPrint answers instead: an HTTP status and its text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Job:
    """The selected file and how far its print is.

    `printed` are seconds done before `running_since`; `obeyed` counts the orders in the file that were.
    """

    file: StoredFile
    user: str | None
    mishap: Mishap | None = None
    started_at: float = 0.0
    printed: float = 0.0
    running_since: float | None = None
    begun: bool = False
    obeyed: int = 0
    finished: bool = False

    def seconds(self, now: float) -> float:
        """Print time so far, without pauses."""
        running = 0.0 if self.running_since is None else now - self.running_since
        return min(self.printed + running, self.file.reading.seconds)

    def position(self, now: float) -> int:
        """Bytes of the file done; the whole file before it has finished, as OctoPrint reads ahead."""
        total = self.file.reading.seconds
        share = 1.0 if self.finished or total <= 0 else self.seconds(now) / total
        return min(self.file.size, max(1, round(share * self.file.size)))

    def next_order(self) -> tuple[float, Order] | None:
        """The next order in the file that was not obeyed yet, and after how many seconds of print time it comes."""
        orders = self.file.reading.orders
        return orders[self.obeyed] if self.obeyed < len(orders) else None

    def hold(self, now: float) -> None:
        """Stop the count of seconds."""
        self.printed, self.running_since = self.seconds(now), None
