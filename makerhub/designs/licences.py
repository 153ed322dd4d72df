"""What a design's licence lets a hub do with it (pure).

A hub makes pieces, gives them away, and offers the files to its makers; a mended mesh is an adaptation as well.
Licences are named by their SPDX identifiers (https://spdx.org/licenses). The permissions are those of their own texts:
Creative Commons' NC and ND elements, and that open-hardware licences permit all of it under their conditions.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from makerhub.errors import Invalid, translatable


class LicenceRefused(Invalid):
    """The licence forbids what the hub would do, or nobody here knows what it permits."""

    template = translatable("The licence “%(license)s” can not be accepted.")


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a licence permits besides making the object and passing it on for free with its source named."""

    money: bool = True
    adaptation: bool = True


@dataclass(frozen=True, slots=True)
class LicencePolicy:
    """What this hub does: whether it takes `money` for pieces, and which `further` licences its operator has read."""

    money: bool = False
    further: frozenset[str] = frozenset()


FREE = LicencePolicy()
"""A hub that gives away what it makes."""

_OPEN = re.compile(
    r"CERN-OHL-(1\.[12]|[PSW]-2\.0)"
    r"|CC0-1\.0|CC-BY(-SA)?-(2\.0|2\.5|3\.0|4\.0)"
    r"|TAPR-OHL-1\.0|SHL-(0\.5|0\.51|2\.0|2\.1)"
    r"|MIT|MIT-0|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|MPL-2\.0|Unlicense|EUPL-1\.2"
    r"|A?GPL-3\.0-(only|or-later)|L?GPL-(2\.1|3\.0)-(only|or-later)|GPL-2\.0-(only|or-later)"
)
_CREATIVE_COMMONS = re.compile(r"CC-BY(?P<nc>-NC)?(?P<nd>-ND|-SA)?-(2\.0|2\.5|3\.0|4\.0)")

FOR_YOURSELF_ONLY = translatable(
    "The licence “%(license)s” lets people print for themselves only, and a hub gives away what it prints. "
    "Ask the author for a licence such as CC-BY-SA-4.0, or choose another design."
)
NOT_FOR_MONEY = translatable(
    "The licence “%(license)s” forbids uses that are paid for, and this hub takes money for what it makes. "
    "Ask the author, or choose another design."
)
NOT_TO_BE_CHANGED = translatable(
    "The licence “%(license)s” forbids passing on a changed design, so its mesh can not be mended here. "
    "Ask the author for a mended file."
)
UNKNOWN = translatable(
    "We do not know the licence “%(license)s”. Give its identifier in the SPDX list, such as CERN-OHL-W-2.0, "
    "CC-BY-SA-4.0 or CC-BY-NC-4.0. Another one has to be read by the operator of the hub and added to the settings."
)
_FOR_YOURSELF = re.compile(
    r"(LicenseRef-)?(SDFL|SDL|Personal(-Use)?|Standard-Digital-File-License|All-Rights-Reserved|NONE)", re.I
)


def permissions_of(license_id: str, further: Iterable[str] = ()) -> Permissions:
    """What the licence with this SPDX identifier permits; raises `LicenceRefused` for an unknown or private one."""
    name = license_id.strip()
    if _OPEN.fullmatch(name) or name in further:
        return Permissions()
    commons = _CREATIVE_COMMONS.fullmatch(name)
    if commons:
        return Permissions(money=not commons["nc"], adaptation=commons["nd"] != "-ND")
    raise _refused(FOR_YOURSELF_ONLY if _FOR_YOURSELF.fullmatch(name) else UNKNOWN, name)


def require_permission(license_id: str, policy: LicencePolicy, *, adapted: bool = False) -> None:
    """Raise `LicenceRefused` where the hub may not make and pass on this design, `adapted` or as it is."""
    permissions = permissions_of(license_id, policy.further)
    if policy.money and not permissions.money:
        raise _refused(NOT_FOR_MONEY, license_id)
    if adapted and not permissions.adaptation:
        raise _refused(NOT_TO_BE_CHANGED, license_id)


def _refused(sentence: str, license_id: str) -> LicenceRefused:
    return LicenceRefused(sentence, fields={"license": sentence % {"license": license_id}}, license=license_id)
