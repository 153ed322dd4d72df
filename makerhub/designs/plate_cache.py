"""Sliced plates: the same mesh, settings, printer model, material and copies are sliced only once."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, select

from makerhub.db import Clock, Database, IntegrityError
from makerhub.designs.files import FileStore
from makerhub.designs.manifest import PrintSettings
from makerhub.designs.models import Part, PlateSlice
from makerhub.designs.profiles import PrinterProfile
from makerhub.designs.slicer import PlateOrder, SlicedPlate, Slicer, input_hash


class PlateCache:
    """G-code by what it is for; slices what is not there yet. May be used from several threads."""

    def __init__(self, database: Database, files: FileStore, slicer: Slicer, clock: Clock) -> None:
        self._database = database
        self._files = files
        self._slicer = slicer
        self._clock = clock

    def plate(self, part_id: UUID, copies: int, profile: PrinterProfile, material: str) -> PlateSlice:
        """`copies` of a part on one build plate; blocks up to some minutes, so never inside a transaction.

        Raises what `Slicer.slice` raises.
        """
        with self._database.reading() as session:
            part = session.get_one(Part, part_id)
        mesh, settings = self._files.get(part.mesh_sha256), PrintSettings(**part.settings)
        order = PlateOrder(mesh, copies, profile, material, settings)
        with self._database.reading() as session:
            cached = _find(session, input_hash(order, self._slicer.version()))
        return cached or self._keep(part, order, self._slicer.slice(order), self._clock())

    def _keep(self, part: Part, order: PlateOrder, plate: SlicedPlate, now: datetime) -> PlateSlice:
        row = PlateSlice(
            part_id=part.id,
            profile=order.profile.key,
            material=order.material,
            copies=plate.copies,
            input_hash=plate.input_hash,
            gcode_sha256=self._files.put(plate.gcode),
            gcode_sha1=plate.sha1,
            gcode_bytes=len(plate.gcode),
            seconds=plate.seconds,
            milligrams=plate.milligrams,
            placements=[(place.x_mm, place.y_mm, place.turned) for place in plate.placements],
            slicer_version=plate.slicer_version,
            sliced_at=now,
        )
        try:
            with self._database.changing() as session:
                session.add(row)
        except IntegrityError:  # the same plate was sliced twice at once, and the other one was first
            with self._database.reading() as session:
                return _require(session, plate.input_hash)
        return row


def _find(session: Session, digest: str) -> PlateSlice | None:
    return session.exec(select(PlateSlice).where(PlateSlice.input_hash == digest)).first()


def _require(session: Session, digest: str) -> PlateSlice:
    return session.exec(select(PlateSlice).where(PlateSlice.input_hash == digest)).one()
