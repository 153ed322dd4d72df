from itertools import combinations

import numpy as np
import trimesh

from makerhub.designs.scenes import MOST_OF_ONE, MOST_PIECES, arrange


def triangles_of(mesh: trimesh.Trimesh) -> np.ndarray:
    return np.asarray(mesh.triangles, dtype=np.float64)


def box(width: float, depth: float) -> np.ndarray:
    return triangles_of(trimesh.creation.box(extents=(width, depth, 2)))


def gap(one: np.ndarray, other: np.ndarray) -> float:
    """How far apart two boxes lie, in the direction in which they do so most; negative where they overlap."""
    apart = np.maximum(
        one[..., :2].min(axis=(0, 1)) - other[..., :2].max(axis=(0, 1)),
        other[..., :2].min(axis=(0, 1)) - one[..., :2].max(axis=(0, 1)),
    )
    return float(apart.max())


def test_boxes_lie_apart_and_close_together() -> None:
    parts = [box(100, 20), box(40, 40), box(10, 60)]
    placed = [place.of(parts[place.part]) for place in arrange(parts, [2, 2, 3])]
    assert len(placed) == 7
    assert min(gap(one, other) for one, other in combinations(placed, 2)) > 1
    extent = np.ptp(np.concatenate(placed)[..., :2], axis=(0, 1))
    assert extent.max() < 150


def test_a_small_part_may_lie_inside_a_ring() -> None:
    ring = triangles_of(trimesh.creation.annulus(r_min=40, r_max=45, height=4))
    parts = [ring, box(20, 20)]
    placed = [place.of(parts[place.part]) for place in arrange(parts, [1, 1])]
    assert np.ptp(np.concatenate(placed)[..., :2], axis=(0, 1)).max() < 91


def test_a_part_is_turned_where_that_saves_room() -> None:
    parts = [box(100, 50), box(10, 96)]
    places = arrange(parts, [1, 1])
    assert [place.turned for place in places] == [False, True]


def test_of_many_pieces_some_are_shown_and_of_each_part_one() -> None:
    assert len(arrange([box(10, 10)], [30])) == MOST_OF_ONE
    parts = [box(10 + number, 10) for number in range(9)]
    places = arrange(parts, [50] * 9)
    assert len(places) == MOST_PIECES
    assert {place.part for place in places} == set(range(9))


def test_more_parts_than_a_dozen_are_all_shown() -> None:
    parts = [box(10 + number, 10) for number in range(20)]
    assert len(arrange(parts, [1] * 20)) == 20


def test_the_same_parts_lie_the_same_way() -> None:
    parts = [box(100, 20), box(40, 40)]
    assert arrange(parts, [1, 3]) == arrange(parts, [1, 3])
