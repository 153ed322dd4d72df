"""`makerhub people reset-second-factor`: for somebody whose phone is gone, and the codes on paper with it."""

import click
from sqlmodel import Session

from makerhub.app import utc_now
from makerhub.cli.base import console, with_database
from makerhub.config import Settings
from makerhub.notices.letters import Post
from makerhub.people import second_factor
from makerhub.people.models import Person
from makerhub.people.service import find_by_email


@click.command("reset-second-factor")
@click.argument("email")
@click.pass_obj
def reset_second_factor(settings: Settings, email: str) -> None:
    """Ask the person with EMAIL for no figures any more, and end all their sign-ins.

    Make sure first that it is really they who ask: by a call to a number that you knew before. Where a role needs a
    second factor, they set up a new one at their next sign-in.
    """
    with with_database(settings).changing() as session:
        person = person_with(session, email)
        if not second_factor.is_in_use(session, person):
            raise click.UsageError(f"{email} has no second factor")
        post = Post(settings.address, settings.languages[0])
        second_factor.reset(session, person, post, now=utc_now(), why="by the operator")
    console.print(f"{email} signs in without figures now, and is signed out everywhere. A mail tells them.")


def person_with(session: Session, email: str) -> Person:
    """The person with this address, in whatever case. Raises `click.UsageError` for nobody."""
    person = find_by_email(session, email)
    if person is None:
        raise click.UsageError(f"Nobody here has the address {email}")
    return person
