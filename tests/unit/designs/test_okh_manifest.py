import json
import re
from pathlib import Path

import pytest

from makerhub.designs.manifest import ManifestInvalid, PrintSettings, parse_manifest, read_manifest

ROOT = Path(__file__).parents[3]

GOOD = """
okhv = "OKH-LOSHv1.0"
name = "Hook"
repo = "https://example.org/hook"
version = "1.2.0"
license = "CC-BY-SA-4.0"
licensor = "Somebody"
function = "Holds things."
readme = "README.md"
user-manual = "README.md#use"

[[part]]
name = "Hook"
source = "source.py"
export = "hook.stl"
printing-process = "FDM"
material = "PETG"
other-materials = ["PLA"]
quantity = 2

[part.print]
layer-height-um = 300
perimeters = 3

[[component]]
name = "Screw"
quantity = 4
"""


def test_reads_parts_components_and_settings() -> None:
    manifest = parse_manifest(GOOD, key="hook")
    assert (manifest.key, manifest.version, manifest.use) == ("hook", "1.2.0", "README.md#use")
    assert manifest.assembly == "README.md"
    (part,) = manifest.parts
    assert (part.materials, part.quantity) == (("PETG", "PLA"), 2)
    assert part.settings == PrintSettings(layer_height_um=300, infill_percent=15, perimeters=3)
    (component,) = manifest.components
    assert (component.name, component.quantity, component.unit) == ("Screw", 4, "piece")


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ('name = "Hook"\nrepo', "repo", "name"),
        ('version = "1.2.0"', 'version = "newest"', "version"),
        ('license = "CC-BY-SA-4.0"', 'license = "free for all"', "license"),
        ('repo = "https://', 'repo = "javascript://', "repo"),
        ("quantity = 2", "quantity = 0", "part[0].quantity"),
        ("quantity = 4", "quantity = 1.5", "component[0].quantity"),
        ("layer-height-um = 300", "layer-height-um = 0.3", "part[0].print.layer-height-um"),
        ('source = "source.py"', 'source = "../../etc/passwd"', "part[0].source"),
        ('export = "hook.stl"', 'export = "/hook.stl"', "part[0].export"),
        ('export = "hook.stl"', "export = 'a\\..\\b.stl'", "part[0].export"),
        ('licensor = "Somebody"', 'licensor = "Somebody"\nlicence = "typo"', "licence"),
        ("[[component]]", '[[component]]\nname = "Screw"\nquantity = 1\n[[component]]', "component"),
        ("okhv =", "okhv ==", "TOML"),
    ],
)
def test_names_the_file_and_the_field_that_is_wrong(before: str, after: str, field: str) -> None:
    assert before in GOOD
    with pytest.raises(ManifestInvalid) as refusal:
        parse_manifest(GOOD.replace(before, after, 1), key="hook")
    assert str(refusal.value).startswith("hook/okh.toml: ")
    assert field in str(refusal.value)


def test_takes_designs_of_others_without_source_or_notes_and_with_further_fields() -> None:
    text = GOOD.replace('readme = "README.md"\nuser-manual = "README.md#use"', "technology-readiness-level = 4")
    manifest = parse_manifest(text.replace('source = "source.py"', 'mass = "12 g"'), key="hook")
    assert (manifest.readme, manifest.assembly, manifest.parts[0].source) == ("", "", "")


KITS = (
    GOOD.replace("quantity = 2\n", "").replace("quantity = 4\n", "")
    + """
[[kit]]
name = "Small"
fits = "Doors up to 30 mm"
parts = { "Hook" = 1 }
components = { "Screw" = 2 }

[[kit]]
name = "Large"
parts = { "Hook" = 2 }
"""
)


def test_without_kits_a_design_is_one_kit_of_all_that_it_has() -> None:
    (kit,) = parse_manifest(GOOD, key="hook").kits
    assert (kit.name, kit.parts, kit.components) == ("Hook", (("Hook", 2),), (("Screw", 4),))


def test_reads_kits_with_their_quantities() -> None:
    small, large = parse_manifest(KITS, key="hook").kits
    assert (small.name, small.fits, small.parts, small.components) == (
        "Small",
        "Doors up to 30 mm",
        (("Hook", 1),),
        (("Screw", 2),),
    )
    assert (large.fits, large.parts, large.components) == ("", (("Hook", 2),), ())


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('{ "Hook" = 2 }', '{ "Hock" = 2 }', "kit.parts: there is no part “Hock”"),
        ('components = { "Screw" = 2 }', "", "kit.components: “Screw” is in no kit"),
        ('{ "Hook" = 1 }', '{ "Hook" = 0 }', "kit[0].parts.Hook"),
        ('parts = { "Hook" = 1 }', "", "kit[0]"),
        ('name = "Large"', 'name = "Small"', "kit: two have the same name"),
        ('material = "PETG"', 'material = "PETG"\nquantity = 2', "part[0].quantity: the kits say how many"),
    ],
)
def test_a_kit_that_makes_no_sense_is_refused(before: str, after: str, problem: str) -> None:
    assert before in KITS
    with pytest.raises(ManifestInvalid) as refusal:
        parse_manifest(KITS.replace(before, after, 1), key="hook")
    assert problem in str(refusal.value)


def test_a_component_without_kits_says_how_many() -> None:
    with pytest.raises(ManifestInvalid, match=r"component\[0\]\.quantity: say how many"):
        parse_manifest(GOOD.replace("quantity = 4\n", ""), key="hook")


def test_a_file_that_the_manifest_names_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "okh.toml").write_text(GOOD)
    for name in ("README.md", "source.py"):
        (tmp_path / name).touch()
    assert read_manifest(tmp_path, built=False).name == "Hook"
    with pytest.raises(ManifestInvalid, match=r"part\[0\]\.export: there is no file “hook\.stl”"):
        read_manifest(tmp_path)


def test_a_folder_without_manifest_says_so(tmp_path: Path) -> None:
    with pytest.raises(ManifestInvalid, match="there is no such file"):
        read_manifest(tmp_path)


def test_the_manifest_in_the_documentation_is_one() -> None:
    page = (ROOT / "docs/designing.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert parse_manifest(example, key="door-opener").parts[0].export == "arm.stl"
    named = set(re.findall(r"`([a-z-]+)`", page)) | set(re.findall(r"`([a-z-]+) = ", page))
    fields = json.loads((ROOT / "makerhub/designs/okh.schema.json").read_text(encoding="utf-8"))["$defs"]
    assert fields["print"]["properties"].keys() <= named
    assert {"other-materials", "quantity", "bodies"} <= named & fields["part"]["properties"].keys()
