"""The guard: an allow-list linter with the printer's own limits, the same at the hub and at the maker's home."""

from dataclasses import dataclass
from enum import StrEnum

from makerhub.errors import Invalid, translatable
from makerhub.gcode.limits import PrinterLimits


class Reason(StrEnum):
    """Why a line is refused; `template` is its translatable message."""

    UNKNOWN_COMMAND = "unknown-command"


@dataclass(frozen=True)
class Finding:
    """One refused line: its number from 1 (0: the file as a whole), a harmless excerpt and the reason."""

    line: int
    excerpt: str
    reason: Reason


@dataclass(frozen=True)
class Report:
    """What the guard found (at most 100 findings, in the file's order) and what the file does."""

    findings: tuple[Finding, ...]

    @property
    def safe(self) -> bool:
        """Whether nothing at all was found."""
        return not self.findings


class UnsafeGcode(Invalid):
    """The file breaks a rule of the guard; `report` says which and where."""

    template = translatable("This file is not safe to print.")


def check(gcode: bytes, limits: PrinterLimits) -> Report:
    """Hold a whole file against the allow-list and the printer's limits; never raises for bad content."""
    raise NotImplementedError


def require_safe(gcode: bytes, limits: PrinterLimits) -> Report:
    """Return the report of a safe file; raises `UnsafeGcode` with the report for any other."""
    raise NotImplementedError
