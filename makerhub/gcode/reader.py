"""Reading G-code fast and without trust: bytes in, columns of move words and parsed commands out.

Nearly every line of a real file is a plain move, so moves are found by one pattern and read by numpy, a chunk
at a time (a loop over lines measured a third of the speed); every other line is parsed singly, with a cache.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from makerhub.gcode.commands import MOVE_WORDS, NUMBER, Command, command_name, parse_command
from makerhub.gcode.reasons import Reason

__all__ = ["Chunk", "Command", "Line", "command_name", "parse_command", "read"]

CHUNK_BYTES: Final = 1 << 18

_COMMENT: Final = re.compile(rb";[^\n]*")
_MOVES: Final = re.compile(
    rb"^(?:[ \t]*+(?:G[0-3](?:[ \t]++[XYZEFIJ]" + NUMBER + rb")++[ \t]*+)?+\r?+\n)++", re.MULTILINE
)
_LAYER_MARK: Final = re.compile(rb"^;LAYER(?:_CHANGE|:)", re.MULTILINE)


@dataclass(frozen=True)
class Line:
    """One line that is not a plain move: its row in the chunk, its text without comment, and what it parses to."""

    row: int
    text: bytes
    parsed: Command | Reason


@dataclass(frozen=True)
class Chunk:
    """Some whole lines of a file, as columns of one entry a line.

    `raw` is the text, always with a newline at its end, and `ends` where its newlines stand.
    `code` is 0 to 3 for the moves G0 to G3 and −1 for any other line. `words` holds the numbers of each move word
    as written, NaN where absent. `repeated` marks moves that give a word twice. `layer_mark` is the row of the first
    comment by which slicers announce a layer, if there is one.
    """

    first_line: int
    raw: bytes
    ends: NDArray[np.intp]
    code: NDArray[np.int8]
    words: Mapping[str, NDArray[np.float64]]
    repeated: NDArray[np.bool_]
    others: list[Line]
    layer_mark: int | None

    @property
    def lines(self) -> int:
        """How many lines these are."""
        return len(self.ends)

    def raw_line(self, row: int) -> bytes:
        """Return a line as the file has it, without its newline."""
        return self.raw[self.ends[row - 1] + 1 if row else 0 : self.ends[row]]

    def row_at(self, position: int) -> int:
        """Return the row of the line that holds the byte at `position` of `raw`."""
        return int(np.searchsorted(self.ends, position))


def read(gcode: bytes) -> Iterator[Chunk]:
    """Read a whole file as chunks of whole lines, in order; no content makes it raise."""
    position, first_line = 0, 1
    while position < len(gcode):
        end = gcode.find(b"\n", position + CHUNK_BYTES) + 1 or len(gcode)
        raw = gcode[position:end]
        chunk = _read_chunk(raw if raw.endswith(b"\n") else raw + b"\n", first_line)
        yield chunk
        position, first_line = end, first_line + chunk.lines


def _read_chunk(raw: bytes, first_line: int) -> Chunk:
    ends = np.flatnonzero(np.frombuffer(raw, np.uint8) == ord("\n"))
    moves, others = _part(_COMMENT.sub(b"", raw))
    code, words, repeated = _columns(moves, len(ends))
    return Chunk(first_line, raw, ends, code, words, repeated, others, _layer_mark(raw))


def _layer_mark(raw: bytes) -> int | None:
    mark = _LAYER_MARK.search(raw) if b";LAYER" in raw else None
    return raw.count(b"\n", 0, mark.start()) if mark else None


def _part(text: bytes) -> tuple[bytes, list[Line]]:
    """Part the moves from the other lines: the moves' text has an empty line in place of each other line."""
    moves: list[bytes] = []
    others: list[Line] = []
    row = position = 0
    for run in _MOVES.finditer(text):
        row += _add_others(text[position : run.start()], row, moves, others)
        moves.append(run.group())
        row += text.count(b"\n", run.start(), run.end())
        position = run.end()
    _add_others(text[position:], row, moves, others)
    return b"".join(moves), others


def _add_others(text: bytes, row: int, moves: list[bytes], others: list[Line]) -> int:
    lines = text.split(b"\n")[:-1]
    moves.append(b"\n" * len(lines))
    for offset, line in enumerate(lines):
        stripped = line.strip(b" \t\r")
        others.append(Line(row + offset, stripped, parse_command(stripped)))
    return len(lines)


_LETTERS_TO_BLANKS: Final = bytes.maketrans(b"G" + MOVE_WORDS.encode(), b" " * (1 + len(MOVE_WORDS)))
_NOT_LETTERS: Final = b"0123456789.+- \t\r"


def _columns(moves: bytes, lines: int) -> tuple[NDArray[np.int8], dict[str, NDArray[np.float64]], NDArray[np.bool_]]:
    """Spread the words of moves over columns: the letters and the numbers of the text stand in the same order."""
    numbers = np.fromstring(moves.translate(_LETTERS_TO_BLANKS), sep=" ")
    letters = np.frombuffer(moves.translate(None, _NOT_LETTERS), np.uint8)
    is_letter = letters != ord("\n")
    rows = np.cumsum(~is_letter)[is_letter]
    letters = letters[is_letter]
    code = np.full(lines, -1, np.int8)
    commands = letters == ord("G")
    code[rows[commands]] = numbers[commands]
    repeated = np.zeros(lines, np.bool_)
    words = {letter: _column(letters == ord(letter), rows, numbers, repeated) for letter in MOVE_WORDS}
    return code, words, repeated


def _column(
    mine: NDArray[np.bool_], rows: NDArray[np.int64], numbers: NDArray[np.float64], repeated: NDArray[np.bool_]
) -> NDArray[np.float64]:
    my_rows = rows[mine]
    column = np.full(len(repeated), np.nan)
    column[my_rows] = numbers[mine]
    repeated[my_rows[1:][my_rows[1:] == my_rows[:-1]]] = True
    return column
