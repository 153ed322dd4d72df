"""Solid models of versions, to be turned on their pages: made when somebody first asks for one, then kept, packed."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from sqlmodel import Session, col, func, select

from makerhub.designs.files import FileStore, write_whole
from makerhub.designs.inspection import model_of
from makerhub.designs.models import DesignVersion, KitPart, Part
from makerhub.designs.sandbox import SandboxFailed
from makerhub.errors import NotFound

_FORM = 1
"""Counts up when the same version would give another file."""


class ModelCache:
    """A folder of gzipped GLB files. It holds nothing that can't be made again, so it may be emptied at any time."""

    def __init__(self, folder: Path, files: FileStore) -> None:
        self._folder = folder
        self._files = files

    def packed(self, version: DesignVersion, pieces: Sequence[tuple[Part, int]]) -> bytes:
        """The gzipped GLB of a version that consists of these pieces.

        Blocks up to some seconds where it is not there yet, so never inside a transaction. Raises `NotFound` where it
        can't be made, which no version that has a picture was seen to do.
        """
        file = self._folder / f"{version.content_hash}.{_FORM}.glb.gz"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, self._made(pieces))
        return file.read_bytes()

    def _made(self, pieces: Sequence[tuple[Part, int]]) -> bytes:
        meshes = [self._files.get(part.mesh_sha256) for part, _ in pieces]
        try:
            model = model_of(meshes, [part.name for part, _ in pieces], [quantity for _, quantity in pieces])
        except SandboxFailed as error:
            raise NotFound from error
        return gzip.compress(model, mtime=0)


def pieces_of(session: Session, version_id: UUID) -> list[tuple[Part, int]]:
    """What a picture of a version shows: its parts, by name, each as often as the kit that has most of it."""
    most = (
        select(Part, func.max(KitPart.quantity))
        .join(KitPart)
        .where(Part.version_id == version_id)
        .group_by(col(Part.id))
        .order_by(col(Part.name))
    )
    return [(part, quantity) for part, quantity in session.exec(most)]
