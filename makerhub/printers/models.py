"""Printers at makers' homes, their build plates, spools and upkeep, and the last observation of each."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import JSON, CheckConstraint
from sqlmodel import Field, SQLModel

from makerhub.db import state_type
from makerhub.keys.box import SEALED


class PrinterState(StrEnum):
    """What the hub may do with a printer. Whether it is reachable is derived from its last observation."""

    UNCHECKED = "unchecked"
    ACTIVE = "active"
    REFUSED = "refused"
    PAUSED = "paused"
    RETIRED = "retired"


class Consent(StrEnum):
    """What the maker agreed to: be asked before each print, or let prints start on a clear build plate."""

    ASK = "ask"
    AUTOMATIC = "automatic"


class Link(StrEnum):
    """How the hub reaches a printer: itself, through an agent beside it that dials out, or by its maker's hands."""

    DIRECT = "direct"
    AGENT = "agent"
    BY_HAND = "by_hand"


class PlateState(StrEnum):
    """Whether something lies on the build plate."""

    CLEAR = "clear"
    OCCUPIED = "occupied"


class Printer(SQLModel, table=True):
    """A printer at a maker's home. `url` and `encrypted_key` (OctoPrint's, sealed for this row) are there with a direct
    link only: an agent keeps both to itself.

    `missing_permissions` and `excess_permissions` compare the key with what is needed; `trouble` is a word of `fleet`
    for why the check had no answer. `own_model` is what the maker said of a model that has no shipped profile,
    `own_code` the slicer settings, start and end code that the maker brought for this printer.
    """

    __tablename__ = "printer"
    MOVES: ClassVar[Mapping[PrinterState, frozenset[PrinterState]]] = {
        PrinterState.UNCHECKED: frozenset({PrinterState.ACTIVE, PrinterState.REFUSED, PrinterState.RETIRED}),
        PrinterState.REFUSED: frozenset({PrinterState.UNCHECKED, PrinterState.RETIRED}),
        PrinterState.ACTIVE: frozenset(
            {PrinterState.PAUSED, PrinterState.UNCHECKED, PrinterState.REFUSED, PrinterState.RETIRED}
        ),
        PrinterState.PAUSED: frozenset(
            {PrinterState.ACTIVE, PrinterState.UNCHECKED, PrinterState.REFUSED, PrinterState.RETIRED}
        ),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    owner_id: UUID = Field(foreign_key="person.id", index=True)
    hub_id: UUID = Field(foreign_key="organisation.id", index=True)
    name: str = Field(max_length=100)
    profile: str = Field(max_length=64)
    material: str = Field(max_length=32)
    colour: str = Field(default="", max_length=32)
    consent: Consent = Field(default=Consent.ASK, sa_type=state_type(Consent))
    link: Link = Field(default=Link.DIRECT, sa_type=state_type(Link))
    url: str = Field(default="", max_length=500)
    encrypted_key: bytes = Field(default=b"", sa_column_kwargs={"info": SEALED})
    missing_permissions: list[str] = Field(default_factory=list, sa_type=JSON)
    excess_permissions: list[str] = Field(default_factory=list, sa_type=JSON)
    trouble: str = Field(default="", max_length=32)
    own_model: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    own_code: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    state: PrinterState = Field(default=PrinterState.UNCHECKED, sa_type=state_type(PrinterState))
    registered_at: datetime


class BuildPlate(SQLModel, table=True):
    """The build plate of a printer: OctoPrint has no gate between two prints, so this is ours."""

    __tablename__ = "build_plate"
    MOVES: ClassVar[Mapping[PlateState, frozenset[PlateState]]] = {
        PlateState.CLEAR: frozenset({PlateState.OCCUPIED}),
        PlateState.OCCUPIED: frozenset({PlateState.CLEAR}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    printer_id: UUID = Field(foreign_key="printer.id", unique=True)
    state: PlateState = Field(default=PlateState.OCCUPIED, sa_type=state_type(PlateState))


class Observation(SQLModel, table=True):
    """What was last heard of a printer. `seen_at` is its last answer, `asked_at` the last time it was asked.

    Both are written when something is new, and else now and then: they may be a quarter of the time behind after which
    a printer counts as not seen.

    `state` and `trouble` are words of `fleet`: the state of the last answer, and why the last question had none.
    """

    __tablename__ = "observation"

    printer_id: UUID = Field(foreign_key="printer.id", primary_key=True)
    asked_at: datetime
    seen_at: datetime | None = None
    state: str = Field(default="", max_length=32)
    completion: float | None = None
    file_path: str | None = Field(default=None, max_length=500)
    seconds_left: int | None = None
    trouble: str = Field(default="", max_length=32)


class SpoolState(StrEnum):
    """Whether there is anything left on a spool."""

    AT_HAND = "at_hand"
    USED_UP = "used_up"


class Spool(SQLModel, table=True):
    """Filament that a maker has at hand; `lot` is the number that its maker printed on the box.

    `milligrams` is what was on it when it was entered; what is left is that and the sum of its entries. At most one
    spool is on a printer at a time.
    """

    __tablename__ = "spool"
    __table_args__ = (CheckConstraint("milligrams > 0", name="milligrams_positive"),)
    MOVES: ClassVar[Mapping[SpoolState, frozenset[SpoolState]]] = {
        SpoolState.AT_HAND: frozenset({SpoolState.USED_UP}),
        SpoolState.USED_UP: frozenset({SpoolState.AT_HAND}),
    }

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    owner_id: UUID = Field(foreign_key="person.id", index=True)
    printer_id: UUID | None = Field(default=None, foreign_key="printer.id", unique=True)
    material: str = Field(max_length=32)
    colour: str = Field(default="", max_length=32)
    brand: str = Field(default="", max_length=64)
    lot: str = Field(default="", max_length=64)
    milligrams: int
    state: SpoolState = Field(default=SpoolState.AT_HAND, sa_type=state_type(SpoolState))
    added_at: datetime


class SpoolEntry(SQLModel, table=True):
    """What a spool lost (negative) or had more than was thought: a print, or its maker's look at the scales.

    `print_id` is the attempt that took it, once; printers know nothing of attempts, so it is no foreign key.
    """

    __tablename__ = "spool_entry"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    spool_id: UUID = Field(foreign_key="spool.id", index=True)
    milligrams: int
    print_id: UUID | None = Field(default=None, unique=True)
    at: datetime


class UpkeepKind(StrEnum):
    """What was done to a printer."""

    CLEANED = "cleaned"
    LEVELLED = "levelled"
    NOZZLE = "nozzle"
    BELTS = "belts"
    GREASED = "greased"
    REPAIRED = "repaired"
    OTHER = "other"


class Upkeep(SQLModel, table=True):
    """One line of a printer's maintenance log; `print_seconds` is what it had printed for us until then."""

    __tablename__ = "upkeep"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    printer_id: UUID = Field(foreign_key="printer.id", index=True)
    kind: UpkeepKind = Field(sa_type=state_type(UpkeepKind))
    note: str = Field(default="", max_length=200)
    print_seconds: int
    at: datetime


class PowerLimit(SQLModel, table=True):
    """How many watts a maker's printers may draw together while they heat up, for the household's breaker."""

    __tablename__ = "power_limit"
    __table_args__ = (CheckConstraint("watts > 0", name="watts_positive"),)

    owner_id: UUID = Field(foreign_key="person.id", primary_key=True)
    watts: int
