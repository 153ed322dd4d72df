"""A simulated printer behind its OctoPrint: states, the job and its clockwork, without the network.

Nothing runs in the background: each call first lets happen what was due by now, so that thousands of printers
cost nothing while nobody asks. The order and the times of the states were measured on OctoPrint 1.11.8.
"""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from makerhub.simulation.accounts import Account
from makerhub.simulation.clock import Clock
from makerhub.simulation.files import Entry, Files, StoredFile, sha1
from makerhub.simulation.heater import Heater
from makerhub.simulation.job import BUSY, CLOSED, MEASURED, Job, Outcome, Printed, Refused, State, Timings
from makerhub.simulation.reading import Order, Reading, read
from makerhub.simulation.reliability import RELIABLE, Mishap, Reliability, Trouble


class SimulatedPrinter:
    """One printer and its OctoPrint.

    `prints` is the truth about what lay on the bed. `url` is known once somebody serves it.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        *,
        seed: int = 0,
        reliability: Reliability = RELIABLE,
        timings: Timings = MEASURED,
        capacity: int = 8 * 10**9,
    ) -> None:
        self.name = name
        self.clock = clock
        self.reliability = reliability
        self.timings = timings
        self.files = Files(capacity)
        self.disk_full = False
        self.state = State.OPERATIONAL
        self.error = ""
        self.job: Job | None = None
        self.selected_before = False
        self.running = True
        self.tool = Heater(lag=40)
        self.bed = Heater(lag=90)
        self.prints: list[Printed] = []
        self._dice = random.Random(f"{seed} {name}")  # noqa: S311 (a simulation has to be repeatable)
        self._spoil_next = 0
        self._due: tuple[float, Callable[[float], None]] | None = None
        self._lock = threading.RLock()

    @contextmanager
    def at_present(self) -> Iterator[float]:
        """Let everything happen that was due, and hold the printer still meanwhile; gives the simulated time."""
        with self._lock:
            now = self.clock.now()
            while self._due is not None and self._due[0] <= now:
                at, happen = self._due
                self._due = None
                happen(at)
            yield now

    # What a client asks for

    def upload(
        self, path: str, content: bytes, account: Account, *, select: bool, start: bool, keep: bool
    ) -> tuple[bool, bool]:
        """Store a file, select and start it if possible; what was really done of (select, start). Raises Refused.

        `keep` refuses to overwrite. As on the real server, a busy or offline printer stores the file and does no more.
        """
        with self.at_present() as now:
            idle = self.state is State.OPERATIONAL
            select, start = select and idle, start and idle
            self._check_overwriting(path, account, keep=keep)
            self._store(path, content, account, now)
            if select or start:
                self._select(self.files.get(path), account, start=start, now=now)
            return select, start

    def select(self, path: str, account: Account, *, start: bool) -> None:
        """Select a file and print it if `start`. Raises Refused."""
        with self.at_present() as now:
            if (file := self.files.get(path)) is None:
                raise Refused(404, "The requested URL was not found on the server.")
            if self.state is not State.OPERATIONAL:
                raise Refused(409, "Printer is already printing, cannot select a new file")
            self._select(file, account, start=start, now=now)

    def start(self, account: Account) -> None:
        """Print the selected file; without one nothing happens. Raises Refused."""
        with self.at_present() as now:
            self._require_open()
            if self.state in BUSY:
                raise Refused(409, "Printer already has an active print job, did you mean 'restart'?")
            if self.job is not None:
                self._select(self.job.file, account, start=True, now=now)

    def start_again(self, account: Account) -> None:
        """Print a paused job from its beginning. Raises Refused."""
        with self.at_present() as now:
            self._require_open()
            if self.state is not State.PAUSED or self.job is None:
                raise Refused(409, "Printer does not have an active print job or is not paused")
            self._record(Outcome.STOPPED, now)
            self._select(self.job.file, account, start=True, now=now)

    def pause(self, action: str = "toggle") -> None:
        """Pause, resume or toggle. Raises Refused."""
        with self.at_present() as now:
            job = self._require_job("pause")
            if self.state is State.PAUSED and action in ("toggle", "resume"):
                self._run(job, now)
            elif self.state is State.PRINTING and action in ("toggle", "pause"):
                self._pause(job, now)

    def cancel(self) -> None:
        """Stop the print: a failure in its history. Raises Refused."""
        with self.at_present() as now:
            job = self._require_job("cancel")
            if self.state is not State.CANCELLING:
                self._cancel(job, now)
                self._forget_progress()

    def delete(self, path: str) -> None:
        """Remove a file. Raises Refused."""
        with self.at_present():
            if self.files.get(path) is None:
                raise Refused(404, "The requested URL was not found on the server.")
            if self._holds(path) and self.state in BUSY:
                raise Refused(409, "Trying to delete a file that is currently in use")
            if self._holds(path):
                self.job = None
            self.files.delete(path)

    def make_folder(self, path: str) -> None:
        """Make a folder; harmless if it is there."""
        with self.at_present() as now:
            self.files.make_folder(path, now)

    # What may befall a printer

    def connect(self) -> None:
        """Open the serial connection after it was lost or closed."""
        with self.at_present():
            if self.state in CLOSED:
                self.state, self.error = State.OPERATIONAL, ""

    def disconnect(self) -> None:
        """Close the serial connection: a running print has failed, of a paused one nothing is recorded."""
        with self.at_present() as now:
            self._close(State.OFFLINE, "", now)

    def fail(self, message: str = "MAXTEMP triggered! - Not SD printing") -> None:
        """A firmware error or a lost cable: as `disconnect`, with a message."""
        with self.at_present() as now:
            self._close(State.OFFLINE_AFTER_ERROR, message, now)

    def restart(self) -> None:
        """OctoPrint starts anew: a print is gone without any record, success or failure."""
        with self.at_present() as now:
            self._restart(now)

    def power_off(self) -> None:
        """End OctoPrint: the printer does not answer until `power_on`, and a print is gone as by `restart`."""
        self.restart()
        self.running = False

    def power_on(self) -> None:
        """Start OctoPrint again after `power_off`."""
        self.running = True

    def spoil_next(self, count: int = 1) -> None:
        """The next `count` prints come out spoiled, and OctoPrint calls them a success."""
        self._spoil_next += count

    # The clockwork

    def _enter(self, state: State, now: float, lasting: float, then: Callable[[float], None]) -> None:
        self.state, self._due = state, (now + lasting, then)

    def _select(self, file: StoredFile | None, account: Account, *, start: bool, now: float) -> None:
        if file is None:
            return
        self.selected_before = True
        self.job = Job(file, account.name, started_at=now)
        if start:
            self.job.mishap = self._draw()
            self.tool.set(file.reading.tool.highest, now)
            self.bed.set(file.reading.bed.highest, now)
            self._enter(State.STARTING, now, self.timings.starting, self._begin)

    def _draw(self) -> Mishap | None:
        drawn = self.reliability.draw(self._dice)
        if self._spoil_next:
            self._spoil_next -= 1
            return Mishap(Trouble.SPOILED, 1.0)
        return drawn

    def _begin(self, now: float) -> None:
        if self.job is not None:
            self.job.begun = True
            self._run(self.job, now)

    def _run(self, job: Job, now: float) -> None:
        job.running_since = now
        end, then = job.file.reading.seconds, self._finish
        if job.mishap is not None and job.mishap.trouble is not Trouble.SPOILED:
            end, then = end * job.mishap.at, self._suffer
        order = job.next_order()
        if order is not None and order[0] <= end:
            end, then = order[0], self._obey
        self._enter(State.PRINTING, now, max(0.0, end - job.printed), then)

    def _obey(self, now: float) -> None:
        """A line of the file is an order to OctoPrint, or makes the firmware give one."""
        job = self.job
        order = job.next_order() if job is not None else None
        if job is None or order is None:
            return
        job.obeyed += 1
        match order[1]:
            case Order.PAUSE:
                self._pause(job, now)
            case Order.CANCEL:
                self._cancel(job, now)
            case Order.HOST_CANCEL:
                self._cancel(job, now)
                self._forget_progress()
            case Order.DISCONNECT:
                self._close(State.OFFLINE, "", now)
            case Order.EMERGENCY:
                self._close(State.OFFLINE_AFTER_ERROR, "Closing serial port due to emergency stop M112.", now)

    def _pause(self, job: Job, now: float) -> None:
        job.hold(now)
        self._enter(State.PAUSING, now, self.timings.pausing, self._come_to_rest)

    def _cancel(self, job: Job, now: float) -> None:
        job.hold(now)
        self._note(job, now, success=False)
        self._record(Outcome.STOPPED, now)
        self._cool(now)
        self._enter(State.CANCELLING, now, self.timings.cancelling, self._come_to_idle)

    def _suffer(self, now: float) -> None:
        if self.job is not None and self.job.mishap is not None and self.job.mishap.trouble is Trouble.RESTART:
            self._restart(now)
        else:
            self._close(State.OFFLINE_AFTER_ERROR, "Thermal runaway, system stopped!", now)

    def _come_to_rest(self, _now: float) -> None:
        self.state = State.PAUSED

    def _come_to_idle(self, _now: float) -> None:
        self.state = State.OPERATIONAL

    def _finish(self, now: float) -> None:
        if self.job is not None:
            self.job.hold(now)
            self.job.finished = True
            self._enter(State.FINISHING, now, self.timings.finishing, self._done)

    def _done(self, now: float) -> None:
        self.state = State.OPERATIONAL
        self._cool(now)
        if self.job is not None:
            spoiled = self.job.mishap is not None and self.job.mishap.trouble is Trouble.SPOILED
            self._note(self.job, now, success=True)
            self._record(Outcome.SPOILED if spoiled else Outcome.GOOD, now)

    def _close(self, state: State, error: str, now: float) -> None:
        if self.job is not None and self.state in (State.STARTING, State.PRINTING, State.FINISHING):
            self._note(self.job, now, success=False)
        self._stop(state, error, now)

    def _restart(self, now: float) -> None:
        self.files.forget_unwritten(now)
        self.selected_before = False
        self._stop(State.OPERATIONAL, "", now)

    def _stop(self, state: State, error: str, now: float) -> None:
        if self.state in BUSY - {State.CANCELLING}:
            self._record(Outcome.STOPPED, now)
        self.state, self.error, self.job, self._due = state, error, None, None
        self.tool.set(0, now)
        self.bed.set(0, now)

    def _cool(self, now: float) -> None:
        """The file's own last words to the heaters: OctoPrint does not turn them off for it."""
        reading = self.job.file.reading if self.job else Reading(0)
        self.tool.set(reading.tool.last, now)
        self.bed.set(reading.bed.last, now)

    def _forget_progress(self) -> None:
        if self.job is not None:
            self.job.begun = False

    def _note(self, job: Job, now: float, *, success: bool) -> None:
        delay = self.timings.history if success else 0.0
        job.file.history.append(Entry(success, now, now + delay, job.seconds(now) if success else None))

    def _record(self, outcome: Outcome, now: float) -> None:
        if self.job is not None:
            file = self.job.file
            self.prints.append(Printed(file.path, file.sha1, self.job.started_at, now, outcome))

    # What is checked

    def _holds(self, path: str) -> bool:
        return self.job is not None and self.job.file.path == path

    def _require_open(self) -> None:
        if self.state in CLOSED:
            raise Refused(409, "Printer is not operational")

    def _require_job(self, command: str) -> Job:
        self._require_open()
        if self.job is None or self.state not in BUSY:
            raise Refused(409, f"Printer is neither printing nor paused, '{command}' command cannot be performed")
        return self.job

    def _check_overwriting(self, path: str, account: Account, *, keep: bool) -> None:
        if self._holds(path) and self.state in BUSY:
            raise Refused(409, "Trying to overwrite file that is currently being printed")
        if self.files.get(path) is None:
            return
        if keep:
            raise Refused(409, "File already exists and noOverwrite was set")
        if "FILES_DELETE" not in account.permissions:
            raise Refused(403, "File already exists, cannot overwrite due to a lack of permissions")

    def _store(self, path: str, content: bytes, account: Account, now: float) -> None:
        full = self.disk_full or len(content) > self.files.free
        kept = b"" if full else content
        self.files.put(StoredFile(path, len(kept), sha1(kept), now, account.name, read(kept)))
        if full:
            raise Refused(500, "The server encountered an internal error and was unable to complete your request.")
        if self._holds(path):
            self._select(self.files.get(path), account, start=False, now=now)
