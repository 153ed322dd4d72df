"""Time for simulated printers: seconds since 1970, faster than the wall's clock or moved by hand."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the simulated time."""

    def now(self) -> float:
        """Seconds since 1970 as the simulated world counts them; never goes back."""
        ...


class FastClock:
    """Runs `speed` times as fast as the wall's clock; a change of speed neither jumps nor goes back."""

    def __init__(self, speed: float = 1.0, start: float | None = None) -> None:
        self._speed = speed
        self._simulated = time.time() if start is None else start
        self._real = time.monotonic()

    def now(self) -> float:
        """See Clock."""
        return self._simulated + (time.monotonic() - self._real) * self._speed

    @property
    def speed(self) -> float:
        """Simulated seconds in a real one."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._simulated, self._real = self.now(), time.monotonic()
        self._speed = speed


class ManualClock:
    """Stands still until it is told to advance."""

    def __init__(self, start: float = 1_600_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        """See Clock."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._now += seconds
