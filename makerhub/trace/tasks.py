"""What tracing does in the background: carry recalls on to what was under way when they began."""

from sqlmodel import select

from makerhub.background import task
from makerhub.db import Clock, Database
from makerhub.trace.models import Recall
from makerhub.trace.recall import carry_out


@task
def carry_out_recalls(database: Database, clock: Clock) -> None:
    """Set aside what came out of prints since, and tell facilities what has reached them since."""
    with database.reading() as session:
        recalls = session.exec(select(Recall.id)).all()
    for recall_id in recalls:
        with database.changing() as session:
            carry_out(session, session.get_one(Recall, recall_id), now=clock())
