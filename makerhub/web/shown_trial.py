"""What pages show of a printer's latest test print: where it stands, or what went wrong and the way out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from makerhub.errors import translatable
from makerhub.fleet.gateway import Permission, Trouble
from makerhub.fleet.messages import Unwilling
from makerhub.fleet.trial import SECONDS
from makerhub.fleet.verdict import Reason
from makerhub.printers.models import Link, Printer, PrinterState
from makerhub.production.trial_models import LIVE, TrialPrint, TrialState
from makerhub.web.hub import hub

_NOT_KNOWN: Final = translatable(
    "OctoPrint does not know how it ended. Was it restarted meanwhile? Nothing was heated or moved: just try again."
)
_LOOK_THERE: Final = translatable("Look at OctoPrint’s own page, whether it reports an error there, then try again.")
WAYS_OUT: Final[Mapping[str, str]] = {
    Reason.PRINTER_BUSY: translatable(
        "It is busy with another print, which we leave alone. Try again when that is done."
    ),
    Reason.PRINTER_OFFLINE: translatable(
        "OctoPrint is not connected to the printer. Switch it on, press “Connect” in OctoPrint, then try again."
    ),
    Reason.PRINTER_TROUBLE: translatable("Try again when OctoPrint can be reached."),
    Reason.NOT_BEGUN: translatable("OctoPrint took the file and did not begin to print."),
    Reason.DAMAGED: translatable(
        "The file did not arrive whole. Has the storage of OctoPrint run full? Delete old files there, then try again."
    ),
    Reason.PRINT_FAILED: translatable("It was cancelled, or ended with an error."),
    Reason.NO_HISTORY: _NOT_KNOWN,
    Reason.FILE_GONE: _NOT_KNOWN,
    Reason.FILE_REPLACED: _NOT_KNOWN,
    Reason.AGENT_SILENT: translatable(
        "The agent did not answer in time. Is its computer on? “makerhub-agent status” tells more there."
    ),
    Reason.NOT_FETCHED: translatable("The agent could not fetch the file from the hub. Try again."),
    Unwilling.PAUSED: translatable(
        "The agent is paused on the computer beside the printer. Run “makerhub-agent resume” there, then try again."
    ),
    Unwilling.QUIET_HOURS: translatable(
        "The agent keeps quiet hours now, as you told it. Try again later, or change them: “makerhub-agent rules”."
    ),
    Unwilling.NOT_READY: translatable(
        "The printer is not ready: it prints something else, is switched off, or OctoPrint is not connected to it."
    ),
    Unwilling.OCCUPIED: translatable(
        "The agent still looks after a print on this printer. Try again when that is done."
    ),
}
"""What a maker reads of a test print that went wrong: what happened, and the way out."""


@dataclass(frozen=True)
class ShownTrial:
    """The latest test print of a printer as its page shows it; `now` is when the page is made."""

    trial: TrialPrint | None
    is_offered: bool
    removes_files: bool
    now: datetime

    @property
    def is_live(self) -> bool:
        """Whether it goes on."""
        return self.trial is not None and self.trial.state in LIVE

    @property
    def seconds(self) -> int:
        """How long it has been printing, of `of` seconds."""
        began = self.trial.started_at if self.trial else None
        passed = int((self.now - began).total_seconds()) if began else 0
        return min(max(passed, 0), SECONDS)

    @property
    def of(self) -> int:
        """How long it prints."""
        return SECONDS

    @property
    def went_wrong(self) -> bool:
        """Whether it ended otherwise than it should."""
        return self.trial is not None and self.trial.state in (TrialState.FAILED, TrialState.NOT_STARTED)

    @property
    def words(self) -> list[str]:
        """What went wrong and the way out, a sentence each."""
        if self.trial is None or not self.went_wrong:
            return []
        trouble = [Trouble(self.trial.trouble).message] if self.trial.trouble else []
        told = WAYS_OUT.get(self.trial.reason) or Reason(self.trial.reason).message
        looks = [_LOOK_THERE] if self.trial.reason in (Reason.NOT_BEGUN, Reason.PRINT_FAILED) else []
        return [*trouble, told, *looks]


def shown_trial(printer: Printer, trial: TrialPrint | None, *, is_free: bool) -> ShownTrial:
    """What is shown of a printer's test prints; `is_free`: nothing of ours waits for the printer or is on it."""
    can_be_asked = printer.link is not Link.BY_HAND and printer.state in (PrinterState.ACTIVE, PrinterState.PAUSED)
    removes = bool({Permission.FILES_DELETE, Permission.ADMIN} & set(printer.excess_permissions))
    return ShownTrial(trial, can_be_asked and is_free, removes, hub().clock())
