"""What the owner's rules let begin now: pure, from rules and a moment to an answer."""

from datetime import datetime

from makerhub.agent.home import QuietHours, Rules
from makerhub.fleet.messages import Unwilling, Wanted, Willing


def is_quiet(hours: QuietHours | None, local: datetime) -> bool:
    """Whether the moment, by this computer's own time, lies in the quiet hours; they may span midnight."""
    if hours is None or hours.begin == hours.end:
        return False
    minute = local.hour * 60 + local.minute
    if hours.begin < hours.end:
        return hours.begin <= minute < hours.end
    return minute >= hours.begin or minute < hours.end


def obstacle(rules: Rules, local: datetime) -> Unwilling:
    """Why nothing at all may begin now; NONE when something may."""
    if rules.paused:
        return Unwilling.PAUSED
    return Unwilling.QUIET_HOURS if is_quiet(rules.quiet, local) else Unwilling.NONE


def willing(rules: Rules) -> Willing:
    """What may begin when nothing stands in the way."""
    return Willing.ANYTHING if rules.automatic else Willing.ACCEPTED


def longest_seconds(rules: Rules) -> int | None:
    """How long a print may take that begins by itself; None means any time."""
    return None if rules.longest_minutes is None else rules.longest_minutes * 60


def may_begin(rules: Rules, wanted: Wanted, local: datetime) -> bool:
    """Whether this very print may begin now."""
    if obstacle(rules, local) is not Unwilling.NONE:
        return False
    longest = longest_seconds(rules)
    return wanted.accepted or (rules.automatic and (longest is None or wanted.seconds <= longest))
