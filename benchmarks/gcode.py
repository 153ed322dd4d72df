"""How fast the G-code guard reads: `python -m benchmarks.gcode`.

Slices a sphere with the slicer and the profiles of this project where the slicer is installed; else it repeats a
synthetic file with the same mix of lines (95 to 97 % plain moves). The last line is one JSON object.
"""

import json
import math
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import trimesh

from makerhub.designs.bundle import as_ini, flatten
from makerhub.designs.profiles import PrinterProfile, read_profiles
from makerhub.gcode import plain_guard
from makerhub.gcode.guard import check
from makerhub.gcode.interpreter import summarise
from makerhub.gcode.reader import read

BUNDLES = Path("/usr/share/PrusaSlicer/profiles")
PROFILES = read_profiles(Path(__file__).parents[1] / "printers")
REPEATS = 5
SPHERE_RADIUS_MM = 30.0


def main() -> None:
    """Measure each file and print a table, then the JSON object."""
    slicer = shutil.which("prusa-slicer") if BUNDLES.is_dir() else None
    stages = " ".join(f"{name:>12}" for name in ("read", "interpret", "guard", "agent"))
    print(f"{'file':24} {'lines':>9} {'MB':>6} {stages}   lines/s, best of {REPEATS}")
    rates, agent_rates = [], []
    for profile in PROFILES.values():
        gcode = _sliced(slicer, profile) if slicer else _synthetic(profile)
        if not check(gcode, profile.limits()).safe:
            raise SystemExit(f"{profile.key}: the guard refuses this file")
        lines = gcode.count(b"\n")
        seconds = [_best(run) for run in _stages(gcode, profile)]
        rates.append(lines / seconds[-2])
        agent_rates.append(lines / seconds[-1])
        columns = " ".join(f"{lines / one:12,.0f}" for one in seconds)
        print(f"{profile.key:24} {lines:9,} {len(gcode) / 1e6:6.1f} {columns}")
    result = {
        "lines_per_s": round(min(rates)),
        "agent_lines_per_s": round(min(agent_rates)),
        "corpus": "prusa-slicer" if slicer else "synthetic",
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(result))


def _stages(gcode: bytes, profile: PrinterProfile) -> Iterator[Callable[[], object]]:
    limits = profile.limits()
    yield lambda: [None for _ in read(gcode)]
    yield lambda: summarise(gcode)
    yield lambda: check(gcode, limits)
    yield lambda: plain_guard.check(gcode, limits)


def _best(run: Callable[[], object]) -> float:
    """Return the shortest of some runs in seconds of processor time."""
    seconds = []
    for _ in range(REPEATS):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return min(seconds)


def _sliced(slicer: str, profile: PrinterProfile) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        mesh, settings, output = (Path(folder) / name for name in ("sphere.stl", "settings.ini", "sphere.gcode"))
        trimesh.creation.icosphere(subdivisions=4, radius=SPHERE_RADIUS_MM).export(mesh)
        settings.write_text(as_ini(flatten(BUNDLES, profile, profile.materials[0])), encoding="utf-8")
        centre = f"{profile.bed_width_mm / 2},{profile.bed_depth_mm / 2}"
        load: list[str | Path] = ["--load", settings, "--export-gcode", "--center", centre, "-o", output, mesh]
        subprocess.run([slicer, "--loglevel", "1", *load], check=True, capture_output=True)  # noqa: S603 # our own words
        return output.read_bytes()


def _synthetic(profile: PrinterProfile, layers: int = 300, moves: int = 1200) -> bytes:
    centre_x, centre_y = profile.bed_width_mm / 2, profile.bed_depth_mm / 2
    lines = ["G28", "G90", "M83", "M104 S210", "M140 S60"]
    for layer in range(layers):
        lines += [";LAYER_CHANGE", f";Z:{0.2 + layer * 0.2:.1f}", "G92 E0.0", f"G1 Z{0.2 + layer * 0.2:.3f} F9000"]
        for move in range(moves):
            angle = 2 * math.pi * move / moves + layer
            lines.append(f"G1 X{centre_x + 30 * math.cos(angle):.3f} Y{centre_y + 30 * math.sin(angle):.3f} E.01234")
            if move % 60 == 0:
                lines += [";TYPE:Perimeter", f"M204 S{800 + move}"]
    return "\n".join([*lines, "M104 S0", "M140 S0", "M84", ""]).encode()


if __name__ == "__main__":
    main()
