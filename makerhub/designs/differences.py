"""What changed between two versions of a design (pure): sentences for people to read, and the figures of each part.

Sentences are templates to be translated, with their values beside them. Lengths in mm, volumes in mm³.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from makerhub.designs.manifest import PrintSettings
from makerhub.errors import translatable

Value = str | int | float


class Topic(StrEnum):
    """What a difference is about, in the order in which differences are told."""

    PARTS = "parts"
    PRINTING = "printing"
    COMPONENTS = "components"
    KITS = "kits"
    LICENCE = "licence"
    TEXTS = "texts"


@dataclass(frozen=True)
class PartFacts:
    """A printed part; `faces` and `grams` (of one piece) where they are known."""

    name: str
    mesh_sha256: str
    materials: tuple[str, ...]
    settings: Mapping[str, Value]
    size_mm: tuple[float, float, float]
    volume_mm3: float
    faces: int | None = None
    grams: float | None = None
    picture_sha256: str = ""


@dataclass(frozen=True)
class ComponentFacts:
    """Something bought, counted in `unit`."""

    name: str
    unit: str
    note: str = ""


@dataclass(frozen=True)
class KitFacts:
    """How many of which parts and components go into a kit, by their names."""

    name: str
    fits: str = ""
    parts: Mapping[str, int] = field(default_factory=dict)
    components: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class VersionFacts:
    """All of a version that can differ from another one."""

    name: str
    function: str
    license: str
    licensor: str
    repo: str
    readme: str
    parts: tuple[PartFacts, ...] = ()
    components: tuple[ComponentFacts, ...] = ()
    kits: tuple[KitFacts, ...] = ()


@dataclass(frozen=True)
class Difference:
    """One thing that changed: a sentence, as a template and the values of its places."""

    topic: Topic
    template: str
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """One measure of a part in both versions; None where there is no such part, or it is not known."""

    name: str
    unit: str
    before: float | None
    after: float | None

    @property
    def percent(self) -> float | None:
        """How much more it is, of what it was; None where that can't be said."""
        if self.before is None or self.after is None or not self.before:
            return None
        return 100 * (self.after - self.before) / self.before


@dataclass(frozen=True)
class PartPair:
    """A part in the one version and in the other; None where it is not there."""

    before: PartFacts | None
    after: PartFacts | None

    @property
    def name(self) -> str:
        """What it is called, by its newer name if it has two."""
        part = self.after or self.before
        return part.name if part else ""

    @property
    def is_of_other_shape(self) -> bool:
        """Whether the mesh is another one, or is there in one version only."""
        return self.before is None or self.after is None or self.before.mesh_sha256 != self.after.mesh_sha256

    @property
    def figures(self) -> list[Figure]:
        """Its measures in both versions, as far as they are known in one of them."""
        every = [
            Figure(name, unit, _of(self.before, number), _of(self.after, number))
            for number, (name, unit) in enumerate(_FIGURES)
        ]
        return [figure for figure in every if (figure.before, figure.after) != (None, None)]


_FIGURES = (
    (translatable("Volume"), "cm³"),
    (translatable("Width"), "mm"),
    (translatable("Depth"), "mm"),
    (translatable("Height"), "mm"),
    (translatable("Weight"), "g"),
    (translatable("Faces"), ""),
)

_PRINTED_WITH = {
    "layer_height_um": translatable("“%(part)s” is printed in layers of %(after)s µm instead of %(before)s µm."),
    "infill_percent": translatable("“%(part)s” is filled to %(after)s percent instead of %(before)s."),
    "perimeters": translatable("The walls of “%(part)s” are %(after)s lines thick instead of %(before)s."),
    "brim_mm": translatable("“%(part)s” is printed with a brim of %(after)s mm instead of %(before)s mm."),
}
_SUPPORTS = {
    True: translatable("“%(part)s” is printed with supports now."),
    False: translatable("“%(part)s” is printed without supports now."),
}
_OTHER_SETTING = translatable("The print setting “%(setting)s” of “%(part)s” is %(after)s instead of %(before)s.")

_ABOUT_VERSION = (
    ("license", Topic.LICENCE, translatable("The licence is %(after)s instead of %(before)s.")),
    ("licensor", Topic.LICENCE, translatable("The licensor is %(after)s instead of %(before)s.")),
    ("repo", Topic.LICENCE, translatable("The source is at %(after)s instead of %(before)s.")),
    ("name", Topic.TEXTS, translatable("The design is called “%(after)s” instead of “%(before)s”.")),
    ("function", Topic.TEXTS, translatable("Its purpose read “%(before)s” and reads “%(after)s” now.")),
)


def differences(before: VersionFacts, after: VersionFacts) -> list[Difference]:
    """Everything that changed from `before` to `after`, by topic; empty when nothing did."""
    pairs = part_pairs(before, after)
    found = [
        *(difference for pair in pairs for difference in _of_part(pair)),
        *_of_components(before, after),
        *_of_kits(before, after, pairs),
        *_of_version(before, after),
    ]
    return sorted(found, key=lambda difference: list(Topic).index(difference.topic))


def part_pairs(before: VersionFacts, after: VersionFacts) -> list[PartPair]:
    """The parts of both versions, those of one name together; a part of the same shape may have another name."""
    old = {part.name: part for part in before.parts}
    new = {part.name: part for part in after.parts}
    gone = {part.mesh_sha256: part for part in before.parts if part.name not in new}
    pairs = []
    for part in after.parts:
        earlier = old.get(part.name) or gone.pop(part.mesh_sha256, None)
        pairs.append(PartPair(earlier, part))
    matched = {pair.before.name for pair in pairs if pair.before is not None}
    return pairs + [PartPair(part, None) for part in before.parts if part.name not in matched]


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines of `after` that are new, and those of `before` that are gone; blank ones don't count.

    Linear in the length of the texts, which anybody may have written: a line that only moved is not told.
    """
    old, new = (Counter(line.strip() for line in text.splitlines() if line.strip()) for text in (before, after))
    return list((new - old).elements()), list((old - new).elements())


def _of(part: PartFacts | None, number: int) -> float | None:
    if part is None:
        return None
    measures = (part.volume_mm3 / 1000, *part.size_mm, part.grams, part.faces)
    measure = measures[number]
    return None if measure is None else round(measure, 1)


def _of_part(pair: PartPair) -> Iterator[Difference]:
    before, after = pair.before, pair.after
    if before is None or after is None:
        template = translatable("“%(part)s” is new.") if before is None else translatable("“%(part)s” is gone.")
        yield Difference(Topic.PARTS, template, {"part": pair.name})
        return
    if before.name != after.name:
        called = translatable("“%(before)s” is called “%(part)s” now.")
        yield Difference(Topic.PARTS, called, {"part": after.name, "before": before.name})
    if pair.is_of_other_shape:
        yield Difference(Topic.PARTS, translatable("“%(part)s” has another shape."), {"part": after.name})
    yield from _of_materials(before, after)
    yield from _of_settings(before, after)


def _of_materials(before: PartFacts, after: PartFacts) -> Iterator[Difference]:
    for material in after.materials:
        if material not in before.materials:
            template = translatable("“%(part)s” may be printed of %(material)s now.")
            yield Difference(Topic.PRINTING, template, {"part": after.name, "material": material})
    for material in before.materials:
        if material not in after.materials:
            template = translatable("“%(part)s” may be printed of %(material)s no more.")
            yield Difference(Topic.PRINTING, template, {"part": after.name, "material": material})


def _of_settings(before: PartFacts, after: PartFacts) -> Iterator[Difference]:
    """One sentence for each setting; a part that does not name one is printed with the default."""
    old, new = (_settings_of(part) for part in (before, after))
    for name in dict.fromkeys((*old, *new)):
        was, becomes = old.get(name, "–"), new.get(name, "–")
        if was == becomes:
            continue
        if name == "supports":
            yield Difference(Topic.PRINTING, _SUPPORTS[bool(becomes)], {"part": after.name})
            continue
        values = {"part": after.name, "setting": name, "before": was, "after": becomes}
        yield Difference(Topic.PRINTING, _PRINTED_WITH.get(name, _OTHER_SETTING), values)


def _settings_of(part: PartFacts) -> dict[str, Value]:
    return {**asdict(PrintSettings()), **part.settings}


def _of_components(before: VersionFacts, after: VersionFacts) -> Iterator[Difference]:
    old = {component.name: component for component in before.components}
    new = {component.name: component for component in after.components}
    for name in [name for name in new if name not in old]:
        yield Difference(Topic.COMPONENTS, translatable("“%(thing)s” has to be bought, too."), {"thing": name})
    for name in [name for name in old if name not in new]:
        yield Difference(Topic.COMPONENTS, translatable("“%(thing)s” is not needed any more."), {"thing": name})
    for name in [name for name in new if name in old]:
        if old[name].unit != new[name].unit:
            template = translatable("“%(thing)s” is counted in %(after)s instead of %(before)s.")
            values = {"thing": name, "before": old[name].unit, "after": new[name].unit}
            yield Difference(Topic.COMPONENTS, template, values)
        if old[name].note != new[name].note:
            template = translatable("The note on “%(thing)s” reads “%(after)s” instead of “%(before)s”.")
            values = {"thing": name, "before": old[name].note, "after": new[name].note}
            yield Difference(Topic.COMPONENTS, template, values)


def _of_kits(before: VersionFacts, after: VersionFacts, pairs: Sequence[PartPair]) -> Iterator[Difference]:
    new_names = {pair.before.name: pair.name for pair in pairs if pair.before and pair.after}
    old = {kit.name: kit for kit in before.kits}
    new = {kit.name: kit for kit in after.kits}
    if len(old) == len(new) == 1:
        [was], [becomes] = before.kits, after.kits
        if was.name != becomes.name and (was.name, becomes.name) != (before.name, after.name):
            template = translatable("The kit “%(before)s” is called “%(kit)s” now.")
            yield Difference(Topic.KITS, template, {"kit": becomes.name, "before": was.name})
        yield from _of_kit(was, becomes, new_names)
        return
    for name in [name for name in new if name not in old]:
        yield Difference(Topic.KITS, translatable("The kit “%(kit)s” is new."), {"kit": name})
    for name in [name for name in old if name not in new]:
        yield Difference(Topic.KITS, translatable("The kit “%(kit)s” is gone."), {"kit": name})
    for name in [name for name in new if name in old]:
        yield from _of_kit(old[name], new[name], new_names)


def _of_kit(before: KitFacts, after: KitFacts, new_names: Mapping[str, str]) -> Iterator[Difference]:
    if before.fits != after.fits:
        template = translatable("The kit “%(kit)s” fits “%(after)s” instead of “%(before)s”.")
        yield Difference(Topic.KITS, template, {"kit": after.name, "before": before.fits, "after": after.fits})
    parts = {new_names.get(name, name): count for name, count in before.parts.items()}
    yield from _of_quantities(after.name, parts, after.parts)
    yield from _of_quantities(after.name, before.components, after.components)


def _of_quantities(kit: str, before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[Difference]:
    template = translatable("The kit “%(kit)s” holds %(after)s × “%(thing)s” instead of %(before)s.")
    for thing in dict.fromkeys((*after, *before)):
        was, becomes = before.get(thing, 0), after.get(thing, 0)
        if was != becomes:
            yield Difference(Topic.KITS, template, {"kit": kit, "thing": thing, "before": was, "after": becomes})


def _of_version(before: VersionFacts, after: VersionFacts) -> Iterator[Difference]:
    for name, topic, template in _ABOUT_VERSION:
        was, becomes = getattr(before, name), getattr(after, name)
        if was != becomes:
            yield Difference(topic, template, {"before": was or "–", "after": becomes or "–"})
    if before.readme != after.readme:
        new, gone = changed_lines(before.readme, after.readme)
        template = translatable("The notes have changed. Lines that are new: %(new)s, that are gone: %(gone)s.")
        yield Difference(Topic.TEXTS, template, {"new": len(new), "gone": len(gone)})
