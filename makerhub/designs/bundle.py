"""Flattening a slicer's vendor bundle: its presets inherit from several parents, its command line can not choose them.

A bundle is an ini file with sections like `[print:0.20mm QUALITY @MK3]` and `inherits = *0.20mm*; *MK3*`: parents are
applied from left to right, then the preset's own keys. The three presets of a print become one flat configuration.
"""

from collections.abc import Mapping
from configparser import Error, RawConfigParser
from functools import lru_cache
from pathlib import Path

from makerhub.designs.profiles import PrinterProfile, ProfileInvalid

_ABOUT_THE_PRESET = frozenset({"inherits", "renamed_from", "compatible_printers", "compatible_prints"})
_MAX_DEPTH = 20


def flatten(bundles: Path, profile: PrinterProfile, material: str) -> dict[str, str]:
    """The slicer's whole configuration for this printer and material; `bundles` is the folder of the vendor bundles.

    Raises `ProfileInvalid` when the bundle or a preset in it does not exist; `material` must be one of the profile's.
    """
    presets = profile.presets
    file = bundles / f"{presets.bundle}.ini"
    settings: dict[str, str] = {}
    try:
        for section in (
            f"printer:{presets.printer}",
            f"print:{presets.print}",
            f"filament:{presets.filaments[material]}",
        ):
            settings |= _inherited(_sections(file), section)
    except (OSError, Error, LookupError, RecursionError) as error:
        raise ProfileInvalid(file=profile.key, problem=f"{file.name}: {error}") from error
    return {**settings, **presets.overrides}


def as_ini(settings: Mapping[str, str]) -> str:
    """The text that `--load` reads."""
    return "".join(f"{name} = {value}\n" for name, value in sorted(settings.items()))


@lru_cache(maxsize=8)
def _sections(file: Path) -> RawConfigParser:
    parser = RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",), empty_lines_in_values=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # the slicer tells upper from lower case
    with file.open(encoding="utf-8") as lines:
        parser.read_file(lines)
    return parser


def _inherited(bundle: RawConfigParser, section: str, depth: int = 0) -> dict[str, str]:
    """The keys of a section with those of its parents, without the keys that describe the preset itself."""
    if depth > _MAX_DEPTH:
        raise RecursionError(f"{section} inherits from itself")
    own = dict(bundle.items(section))
    kind = section.partition(":")[0]
    settings: dict[str, str] = {}
    for parent in filter(None, (name.strip() for name in own.get("inherits", "").split(";"))):
        settings |= _inherited(bundle, f"{kind}:{parent}", depth + 1)
    settings |= {name: value for name, value in own.items() if not _describes_the_preset(name)}
    return settings


def _describes_the_preset(name: str) -> bool:
    return name in _ABOUT_THE_PRESET or name.startswith("compatible_")
