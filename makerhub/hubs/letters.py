"""What people are told about their hub, and about one that they proposed."""

from collections.abc import Mapping

from makerhub.errors import translatable
from makerhub.hubs.models import HubState
from makerhub.notices.letters import Letter, letter

ACCEPTED = letter(
    "hub_accepted",
    title=translatable("A proposed hub is accepted"),
    subject=translatable("%(hub)s can begin"),
    text=translatable(
        "Hello %(name)s,\n\n"
        "the hub that you proposed, %(hub)s, is accepted. You are its first dispatcher.\n\n"
        "%(why)s\n\n"
        "Describe it, and invite others:\n\n%(link)s\n"
    ),
)

DECLINED = letter(
    "hub_declined",
    title=translatable("A proposed hub is declined"),
    subject=translatable("%(hub)s is not accepted"),
    text=translatable(
        "Hello %(name)s,\n\n"
        "the hub that you proposed, %(hub)s, is not accepted. The reason:\n\n"
        "%(why)s\n\n"
        "You can propose another one, or join a hub near you:\n\n%(link)s\n"
    ),
)

WOKEN = letter(
    "hub_woken",
    title=translatable("A hub wakes"),
    subject=translatable("%(hub)s is needed again"),
    text=translatable(
        "Hello %(name)s,\n\n"
        "%(hub)s takes requests again. The reason:\n\n"
        "%(why)s\n\n"
        "Printers that print by themselves may get jobs at once: look at yours, or pause them. If you do not want to "
        "take part any more, leave the hub on its page:\n\n%(link)s\n"
    ),
)

SLEEPING = letter(
    "hub_sleeping",
    title=translatable("A hub goes to sleep"),
    subject=translatable("%(hub)s takes no requests for now"),
    text=translatable(
        "Hello %(name)s,\n\n"
        "%(hub)s takes no new requests for now; what was accepted is still made and brought. The reason:\n\n"
        "%(why)s\n\n"
        "You stay with it, and hear when it is needed again. Its page:\n\n%(link)s\n"
    ),
)

CLOSED = letter(
    "hub_closed",
    title=translatable("A hub closes"),
    subject=translatable("%(hub)s has closed"),
    text=translatable(
        "Hello %(name)s,\n\n"
        "%(hub)s has closed. The reason:\n\n"
        "%(why)s\n\n"
        "Thank you for all that you made, brought and did. Its page leads on:\n\n%(link)s\n"
    ),
)

NEWS_OF: Mapping[HubState, Letter] = {
    HubState.ACTIVE: WOKEN,
    HubState.SLEEPING: SLEEPING,
    HubState.CLOSED: CLOSED,
}
"""What the people of a hub are told when it comes into a state."""
