"""Columns of one entry a line, and what is carried along them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Path:
    """Where one axis stands before and after each line."""

    before: Floats
    after: Floats


def path(start: float, words: Floats, absolute: Flags) -> Path:
    """Follow one axis from `start`: `words` are targets where `absolute`, steps elsewhere, NaN where there is none."""
    given = ~np.isnan(words)
    steps = np.cumsum(np.where(given & ~absolute, words, 0.0))
    last = np.maximum.accumulate(np.where(given & absolute, np.arange(len(words)), -1))
    after = np.where(last >= 0, words[last] - steps[last], start) + steps
    return Path(before=np.concatenate(([start], after[:-1])), after=after)


def held_values(initial: float, changes: Sequence[tuple[int, float]], lines: int) -> Floats:
    """Return the value in force at each line, given the lines at which it changes."""
    rows = [0, *(row for row, _ in changes), lines]
    return np.repeat(np.array([initial, *(value for _, value in changes)], np.float64), np.diff(rows))


def held(initial: bool, changes: Sequence[tuple[int, bool]], lines: int) -> Flags:
    """Return whether something is in force at each line, given the lines at which that changes."""
    return held_values(initial, changes, lines).astype(np.bool_)
