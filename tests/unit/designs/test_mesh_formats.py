"""The same part in every format is the same part; and real meshes by others are read as their authors meant them."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import trimesh

from makerhub.designs.formats import read_mesh
from makerhub.designs.geometry import MeshDamaged, MeshProblem, Triangles, check_triangles, write_stl

MESHES = Path(__file__).parents[4] / "shared" / "data" / "meshes"
NAMESPACE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"


def wedge() -> trimesh.Trimesh:
    """A body without any symmetry, so that a mirrored or turned one is noticed."""
    points = [(0, 0, 0), (30, 0, 0), (0, 20, 0), (0, 0, 10)]
    return trimesh.Trimesh(points, [(0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2)])


def obj(solid: trimesh.Trimesh) -> bytes:
    points = "".join(f"v {x} {y} {z}\n" for x, y, z in solid.vertices)
    faces = "".join(f"f {a + 1} {b + 1} {c + 1}\n" for a, b, c in solid.faces)
    return (points + faces).encode()


def model(body: str, unit: str = "millimeter") -> str:
    return f'<?xml version="1.0"?><model unit="{unit}" xmlns="{NAMESPACE}" xmlns:p="http://p">{body}</model>'


def mesh_of(solid: trimesh.Trimesh, number: int = 1) -> str:
    points = "".join(f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y, z in solid.vertices)
    faces = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in solid.faces)
    mesh = f"<mesh><vertices>{points}</vertices><triangles>{faces}</triangles></mesh>"
    return f'<object id="{number}" type="model">{mesh}</object>'


def package(**models: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("[Content_Types].xml", "<Types/>")
        for name, text in models.items():
            writer.writestr(f"3D/{name}.model", text)
    return archive.getvalue()


def threemf(solid: trimesh.Trimesh, unit: str = "millimeter") -> bytes:
    body = f'<resources>{mesh_of(solid)}</resources><build><item objectid="1"/></build>'
    return package(**{"3dmodel": model(body, unit)})


def bounds(triangles: Triangles) -> list[list[float]]:
    return [np.round(triangles.min(axis=(0, 1)), 3).tolist(), np.round(triangles.max(axis=(0, 1)), 3).tolist()]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(write_stl(wedge().triangles), id="binary STL"),
        pytest.param(str(trimesh.exchange.stl.export_stl_ascii(wedge())).encode(), id="ASCII STL"),
        pytest.param(obj(wedge()), id="OBJ"),
        pytest.param(threemf(wedge()), id="3MF"),
    ],
)
def test_every_format_gives_the_same_part(content: bytes) -> None:
    triangles = read_mesh(content)
    assert bounds(triangles) == [[0, 0, 0], [30, 20, 10]]
    report = check_triangles(triangles)
    assert report.problems == ()
    assert report.volume_mm3 == pytest.approx(1000)


def test_obj_counts_from_the_end_and_has_polygons() -> None:
    quad = b"# a box\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1/1/1 2//2 3 4\nv 5 5 5\nf -1 -2 -3\nl 1 2\n"
    assert read_mesh(quad).tolist() == [
        [[0, 0, 0], [1, 0, 0], [1, 1, 0]],
        [[0, 0, 0], [1, 1, 0], [0, 1, 0]],
        [[5, 5, 5], [0, 1, 0], [1, 1, 0]],
    ]


@pytest.mark.parametrize(("unit", "factor"), [("inch", 25.4), ("meter", 1000), ("micron", 0.001), ("centimeter", 10)])
def test_3mf_says_its_unit(unit: str, factor: float) -> None:
    assert bounds(read_mesh(threemf(wedge(), unit)))[1] == pytest.approx([30 * factor, 20 * factor, 10 * factor])


def test_3mf_places_components_of_other_files_and_leaves_supports_out() -> None:
    part = model(f"<resources>{mesh_of(wedge(), 7)}</resources><build/>")
    components = (
        '<component p:path="/3D/part.model" objectid="7"/>'
        '<component p:path="/3D/part.model" objectid="7" transform="0 1 0 -1 0 0 0 0 1 100 0 0"/>'
    )
    whole = f'<object id="1"><components>{components}</components></object>'
    support = mesh_of(wedge(), 2).replace('type="model"', 'type="support"')
    items = (
        '<item objectid="1" transform="1 0 0 0 1 0 0 0 1 0 0 5"/><item objectid="2"/><item objectid="1" printable="0"/>'
    )
    content = package(
        **{"3dmodel": model(f"<resources>{whole}{support}</resources><build>{items}</build>"), "part": part}
    )
    assert bounds(read_mesh(content)) == [[0, 0, 5], [100, 30, 15]]
    assert check_triangles(read_mesh(content), bodies=2).problems == ()


def real(name: str) -> bytes:
    if not (MESHES / name).exists():
        pytest.skip("the meshes by others are not on this machine")
    return (MESHES / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "size", "volume"),
    [
        ("3dverkstan_visor_eu80_v2.stl", (157.8, 180.1, 5.0), 12_595),
        ("aon3d_frame_r01.stl", (182.4, 218.9, 3.2), 27_336),
        ("aon3d_frame_r01.step", (182.4, 218.9, 3.2), 27_347),
        ("nicvagn_door_knob.stl", (75.6, 75.6, 26.0), 28_041),
        ("nicvagn_door_knob.3mf", (75.6, 75.6, 26.0), 28_041),
        ("titanous_strap_adapter.stl", (25.3, 36.7, 3.2), 2_060),
    ],
)
def test_real_meshes_by_others(name: str, size: tuple[float, float, float], volume: int) -> None:
    report = check_triangles(read_mesh(real(name)))
    assert report.problems == ()
    assert report.size_mm == pytest.approx(size, abs=0.06)
    assert report.volume_mm3 == pytest.approx(volume, rel=1e-3)


def test_a_whole_plate_has_several_bodies() -> None:
    report = check_triangles(read_mesh(real("3dverkstan_mk3s_plate_iso838.3mf")))
    assert report.problems == (MeshProblem.SEVERAL_BODIES,)
    assert report.bodies == 2


def test_nothing_is_read_as_an_empty_mesh() -> None:
    for content in (b"", b"v 0 0 0\n", threemf(trimesh.Trimesh()), model("").encode(), package()):
        with pytest.raises(MeshDamaged):
            read_mesh(content)
