"""Names and postcodes as people type them, brought to one form by which they are found (pure).

“kt1 2ee”, “KT12EE” and “Kt1-2ee” are one key, and so are “München”, “Muenchen” and “munchen”: an umlaut, its two
letters and its bare vowel fall together. That also joins a few names that differ: one more choice on a page, no more.
"""

import re
import unicodedata

LONGEST_KEY = 64

_SPELT = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "oe", "ł": "l", "đ": "d", "þ": "th", "ı": "i"})
_VOWEL_AND_E = re.compile("([aou])e")
_DISTRICT = "[A-Z]{1,2}[0-9][A-Z0-9]?"
_BRITISH = re.compile(f"({_DISTRICT}) ?([0-9][A-Z]{{2}})")
_BRITISH_PART = re.compile(f"({_DISTRICT})(?: ([0-9][A-Z]?))?")


def key_of(text: str) -> str:
    """Letters and digits alone, without case, accents and umlauts; at most 64 of them."""
    folded = text.casefold()
    if not folded.isascii():
        spelt = unicodedata.normalize("NFKD", folded.translate(_SPELT))
        folded = "".join(character for character in spelt if not unicodedata.combining(character))
    return _VOWEL_AND_E.sub(r"\1", "".join(filter(str.isalnum, folded)))[:LONGEST_KEY]


def postcode_key(text: str) -> str:
    """The same for postcodes, in which no letter stands for another."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))[:LONGEST_KEY]


def tidy_postcode(text: str) -> str:
    """A postcode as it is written: in capitals, blanks made one, and a British one with its blank in place."""
    tidy = " ".join(unicodedata.normalize("NFKC", text).upper().split())
    british = _BRITISH.fullmatch(tidy.replace(" ", ""))
    return f"{british[1]} {british[2]}" if british else tidy


def british_district(text: str) -> str:
    """The outward code, such as “KT1” of “KT1 2EE” or of “KT1 2”; empty for what is no part of a British postcode."""
    tidy = tidy_postcode(text)
    found = _BRITISH.fullmatch(tidy) or _BRITISH_PART.fullmatch(tidy)
    return found[1] if found else ""


def written_prefix(text: str) -> str:
    """How the postcodes begin that belong to a part of one: “KT1 ” for “kt1”, so that KT12 and its like do not."""
    tidy = tidy_postcode(text)
    return f"{tidy} " if tidy and tidy == british_district(tidy) else tidy
