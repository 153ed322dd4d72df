"""What people type into small fields of forms, as values."""

import re

WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")


def whole_number(text: str) -> int | None:
    """The number from 0 up that was typed; None when it is none."""
    digits = text.strip()
    return int(digits) if WHOLE_NUMBER.fullmatch(digits) else None
