from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makerhub.designs.plates import MAX_COPIES, Bed, Placement, PlateFull, capacity, layout

MK3S = Bed(width_mm=250, depth_mm=210, edge_mm=5)
sizes = st.floats(min_value=3, max_value=260, allow_nan=False)


def box(placement: Placement, width: float, depth: float) -> tuple[float, float, float, float]:
    if placement.turned:
        width, depth = depth, width
    x, y = placement.x_mm, placement.y_mm
    return x - width / 2, x + width / 2, y - depth / 2, y + depth / 2


@settings(deadline=None, max_examples=60)
@given(width=sizes, depth=sizes, spacing=st.floats(min_value=0, max_value=20))
def test_a_full_plate_keeps_its_distances_and_the_edge(width: float, depth: float, spacing: float) -> None:
    copies = capacity(width, depth, MK3S, spacing)
    if not copies:
        with pytest.raises(PlateFull):
            layout(width, depth, MK3S, spacing, 1)
        return
    boxes = [box(placement, width, depth) for placement in layout(width, depth, MK3S, spacing, copies)]
    assert len(boxes) == copies
    for left, right, front, back in boxes:
        assert left > 4.99
        assert right < 245.01
        assert front > 4.99
        assert back < 205.01
    for one, other in combinations(boxes, 2):
        gaps = one[0] - other[1], other[0] - one[1], one[2] - other[3], other[2] - one[3]
        assert max(gaps) > spacing - 0.01


def test_one_copy_lies_in_the_middle() -> None:
    (placement,) = layout(100, 40, MK3S, 4, 1)
    assert (placement.x_mm, placement.y_mm) == (125, 105)


def test_what_fits_only_turned_is_turned() -> None:
    (placement,) = layout(195, 230, MK3S, 4, 1)
    assert placement.turned


@pytest.mark.parametrize(("width", "depth"), [(241, 10), (10, 241), (201, 201)])
def test_what_is_larger_than_the_bed_does_not_fit(width: float, depth: float) -> None:
    assert capacity(width, depth, MK3S, 4) == 0


def test_fills_the_bed_to_the_last_place() -> None:
    assert capacity(58, 48, MK3S, 2) == 16
    with pytest.raises(PlateFull, match="17 copies of 58 × 48 mm"):
        layout(58, 48, MK3S, 2, 17)


def test_small_parts_stop_at_the_cap() -> None:
    assert capacity(5, 5, MK3S, 2) == MAX_COPIES


@pytest.mark.parametrize("copies", [0, -1, MAX_COPIES + 1])
def test_refuses_senseless_counts(copies: int) -> None:
    with pytest.raises(PlateFull):
        layout(5, 5, MK3S, 2, copies)
