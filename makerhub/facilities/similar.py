"""How alike the names of two facilities are (pure): it is offered, and a person decides."""

import re
from difflib import SequenceMatcher

from makerhub.places.names import key_of

ALIKE = 0.6
"""From here on two names at one postcode are offered as the same: “St Annes Hosp.” and “Saint Anne's Hospital” are."""

SAYS_LITTLE = re.compile(
    r"\b(the|nhs|foundation|trust|hospitals?|hosp|care|nursing|residential|home|house|ltd|limited|klinikum|klinik|"
    r"krankenhaus|pflegeheim|seniorenheim|hopital|hôpital|residencia)\b\.?",
    re.IGNORECASE,
)
SPELT_OUT = ((re.compile(r"\b(saint|sankt|st)\b\.?", re.IGNORECASE), "st"), (re.compile(r"&"), " and "))


def likeness(one: str, other: str) -> float:
    """From 0, nothing in common, to 1 for names that are the same but for what says little."""
    bare, other_bare = _bare(one), _bare(other)
    return SequenceMatcher(None, bare, other_bare, autojunk=False).ratio() if bare and other_bare else 0.0


def _bare(name: str) -> str:
    for pattern, spelt in SPELT_OUT:
        name = pattern.sub(spelt, name)
    return key_of(SAYS_LITTLE.sub("", name)) or key_of(name)
