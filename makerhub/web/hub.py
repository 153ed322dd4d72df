"""What pages are given: the hub's parts, put together by the composition root."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

from makerhub.background import Nudge
from makerhub.config import Settings
from makerhub.db import Clock, Database


@dataclass(frozen=True)
class Hub:
    """The parts that a page may use; it never holds a printer, a slicer or a solver."""

    settings: Settings
    database: Database
    soon: Nudge
    clock: Clock


def hub() -> Hub:
    """The hub that serves the current request."""
    return cast("Hub", current_app.extensions["makerhub"])
