"""What a simulated OctoPrint tells of its printer: the bodies of `/api/job` and `/api/printer`."""

from typing import Any

from makerhub.simulation.job import BUSY, CLOSED, Job, State
from makerhub.simulation.printer import SimulatedPrinter

_NO_PROGRESS = dict.fromkeys(("completion", "filepos", "printTime", "printTimeLeft", "printTimeLeftOrigin"))
_NO_FILE = dict.fromkeys(("date", "name", "origin", "path", "size"))


def job_reply(printer: SimulatedPrinter) -> dict[str, Any]:
    """`GET /api/job`; answers in every state of the printer."""
    with printer.at_present() as now:
        return {
            "job": _job(printer, now),
            "progress": _progress(printer.job, now),
            "state": printer.state.value,
            **({"error": printer.error} if printer.error else {}),
        }


def printer_reply(printer: SimulatedPrinter) -> dict[str, Any] | None:
    """`GET /api/printer`; None while the printer is not operational."""
    with printer.at_present() as now:
        if printer.state in CLOSED:
            return None
        return {
            "sd": {"ready": True},
            "state": {"error": "", "flags": _flags(printer.state), "text": printer.state.value},
            "temperature": {
                name: {"actual": heater.actual(now), "offset": 0, "target": heater.target}
                for name, heater in (("bed", printer.bed), ("tool0", printer.tool))
            },
        }


def _flags(state: State) -> dict[str, bool]:
    return {
        "cancelling": state is State.CANCELLING,
        "closedOrError": False,
        "error": False,
        "finishing": state is State.FINISHING,
        "operational": True,
        "paused": state is State.PAUSED,
        "pausing": state is State.PAUSING,
        "printing": state in BUSY - {State.PAUSED},
        "ready": state is State.OPERATIONAL,
        "resuming": False,
        "sdReady": True,
    }


def _job(printer: SimulatedPrinter, now: float) -> dict[str, Any]:
    if printer.job is None and not printer.selected_before:  # the shorter form, until a first file is selected
        filament = {"length": None, "volume": None}
        return {"estimatedPrintTime": None, "filament": filament, "file": _NO_FILE, "lastPrintTime": None, "user": None}
    job = printer.job
    return {
        "averagePrintTime": job and job.file.average_seconds(now),
        "estimatedPrintTime": None,
        "filament": None,
        "file": _file(job),
        "lastPrintTime": job and job.file.last_seconds(now),
        "user": job and job.user,
    }


def _file(job: Job | None) -> dict[str, Any]:
    if job is None:
        return {**_NO_FILE, "display": None}
    file = job.file
    return {
        "date": int(file.date),
        "display": file.name,
        "name": file.name,
        "origin": "local",
        "path": file.path,
        "size": file.size,
    }


def _progress(job: Job | None, now: float) -> dict[str, Any]:
    if job is None or not job.begun:
        return _NO_PROGRESS
    position, seconds = job.position(now), job.seconds(now)
    return {
        "completion": 100 * position / job.file.size if job.file.size else -100,
        "filepos": position,
        "printTime": int(seconds),
        "printTimeLeft": 0 if job.finished else _seconds_left(job, seconds),
        "printTimeLeftOrigin": None if job.finished else "linear",
    }


def _seconds_left(job: Job, seconds: float) -> int | None:
    """OctoPrint needs some progress before it ventures an estimate."""
    left = job.file.reading.seconds - seconds
    return int(left) if seconds > 0.05 * job.file.reading.seconds else None
