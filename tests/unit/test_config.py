import os
import tomllib
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import pytest

from makerhub import config
from makerhub.config import BadConfiguration, Settings, load

EXAMPLE = config.SOURCE_TREE / "config.example.toml"


def written(folder: Path, text: str) -> Path:
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_file_and_environment_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(environment={}) == Settings()


@pytest.mark.parametrize(
    ("name", "in_file", "in_environment", "value"),
    [
        ("data_directory", '"/srv/hub"', "/srv/hub", Path("/srv/hub")),
        ("database_url", '"postgresql+psycopg://hub@db/hub"', "postgresql+psycopg://hub@db/hub", None),
        ("port", "8080", "8080", 8080),
        ("port", "0", "0", 0),
        ("secure_cookies", "false", "false", False),
        ("secure_cookies", "true", "1", True),
        ("secure_cookies", "false", "0", False),
        ("secure_cookies", "true", "TRUE", True),
        ("languages", '["en", "de"]', "en, de", ("en", "de")),
        ("printer_networks", "[]", "", ()),
        ("printer_addresses", '"agents_only"', "agents_only", "agents_only"),
        ("sweep_seconds", "2.5", "2.5", 2.5),
        ("sweep_seconds", "3", "3", 3.0),
    ],
)
def test_each_type_comes_from_file_and_environment(
    tmp_path: Path, name: str, in_file: str, in_environment: str, value: Any
) -> None:
    wanted = in_environment if value is None else value
    from_file = getattr(load(written(tmp_path, f"{name} = {in_file}"), {}), name)
    from_environment = getattr(load(written(tmp_path, ""), {f"MAKERHUB_{name.upper()}": in_environment}), name)
    assert from_file == from_environment == wanted
    assert type(from_file) is type(from_environment) is type(wanted)


def test_the_environment_overrules_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, 'port = 1\nhost = "0.0.0.0"')
    settings = load(file, {"MAKERHUB_PORT": "2"})
    assert (settings.port, settings.host) == (2, "0.0.0.0")  # noqa: S104 - nothing is bound here


def test_the_environment_names_the_file(tmp_path: Path) -> None:
    assert load(environment={"MAKERHUB_CONFIG": str(written(tmp_path, "port = 3"))}).port == 3


def test_a_config_file_in_the_working_directory_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "port = 4")
    monkeypatch.chdir(tmp_path)
    assert load(environment={}).port == 4


def test_this_process_environment_is_read_where_none_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "MAKERHUB_PORT", "5")
    assert load(written(tmp_path, "")).port == 5


@pytest.mark.parametrize(
    ("text", "name", "problem"),
    [
        ("prot = 1", "prot", "there is no such setting"),
        ('port = "8000"', "port", "wants a value of type int, not '8000'"),
        ("port = 8000.0", "port", "wants a value of type int, not 8000.0"),
        ("port = true", "port", "wants a value of type int, not True"),
        ("secure_cookies = 1", "secure_cookies", "wants a value of type bool, not 1"),
        ("host = 1", "host", "wants a value of type str, not 1"),
        ("data_directory = 1", "data_directory", "wants a value of type str, not 1"),
        ('languages = "en"', "languages", "wants a list of texts"),
        ("languages = [1]", "languages", "wants a list of texts"),
        ('printer_addresses = "all"', "printer_addresses", "wants one of internet, lan, agents_only"),
        ("offer_minutes = -1", "offer_minutes", "must not be negative"),
        ("sweep_seconds = -0.5", "sweep_seconds", "must not be negative"),
        ("sweep_seconds = nan", "sweep_seconds", "must be a finite number"),
        ("sweep_seconds = inf", "sweep_seconds", "must be a finite number"),
    ],
)
def test_a_bad_setting_in_the_file_is_named_with_its_place(tmp_path: Path, text: str, name: str, problem: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(BadConfiguration) as refusal:
        load(file, {})
    assert refusal.value.values == {"name": name, "source": str(file), "problem": problem}


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("PORT", "many", "wants a value of type int, not 'many'"),
        ("PORT", "", "wants a value of type int, not ''"),
        ("PORT", "-1", "must not be negative"),
        ("SWEEP_SECONDS", "soon", "wants a value of type float, not 'soon'"),
        ("SWEEP_SECONDS", "nan", "must be a finite number"),
        ("SECURE_COOKIES", "maybe", "wants a value of type bool, not 'maybe'"),
        ("PRINTER_ADDRESSES", "all", "wants one of internet, lan, agents_only"),
    ],
)
def test_a_bad_setting_in_the_environment_is_named(tmp_path: Path, name: str, text: str, problem: str) -> None:
    with pytest.raises(BadConfiguration) as refusal:
        load(written(tmp_path, ""), {f"MAKERHUB_{name}": text})
    assert refusal.value.values == {"name": name.lower(), "source": f"MAKERHUB_{name}", "problem": problem}


@pytest.mark.parametrize("content", [b"port = ", b"\xff", None])
def test_a_file_that_can_not_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "hub.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadConfiguration) as refusal:
        load(file, {})
    assert refusal.value.values["source"] == str(file)


def test_the_database_is_a_file_in_the_data_directory_unless_an_address_is_given() -> None:
    assert Settings(data_directory=Path("here")).database == f"sqlite:///{Path('here') / 'makerhub.sqlite'}"
    assert Settings(database_url="postgresql+psycopg://hub@db/hub").database == "postgresql+psycopg://hub@db/hub"


def test_shipped_data_lies_beside_the_source() -> None:
    assert list(config.shipped("printers").glob("*.toml"))


def test_every_setting_has_a_sentence() -> None:
    assert [known.name for known in fields(Settings) if not known.metadata["about"].endswith((".", "host/name"))] == []


def test_the_example_shows_every_setting_with_its_default_and_its_sentence() -> None:
    """Where this fails, write what it expects: `python tests/unit/test_config.py`."""
    assert EXAMPLE.read_text(encoding="utf-8") == example()


def test_the_example_with_all_its_comments_removed_is_the_defaults(tmp_path: Path) -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    uncommented = "\n".join(line.removeprefix("#") for line in lines if not line.startswith("# "))
    assert tomllib.loads(uncommented).keys() == {known.name for known in fields(Settings)}
    in_the_source = Settings(catalogue=Path("designs"), printer_profiles=Path("printers"))
    assert load(written(tmp_path, uncommented), {}) == in_the_source


def test_the_example_as_it_is_changes_nothing() -> None:
    assert load(EXAMPLE, {}) == Settings()


def example() -> str:
    """What `config.example.toml` should be; folders that are shipped go by their name, wherever they are installed."""
    head = "# The settings of a hub, each with its default. Remove the # before a setting to change it.\n"
    head += "# An environment variable named MAKERHUB_ and the setting's name in capitals goes before this file.\n"
    return head + "".join(
        f"\n# {known.metadata['about']}\n#{known.name} = {_toml(known)}\n" for known in fields(Settings)
    )


def _toml(known: Field[Any]) -> str:
    match known.default:
        case bool(value):
            return str(value).lower()
        case int(value) | float(value):
            return str(value)
        case tuple(texts):
            return f"[{', '.join(_quoted(text) for text in texts)}]"
        case Path() as path:
            return _quoted(path.name if path == config.shipped(path.name) else path.as_posix())
        case other:
            return _quoted(str(other))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


if __name__ == "__main__":
    EXAMPLE.write_text(example(), encoding="utf-8")
