"""Tables for spreadsheet programs, in which no text that somebody typed becomes a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

Cell = str | int | datetime | None

FORMULA = frozenset("=+-@＝＋－＠")
"""What begins a formula, also in the width in which East Asian keyboards type it."""

UNSEEN = " \u00a0\u200b\u200c\u200d\u2060\ufeff\0"
BREAKS = frozenset("\t\r\n")


def csv_file(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A CSV file (RFC 4180) with all cells in quotes, in UTF-8 with the mark by which Excel recognises it."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_written(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def plain(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet program would calculate it."""
    begins = text.lstrip(UNSEEN)[:1]
    seen = text.lstrip(UNSEEN + "".join(BREAKS))[:1]
    return f"'{text}" if begins in BREAKS or seen in FORMULA else text


def _written(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case datetime():
            return cell.isoformat(timespec="minutes")
        case int():
            return str(cell)
    return plain(cell)
