"""What the catalogue does in the background: check what was handed in, publish what was accepted, forget the rest."""

from datetime import timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from makerhub.background import task
from makerhub.designs.models import Upload, UploadState
from makerhub.designs.uploads import Desk, examine, take_in

_WRITTEN_WITHIN = timedelta(hours=1)
_WAITING = (UploadState.RECEIVED, UploadState.CHECKED, UploadState.ACCEPTED, UploadState.REFUSED)


@task
def work_on_uploads(desk: Desk) -> None:
    """Check, publish and forget uploads, one after the other."""
    for state, work in ((UploadState.ACCEPTED, take_in), (UploadState.RECEIVED, examine)):
        with desk.database.reading() as session:
            waiting = session.exec(
                select(Upload.id).where(Upload.state == state).order_by(col(Upload.uploaded_at))
            ).all()
        for upload_id in waiting:
            work(desk, upload_id)
    _forget(desk)


def _forget(desk: Desk) -> None:
    """Remove the files of uploads that are done with, and of those whose row was never written."""
    with desk.database.reading() as session:
        kept = _kept(session)
    for upload_id in desk.box.older_than(desk.clock() - _WRITTEN_WITHIN):
        if upload_id not in kept:
            desk.box.remove(upload_id)


def _kept(session: Session) -> set[UUID]:
    return set(session.exec(select(Upload.id).where(col(Upload.state).in_(_WAITING))))
