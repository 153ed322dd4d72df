"""How a simulated printer fails by itself: seeded chances, so that a run can be repeated exactly."""

import random
from dataclasses import dataclass
from enum import StrEnum


class Trouble(StrEnum):
    """What may happen to a print."""

    ERROR = "error"
    RESTART = "restart"
    SPOILED = "spoiled"


@dataclass(frozen=True)
class Mishap:
    """A trouble, and after which share of the print time (0 to 1) it comes."""

    trouble: Trouble
    at: float


@dataclass(frozen=True)
class Reliability:
    """Chances (0 to 1) for each print: a firmware error, OctoPrint restarting, a spoiled part called a success."""

    error: float = 0.0
    restart: float = 0.0
    spoiled: float = 0.0

    def draw(self, dice: random.Random) -> Mishap | None:
        """What will happen to the next print; None if nothing."""
        chance, at = dice.random(), dice.uniform(0.02, 0.98)
        for trouble, share in zip(Trouble, (self.error, self.restart, self.spoiled), strict=True):
            if chance < share:
                return Mishap(trouble, at)
            chance -= share
        return None


RELIABLE = Reliability()
