"""Sliced G-code made short: the same file name and protocol, a known print time, no heat and no moves.

OctoPrint's Virtual Printer really sleeps through `G4 P1000`, so N of them make a print of N seconds whose
progress is linear; moves and heat-up take it far longer than a test can wait.
"""

import hashlib


def as_dwells(gcode: bytes, seconds: int) -> bytes:
    """G-code that prints in `seconds` on the Virtual Printer and leaves the heaters at 0.

    A comment says so and names the SHA-1 of the original, so that different originals stay different files.
    """
    original = hashlib.sha1(gcode, usedforsecurity=False).hexdigest()
    head = f"; dwells for {seconds} s in place of the moves of the G-code with SHA-1 {original}\n"
    return (head + "G4 P1000\n" * seconds + "M104 S0\nM140 S0\n").encode()
