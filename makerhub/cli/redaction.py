"""The last line before the log: whatever wrote it, no line carries a secret or somebody's mail address.

Nothing here should ever find anything: secrets are kept out of messages where they are made. But a library may log a
request with its headers, and an exception may quote what was typed.
"""

import logging
import re

HIDDEN = "[hidden]"

_NAMES = (
    r"x-api-key|api[_-]?key|authorization|cookie|set-cookie|csrf_token|password|passwd|token|secret|hand_over_code|code"
)

PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (
        re.compile(
            rf"""(?<![\w-])({_NAMES})(["']?\s*[:=]\s*)(?!\s*(?:Bearer|Basic)\b)(b?["'])?[^\s"',;&)}}\]]+""",
            re.IGNORECASE,
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"(://)[^\s/@]+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"(?<![\w-])(?![0-9a-f]+(?![\w-]))[\w-]{40,}(?![\w-])"), HIDDEN),
    (re.compile(r"(Failing row contains|Key) \(.*\)"), rf"\1 {HIDDEN}"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), HIDDEN),
)
"""What is hidden: named secrets, credentials in addresses, long random tokens (a hash in hexadecimal is none), mail
addresses, and the rows that PostgreSQL quotes in its errors."""


def redacted(text: str) -> str:
    """The text without what must not be in a log."""
    for pattern, instead in PATTERNS:
        text = pattern.sub(instead, text)
    return text


class RedactingFormatter(logging.Formatter):
    """Formats a record with its traceback, and then hides what must not be in a log."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole entry, fit to be kept."""
        return redacted(super().format(record))
