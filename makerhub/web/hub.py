"""What pages are given: the hub's parts, put together by the composition root."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from flask import current_app

from makerhub.background import Nudge
from makerhub.config import Settings
from makerhub.db import Clock, Database
from makerhub.designs.approvals import ApprovalPolicy, policy_of
from makerhub.designs.files import FileStore
from makerhub.designs.model_cache import ModelCache
from makerhub.designs.profiles import PrinterProfile
from makerhub.designs.uploads import Desk, desk_of
from makerhub.keys.box import KeyBox
from makerhub.notices.channel import Channel
from makerhub.notices.letters import Post, Translator
from makerhub.planning.tasks import dispatch_jobs
from makerhub.production.agents import AgentDesk


@dataclass(frozen=True)
class Hub:
    """The parts that a page may use; it never holds a printer, a slicer or a solver."""

    settings: Settings
    database: Database
    soon: Nudge
    clock: Clock
    files: FileStore
    key_box: KeyBox
    profiles: Mapping[str, PrinterProfile]
    channel: Channel
    translator: Translator

    @property
    def post(self) -> Post:
        """What letters to people need to know of this installation."""
        return Post(self.settings.address, self.settings.languages[0])

    @property
    def policy(self) -> ApprovalPolicy:
        """Which approval each kind of facility requires."""
        return policy_of(self.settings)

    @cached_property
    def agents(self) -> AgentDesk:
        """Where the agents at makers' homes report."""
        return AgentDesk(self.database, self.policy, self.profiles, self.clock, lambda: self.soon(dispatch_jobs))

    @property
    def desk(self) -> Desk:
        """Where designs are handed in."""
        return desk_of(self.settings, self.database, self.files, self.clock)

    @property
    def models(self) -> ModelCache:
        """Designs to be turned in 3D."""
        return ModelCache(self.settings.data_directory / "models", self.files)


def hub() -> Hub:
    """The hub that serves the current request."""
    return cast("Hub", current_app.extensions["makerhub"])
