"""The use cases of printers: register, check the key, pause and resume, and what was last heard."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Executable, and_
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from makerhub.audit.service import note
from makerhub.designs.generic_profile import Answers
from makerhub.designs.own_code import OwnSettings, read_own
from makerhub.designs.profiles import PrinterProfile
from makerhub.errors import Invalid, translatable
from makerhub.fleet.addresses import printer_url
from makerhub.fleet.gateway import Connection, JobReport, KeyReport, KeyVerdict, PrinterTrouble, Trouble
from makerhub.fleet.gateway import PrinterState as Doing
from makerhub.fleet.poll import Observation as Seen
from makerhub.fleet.trial import prints_trial
from makerhub.keys.box import KeyBox, Place, Unreadable, place
from makerhub.lifecycle import Transition, begin, history, move
from makerhub.printers import fit
from makerhub.printers.agent_models import AgentLink
from makerhub.printers.models import BuildPlate, Consent, Link, Observation, PlateState, Printer, PrinterState
from makerhub.printers.own import PREFIX, ModelUnknown, as_stored, base_of

log = logging.getLogger(__name__)

Sealed = tuple[str, bytes]
"""A printer's address and its encrypted key, as they stand in its row."""

LONGEST_NAME = 100
SHORTEST_KEY = 8
LONGEST_KEY = 200
LONGEST_COLOUR = 32


@dataclass(frozen=True)
class NewPrinter:
    """A printer as its maker registers it: `url` and `key` are OctoPrint's, with a direct link; without a `profile` it
    is refused. Without a key OctoPrint asks its owner for one.

    `own_model` is what the maker said of a model that has no shipped profile; `profile` was made of it then.
    """

    owner_id: UUID
    hub_id: UUID
    name: str
    profile: PrinterProfile | None
    material: str
    url: str
    key: str
    colour: str = ""
    consent: Consent = Consent.ASK
    plate_is_clear: bool = False
    link: Link = Link.DIRECT
    own_model: Answers | None = None


def register(session: Session, new: NewPrinter, key_box: KeyBox, *, now: datetime) -> Printer:
    """Record a printer; its address and key are checked soon after, by `check_printers`.

    With one that is worked by hand there is nothing to check: it takes jobs at once, and its maker is always asked. One
    that an agent looks after waits for its agent.

    Raises `Invalid` with a sentence for each field that is wrong.
    """
    found = problems(new)
    if found or new.profile is None:
        raise Invalid(fields=found)
    printer_id = uuid4()
    printer = Printer(
        id=printer_id,
        owner_id=new.owner_id,
        hub_id=new.hub_id,
        name=new.name.strip(),
        profile=f"{PREFIX}{printer_id.hex}" if new.own_model else new.profile.key,
        own_model=as_stored(new.own_model) if new.own_model else {},
        material=new.material,
        colour=new.colour.strip(),
        consent=Consent.ASK if new.link is Link.BY_HAND else new.consent,
        link=new.link,
        registered_at=now,
    )
    if new.link is Link.DIRECT:
        printer.url = _origin(new.url) or ""
        printer.encrypted_key = key_box.seal(new.key.strip(), key_place(printer_id)) if new.key.strip() else b""
    begin(session, printer, now=now, by=new.owner_id)
    if new.link is Link.BY_HAND:
        move(session, printer, PrinterState.ACTIVE, now=now, by=new.owner_id, why="it is worked by hand")
    plate = BuildPlate(printer_id=printer.id, state=PlateState.CLEAR if new.plate_is_clear else PlateState.OCCUPIED)
    begin(session, plate, now=now, by=new.owner_id)
    return printer


def problems(new: NewPrinter) -> dict[str, str]:
    """What is wrong with the registration, a sentence a field; empty when nothing is."""
    found: dict[str, str] = {}
    if not 1 <= len(new.name.strip()) <= LONGEST_NAME:
        found["name"] = translatable("Give the printer a name of up to 100 letters.")
    if new.profile is None:
        found["profile"] = translatable("Choose the model of your printer.")
    elif new.material not in new.profile.materials:
        found["material"] = translatable("Choose a material that this printer model can print.")
    if len(new.colour.strip()) > LONGEST_COLOUR:
        found["colour"] = translatable("Keep the colour under 32 letters.")
    if new.link is Link.DIRECT and _origin(new.url) is None:
        found["url"] = translatable("Enter the address of OctoPrint, such as http://octopi.local.")
    if new.link is Link.DIRECT and new.key.strip() and not _is_key(new.key.strip()):
        found["key"] = translatable("Paste the application key that OctoPrint shows.")
    return found


def change(session: Session, printer: Printer, new: NewPrinter, key_box: KeyBox, *, now: datetime) -> None:
    """Take over what its maker changed; an empty key keeps the old one, and hub and plate stay as they are.

    Under a new address, with a new key or as another model the printer is checked again. Its agent holds files against
    the limits of the model that it was paired for, so as another model it waits to be paired anew. Raises `Invalid`
    like `register`, and `OwnCodeRefused` where what was brought for it does not fit the new model.
    """
    found = {name: problem for name, problem in problems(new).items() if name != "key" or new.key}
    if found:
        raise Invalid(fields=found)
    is_connected_anew = reconnects(printer, new)
    if becomes_another(printer, new) and new.profile is not None:
        read_own(new.profile, **printer.own_code)
        printer.profile = new.profile.key
        link = session.get(AgentLink, printer.id)
        if link is not None:
            session.delete(link)
    printer.name, printer.material, printer.colour = new.name.strip(), new.material, new.colour.strip()
    session.add(printer)
    if printer.link is not Link.BY_HAND:
        printer.consent = new.consent
    if printer.link is Link.DIRECT:
        printer.url = _origin(new.url) or ""
    if printer.link is Link.DIRECT and new.key:
        printer.encrypted_key = key_box.seal(new.key.strip(), key_place(printer.id))
    note(session, "changed", printer, now=now, by=new.owner_id)
    if is_connected_anew and printer.state is not PrinterState.UNCHECKED:
        check_again(session, printer, by=new.owner_id, now=now)


def reconnects(printer: Printer, new: NewPrinter) -> bool:
    """Whether what was checked of the printer is to be checked again: another address, key or model."""
    if printer.link is Link.DIRECT and (bool(new.key) or _origin(new.url) != printer.url):
        return True
    return printer.link is not Link.BY_HAND and becomes_another(printer, new)


def becomes_another(printer: Printer, new: NewPrinter) -> bool:
    """Whether the change makes it another model; one that its maker described stays as it was described."""
    return new.profile is not None and not printer.own_model and new.profile.key != printer.profile


def bring(
    session: Session,
    printer: Printer,
    code: Mapping[str, str],
    profiles: Mapping[str, PrinterProfile],
    *,
    now: datetime,
) -> OwnSettings:
    """Use what its maker brought for this printer ("ini", "start_gcode", "end_gcode"); nothing means the model's own.

    Raises `OwnCodeRefused` with every line that is wrong, and `ModelUnknown`.
    """
    profile = base_of(printer, profiles)
    if profile is None:
        raise ModelUnknown(model=printer.profile)
    brought = {name: text for name, text in code.items() if text.strip()}
    settings = read_own(profile, **brought)
    printer.own_code = brought
    session.add(printer)
    note(session, "own settings brought", printer, now=now, by=printer.owner_id)
    return settings


def retire(session: Session, printer: Printer, *, by: UUID, now: datetime) -> None:
    """The maker takes the printer back: nothing is asked of it any more, and its key is forgotten."""
    move(session, printer, PrinterState.RETIRED, now=now, by=by, encrypted_key=b"")


def key_checked(
    session: Session,
    printer: Printer,
    report: KeyReport | Trouble,
    profile: PrinterProfile | None = None,
    *,
    now: datetime,
) -> None:
    """Record what the printer's key can do; without all that is needed the printer is refused, with the reason.

    So it is where bed or nozzle are not those of its model, the `profile`, by OctoPrint or by what its maker said.
    """
    if printer.state is not PrinterState.UNCHECKED:
        return
    if isinstance(report, Trouble):
        move(session, printer, PrinterState.REFUSED, now=now, why=report, trouble=report)
        return
    if report.build is not None and profile is not None:
        fit.note(session, printer, profile, report.build, now=now)
    told = fit.fit_of(session, printer)
    is_able, is_model = report.verdict is not KeyVerdict.TOO_WEAK, told is None or told.fits
    move(
        session,
        printer,
        PrinterState.ACTIVE if is_able and is_model else PrinterState.REFUSED,
        now=now,
        why=report.verdict if is_model or not is_able else fit.DIFFERS,
        missing_permissions=[permission.value for permission in report.missing],
        excess_permissions=[permission.value for permission in report.excess],
        trouble="",
    )


def key_answered(session: Session, printer: Printer, answer: str | Trouble, key_box: KeyBox, *, now: datetime) -> None:
    """Record what the owner said to the dialog in OctoPrint: the key, to be checked next, or why there is none."""
    if printer.state is not PrinterState.UNCHECKED or printer.encrypted_key:
        return
    if isinstance(answer, Trouble):
        move(session, printer, PrinterState.REFUSED, now=now, why=answer, trouble=answer)
        return
    printer.encrypted_key = key_box.seal(answer, key_place(printer.id))
    session.add(printer)


def check_again(session: Session, printer: Printer, *, by: UUID, now: datetime) -> None:
    """The maker has mended what was wrong: look again."""
    move(session, printer, PrinterState.UNCHECKED, now=now, by=by, trouble="")


def pause(session: Session, printer: Printer, *, by: UUID, now: datetime) -> None:
    """The maker wants no new prints for now; what prints goes on."""
    move(session, printer, PrinterState.PAUSED, now=now, by=by)


def resume(session: Session, printer: Printer, *, by: UUID, now: datetime) -> None:
    """The maker takes new prints again."""
    move(session, printer, PrinterState.ACTIVE, now=now, by=by)


def observe(session: Session, seen: Iterable[Seen]) -> None:
    """Write the last observation of each printer, many in one statement; silence keeps the last answer.

    A build plate on which something else is printed is clear no more.
    """
    latest = {one.printer_id: one for one in seen}.values()
    for answered, columns in ((True, _ANSWERED), (False, _UNANSWERED)):
        rows = [_row(one) for one in latest if isinstance(one.report, JobReport) is answered]
        if rows:
            session.execute(_upsert(session, columns), rows)
    _occupy_plates(session, {one.printer_id: one.seen_at for one in latest if _is_printing(one)})


def key_place(printer_id: UUID) -> Place:
    """Where the key of a printer stands."""
    return place(Printer, printer_id, "encrypted_key")


def connection(printer: Printer, key_box: KeyBox) -> Connection:
    """How to reach the printer; raises `Unreadable`."""
    return Connection(printer.url, key_box.open(printer.encrypted_key, key_place(printer.id)))


def connections(printers: Iterable[Printer], key_box: KeyBox) -> dict[UUID, Connection]:
    """How to reach each printer that the hub itself calls, whichever others are among them.

    One whose key can not be read is logged and left out, and holds up no other.
    """
    mine = [printer for printer in printers if printer.link is Link.DIRECT and printer.encrypted_key]
    found = {printer.id: opened(printer.id, (printer.url, printer.encrypted_key), key_box) for printer in mine}
    return {printer_id: connection for printer_id, connection in found.items() if connection is not None}


def opened(printer_id: UUID, sealed: Sealed, key_box: KeyBox) -> Connection | None:
    """How to reach a printer; None, and a line in the log, when its key can not be read."""
    url, key = sealed
    try:
        return Connection(url, key_box.open(key, key_place(printer_id)))
    except Unreadable as error:
        log.error("Printer %s is left alone: %s", printer_id, error)
        return None


def to_poll(session: Session) -> dict[UUID, Sealed]:
    """The printers that the hub itself looks at: those whose key has been checked and that are not retired."""
    states = (PrinterState.ACTIVE, PrinterState.PAUSED)
    mine = select(Printer.id, Printer.url, Printer.encrypted_key)
    rows = session.exec(mine.where(Printer.link == Link.DIRECT, col(Printer.state).in_(states)))
    return {printer_id: (url, key) for printer_id, url, key in rows}


def to_check(session: Session, key_box: KeyBox, *, apart: timedelta, now: datetime) -> dict[UUID, Connection]:
    """How to reach the printers whose address and key wait to be looked at; see `to_ask` for how many at a time."""
    return connections(_unchecked(session, col(Printer.encrypted_key) != b"", apart=apart, now=now), key_box)


def to_ask(session: Session, *, apart: timedelta, now: datetime) -> dict[UUID, str]:
    """The address of each printer that was registered without a key.

    Of each maker one, and none within `apart` of the one before: whoever types addresses scans no network with the hub.
    """
    without = and_(col(Printer.link) == Link.DIRECT, col(Printer.encrypted_key) == b"")
    return {printer.id: printer.url for printer in _unchecked(session, without, apart=apart, now=now)}


def _unchecked(
    session: Session, condition: ColumnElement[bool], *, apart: timedelta, now: datetime
) -> Sequence[Printer]:
    lately = (
        select(Printer.owner_id)
        .join(Transition, col(Transition.entity_id) == Printer.id)
        .where(Transition.entity == Printer.__tablename__, Transition.before == PrinterState.UNCHECKED)
        .where(Transition.after != PrinterState.RETIRED, col(Transition.at) > now - apart)
    )
    waiting = select(Printer).where(Printer.state == PrinterState.UNCHECKED, col(Printer.owner_id).not_in(lately))
    found = session.exec(waiting.where(condition).order_by(col(Printer.registered_at), col(Printer.id))).all()
    first = {printer.owner_id: printer for printer in reversed(found)}
    return list(first.values()) if apart else found


def doing(session: Session, printer_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The last known state of each printer that was ever heard of, as a word of `fleet`."""
    wanted = select(Observation.printer_id, Observation.state).where(col(Observation.printer_id).in_(set(printer_ids)))
    return dict(session.exec(wanted).all())


def is_reachable(observation: Observation | None, now: datetime, offline_after: timedelta) -> bool:
    """Whether the printer has answered lately; derived, so it can not lie for longer than `offline_after`."""
    return observation is not None and observation.seen_at is not None and now - observation.seen_at <= offline_after


def is_idle(printer: Printer, observation: Observation | None, now: datetime, offline_after: timedelta) -> bool:
    """Whether the printer has answered lately that it is ready to print; of one worked by hand nobody hears."""
    return printer.link is Link.BY_HAND or (
        is_reachable(observation, now, offline_after)
        and observation is not None
        and observation.state == Doing.OPERATIONAL
        and not observation.trouble
    )


_ANSWERED = ("asked_at", "seen_at", "state", "completion", "file_path", "seconds_left", "trouble")
_UNANSWERED = ("asked_at", "trouble")


def _is_printing(seen: Seen) -> bool:
    """Whether something comes to lie on the plate; a test print leaves nothing."""
    report = seen.report
    return isinstance(report, JobReport) and report.state.is_active and not prints_trial(report.file_path)


def _occupy_plates(session: Session, printing: Mapping[UUID, datetime]) -> None:
    """Our own prints occupy their plate before they are sent: what prints on a clear one is somebody else's.

    What was seen before the plate was cleared is late news.
    """
    clear = select(BuildPlate).where(col(BuildPlate.printer_id).in_(printing), BuildPlate.state == PlateState.CLEAR)
    for plate in session.exec(clear).all() if printing else ():
        cleared_at, seen_at = history(session, plate)[-1].at, printing[plate.printer_id]
        if seen_at > cleared_at:
            move(session, plate, PlateState.OCCUPIED, now=seen_at, why="a print that is not ours")


def _row(seen: Seen) -> dict[str, object]:
    match seen.report:
        case JobReport() as report:
            return {
                "printer_id": seen.printer_id,
                "asked_at": seen.seen_at,
                "seen_at": seen.seen_at,
                "state": report.state.value,
                "completion": report.completion,
                "file_path": report.file_path[:500] if report.file_path else None,
                "seconds_left": report.print_time_left_s,
                "trouble": "",
            }
        case trouble:
            return {"printer_id": seen.printer_id, "asked_at": seen.seen_at, "state": "", "trouble": trouble.value}


def _upsert(session: Session, columns: Sequence[str]) -> Executable:
    insert: Any = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(Observation)
    upsert: Executable = statement.on_conflict_do_update(
        index_elements=["printer_id"], set_={name: statement.excluded[name] for name in columns}
    )
    return upsert


def _is_key(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text and SHORTEST_KEY <= len(text) <= LONGEST_KEY


def _origin(url: str) -> str | None:
    """The address as the fleet uses it, or None if it is not one of a printer's server."""
    try:
        return str(printer_url(url)).rstrip("/")
    except PrinterTrouble:
        return None
