"""A simulated printer with what a client meets of it: its address, its keys, and the faults on the way."""

import hashlib
from typing import Any

from makerhub.simulation.accounts import ADMIN, MAKER, MINIMAL, Accounts
from makerhub.simulation.clock import Clock
from makerhub.simulation.faults import Faults
from makerhub.simulation.printer import SimulatedPrinter

VOLUME = {"width": 250.0, "depth": 210.0, "height": 210.0}
NOZZLE = 0.4
"""The printer profile, in millimetres: a Prusa MK3S's."""


class ServedPrinter(SimulatedPrinter):
    """A printer on the network.

    `url` is the base address without a slash at the end, empty until it is served. `key` has the five permissions
    that a hub needs, `maker_key` may also grant application keys, and `admin_key` may do everything; they follow
    from `seed` and `name`, so that they outlive a restart of the demo.
    """

    def __init__(self, name: str, clock: Clock, *, seed: int = 0, **settings: Any) -> None:
        super().__init__(name, clock, seed=seed, **settings)
        self.url = ""
        self.key, self.maker_key, self.admin_key = (_key(seed, name, user) for user in ("minimal", "maker", "admin"))
        self.accounts = Accounts({self.key: MINIMAL, self.maker_key: MAKER, self.admin_key: ADMIN})
        self.faults = Faults()
        self.volume, self.nozzle = dict(VOLUME), NOZZLE

    def restart(self) -> None:
        """See SimulatedPrinter; open requests for keys are forgotten too."""
        super().restart()
        self.accounts.forget_requests()

    def decide(self, app: str, *, allow: bool) -> None:
        """Answer the pending request for an application key of `app` as its maker would by a click."""
        name = MAKER.name or ""
        request = next(request for request in self.accounts.pending(name) if request.app == app)
        self.accounts.decide(request.user_token, name, allow=allow)


def _key(seed: int, name: str, user: str) -> str:
    return hashlib.sha256(f"{seed} {name} {user}".encode()).hexdigest()[:32]
