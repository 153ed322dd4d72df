"""What can be mended is mended and told; what nobody can know is left alone."""

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from makerhub.designs.geometry import Triangles, check_triangles
from makerhub.designs.mending import DOUBLED, FILLED, TURNED, Mended, mend


def ball(subdivisions: int = 3) -> Triangles:
    return np.array(trimesh.creation.icosphere(subdivisions=subdivisions, radius=20).triangles)


def told(mended: Mended | None) -> dict[str, dict[str, int | float]]:
    assert mended
    assert check_triangles(mended.triangles).problems == ()
    return {change.sentence: change.values for change in mended.changes}


def test_a_sound_mesh_needs_no_mending() -> None:
    assert mend(ball()) is None


def test_holes_are_filled_and_measured() -> None:
    box = np.asarray(trimesh.creation.box((10, 15, 30)).triangles)
    lid = np.flatnonzero((box[:, :, 0] == 5).all(axis=1))  # 15 × 30 mm
    assert told(mend(np.delete(box, lid, axis=0))) == {FILLED: {"count": 1, "width": 30.0}}
    end = np.flatnonzero((box[:, :, 2] == 15).all(axis=1))  # 10 × 15 mm
    mended = mend(np.delete(box, end, axis=0))
    assert told(mended) == {FILLED: {"count": 1, "width": 15.0}}
    assert mended
    assert check_triangles(mended.triangles).volume_mm3 == pytest.approx(4500)


def test_faces_are_turned_and_a_mesh_inside_out_as_a_whole() -> None:
    twisted = ball()
    twisted[[3, 50, 51, 52]] = twisted[[3, 50, 51, 52], ::-1]
    assert told(mend(twisted)) == {TURNED: {"count": 4}}
    assert told(mend(ball()[:, ::-1])) == {TURNED: {"count": 1280}}


def test_doubled_faces_go() -> None:
    assert told(mend(np.concatenate([ball(), ball()[:3], ball()[7:8, ::-1]]))) == {DOUBLED: {"count": 4}}


def test_several_troubles_at_once_give_back_the_ball() -> None:
    broken = np.concatenate([np.delete(ball(), [100, 101, 500], axis=0), ball()[:2]])
    broken[::7] = broken[::7, ::-1]
    mended = mend(broken[:, ::-1])
    assert set(told(mended)) == {DOUBLED, TURNED, FILLED}
    assert mended
    assert check_triangles(mended.triangles).volume_mm3 == pytest.approx(check_triangles(ball()).volume_mm3, rel=1e-3)


def test_what_nobody_can_know_is_left_alone() -> None:
    sheet = np.array([[[0, 0, 0], [50, 0, 0], [0, 50, 0]], [[50, 0, 0], [50, 50, 0], [0, 50, 0]]], dtype=np.float64)
    assert mend(sheet) is None
    half = ball()[ball()[:, :, 2].max(axis=1) <= 0]
    assert mend(half) is None
    assert mend(np.concatenate([ball(), ball() + 100])) is None  # two bodies are no damage to be mended


@given(st.integers(0, 10_000))
def test_whatever_comes_out_is_sound(seed: int) -> None:
    dice = np.random.default_rng(seed)
    broken = np.delete(ball(2), dice.integers(0, 320, dice.integers(0, 12)), axis=0)
    turned = dice.random(len(broken)) < dice.uniform(0, 0.6)
    broken[turned] = broken[turned, ::-1]
    mended = mend(broken)
    if mended:
        report = check_triangles(mended.triangles)
        assert report.problems == ()
        assert report.volume_mm3 == pytest.approx(check_triangles(ball(2)).volume_mm3, rel=0.1)
    else:
        assert check_triangles(broken).problems == ()
