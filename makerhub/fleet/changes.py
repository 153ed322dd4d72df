"""Which observations are worth telling: those that say something new, and one now and then that says “still here”.

A hub writes them to its database, an agent tells them to its hub. Progress counts in whole per cent: a print of two
hours that is looked at every five seconds would else be told 1,440 times for a number that nobody reads so closely.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from makerhub.fleet.gateway import PrinterState, Trouble
from makerhub.fleet.poll import Observation


@dataclass(frozen=True, slots=True)
class _Told:
    """What was told of a printer last. `state` is that of its last answer, also while there is trouble."""

    at: datetime
    state: PrinterState | None
    trouble: Trouble | None
    file_path: str | None
    percent: int | None


class Changes:
    """Remembers what was told of each printer; after `refresh` it is worth telling again though nothing is new."""

    def __init__(self, refresh: timedelta) -> None:
        self._refresh = refresh
        self._told: dict[UUID, _Told] = {}

    def among(self, seen: Iterable[Observation]) -> dict[UUID, Observation]:
        """The latest observation of each printer, where it is worth telling."""
        latest = {one.printer_id: one for one in seen}
        return {printer_id: one for printer_id, one in latest.items() if self._is_worth(one)}

    def told(self, seen: Mapping[UUID, Observation]) -> bool:
        """Remember that these were told; says whether one of the printers is in another state than before."""
        has_moved = False
        for printer_id, one in seen.items():
            before = self._told.get(printer_id)
            now = self._told[printer_id] = _as_told(one, before)
            has_moved |= before is None or before.state is not now.state
        return has_moved

    def forget(self, printers: Iterable[UUID]) -> None:
        """Printers that are looked at no more."""
        for printer_id in printers:
            self._told.pop(printer_id, None)

    def _is_worth(self, seen: Observation) -> bool:
        before = self._told.get(seen.printer_id)
        if before is None or seen.seen_at - before.at >= self._refresh:
            return True
        report = seen.report
        if isinstance(report, Trouble):
            return report is not before.trouble
        return (
            report.state is not before.state
            or before.trouble is not None
            or report.file_path != before.file_path
            or _percent(report.completion) != before.percent
        )


def _as_told(seen: Observation, before: _Told | None) -> _Told:
    report = seen.report
    if not isinstance(report, Trouble):
        return _Told(seen.seen_at, report.state, None, report.file_path, _percent(report.completion))
    if before is None:
        return _Told(seen.seen_at, None, report, None, None)
    return _Told(seen.seen_at, before.state, report, before.file_path, before.percent)


def _percent(completion: float | None) -> int | None:
    return None if completion is None else int(completion)
