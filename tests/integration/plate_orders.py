"""Plates to be sliced in tests, and what is expected of every slicer's answer."""

from pathlib import Path

import numpy as np
import pytest
import trimesh
from manifold3d import CrossSection, Error, Manifold, Mesh, OpType

from makerhub.designs.geometry import check_mesh, read_stl, weld, write_stl
from makerhub.designs.manifest import PrintSettings
from makerhub.designs.profiles import PrinterProfile, read_profiles
from makerhub.designs.slicer import PlateOrder, SlicedPlate
from makerhub.gcode.guard import require_safe

ROOT = Path(__file__).parents[2]
PROFILES = read_profiles(ROOT / "printers")
COARSE = PrintSettings(layer_height_um=300, infill_percent=0, perimeters=1)
PETG_GRAMS_PER_CM3 = 1.27
FILAMENT_RADIUS_MM = 0.875


def block(width: float, depth: float, height: float) -> bytes:
    return write_stl(np.asarray(trimesh.creation.box(extents=(width, depth, height)).triangles, dtype=np.float64))


def angle(side: float, wall: float, height: float) -> bytes:
    """An L, which is not the same when it is turned and leaves most of its box empty."""
    shape = CrossSection.square((side, wall)) + CrossSection.square((wall, side))
    mesh = Manifold.extrude(shape, height).to_mesh()
    points, faces = np.asarray(mesh.vert_properties, dtype=np.float64)[:, :3], np.asarray(mesh.tri_verts)
    return write_stl(points[faces])


def order(mesh: bytes, profile: PrinterProfile = PROFILES["prusa-mk3s"], copies: int = 1) -> PlateOrder:
    return PlateOrder(mesh, copies, profile, "PETG", COARSE)


def expect_as_ordered(plate: SlicedPlate, wanted: PlateOrder) -> None:
    """The plate is safe, complete, in its place and as high as the part, and it weighs what its plastic weighs."""
    summary = require_safe(plate.gcode, wanted.profile.limits()).summary
    printed, height = summary.printed, check_mesh(wanted.mesh).size_mm[2]
    assert printed is not None
    assert len(plate.placements) == plate.copies == wanted.copies
    left, front, right, back = covered(plate, wanted).bounds()
    beyond = (left - printed.x_min_mm, front - printed.y_min_mm, printed.x_max_mm - right, printed.y_max_mm - back)
    assert -1 < min(beyond) <= max(beyond) < 5
    assert printed.z_max_mm == pytest.approx(height, abs=0.35)
    grams = summary.filament_mm * PETG_GRAMS_PER_CM3 * np.pi * FILAMENT_RADIUS_MM**2 / 1000
    assert plate.milligrams == pytest.approx(grams * 1000, rel=0.08)
    assert plate.seconds > 60


def covered(plate: SlicedPlate, wanted: PlateOrder) -> CrossSection:
    """What all copies cover of the bed; none covers what another one does, and none lies outside."""
    shadow = _shadow(wanted.mesh)
    copies = [
        (shadow.rotate(90) if place.turned else shadow).translate((place.x_mm, place.y_mm))
        for place in plate.placements
    ]
    together = CrossSection.batch_boolean(copies, OpType.Add)
    assert together.area() == pytest.approx(len(copies) * shadow.area(), rel=1e-4), "copies lie over each other"
    left, front, right, back = together.bounds()
    assert min(left, front) >= 0
    assert right <= wanted.profile.bed_width_mm
    assert back <= wanted.profile.bed_depth_mm
    return together


def _shadow(content: bytes) -> CrossSection:
    """What one copy covers, the middle of its box at (0, 0)."""
    mesh = weld(read_stl(content))
    solid = Manifold(Mesh(np.asarray(mesh.points, np.float32), np.asarray(mesh.faces, np.uint32)))
    assert solid.status() is Error.NoError
    shadow = solid.project()
    left, front, right, back = shadow.bounds()
    return shadow.translate((-(left + right) / 2, -(front + back) / 2))
