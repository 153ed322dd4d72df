"""What people are told when they are kept out of a hub, and when that ends."""

from makerhub.errors import translatable
from makerhub.notices.letters import letter

BLOCKED = letter(
    "blocked_at_hub",
    title=translatable("Blocked at a hub"),
    subject=translatable("You are blocked at %(hub)s"),
    text=translatable(
        "Hello %(name)s,\n\n"
        "the people of %(hub)s have blocked you there:\n\n%(why)s\n\n"
        "Until when, and whom to turn to if you think that this is wrong, stands on your start page:\n\n%(link)s\n"
    ),
)

LIFTED = letter(
    "block_lifted",
    title=translatable("Block at a hub lifted"),
    subject=translatable("You can work with %(hub)s again"),
    text=translatable(
        "Hello %(name)s,\n\n"
        "you are no longer blocked at %(hub)s. What you had asked for goes on; what you were to print or fetch was "
        "given to others.\n\n%(link)s\n"
    ),
)
