"""What people are told about their way in; and how a letter to one of them is written."""

from datetime import datetime

from sqlmodel import Session

from makerhub.errors import translatable
from makerhub.notices.letters import Letter, Post, letter
from makerhub.notices.service import tell
from makerhub.people.models import Person

SIGN_IN = letter(
    "sign_in",
    title=translatable("Link and code to sign in"),
    subject=translatable("Your link to sign in"),
    text=translatable(
        "Hello %(name)s,\n\n"
        "open this link to sign in:\n\n%(link)s\n\n"
        "Or type this code on the page where you asked for it:\n\n%(code)s\n\n"
        "Each works once, within an hour. If you did not ask for it, do nothing: without this mail nobody gets in. "
        "Never tell anybody the code: nobody of your hub will ask you for it.\n"
    ),
    secret=True,
)

WELCOME = letter(
    "welcome",
    title=translatable("Link and code for a new account"),
    subject=translatable("Your new account"),
    text=translatable(
        "Hello,\n\n"
        "somebody asked for an account on makerhub for this address: there protective equipment is asked for, made and "
        "brought to whoever needs it. Open this link to make it yours:\n\n%(link)s\n\n"
        "Or type this code on the page where you asked for it:\n\n%(code)s\n\n"
        "Each works once, within an hour. If it was not you, do nothing: without this mail nothing is made, and the "
        "address is forgotten.\n"
    ),
    secret=True,
)

INVITATION = letter(
    "invitation",
    title=translatable("Invitation"),
    subject=translatable("%(inviter)s invites you to %(organisation)s"),
    text=translatable(
        "Hello,\n\n"
        "%(inviter)s invites you to join %(organisation)s on makerhub, where protective equipment is asked for, made "
        "and brought to whoever needs it.\n\n"
        "Open this link to see what for, and to join:\n\n%(link)s\n\n"
        "It works once, within two weeks. If you do not know what this is about, do nothing.\n"
    ),
    secret=True,
)

FACTOR_GONE = letter(
    "second_factor_gone",
    title=translatable("Second factor taken away"),
    subject=translatable("You are asked for no figures at your next sign-in"),
    text=translatable(
        "Hello %(name)s,\n\n"
        "whoever looks after this service has taken your second factor away, so that you can come in without your "
        "phone. You are signed out everywhere. If your role needs a second factor, you set up a new one at your next "
        "sign-in:\n\n%(link)s\n\n"
        "Did you not ask for this? Then sign in at once, set it up anew, and tell them: somebody may have pretended to "
        "be you.\n"
    ),
)


def write(
    session: Session, what: Letter, person: Person, post: Post, now: datetime, *, link: str, **values: str | int
) -> None:
    """Write to somebody by name and in their language; `link` is a page of this installation."""
    filled = {"name": person.name, "link": post.pages + link, **values}
    tell(session, what, to=person.email, values=filled, language=person.language or post.language, now=now)
