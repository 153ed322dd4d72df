"""What can go wrong, as types: each error carries one clear, translatable message.

The message is a template in English with `%(name)s` places; pages and commands translate the template
and fill in the values. `translatable()` marks the templates for extraction and changes nothing.
"""

from collections.abc import Mapping


def translatable(text: str) -> str:
    """Mark `text` for the message catalogue; returns it unchanged."""
    return text


class MakerhubError(Exception):
    """The base of every error that a user may see."""

    template = translatable("Something went wrong.")

    def __init__(self, template: str | None = None, /, **values: object) -> None:
        self.template = template or type(self).template
        self.values = values
        super().__init__(self.template % values if values else self.template)


class NotFound(MakerhubError):
    """There is no such thing, or it is not the asker's to see."""

    template = translatable("We could not find what you asked for.")


class NotAllowed(MakerhubError):
    """The asker may see the thing and may not do this with it."""

    template = translatable("You are not allowed to do this.")


class Invalid(MakerhubError):
    """The input breaks a rule; `fields` maps a field's name to what is wrong with it."""

    template = translatable("Please check what you entered.")

    def __init__(
        self, template: str | None = None, /, *, fields: Mapping[str, str] | None = None, **values: object
    ) -> None:
        super().__init__(template, **values)
        self.fields = dict(fields or {})


class IllegalMove(MakerhubError):
    """The state machine has no such move."""

    template = translatable(
        "This can not be done now: it is “%(before)s”, and from there it can not become “%(after)s”."
    )


class MovedMeanwhile(MakerhubError):
    """Somebody else changed the state between reading and writing it."""

    template = translatable("Somebody else changed this in the meantime. Please look again.")
