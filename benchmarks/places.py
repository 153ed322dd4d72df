"""How long it takes to import all postcodes of Great Britain: `python -m benchmarks.places`, a few minutes.

Writes a file of 1.7 million lines as Code-Point Open has them, and imports it into a new SQLite database. Beside it, in
the same run and into a table of the same columns and indexes, the plain way: the `csv` module and one `executemany()`,
without a look at any line, a projection or a second transaction. Each has a process of its own, for its memory. Then
postcodes are looked up in what was imported. The last line is one JSON object.
"""

import csv
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles
from typing import Any

from makerhub.db import Database
from makerhub.migrations import migrate
from makerhub.places import service
from makerhub.places.importing import import_places

LINES = 1_700_000
LOOK_UP_EACH = 3_400
LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
PLAIN_TABLE = """CREATE TABLE place (id INTEGER PRIMARY KEY, source_id INTEGER NOT NULL, postcode VARCHAR(16) NOT NULL,
postcode_key VARCHAR(64) NOT NULL, name VARCHAR(120) NOT NULL, name_key VARCHAR(64) NOT NULL,
region VARCHAR(120) NOT NULL, country VARCHAR(2) NOT NULL, latitude FLOAT NOT NULL, longitude FLOAT NOT NULL)"""
PLAIN_INDEXES = ("postcode_key", "name_key")
PLAIN_INSERT = (
    "INSERT INTO place (source_id, postcode, postcode_key, name, name_key, region, country, latitude, longitude) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def main() -> None:
    """Import both ways, look up, and print the figures."""
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else LINES
    with tempfile.TemporaryDirectory() as folder:
        file = _written(Path(folder) / "codepo.csv", lines)
        print(f"{lines} lines, {file.stat().st_size / 1e6:.0f} MB")
        plain = _apart(_plainly, file)
        print("plain csv and executemany:", plain)
        migrate(_database(file))
        imported = _apart(_imported, file)
        print("makerhub places import:", imported)
        lookups = _lookups(file)
    result = {
        "places": lines,
        "import_wall_s": round(imported["wall"], 1),
        "import_cpu_s": round(imported["cpu"], 1),
        "rows_per_cpu_second": round(lines / imported["cpu"]),
        "plain_cpu_s": round(plain["cpu"], 1),
        "cpu_ratio_to_plain": round(imported["cpu"] / plain["cpu"], 2),
        "wall_ratio_to_plain": round(imported["wall"] / plain["wall"], 2),
        "peak_mb": round(imported["peak_mb"]),
        "lookup_median_ms": lookups[49],
        "lookup_p99_ms": lookups[98],
    }
    print(json.dumps(result))


def _apart(way: Callable[[Path], None], file: Path) -> dict[str, float]:
    """Seconds of wall clock and processor, and the largest memory, of one way in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measured, way, file).result()


def _measured(way: Callable[[Path], None], file: Path) -> dict[str, float]:
    began, used = time.perf_counter(), time.process_time()
    way(file)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"wall": time.perf_counter() - began, "cpu": time.process_time() - used, "peak_mb": peak}


def _imported(file: Path) -> None:
    database = _database(file)
    import_places(database, [file], name="codepo", clock=lambda: datetime.now(UTC))
    database.dispose()


def _plainly(file: Path) -> None:
    database = Database(f"sqlite:///{file.with_name('plain.sqlite')}")
    connection = database.engine.raw_connection()
    cursor: Any = connection.cursor()  # SQLite's takes rows as they come
    cursor.execute(PLAIN_TABLE)
    for column in PLAIN_INDEXES:
        cursor.execute(f"CREATE INDEX ix_place_{column} ON place ({column})")
    cursor.execute("BEGIN IMMEDIATE")
    with file.open(newline="", encoding="utf-8") as opened:
        rows = (
            (1, row[0], row[0].replace(" ", "").lower(), "", "", "", "GB", float(row[3]), float(row[2]))
            for row in csv.reader(opened)
        )
        cursor.executemany(PLAIN_INSERT, rows)
    cursor.execute("COMMIT")
    connection.close()
    database.dispose()


def _lookups(file: Path) -> list[float]:
    """Percentiles, in milliseconds, of finding whole postcodes, sectors and districts."""
    database, took = _database(file), []
    with file.open(encoding="utf-8") as opened:
        codes = [line.split('"', 2)[1] for number, line in enumerate(opened) if number % LOOK_UP_EACH == 0]
    for number, code in enumerate(codes):
        typed = (code, code[:-2], code[:-3].strip())[number % 3]
        began = time.perf_counter()
        with database.reading() as session:
            if not service.find(session, typed):
                raise LookupError(typed)
        took.append((time.perf_counter() - began) * 1000)
    database.dispose()
    return [round(one, 2) for one in quantiles(took, n=100)]


def _database(file: Path) -> Database:
    return Database(f"sqlite:///{file.with_name('makerhub.sqlite')}")


def _written(file: Path, lines: int) -> Path:
    """A file of so many lines, postcodes in their order, as the Ordnance Survey writes them."""
    chance = random.Random(1)  # noqa: S311 - places to measure with
    with file.open("w", encoding="utf-8") as out:
        for code, _ in zip(_postcodes(), range(lines), strict=False):
            east, north = chance.randrange(130_000, 655_000), chance.randrange(11_000, 1_215_000)
            out.write(f'"{code}",10,{east},{north},"E92000001","E19000003","E18000007","","E09000021","E05000404"\n')
    return file


def _postcodes() -> Iterator[str]:
    for first in LETTERS:
        for second in LETTERS:
            for district in range(1, 25):
                for sector in range(1, 10):
                    for unit in range(20):
                        yield f"{first}{second}{district} {sector}{LETTERS[unit]}{LETTERS[(unit * 7 + district) % 20]}"


if __name__ == "__main__":
    main()
