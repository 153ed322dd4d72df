from math import cos, pi, sin

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makerhub.gcode.interpreter import summarise

STEPS = 20_000


@settings(deadline=None)
@given(
    clockwise=st.booleans(),
    radius=st.floats(1, 50),
    start=st.floats(0, 2 * pi),
    sweep=st.floats(0.05, 2 * pi - 0.05),
)
def test_an_arc_reaches_as_far_as_its_points(clockwise: bool, radius: float, start: float, sweep: float) -> None:
    end = start - sweep if clockwise else start + sweep
    x, y = 100 + radius * cos(start), 100 + radius * sin(start)
    to_x, to_y = 100 + radius * cos(end), 100 + radius * sin(end)
    gcode = (
        f"G28\nG1 X{x:.6f} Y{y:.6f}\n"
        f"G{2 if clockwise else 3} X{to_x:.6f} Y{to_y:.6f} I{100 - x:.6f} J{100 - y:.6f} E1\n"
    )
    printed = summarise(gcode.encode()).printed
    assert printed
    angles = np.linspace(start, end, STEPS)
    xs, ys = 100 + radius * np.cos(angles), 100 + radius * np.sin(angles)
    assert (printed.x_min_mm, printed.x_max_mm) == pytest.approx((xs.min(), xs.max()), abs=1e-4)
    assert (printed.y_min_mm, printed.y_max_mm) == pytest.approx((ys.min(), ys.max()), abs=1e-4)


def test_an_arc_back_to_its_start_is_a_full_circle() -> None:
    printed = summarise(b"G28\nG1 X50 Y50\nG2 I10 J0 E5\n").printed
    assert printed
    assert (printed.x_min_mm, printed.x_max_mm, printed.y_min_mm, printed.y_max_mm) == (50, 70, 40, 60)
