"""The hours of the day in which a maker's home is left alone (pure): no offer is made and no print is begun."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True)
class QuietHours:
    """From one minute of the day until another, over midnight where the second is smaller."""

    begins: int
    ends: int

    def holds(self, now: datetime, zone: ZoneInfo) -> bool:
        """Whether the clock on the wall of the home shows a quiet minute; on a night of changing clocks, too."""
        local = now.astimezone(zone)
        minute = local.hour * 60 + local.minute
        return (minute - self.begins) % MINUTES_A_DAY < (self.ends - self.begins) % MINUTES_A_DAY
