"""What a fleet costs a hub, and how soon it knows: `python -m benchmarks.fleet`, about fifteen minutes.

Looks at a thousand and at ten thousand simulated printers, all of them printing, against a client of bare sockets that
only fetches from the same printers; sweeps ten thousand of which half are dead; takes agents' reports; and waits for
prints to reach their makers' pages. Times are processor time wherever work is counted. The last line is JSON.
"""

import contextlib
import json
import socket
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.parts.bare import microseconds_a_fetch
from benchmarks.parts.ending import seconds_to_page
from benchmarks.parts.looking import Looked, look, seed
from benchmarks.parts.reporting import updates_at_the_desk, updates_over_http
from benchmarks.parts.swarm import Elsewhere, printers_elsewhere

ROUNDS = 3
SECONDS = 30.0  # as long as the hub takes to write everything again
FEW, MANY = 1_000, 10_000
PRINTS = 100

Endpoint = tuple[str, str]


def main() -> None:
    """Measure, tell each figure with its spread, and print all of them."""
    with tempfile.TemporaryDirectory(prefix="makerhub-bench-") as made:
        directory = Path(made)
        result = cost_of_looking(directory) | first_sweep(directory)
        result |= agents_reporting(directory) | ends_on_pages(directory)
    print(json.dumps(result))


def cost_of_looking(directory: Path) -> dict[str, float]:
    """The processor time of one look, as a multiple of a bare fetch, at few printers and at many; memory for each.

    Few printers live ten times as fast as many, so that both are as many looks a second; the bare client fetches
    before and after.
    """
    ratios, flatness, kilobytes = [], [], []
    with printers_elsewhere(MANY) as elsewhere:
        seed(directory / "few", elsewhere.endpoints[:FEW])
        seed(directory / "many", elsewhere.endpoints)
        for number in range(ROUNDS):
            few, floor = _beside_the_floor(directory / "few", elsewhere, FEW)
            many, floor_of_many = _beside_the_floor(directory / "many", elsewhere, MANY)
            ratios.append(few.microseconds / floor)
            flatness.append(many.microseconds / few.microseconds)
            kilobytes.append(many.kilobytes)
            for looked, bare in ((few, floor), (many, floor_of_many)):
                print(
                    f"round {number + 1}: {looked.printers:6} printers, {looked.looks_per_s:5.0f} looks/s: "
                    f"{looked.microseconds:5.1f} µs a look, bare {bare:4.1f} µs, "
                    f"{looked.written_share:.0%} written, {looked.kilobytes:.1f} kB a printer",
                    flush=True,
                )
    return {
        "cpu_ratio_to_bare_socket": _told("times the bare client", ratios),
        "flatness_10000_over_1000": _told("times the cost of a look at few", flatness),
        "kb_per_printer": _told("kB a printer above the start", kilobytes),
    }


def _beside_the_floor(directory: Path, elsewhere: Elsewhere, count: int) -> tuple[Looked, float]:
    factor = MANY / count
    elsewhere.speed(factor)
    endpoints, fetches = elsewhere.endpoints[:count], 2 * MANY
    before = microseconds_a_fetch(endpoints, fetches)
    looked = look(directory, SECONDS, factor)
    return looked, (before + microseconds_a_fetch(endpoints, fetches)) / 2


def first_sweep(directory: Path) -> dict[str, float]:
    """From the start of a hub until all of many printers were seen once: a quarter refuses, a quarter says nothing."""
    swept = []
    with printers_elsewhere(MANY // 2) as elsewhere, dead_addresses() as (refusing, swallowing):
        dead = [(f"{refusing}/{number}", "0" * 32) for number in range(MANY // 4)]
        dead += [(f"{swallowing}/{number}", "0" * 32) for number in range(MANY // 4)]
        mixed = [endpoint for pair in zip(elsewhere.endpoints, dead, strict=True) for endpoint in pair]
        for number in range(ROUNDS):
            at = directory / f"sweep-{number}"
            seed(at, mixed)
            swept.append(look(at, 0).first_sweep_s)
    return {"first_sweep_s": _told("s to the end of the first sweep", swept)}


@contextlib.contextmanager
def dead_addresses() -> Iterator[tuple[str, str]]:
    """An address that refuses, and one that swallows everything, as a firewall does that drops packets."""
    with socket.socket() as refusing, socket.socket() as listening, contextlib.ExitStack() as callers:
        refusing.bind(("127.0.0.1", 0))  # and never listens
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(2):  # its backlog is full from now on
            caller = callers.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listening.getsockname())
        ports = (one.getsockname()[1] for one in (refusing, listening))
        refused, swallowed = (f"http://127.0.0.1:{port}" for port in ports)
        yield refused, swallowed


def agents_reporting(directory: Path) -> dict[str, float]:
    """Acknowledged reports of agents for each second of a core: over HTTP, and in batches at the desk behind it."""
    kept = [updates_over_http(directory / f"kept-{n}", MANY, SECONDS / 2, is_kept=True) for n in range(ROUNDS)]
    fresh = [updates_over_http(directory / f"fresh-{n}", MANY, SECONDS / 2, is_kept=False) for n in range(ROUNDS)]
    desk = [updates_at_the_desk(directory / f"desk-{number}", MANY) for number in range(ROUNDS)]
    return {
        "agent_updates_per_s_core": _told("reports/s/core over HTTP, connections kept", kept),
        "agent_updates_per_s_core_unkept": _told("reports/s/core over HTTP, each on a connection of its own", fresh),
        "agent_updates_per_s_core_at_the_desk": _told("reports/s/core at the desk, a hundred at once", desk),
    }


def ends_on_pages(directory: Path) -> dict[str, float]:
    """From a print's end at the printer to the maker's page that tells it."""
    seconds = np.array(seconds_to_page(directory / "pages", PRINTS))
    median, late = np.percentile(seconds, [50, 99])
    print(
        f"{len(seconds)} prints: on the page after {median:.1f} s (median), {late:.1f} s (p99), {seconds.max():.1f} s"
    )
    return {"end_to_page_median_s": round(float(median), 2), "end_to_page_p99_s": round(float(late), 2)}


def _told(what: str, figures: Sequence[float]) -> float:
    """The median, told with its spread."""
    median = statistics.median(figures)
    print(f"{median:.2f} {what} ({min(figures):.2f} to {max(figures):.2f})", flush=True)
    return round(median, 2)


if __name__ == "__main__":
    main()
