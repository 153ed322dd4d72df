"""The agent's own time: it never goes back, neither when the computer's clock is set nor from one start to the next.

A Raspberry Pi without a battery wakes up in the past. Where the clock is behind what was already written down, nobody
knows how much time has passed, so a long time is assumed: that forbids a second sending and settles nothing too early.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

UNKNOWN_PAUSE: Final = timedelta(hours=1)


def _wall() -> datetime:
    return datetime.now(UTC)


class AgentClock:
    """Reads the time (aware, UTC), anchored once at the start and carried by the monotonic clock.

    `latest` is the last time that a process before this one wrote down; `is_doubtful` when the wall's clock is behind
    it.
    """

    def __init__(
        self,
        latest: datetime | None,
        *,
        wall: Callable[[], datetime] = _wall,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        begin = wall()
        self.is_doubtful = latest is not None and begin < latest
        self._anchor = latest + UNKNOWN_PAUSE if latest is not None and begin < latest else begin
        self._monotonic = monotonic
        self._began = monotonic()

    def __call__(self) -> datetime:
        """The time now."""
        return self._anchor + timedelta(seconds=self._monotonic() - self._began)
