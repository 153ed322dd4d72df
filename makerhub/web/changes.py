"""Two versions of a design side by side, as pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from babel.numbers import format_decimal
from flask_babel import gettext  # type: ignore[import-untyped]
from sqlmodel import Session

from makerhub.designs.differences import Difference, PartPair, Topic, changed_lines, differences, part_pairs
from makerhub.designs.models import DesignVersion
from makerhub.designs.versions import facts_of
from makerhub.errors import translatable
from makerhub.web.catalogue import pictures_of
from makerhub.web.viewer import viewer_locale

TITLES = {
    Topic.PARTS: translatable("Parts"),
    Topic.PRINTING: translatable("How it is printed"),
    Topic.COMPONENTS: translatable("What is bought"),
    Topic.KITS: translatable("Kits"),
    Topic.LICENCE: translatable("Licence and source"),
    Topic.TEXTS: translatable("Texts"),
}
LONGEST_TEXT = 200
"""Lines of the notes that are shown; what is more has to be read in the notes themselves."""


@dataclass(frozen=True)
class Comparison:
    """What changed from one version to another: sentences by topic, figures by part, and lines of the notes."""

    before: DesignVersion
    after: DesignVersion
    pictures: tuple[str, str]
    topics: Sequence[tuple[str, Sequence[str]]]
    parts: Sequence[PartPair]
    new_lines: Sequence[str]
    gone_lines: Sequence[str]

    @property
    def count(self) -> int:
        """How many things changed."""
        return sum(len(sentences) for _, sentences in self.topics)


def compare(session: Session, before: DesignVersion, after: DesignVersion) -> Comparison:
    """Everything that changed from `before` to `after`, in the viewer's language."""
    old, new = facts_of(session, before), facts_of(session, after)
    pictures = pictures_of(session, [before, after])
    new_lines, gone_lines = changed_lines(old.readme, new.readme)
    return Comparison(
        before,
        after,
        (pictures.get(before.id, ""), pictures.get(after.id, "")),
        [
            (gettext(TITLES[topic]), [_sentence(difference) for difference in found])
            for topic, found in groupby(differences(old, new), lambda difference: difference.topic)
        ],
        [pair for pair in part_pairs(old, new) if pair.is_of_other_shape],
        new_lines[:LONGEST_TEXT],
        gone_lines[:LONGEST_TEXT],
    )


def _sentence(difference: Difference) -> str:
    values = {
        name: value if isinstance(value, str) else format_decimal(value, locale=viewer_locale())
        for name, value in difference.values.items()
    }
    text: str = gettext(difference.template)
    return text % values
