"""`makerhub doctor`: whether this hub is in order, each finding with the way out."""

from collections.abc import Iterator
from dataclasses import dataclass

from makerhub.app import prusa_slicer, utc_now
from makerhub.audit import checkpoints
from makerhub.config import Settings
from makerhub.db import Database, journal_mode, sqlite_version
from makerhub.designs.profiles import read_profiles
from makerhub.errors import MakerhubError
from makerhub.facilities.service import limits_of
from makerhub.keys.box import KeyBox
from makerhub.keys.proof import check, has_proof
from makerhub.keys.rotation import open_all
from makerhub.migrations import is_current
from makerhub.people.models import Organisation
from makerhub.planning.holding import beyond_limits
from makerhub.trace.invariants import breaches


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it is in order, and what was seen or what to do."""

    subject: str
    is_fine: bool
    detail: str


def examine(settings: Settings, database: Database, *, audit: bool = False) -> Iterator[Finding]:
    """Look at everything a hub needs, with `audit` at every row of the log that is sealed, too.

    Later checks are left out when the database is not there to be asked.
    """
    yield _sqlite(database) if database.is_sqlite else Finding("database", True, database.describe())
    yield _address(settings)
    yield _slicer(settings)
    yield _profiles(settings)
    if not is_current(database):
        yield Finding("tables", False, "the database is not at this version; run: makerhub migrate")
        return
    yield Finding("tables", True, "the database is at this version")
    yield from _keys(settings, database)
    yield _facilities(settings, database)
    yield from _invariants(database)
    if audit:
        yield from _log(settings, database)


def _log(settings: Settings, database: Database) -> Iterator[Finding]:
    with database.reading() as session:
        found = list(checkpoints.breaches(session, settings.checkpoints_directory))
        last = checkpoints.last_seal(session)
    for breach in found:
        yield Finding("log", False, breach.what)
    if not found:
        advice = (
            f"sealed up to {last} (note this down elsewhere)"
            if last
            else "nothing is sealed before the first day is over"
        )
        yield Finding("log", True, advice)


def _sqlite(database: Database) -> Finding:
    is_safe = journal_mode(sqlite_version()) == "WAL"
    advice = (
        "" if is_safe else "; slower, since WAL is unsafe before 3.51.3: pip install pysqlite3 where it has a wheel"
    )
    return Finding("database", True, database.describe() + advice)


def _address(settings: Settings) -> Finding:
    """Without a public address links in mails lead to the hub's own computer; that matters once mails go out."""
    if settings.public_address:
        return Finding("public address", True, settings.address)
    detail = f"is not set: links in mails lead to {settings.address}, which opens on this computer alone"
    return Finding("public address", settings.mail_channel == "folder", f"{detail}; set public_address")


def _slicer(settings: Settings) -> Finding:
    try:
        return Finding("slicer", True, prusa_slicer(settings).version())
    except MakerhubError as error:
        return Finding("slicer", False, str(error))


def _profiles(settings: Settings) -> Finding:
    try:
        profiles = read_profiles(settings.printer_profiles)
    except MakerhubError as error:
        return Finding("printer profiles", False, str(error))
    return Finding("printer profiles", bool(profiles), f"{len(profiles)} in {settings.printer_profiles}")


def _keys(settings: Settings, database: Database) -> Iterator[Finding]:
    """The key file is this database's, and opens everything that was ever sealed there."""
    is_used = has_proof(database)
    if not settings.key_file.exists():
        advice = "is missing: put it back from its copy" if is_used else "will be made at the first start"
        yield Finding("key file", not is_used, f"{settings.key_file} {advice}")
        return
    try:
        key_box = KeyBox(settings.key_file)
        if is_used:
            check(database, key_box)
        count = open_all(database, key_box)
    except MakerhubError as error:
        yield Finding("key file", False, str(error))
        return
    ids = [key.id.hex() for key in key_box.ring.keys]
    yield Finding("key file", True, f"{settings.key_file} opens all {count} sealed values; key {ids[0]} seals")
    if len(ids) > 1:
        yield Finding("key rotation", False, f"key {ids[1]} is still in use; to finish, run: makerhub keys rotate")


def _facilities(settings: Settings, database: Database) -> Finding:
    with database.reading() as session:
        keys = beyond_limits(session, limits_of(settings), utc_now())
        beyond = sorted(session.get_one(Organisation, key).name for key in keys)
    if beyond:
        return Finding("facilities", False, f"more is reserved than is proved of: {', '.join(beyond)}; see Facilities")
    return Finding("facilities", True, "nothing is reserved for any beyond what is proved of it")


def _invariants(database: Database) -> Iterator[Finding]:
    with database.reading() as session:
        found = breaches(session)
    for breach in found:
        yield Finding(breach.invariant, False, breach.what)
    if not found:
        yield Finding("invariants", True, "all hold")
