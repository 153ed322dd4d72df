"""The use cases of spools: what a maker has at hand, what is on which printer, and what is left by our count."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlmodel import Session, col, func, select

from makerhub.errors import Invalid, translatable
from makerhub.lifecycle import begin, move
from makerhub.printers.models import Printer, Spool, SpoolEntry, SpoolState

HEAVIEST_GRAMS = 10_000
LONGEST_COLOUR = 32
LONGEST_WORDS = 64

_GRAMS = translatable("Enter what is on it in grams: from 1 to 10,000, without the empty spool.")


@dataclass(frozen=True)
class NewSpool:
    """A spool as its maker enters it: `grams` of filament are on it; nonsense is 0."""

    material: str
    grams: int
    colour: str = ""
    brand: str = ""
    lot: str = ""


def add(session: Session, new: NewSpool, materials: Iterable[str], *, owner_id: UUID, now: datetime) -> Spool:
    """Enter a spool. Raises `Invalid` with a sentence for each field that is wrong."""
    found = _problems(new, frozenset(materials))
    if found:
        raise Invalid(fields=found)
    spool = Spool(
        id=uuid4(),
        owner_id=owner_id,
        material=new.material,
        colour=new.colour.strip(),
        brand=new.brand.strip(),
        lot=new.lot.strip(),
        milligrams=new.grams * 1000,
        added_at=now,
    )
    begin(session, spool, now=now, by=owner_id)
    return spool


def load(session: Session, spool: Spool, printer: Printer) -> None:
    """Put a spool on a printer, which prints its material from now on; what was on it is taken off.

    Raises `Invalid` for a spool of somebody else or an empty one.
    """
    if spool.owner_id != printer.owner_id or spool.state is not SpoolState.AT_HAND:
        raise Invalid(translatable("This spool can not be put on this printer."))
    unload(session, printer.id)
    spool.printer_id = printer.id
    printer.material, printer.colour = spool.material, spool.colour
    session.add_all((spool, printer))


def unload(session: Session, printer_id: UUID) -> None:
    """Take off the spool that is on a printer, if any."""
    before = loaded(session, printer_id)
    if before is not None:
        before.printer_id = None
        session.add(before)
        session.flush()


def weigh(session: Session, spool: Spool, grams: int, *, by: UUID, now: datetime) -> None:
    """The maker says what is left; the difference to our count becomes an entry. Nothing left: it is used up."""
    if not 0 <= grams <= HEAVIEST_GRAMS:
        raise Invalid(fields={"grams": translatable("Enter what is left in grams: from 0 to 10,000.")})
    difference = grams * 1000 - left(session, spool)
    if difference:
        session.add(SpoolEntry(spool_id=spool.id, milligrams=difference, at=now))
    if grams == 0 and spool.state is SpoolState.AT_HAND:
        move(session, spool, SpoolState.USED_UP, now=now, by=by, printer_id=None)
    elif grams and spool.state is SpoolState.USED_UP:
        move(session, spool, SpoolState.AT_HAND, now=now, by=by)


def book(session: Session, spool_id: UUID, print_id: UUID, milligrams: int, *, now: datetime) -> None:
    """Take from a spool what a print used; for the same print only once."""
    known = select(SpoolEntry.id).where(SpoolEntry.print_id == print_id)
    if milligrams > 0 and session.exec(known).first() is None:
        session.add(SpoolEntry(spool_id=spool_id, milligrams=-milligrams, print_id=print_id, at=now))
        session.flush()


def loaded(session: Session, printer_id: UUID) -> Spool | None:
    """The spool that is on a printer, as far as its maker has told."""
    return session.exec(select(Spool).where(Spool.printer_id == printer_id)).first()


def left(session: Session, spool: Spool) -> int:
    """What is left on a spool by our count, in mg; below zero where more was printed than was thought to be there."""
    return left_on(session, [spool])[spool.id]


def left_on(session: Session, spools: Sequence[Spool]) -> Mapping[UUID, int]:
    """What is left on each of these spools, in mg."""
    sums = (
        select(SpoolEntry.spool_id, func.sum(SpoolEntry.milligrams))
        .where(col(SpoolEntry.spool_id).in_([spool.id for spool in spools]))
        .group_by(col(SpoolEntry.spool_id))
    )
    entries = dict(session.exec(sums).all())
    return {spool.id: spool.milligrams + int(entries.get(spool.id, 0)) for spool in spools}


def of_owner(session: Session, owner_id: UUID) -> Sequence[Spool]:
    """A maker's spools, those at hand first, the newest of each first."""
    mine = select(Spool).where(Spool.owner_id == owner_id)
    return session.exec(mine.order_by(col(Spool.state), col(Spool.added_at).desc())).all()


def _problems(new: NewSpool, materials: frozenset[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    if new.material not in materials:
        found["material"] = translatable("Choose the material of the spool.")
    if not 1 <= new.grams <= HEAVIEST_GRAMS:
        found["grams"] = _GRAMS
    if len(new.colour.strip()) > LONGEST_COLOUR:
        found["colour"] = translatable("Keep the colour under 32 letters.")
    for name in ("brand", "lot"):
        if len(getattr(new, name).strip()) > LONGEST_WORDS:
            found[name] = translatable("Keep it under 64 letters.")
    return found
