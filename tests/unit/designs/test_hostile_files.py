"""Files made to hurt, through the warm worker: each ends in a clear message within its limits; the worker goes on."""

import io
import random
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import trimesh
from unit.designs.hooks import cube
from unit.designs.test_mesh_formats import mesh_of, model, obj, package, threemf, wedge

from makerhub.designs.geometry import MeshProblem, check_mesh
from makerhub.designs.inspection import inspect_mesh
from makerhub.designs.sandbox import SandboxLimits

LIMITS = SandboxLimits(memory_bytes=3 << 30, cpu_seconds=15, wall_seconds=20, file_bytes=200_000_000)
"""A little less than what a hub allows: whoever is cut off here says so in test time, too."""

STEP_HEAD = b"ISO-10303-21;\nHEADER;\nFILE_SCHEMA(('AUTOMOTIVE_DESIGN'));\nENDSEC;\nDATA;\n"


def binary(faces: int, content: bytes = b"") -> bytes:
    return bytes(80) + faces.to_bytes(4, "little") + content


def with_corner(value: float) -> bytes:
    content = bytearray(cube())
    content[96:100] = np.float32(value).tobytes()
    return bytes(content)


def ladder(steps: int, width: int) -> bytes:
    """Components of components: width to the power of steps copies of one mesh."""
    objects = mesh_of(wedge(), 1)
    for number in range(2, steps + 2):
        uses = f'<component objectid="{number - 1}"/>' * width
        objects += f'<object id="{number}"><components>{uses}</components></object>'
    return package(
        **{"3dmodel": model(f'<resources>{objects}</resources><build><item objectid="{steps + 1}"/></build>')}
    )


def self_containing() -> bytes:
    turning = '<object id="1"><components><component objectid="1"/></components></object>'
    return package(**{"3dmodel": model(f'<resources>{turning}</resources><build><item objectid="1"/></build>')})


def zip_bomb(megabytes: int) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer, writer.open("3D/3dmodel.model", "w") as stream:
        for _ in range(megabytes):
            stream.write(b" " * 1_000_000)
    return archive.getvalue()


def lying_zip() -> bytes:
    """A package whose model is said to have 100 bytes, and has 50 million."""
    size = 50_000_000
    return zip_bomb(50).replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))


LAUGHS = '<!DOCTYPE m [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {one} "{f"&{other};" * 10}">' for other, one in zip("abcdefgh", "bcdefghi", strict=True)
)

HOSTILE: Mapping[str, tuple[Callable[[], bytes], MeshProblem]] = {
    "nothing": (lambda: b"", MeshProblem.EMPTY),
    "junk": (lambda: random.Random(1).randbytes(5000), MeshProblem.DAMAGED),  # noqa: S311
    "cut off": (lambda: cube()[:-1], MeshProblem.DAMAGED),
    "a count that lies": (lambda: binary(4_000_000_000, bytes(50)), MeshProblem.DAMAGED),
    "a count of none": (lambda: binary(0), MeshProblem.EMPTY),
    "no number": (lambda: with_corner(float("nan")), MeshProblem.NOT_FINITE),
    "endless": (lambda: with_corner(float("inf")), MeshProblem.NOT_FINITE),
    "as large as a planet": (lambda: with_corner(1e30), MeshProblem.TOO_BIG),
    "faces without area": (lambda: binary(2, bytes(100)), MeshProblem.OPEN),
    "an open box": (lambda: binary(11, cube()[84 : 84 + 550]), MeshProblem.OPEN),
    "inside out": (
        lambda: bytes(trimesh.exchange.stl.export_stl(trimesh.Trimesh(wedge().vertices, wedge().faces[:, ::-1]))),
        MeshProblem.INVERTED,
    ),
    "text without end": (lambda: b"solid x\nfacet normal 0 0 1\n" + b"vertex 0 0 0\n" * 1_500_000, MeshProblem.DAMAGED),
    "too much text": (lambda: b"solid x\nfacet" + b"vertex 0 0 0\n" * 4_000_000, MeshProblem.TOO_LARGE),
    "long numbers": (lambda: b"v " + b"9" * 20_000_000 + b" 0 0\nf 1 1 1\n", MeshProblem.NOT_FINITE),
    "points that are not there": (lambda: b"v 0 0 0\nf 1 2 99999999\n", MeshProblem.DAMAGED),
    "counted beyond the start": (lambda: b"v 0 0 0\nf -1 -2 -3\n", MeshProblem.DAMAGED),
    "point number nought": (lambda: b"v 0 0 0\nf 0 0 0\n", MeshProblem.DAMAGED),
    "a polygon of a million": (lambda: b"v 0 0 0\nf" + b" 1" * 2_000_000, MeshProblem.TOO_LARGE),
    "words for numbers": (lambda: b"v a b c\nf 1 1 1\n", MeshProblem.DAMAGED),
    "points of two numbers": (lambda: b"v 1 2\nv 1 2 3\nf 1 2 1\n", MeshProblem.DAMAGED),
    "an archive of something else": (lambda: package(), MeshProblem.UNKNOWN_FORMAT),
    "a package cut off": (lambda: threemf(wedge())[:-40], MeshProblem.DAMAGED),
    "a bomb": (lambda: zip_bomb(1000), MeshProblem.TOO_LARGE),
    "a bomb that lies": (lying_zip, MeshProblem.DAMAGED),
    "components of components": (lambda: ladder(7, 40), MeshProblem.TOO_LARGE),
    "a deep ladder": (lambda: ladder(50, 1), MeshProblem.DAMAGED),
    "an object in itself": (self_containing, MeshProblem.DAMAGED),
    "a billion laughs": (
        lambda: package(**{"3dmodel": model("&i;").replace("<model", LAUGHS + "]><model", 1)}),
        MeshProblem.DAMAGED,
    ),
    "a file of ours": (
        lambda: package(
            **{"3dmodel": model("&x;").replace("<model", '<!DOCTYPE m [<!ENTITY x SYSTEM "/etc/passwd">]><model', 1)}
        ),
        MeshProblem.DAMAGED,
    ),
    "XML as deep as the sea": (
        lambda: package(**{"3dmodel": model("<a>" * 100_000 + "</a>" * 100_000)}),
        MeshProblem.EMPTY,
    ),
    "an unknown unit": (lambda: threemf(wedge(), "parsec"), MeshProblem.DAMAGED),
    "a transform of NaN": (
        lambda: package(
            **{
                "3dmodel": model(
                    f"<resources>{mesh_of(wedge())}</resources>"
                    '<build><item objectid="1" transform="nan 0 0 0 1 0 0 0 1 0 0 0"/></build>'
                )
            }
        ),
        MeshProblem.DAMAGED,
    ),
    "STEP of nothing": (lambda: STEP_HEAD + b"ENDSEC;\nEND-ISO-10303-21;\n", MeshProblem.DAMAGED),
    "STEP cut off": (lambda: STEP_HEAD + b"#1=CARTESIAN_POINT('',(0.", MeshProblem.DAMAGED),
    "STEP that refers to itself": (
        lambda: STEP_HEAD + b"#1=SHELL_BASED_SURFACE_MODEL('',(#1));\n" * 50_000 + b"ENDSEC;\nEND-ISO-10303-21;\n",
        MeshProblem.DAMAGED,
    ),
    "too much STEP": (lambda: STEP_HEAD + b"#1=X();\n" * 4_000_000, MeshProblem.TOO_LARGE),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_ends_in_a_message(name: str) -> None:
    make, problem = HOSTILE[name]
    begin = time.monotonic()
    found = inspect_mesh(make(), limits=LIMITS)
    assert problem in found.report.problems
    assert problem.sentence
    assert time.monotonic() - begin < LIMITS.wall_seconds
    assert inspect_mesh(cube()).report.problems == ()


def mutated(dice: random.Random) -> bytes:
    """A good file of some format, with some of its bytes changed, cut, doubled or exchanged."""
    content = bytearray(dice.choice(GOOD))
    for _ in range(dice.choice((1, 1, 2, 5, 20))):
        at, length = dice.randrange(len(content)), dice.randint(1, 40)
        match dice.randrange(5):
            case 0:
                content[at] = dice.randrange(256)
            case 1:
                del content[at : at + length]
            case 2:
                content[at:at] = content[at : at + length] * dice.choice((1, 50))
            case 3:
                content[at : at + length] = dice.randbytes(length)
            case 4:
                content[at : at + 4] = dice.choice((b"\xff" * 4, bytes(4), b"nan ", b"1e99", b"-1 -"))
        content = content or bytearray(b"x")
    return bytes(content)


def step() -> bytes:
    """The smallest file that a CAD program would write: nothing of a shape, everything of the form."""
    return STEP_HEAD + b"#1=CARTESIAN_POINT('',(0.,0.,0.));\n#2=DIRECTION('',(0.,0.,1.));\nENDSEC;\nEND-ISO-10303-21;\n"


GOOD = (
    cube(),
    str(trimesh.exchange.stl.export_stl_ascii(wedge())).encode(),
    obj(wedge()),
    threemf(wedge()),
    step(),
)


def hammer(count: int, seed: int) -> Counter[str]:
    """What became of so many mutated files; every sound answer must be a mesh that is sound when it is read again."""
    dice, outcomes = random.Random(seed), Counter[str]()  # noqa: S311 (a failure has to be repeatable)
    for _ in range(count):
        found = inspect_mesh(mutated(dice), limits=LIMITS)
        if not found.report.problems:
            again = check_mesh(found.mesh)
            assert again.problems == ()
            assert again.volume_mm3 == pytest.approx(found.report.volume_mm3, rel=1e-4)
        outcomes["sound" if not found.report.problems else found.report.problems[0].value] += 1
    return outcomes


def test_three_hundred_mutated_files() -> None:
    outcomes = hammer(300, seed=20)
    assert outcomes["sound"] > 10
    assert outcomes["damaged"] > 50
    assert outcomes["unreadable"] <= 3, outcomes  # whatever was not understood by the readers themselves


@pytest.mark.soak
def test_ten_thousand_mutated_files() -> None:
    outcomes = hammer(10_000, seed=2020)
    assert sum(outcomes.values()) == 10_000
    assert outcomes["unreadable"] <= 100, outcomes
