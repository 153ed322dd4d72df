"""The profile of one printer: a shipped model's or the one that its maker described, with what the maker brought.

What the maker said is kept as it was said and read anew each time, so that a rule which becomes stricter holds at once.
"""

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from makerhub.designs.generic_profile import Answers, generic_profile
from makerhub.designs.own_code import read_own, with_own
from makerhub.designs.profiles import PrinterProfile
from makerhub.errors import Invalid, translatable
from makerhub.printers.models import Printer

PREFIX = "own-"
"""What the profile key of a printer begins with whose model nobody has written a profile for."""


class ModelUnknown(Invalid):
    """The hub has no profile of this model any more."""

    template = translatable("This hub has no profile of the printer model “%(model)s”.")


def profile_of(printer: Printer, profiles: Mapping[str, PrinterProfile]) -> PrinterProfile:
    """How to slice for this very printer; raises `ModelUnknown`, or `OwnCodeRefused` for what may not be used."""
    profile = base_of(printer, profiles)
    if profile is None:
        raise ModelUnknown(model=printer.profile)
    return with_own(profile, read_own(profile, **printer.own_code).settings) if printer.own_code else profile


def base_of(printer: Printer, profiles: Mapping[str, PrinterProfile]) -> PrinterProfile | None:
    """The printer's profile without what was brought for it: what planning needs to know; None for an unknown model."""
    if not printer.own_model:
        return profiles.get(printer.profile)
    return generic_profile(printer.profile, msgspec.convert(printer.own_model, Answers))


def with_described(printers: Iterable[Printer], profiles: Mapping[str, PrinterProfile]) -> dict[str, PrinterProfile]:
    """The shipped profiles and those of the printers that their makers described; what is no profile is left out."""
    known = dict(profiles)
    for printer in printers:
        with contextlib.suppress(Invalid):
            profile = base_of(printer, profiles)
            if profile is not None:
                known[printer.profile] = profile
    return known


def as_stored(answers: Answers) -> dict[str, Any]:
    """What the maker said of a model, as it is kept."""
    stored: dict[str, Any] = msgspec.to_builtins(answers)
    return stored
