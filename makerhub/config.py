"""The settings of a hub: one frozen value, from a TOML file and `MAKERHUB_*` environment variables.

This is the only reader of the environment. Every setting has a sentence in its metadata;
`config.example.toml` is proved complete against it by a test.
"""

import math
import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from makerhub.errors import MakerhubError, translatable

SOURCE_TREE = Path(__file__).resolve().parent.parent
AddressMode = Literal["internet", "lan", "agents_only"]
MailChannel = Literal["folder", "smtp"]
MailSecurity = Literal["starttls", "tls", "none"]
ApprovalLevel = Literal["prototype", "community_reviewed", "clinically_approved"]


class BadConfiguration(MakerhubError):
    """A setting is unknown or has a value that it can not have."""

    template = translatable("Setting “%(name)s” in %(source)s: %(problem)s")


def shipped(folder: str) -> Path:
    """The folder of shipped data: beside the source, or where an installed wheel puts it."""
    beside_source = SOURCE_TREE / folder
    return beside_source if beside_source.is_dir() else Path(sys.prefix, "share", "makerhub", folder)


def setting(default: Any, about: str) -> Any:
    """A field with a default and the sentence that documents it."""
    return field(default=default, metadata={"about": about})


@dataclass(frozen=True)
class Settings:
    """All that an operator can set; see each field's sentence."""

    data_directory: Path = setting(Path("var"), "Where the hub keeps its database, its files and its key.")
    database_url: str = setting(
        "",
        "SQLAlchemy address of the database; empty means SQLite in the data directory. PostgreSQL: postgresql+psycopg://user@host/name",
    )
    host: str = setting("127.0.0.1", "Address on which the hub's pages are served.")
    port: int = setting(8000, "Port on which the hub's pages are served.")
    second_factor_roles: tuple[str, ...] = setting(
        ("dispatcher", "admin"), "Roles whose people need a second factor to sign in; [] asks it of nobody."
    )
    public_address: str = setting(
        "",
        "Address under which people reach the pages, for the links in mails, like https://hub.example.org; "
        "empty means http, host and port from above.",
    )
    trusted_proxy: str = setting(
        "",
        "Address of the reverse proxy before the hub, believed in X-Forwarded-For, -Proto and -Host; empty means none.",
    )
    secure_cookies: bool = setting(
        True,
        "Send the sign-in cookie over https only. Browsers make an exception for http://127.0.0.1 and http://localhost.",
    )
    sign_in_hours: int = setting(24 * 14, "Hours after which an unused sign-in ends.")
    open_to_newcomers: bool = setting(
        True, "Whether anybody can make an account, to join or to propose a hub; else one joins by invitation only."
    )
    mail_channel: MailChannel = setting(
        "folder",
        "How mails leave the hub: “smtp” by a mail server, or “folder” as files in the data directory, "
        "which an administrator reads and hands over.",
    )
    mail_from: str = setting("makerhub <makerhub@localhost>", "Who mails say they are from.")
    mail_days: int = setting(7, "Days after which what a mail said is forgotten.")
    smtp_host: str = setting("localhost", "The mail server.")
    smtp_port: int = setting(587, "Its port: usually 587 for “starttls”, 465 for “tls”.")
    smtp_security: MailSecurity = setting(
        "starttls",
        "How the hub speaks to it: “starttls”, “tls” from the first byte, or “none” for one on this machine.",
    )
    smtp_user: str = setting("", "User name at the mail server; empty means that it asks for none.")
    smtp_password_file: Path = setting(
        Path("smtp.password"), "File with the password at the mail server, which nobody else may be able to read."
    )
    languages: tuple[str, ...] = setting(("en", "de", "es", "fr"), "Languages of the pages, the default first.")
    time_zone: str = setting("Europe/London", "Time zone of whoever has not chosen one; all times are stored in UTC.")
    catalogue: Path = setting(shipped("designs"), "Folder of the designs that “makerhub migrate” publishes.")
    printer_profiles: Path = setting(shipped("printers"), "Folder of the printer profiles, one file a model.")
    slicer: str = setting("prusa-slicer", "The PrusaSlicer program that turns meshes into G-code.")
    slicer_profiles: Path = setting(
        Path("/usr/share/PrusaSlicer/profiles"), "Folder of the vendor bundles that come with PrusaSlicer."
    )
    printer_addresses: AddressMode = setting(
        "lan",
        "Which printers the hub may call: “internet” (public addresses, https only), "
        "“lan” (also printer_networks) or “agents_only” (none).",
    )
    printer_networks: tuple[str, ...] = setting(
        ("192.168.0.0/16", "10.0.0.0/8", "172.16.0.0/12"), "Networks (CIDR) in which printers may stand in “lan” mode."
    )
    allow_loopback_printers: bool = setting(
        False, "Let printers stand on this very machine: for the demo and for tests only."
    )
    probe_seconds: float = setting(
        10.0, "Seconds between two addresses that one maker enters and the hub calls for the first time."
    )
    poll_idle_seconds: float = setting(15.0, "Seconds between two looks at an idle printer.")
    poll_printing_seconds: float = setting(5.0, "Seconds between two looks at a printing printer.")
    sweep_seconds: float = setting(20.0, "Seconds between two sweeps of each background task.")
    offline_after_seconds: int = setting(120, "Seconds without an answer after which a printer is shown as not seen.")
    offer_minutes: int = setting(240, "Minutes after which a job that its maker did not answer goes to somebody else.")
    start_minutes: int = setting(
        60, "Minutes after which an accepted job that could not be started goes to somebody else."
    )
    jurisdiction: str = setting("GB", "Whose rules hold at a hub that names none: a code that approvals name, too.")
    approval_for_hospitals: ApprovalLevel = setting(
        "community_reviewed",
        "The least that a design must be for a hospital: “prototype”, “community_reviewed” or “clinically_approved”.",
    )
    approval_for_care_homes: ApprovalLevel = setting("prototype", "The same for a care home.")
    takes_money: bool = setting(
        False, "The hub is paid for what it makes: designs whose licence forbids that are refused."
    )
    further_licences: tuple[str, ...] = setting(
        (), "Licences of designs that the operator has read and accepts, besides those that makerhub knows."
    )
    facility_mail_domains: tuple[str, ...] = setting(
        (), "Mail domains that prove a care worker, such as “nhs.net”: whole, never a part of one."
    )
    evidence_days: int = setting(365, "Days after which what proves a facility has to be proved again.")
    most_for_draft: int = setting(0, "Items that a facility may be promised in all before anything of it is proved.")
    most_for_mail_proved: int = setting(25, "The same once somebody there reads mail at one of those domains.")
    most_for_registered: int = setting(
        200, "The same once it was also found in a register. One that answered by telephone or post has no limit."
    )
    road_factor: float = setting(1.3, "How much longer the way by road is than the straight line, on the whole.")
    largest_request: int = setting(100_000, "Largest quantity that one line of a request may ask for.")
    longest_plate_hours: int = setting(10, "Longest print, in hours, that is put on one build plate.")

    contact: str = setting(
        "", "Whom people turn to who are blocked or locked out: a mail address or a telephone number of the operator."
    )
    keep_invitation_days: int = setting(
        30, "Days after the end of an invitation after which the address that it went to is forgotten."
    )
    keep_view_days: int = setting(365, "Days for which makers see who was shown their address.")
    keep_pickup_days: int = setting(90, "Days after its end after which a pickup is deleted.")
    keep_observation_days: int = setting(30, "Days after which what was last heard of a printer is deleted.")
    keep_note_days: int = setting(90, "Days after the end of a request after which its note is deleted.")
    keep_join_days: int = setting(
        90, "Days after the answer after which it is deleted who asked to join a hub or a facility."
    )
    keep_call_days: int = setting(
        30, "Days after the end of a request by telephone after which it is deleted who called."
    )
    keep_report_days: int = setting(
        365, "Days after the end of a report, or of a block at a hub, after which it is deleted."
    )
    keep_address_days: int = setting(
        30,
        "Days after the last pickup (without one: after it was entered) after which a maker's address is deleted.",
    )

    @property
    def database(self) -> str:
        """The database's SQLAlchemy address."""
        return self.database_url or f"sqlite:///{self.data_directory / 'makerhub.sqlite'}"

    @property
    def files_directory(self) -> Path:
        """Where meshes and G-code are kept, named by the hash of their content."""
        return self.data_directory / "files"

    @property
    def uploads_directory(self) -> Path:
        """Where designs that were handed in wait until they are published or discarded."""
        return self.data_directory / "uploads"

    @property
    def mail_directory(self) -> Path:
        """Where mails are put that go into a folder."""
        return self.data_directory / "mail"

    @property
    def address(self) -> str:
        """Where people reach the pages, without a slash at its end; a request's host can be forged, this can not."""
        return self.public_address.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def checkpoints_directory(self) -> Path:
        """Where the daily digests of the log are kept, outside of the database."""
        return self.data_directory / "checkpoints"

    @property
    def key_file(self) -> Path:
        """The file of the key that encrypts the printers' keys."""
        return self.data_directory / "hub.key"


def load(file: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings: the defaults, then `file`, then the environment.

    Raises `BadConfiguration` with the name of the setting and where it stands.
    """
    environment = os.environ if environment is None else environment
    file = file or _file_from(environment)
    values: dict[str, Any] = {}
    if file is not None:
        values |= _from_file(file)
    values |= _from_environment(environment)
    return Settings(**values)


def _file_from(environment: Mapping[str, str]) -> Path | None:
    named = environment.get("MAKERHUB_CONFIG")
    if named:
        return Path(named)
    usual = Path("config.toml")
    return usual if usual.is_file() else None


def _from_file(file: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadConfiguration(name="config", source=str(file), problem=str(error)) from error
    known = {known.name: known for known in fields(Settings)}
    for name in table.keys() - known.keys():
        raise BadConfiguration(name=name, source=str(file), problem="there is no such setting")
    return {name: _value(known[name], value, str(file)) for name, value in table.items()}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    given = {known: environment.get(f"MAKERHUB_{known.name.upper()}") for known in fields(Settings)}
    return {
        known.name: _value(known, _words(known, text), f"MAKERHUB_{known.name.upper()}")
        for known, text in given.items()
        if text is not None
    }


def _words(known: Field[Any], text: str) -> Any:
    """A value of the environment in the shape that TOML would have given it."""
    if get_origin(known.type) is tuple:
        return [word.strip() for word in text.split(",") if word.strip()]
    if known.type is bool:
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    if known.type in (int, float):
        try:
            return known.type(text)
        except ValueError:
            return text
    return text


def _value(known: Field[Any], value: Any, source: str) -> Any:
    def refuse(problem: str) -> BadConfiguration:
        return BadConfiguration(name=known.name, source=source, problem=problem)

    if get_origin(known.type) is tuple:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise refuse("wants a list of texts")
        return tuple(value)
    if get_origin(known.type) is Literal:
        if value not in get_args(known.type):
            raise refuse(f"wants one of {', '.join(get_args(known.type))}")
        return value
    wanted: type = str if known.type is Path else known.type  # type: ignore[assignment]
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise refuse(f"wants a value of type {wanted.__name__}, not {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise refuse("must be a finite number")
    if isinstance(value, int | float) and value < 0:
        raise refuse("must not be negative")
    return Path(str(value)) if known.type is Path else value
