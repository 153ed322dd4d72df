"""Which prints may begin now in one household: printers that heat up together trip its breaker."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from makerhub.audit.service import note
from makerhub.errors import Invalid, translatable
from makerhub.people.models import Person
from makerhub.printers.models import PowerLimit

HEATING = timedelta(minutes=6)
"""A bed of 220 × 220 mm takes 3 to 6 minutes to 60 °C, and draws all its power until then; afterwards a third."""

DEFAULT_WATTS = 1500
"""Half of what a circuit of 13 A gives: the kettle hangs on the same one."""

KEEPING_WARM = 0.35
LEAST_WATTS, MOST_WATTS = 100, 20_000


def may_begin(waiting: Iterable[int], heating: Iterable[int], printing: Iterable[int], limit: int) -> int:
    """How many of the `waiting` printers, each by its watts and in this order, may begin now.

    `heating` and `printing` are the watts of those that began lately and earlier. Where nothing draws power one always
    may begin, so that a limit below a single printer's power stops nothing for ever.
    """
    drawn = sum(heating) + KEEPING_WARM * sum(printing)
    count = 0
    for watts in waiting:
        if drawn and drawn + watts > limit:
            break
        drawn += watts
        count += 1
    return count


def set_limit(session: Session, owner_id: UUID, watts: int, *, now: datetime) -> None:
    """A maker says how many watts the printers may draw together. Raises `Invalid`."""
    if not LEAST_WATTS <= watts <= MOST_WATTS:
        raise Invalid(fields={"watts": translatable("Enter watts: from 100 to 20,000.")})
    limit = session.get(PowerLimit, owner_id) or PowerLimit(owner_id=owner_id, watts=watts)
    limit.watts = watts
    session.add(limit)
    note(session, "most watts set", session.get_one(Person, owner_id), now=now, by=owner_id)


def limit_of(session: Session, owner_id: UUID) -> int:
    """How many watts a maker's printers may draw together."""
    limit = session.get(PowerLimit, owner_id)
    return limit.watts if limit else DEFAULT_WATTS
