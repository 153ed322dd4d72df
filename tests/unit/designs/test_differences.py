"""What changed between two versions, told in sentences: each kind of change, and nothing where nothing changed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makerhub.designs.differences import (
    ComponentFacts,
    KitFacts,
    PartFacts,
    Topic,
    VersionFacts,
    changed_lines,
    differences,
    part_pairs,
)

BAND = PartFacts("Band", "a" * 64, ("PETG",), {"infill_percent": 15}, (100.0, 80.0, 20.0), 30_000.0, 1200, 25.0)
CLIP = PartFacts("Clip", "b" * 64, ("PETG", "PLA"), {}, (20.0, 10.0, 5.0), 900.0)
ELASTIC = ComponentFacts("Elastic", "mm", "20 mm wide")
SHIELD = VersionFacts(
    name="Shield",
    function="Keeps droplets away.",
    license="CC-BY-4.0",
    licensor="Somebody",
    repo="https://example.org",
    readme="# Shield\n\nWash it.\n",
    parts=(BAND, CLIP),
    components=(ELASTIC,),
    kits=(KitFacts("Shield", "", {"Band": 1, "Clip": 2}, {"Elastic": 300}),),
)


def told(before: VersionFacts, after: VersionFacts) -> list[str]:
    return [difference.template % difference.values for difference in differences(before, after)]


def with_part(part: PartFacts, **changes: Any) -> VersionFacts:
    changed = replace(part, **changes)
    return replace(SHIELD, parts=tuple(changed if one is part else one for one in SHIELD.parts))


def with_kits(*kits: KitFacts) -> VersionFacts:
    return replace(SHIELD, kits=kits)


def test_of_the_same_nothing_is_told() -> None:
    assert differences(SHIELD, SHIELD) == []


@pytest.mark.parametrize(
    ("after", "sentence", "topic"),
    [
        (with_part(BAND, mesh_sha256="c" * 64), "“Band” has another shape.", Topic.PARTS),
        (
            with_part(BAND, settings={"infill_percent": 20}),
            "“Band” is filled to 20 percent instead of 15.",
            Topic.PRINTING,
        ),
        (with_part(CLIP, settings={"supports": True}), "“Clip” is printed with supports now.", Topic.PRINTING),
        (
            with_part(CLIP, settings={"perimeters": 3}),
            "The walls of “Clip” are 3 lines thick instead of 2.",
            Topic.PRINTING,
        ),
        (
            with_part(CLIP, settings={"seam": "rear"}),
            "The print setting “seam” of “Clip” is rear instead of –.",
            Topic.PRINTING,
        ),
        (with_part(CLIP, materials=("PETG",)), "“Clip” may be printed of PLA no more.", Topic.PRINTING),
        (with_part(BAND, materials=("PETG", "ABS")), "“Band” may be printed of ABS now.", Topic.PRINTING),
        (
            replace(SHIELD, components=(replace(ELASTIC, unit="cm"),)),
            "“Elastic” is counted in cm instead of mm.",
            Topic.COMPONENTS,
        ),
        (
            replace(SHIELD, components=(replace(ELASTIC, note="Flat"),)),
            "The note on “Elastic” reads “Flat” instead of “20 mm wide”.",
            Topic.COMPONENTS,
        ),
        (
            with_kits(replace(SHIELD.kits[0], parts={"Band": 1, "Clip": 4})),
            "The kit “Shield” holds 4 × “Clip” instead of 2.",
            Topic.KITS,
        ),
        (
            with_kits(replace(SHIELD.kits[0], components={})),
            "The kit “Shield” holds 0 × “Elastic” instead of 300.",
            Topic.KITS,
        ),
        (with_kits(replace(SHIELD.kits[0], name="Small")), "The kit “Shield” is called “Small” now.", Topic.KITS),
        (
            with_kits(*SHIELD.kits, KitFacts("Large", "", {"Band": 1})),
            "The kit “Large” is new.",
            Topic.KITS,
        ),
        (replace(SHIELD, license="CC0-1.0"), "The licence is CC0-1.0 instead of CC-BY-4.0.", Topic.LICENCE),
        (replace(SHIELD, repo=""), "The source is at – instead of https://example.org.", Topic.LICENCE),
        (
            replace(SHIELD, readme="# Shield\n\nBoil it.\nDry it.\n"),
            "The notes have changed. Lines that are new: 2, that are gone: 1.",
            Topic.TEXTS,
        ),
    ],
)
def test_each_change_is_one_sentence(after: VersionFacts, sentence: str, topic: Topic) -> None:
    assert told(SHIELD, after) == [sentence]
    assert differences(SHIELD, after)[0].topic is topic


def test_a_part_that_comes_or_goes_is_told_with_the_kit_that_holds_it() -> None:
    without = replace(SHIELD, parts=(BAND,), kits=(replace(SHIELD.kits[0], parts={"Band": 1}),), components=(ELASTIC,))
    assert told(without, SHIELD) == ["“Clip” is new.", "The kit “Shield” holds 2 × “Clip” instead of 0."]
    assert told(SHIELD, without) == ["“Clip” is gone.", "The kit “Shield” holds 0 × “Clip” instead of 2."]


def test_a_part_of_the_same_shape_has_only_another_name_also_in_its_kit() -> None:
    kit = replace(SHIELD.kits[0], parts={"Head band": 1, "Clip": 2})
    renamed = replace(with_part(BAND, name="Head band"), kits=(kit,))
    assert told(SHIELD, renamed) == ["“Band” is called “Head band” now."]


def test_a_component_that_comes_or_goes_is_told() -> None:
    without = replace(SHIELD, components=())
    assert told(without, SHIELD) == ["“Elastic” has to be bought, too."]
    assert told(SHIELD, without) == ["“Elastic” is not needed any more."]


def test_a_design_of_another_name_has_a_kit_of_that_name_and_that_is_no_other_kit() -> None:
    renamed = replace(SHIELD, name="Visor", kits=(replace(SHIELD.kits[0], name="Visor"),))
    assert told(SHIELD, renamed) == ["The design is called “Visor” instead of “Shield”."]


def test_figures_stand_side_by_side_as_far_as_they_are_known() -> None:
    after = with_part(BAND, mesh_sha256="c" * 64, volume_mm3=33_000.0, size_mm=(100.0, 82.04, 20.0), faces=None)
    band, clip = part_pairs(SHIELD, after)
    assert band.is_of_other_shape
    assert not clip.is_of_other_shape
    figures: Mapping[str, Any] = {figure.name: figure for figure in band.figures}
    assert (figures["Volume"].before, figures["Volume"].after, figures["Volume"].percent) == (30.0, 33.0, 10.0)
    assert (figures["Depth"].before, figures["Depth"].after) == (80.0, 82.0)
    assert (figures["Faces"].before, figures["Faces"].after, figures["Faces"].percent) == (1200, None, None)
    assert "Faces" not in {figure.name for figure in clip.figures}


def test_lines_that_only_moved_are_not_told() -> None:
    assert changed_lines("a\n\nb\nb\n", "b\na\nc\n") == (["c"], ["b"])


TEXT = st.sampled_from(["", "a", "b", "ä\nb"])
PARTS = st.builds(
    PartFacts,
    name=st.sampled_from(["Band", "Clip", "Hook"]),
    mesh_sha256=st.sampled_from(["a", "b"]),
    materials=st.sampled_from([("PETG",), ("PLA", "PETG")]),
    settings=st.dictionaries(st.sampled_from(["supports", "brim_mm"]), st.integers(0, 1)),
    size_mm=st.just((1.0, 2.0, 3.0)),
    volume_mm3=st.sampled_from([0.0, 5.0]),
)
KITS = st.builds(KitFacts, name=st.sampled_from(["S", "M"]), fits=TEXT, parts=st.just({"Band": 1}))
VERSIONS = st.builds(
    VersionFacts,
    name=TEXT,
    function=TEXT,
    license=TEXT,
    licensor=TEXT,
    repo=TEXT,
    readme=TEXT,
    parts=st.lists(PARTS, unique_by=lambda part: part.name, max_size=3).map(tuple),
    components=st.just(()),
    kits=st.lists(KITS, unique_by=lambda kit: kit.name, max_size=2).map(tuple),
)


@given(VERSIONS, VERSIONS)
def test_every_sentence_has_all_its_values_and_no_part_is_lost(before: VersionFacts, after: VersionFacts) -> None:
    assert all(told(before, after))
    pairs = part_pairs(before, after)
    assert sorted(pair.before.name for pair in pairs if pair.before) == sorted(part.name for part in before.parts)
    assert [pair.after for pair in pairs if pair.after] == list(after.parts)
    assert all(figure.name for pair in pairs for figure in pair.figures)


@given(VERSIONS)
def test_a_version_never_differs_from_itself(version: VersionFacts) -> None:
    assert differences(version, version) == []
