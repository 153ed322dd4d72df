"""A trace as lines to read, from the receipt back to the G-code."""

from datetime import datetime

from makerhub.trace.service import Trace


def lines(trace: Trace) -> list[tuple[str, str]]:
    """Name and value of each link of the chain, from the item that was received back to its design."""
    received = [
        ("received", f"{to.quantity} by {to.facility}{_at(to.received_at)}, request {to.request_id}")
        for to in trace.recipients
        if to.received_at
    ]
    return [
        *received,
        ("allocated because", "; ".join(to.reason for to in trace.recipients) or "not yet"),
        ("lot", f"{trace.label}: {trace.quantity} × {trace.part}{_at(trace.made_at)}"),
        (
            "checked",
            f"{trace.passed} passed, {trace.rejected} did not{_at(trace.inspected_at)}"
            if trace.inspected_at
            else "not yet",
        ),
        ("print", f"{trace.file_name}: {trace.good} good, {trace.bad} bad{_at(trace.ended_at)}"),
        ("print job", str(trace.print_job_id)),
        ("printer", f"{trace.printer_model}, {trace.printer_id}"),
        ("material", f"{trace.material}, {trace.milligrams / 1000:.1f} g on the plate"),
        ("filament", trace.filament or "not told"),
        ("maker", f"reference {trace.maker_reference}"),
        ("G-code", f"sha256 {trace.gcode_sha256}, by {trace.slicer}"),
        ("mesh", f"sha256 {trace.mesh_sha256}"),
        ("design", f"{trace.design} {trace.design_version}, content {trace.design_hash}"),
    ]


def _at(moment: datetime | None) -> str:
    return f" at {moment:%Y-%m-%d %H:%M} UTC" if moment else ""
