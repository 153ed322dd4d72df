"""Which job goes to which printer (pure): the most urgent tier first, then the earliest deadline."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class QueuedJob:
    """A build plate that waits. `profiles` are the printer models on which it fits; some printers declined it."""

    id: UUID
    hub_id: UUID
    tier: int
    needed_by: datetime
    materials: frozenset[str]
    profiles: frozenset[str]
    declined_by: frozenset[UUID] = frozenset()


@dataclass(frozen=True)
class FreePrinter:
    """A printer that could start now: reachable, idle, with a clear build plate, outside of its maker's quiet hours."""

    id: UUID
    hub_id: UUID
    profile: str
    material: str
    idle_since: datetime


@dataclass(frozen=True)
class Assignment:
    """This job on this printer."""

    job_id: UUID
    printer_id: UUID


def assign(jobs: Sequence[QueuedJob], printers: Sequence[FreePrinter]) -> list[Assignment]:
    """Give each job, in order, the eligible printer that has been idle longest."""
    free: dict[tuple[UUID, str, str], list[FreePrinter]] = defaultdict(list)  # of one kind all fit, or none does
    for printer in sorted(printers, key=_idle_longest):
        free[printer.hub_id, printer.profile, printer.material].append(printer)
    assignments = []
    for job in sorted(jobs, key=lambda job: (job.tier, job.needed_by, str(job.id))):
        firsts = (_first(job, alike) for alike in free.values())
        chosen = min((first for first in firsts if first is not None), key=_idle_longest, default=None)
        if chosen is not None:
            free[chosen.hub_id, chosen.profile, chosen.material].remove(chosen)
            assignments.append(Assignment(job.id, chosen.id))
    return assignments


def is_eligible(job: QueuedJob, printer: FreePrinter) -> bool:
    """Whether the printer can and may print the job: same hub, bed and nozzle, material, not declined."""
    return _is_kind_for(job, printer) and printer.id not in job.declined_by


def _first(job: QueuedJob, alike: Sequence[FreePrinter]) -> FreePrinter | None:
    if not alike or not _is_kind_for(job, alike[0]):
        return None
    return next((printer for printer in alike if printer.id not in job.declined_by), None)


def _is_kind_for(job: QueuedJob, printer: FreePrinter) -> bool:
    return job.hub_id == printer.hub_id and printer.profile in job.profiles and printer.material in job.materials


def _idle_longest(printer: FreePrinter) -> tuple[datetime, str]:
    return printer.idle_since, str(printer.id)
