"""Which job goes to which printer (pure): the most urgent tier first, then the earliest deadline."""

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
    free = sorted(printers, key=lambda printer: (printer.idle_since, str(printer.id)))
    assignments = []
    for job in sorted(jobs, key=lambda job: (job.tier, job.needed_by, str(job.id))):
        chosen = next((printer for printer in free if is_eligible(job, printer)), None)
        if chosen is not None:
            free.remove(chosen)
            assignments.append(Assignment(job.id, chosen.id))
    return assignments


def is_eligible(job: QueuedJob, printer: FreePrinter) -> bool:
    """Whether the printer can and may print the job: same hub, bed and nozzle, material, not declined."""
    return (
        job.hub_id == printer.hub_id
        and printer.profile in job.profiles
        and printer.material in job.materials
        and printer.id not in job.declined_by
    )
