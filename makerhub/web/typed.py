"""What people type into small fields of forms, as values."""

import re
from uuid import UUID

WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")


def whole_number(text: str) -> int | None:
    """The number from 0 up that was typed; None when it is none."""
    digits = text.strip()
    return int(digits) if WHOLE_NUMBER.fullmatch(digits) else None


def uuid_or_none(text: str) -> UUID | None:
    """The id that a form sent; None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
