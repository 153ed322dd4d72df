"""A slicer whose prints are shortened: for OctoPrint's Virtual Printer, which takes as long as a real one."""

import hashlib
from dataclasses import replace

from makerhub.designs.slicer import PlateOrder, SlicedPlate, Slicer, input_hash
from makerhub.simulation.dwells import as_dwells


class ShortenedSlicer:
    """A `Slicer` that really slices and then replaces the moves by dwells of `seconds` in total."""

    def __init__(self, slicer: Slicer, seconds: int) -> None:
        self._slicer = slicer
        self._seconds = seconds

    def version(self) -> str:
        """The slicer's, marked, so that a shortened plate is never taken for a real one."""
        return f"{self._slicer.version()} shortened to {self._seconds} s"

    def slice(self, order: PlateOrder) -> SlicedPlate:
        """As in `Slicer`."""
        plate = self._slicer.slice(order)
        gcode = as_dwells(plate.gcode, self._seconds)
        return replace(
            plate,
            gcode=gcode,
            sha256=hashlib.sha256(gcode).hexdigest(),
            sha1=hashlib.sha1(gcode, usedforsecurity=False).hexdigest(),
            input_hash=input_hash(order, self.version()),
            slicer_version=self.version(),
        )
