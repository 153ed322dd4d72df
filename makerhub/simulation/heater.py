"""A heater that follows its target with a lag, computed when asked."""

import math
from dataclasses import dataclass

ROOM = 21.3
"""Degrees Celsius, as OctoPrint's Virtual Printer has it."""


@dataclass
class Heater:
    """Approaches its target exponentially; `lag` is the time constant in seconds."""

    lag: float
    target: float = 0.0
    _from: float = ROOM
    _since: float = 0.0

    def set(self, target: float, now: float) -> None:
        """Change the target in degrees Celsius; 0 is off."""
        self._from, self._since, self.target = self.actual(now), now, target

    def actual(self, now: float) -> float:
        """The temperature in degrees Celsius."""
        goal = self.target or ROOM
        return round(goal + (self._from - goal) * math.exp(-max(0.0, now - self._since) / self.lag), 2)
