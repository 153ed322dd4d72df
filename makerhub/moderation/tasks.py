"""What moderation does in the background: blocks whose time is over are lifted."""

from makerhub.background import Nudge, task
from makerhub.config import Settings
from makerhub.db import Clock, Database
from makerhub.moderation.service import lift_what_is_over
from makerhub.notices.letters import Post
from makerhub.notices.tasks import send_mails


@task
def lift_blocks(database: Database, settings: Settings, clock: Clock, soon: Nudge) -> None:
    """Let people work with a hub again whose time is over, and tell them."""
    with database.changing() as session:
        lifted = lift_what_is_over(session, post=Post(settings.address, settings.languages[0]), now=clock())
    if lifted:
        soon(send_mails)
